"""What a platform asks of the process: does it run, is it ready, which versions."""

import asyncio
import logging
import platform
from importlib.metadata import version

import httpx
import pytest

from agent.errors import ProviderUnauthorized
from serve.readiness import Readiness
from tests.serve.scripted import Gate, ScriptedAssistant, ScriptedTraceStore, ask, lost_store, served


@pytest.mark.parametrize("path", ["/health", "/ping"])
def test_a_running_process_is_alive_whatever_is_down(path: str) -> None:
    assistant = ScriptedAssistant()
    assistant.down = ProviderUnauthorized("The token was refused")
    with served(assistant, trace_store=lost_store()) as client:
        answer = client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_the_versions_are_those_installed(client: httpx.Client) -> None:
    assert client.get("/version").json() == {
        "argocd-assistant": version("argocd-assistant"),
        "mlflow": version("mlflow"),
        "python": platform.python_version(),
    }


def test_it_is_ready_when_every_part_answers(client: httpx.Client) -> None:
    answer = client.get("/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "parts": {
            "provider": {"ready": True, "name": "offline", "protocol": "none"},
            "trace_store": {"ready": True, "store": "sqlite:///mlflow.db"},
        },
    }


def test_it_is_not_ready_without_its_provider_and_says_why() -> None:
    assistant = ScriptedAssistant()
    assistant.down = ProviderUnauthorized("The token was refused")
    with served(assistant) as client:
        answer = client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        "provider": {"ready": False, "error_code": "provider_unauthorized", "message": "The token was refused"},
        "trace_store": {"ready": True, "store": "sqlite:///mlflow.db"},
    }


def test_it_is_not_ready_without_its_store_but_answers_all_the_same() -> None:
    with served(ScriptedAssistant(), trace_store=lost_store()) as client:
        ready = client.get("/ready")
        answer = client.post("/invocations", json=ask())

    assert ready.status_code == 503
    assert ready.json()["parts"]["trace_store"]["error_code"] == "trace_store_unavailable"
    assert answer.status_code == 200


def test_many_probes_cost_the_parts_one_check() -> None:
    assistant = ScriptedAssistant()
    readiness = Readiness({"provider": assistant.check}, keep=3600)

    async def many() -> set[bool]:
        reports = await asyncio.gather(*(readiness.report() for _ in range(20)))
        return {report["ready"] for report in reports}

    assert asyncio.run(many()) == {True}
    assert assistant.checks == 1


def test_a_part_that_does_not_answer_in_time_is_not_ready() -> None:
    assistant = ScriptedAssistant()
    assistant.check_gate = Gate()

    report = asyncio.run(Readiness({"provider": assistant.check}, bound=0.01).report())

    assert report["parts"]["provider"] == {
        "ready": False,
        "error_code": "timeout",
        "message": "No answer within 0.01 seconds",
    }


def test_a_part_is_asked_again_when_the_report_is_old() -> None:
    assistant = ScriptedAssistant()
    readiness = Readiness({"provider": assistant.check}, keep=0)
    assistant.down = ProviderUnauthorized("The token was refused")

    async def twice() -> tuple[bool, bool]:
        before = await readiness.report()
        assistant.down = None
        after = await readiness.report()
        return before["ready"], after["ready"]

    assert asyncio.run(twice()) == (False, True)


def test_the_process_starts_warm_and_ends_clean() -> None:
    assistant, store = ScriptedAssistant(), ScriptedTraceStore()
    with served(assistant, trace_store=store):
        assert assistant.warmed_up
        assert store.configured
        assert not store.flushed

    assert assistant.closed
    assert store.flushed


def test_a_start_with_everything_down_is_a_start_that_warns(caplog: pytest.LogCaptureFixture) -> None:
    assistant = ScriptedAssistant()
    assistant.down = ProviderUnauthorized("The token was refused")
    with served(assistant, trace_store=lost_store()) as client:
        assert client.post("/invocations", json=ask()).status_code == 200

    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        "Started without a warm-up: The token was refused",
        "Started while the provider is not ready: The token was refused",
        "Started while the trace_store is not ready: MLflow's store http://mlflow:5000 does not answer",
        "Traces were lost: they could not be written within 5 seconds",
    ]
