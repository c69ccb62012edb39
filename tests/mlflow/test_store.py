"""What an installation without MLflow's full package does where the store is a database, MLflow's default."""

import asyncio
import logging
import sys
from collections.abc import Generator
from importlib.metadata import requires

import mlflow
import pytest
from packaging.requirements import Requirement

from agent.errors import SettingsError
from agent.mlflow import tracing
from agent.mlflow.evaluation.run import results_of
from agent.mlflow.registration import log_and_register
from agent.mlflow.responses_agent import ArgoCDAssistant
from agent.mlflow.store import check_store, missing_package, store_errors
from serve.logged_model import load_logged
from serve.trace_store import MLflowTraceStore
from tests.conftest import TraceStore

NEEDED = r"pip install 'argocd-assistant\[mlflow\]'"
QUESTION = {
    "input": [{"role": "user", "content": "Why?"}],
    "custom_inputs": {
        "manifest": {
            "kind": "Pod",
            "metadata": {"name": "web-0"},
            "status": {
                "containerStatuses": [
                    {"name": "web", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
                ]
            },
        }
    },
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy is not there, as after `pip install argocd-assistant`."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)


@pytest.fixture
def tracking_uri() -> Generator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.mark.usefixtures("small", "tracking_uri")
@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "postgresql+psycopg2://mlflow:secret@db/mlflow"])
def test_a_database_needs_the_full_package(uri: str) -> None:
    mlflow.set_tracking_uri(uri)

    with pytest.raises(SettingsError, match=NEEDED) as caught:
        check_store()

    assert "secret" not in caught.value.public_message


@pytest.mark.usefixtures("small", "tracking_uri")
def test_a_server_needs_no_more() -> None:
    mlflow.set_tracking_uri("http://127.0.0.1:5000")

    assert missing_package() == ""
    assert store_errors() == (mlflow.MlflowException,)


def test_nothing_is_missing_with_the_full_package(traces: TraceStore) -> None:
    assert missing_package() == ""


@pytest.mark.usefixtures("small")
def test_logging_evaluating_and_loading_name_the_package(traces: TraceStore) -> None:
    with pytest.raises(SettingsError, match=NEEDED):
        log_and_register()
    with pytest.raises(SettingsError, match=NEEDED):
        results_of("any")
    with pytest.raises(SettingsError, match=NEEDED):
        load_logged("models:/argocd-assistant@champion")


@pytest.mark.usefixtures("small")
def test_a_turn_is_answered_without_a_trace_and_one_warning(
    traces: TraceStore, caplog: pytest.LogCaptureFixture
) -> None:
    tracing._warn_of_no_traces.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assistant = ArgoCDAssistant.from_environment({"provider": "offline", "kubernetes": "off"})

    with caplog.at_level(logging.WARNING):
        answers = [assistant.predict(QUESTION), assistant.predict(QUESTION)]

    assert all(answer.custom_outputs and answer.custom_outputs["findings"] for answer in answers)
    assert len([record for record in caplog.records if "Turns are not traced" in record.message]) == 1
    assert [record for record in caplog.records if record.name.startswith("mlflow")] == []


@pytest.mark.usefixtures("small")
def test_a_server_is_ready_and_reports_that_traces_are_off(traces: TraceStore) -> None:
    facts = asyncio.run(MLflowTraceStore().check())

    assert facts["store"] is None
    assert "argocd-assistant[mlflow]" in facts["note"]


def test_the_extra_is_all_that_needs_the_full_package() -> None:
    needed = [Requirement(text) for text in requires("argocd-assistant") or []]
    full = [each for each in needed if each.name == "mlflow"]
    skinny = [each for each in needed if each.name == "mlflow-skinny"]

    assert [str(each.marker) for each in full] == ['extra == "mlflow"']
    assert [each.specifier for each in skinny] == [full[0].specifier]
