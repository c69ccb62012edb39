"""Three streamed turns in one session with a real model: no prompt is above the window, every answer is bounded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agent.objects.manifest import text_at
from tests.docs.pages import ROOT
from tests.fakes.server import PATIENCE, free_port
from tests.integration.processes import ServerProcess, server_process
from tests.model.conftest import Model

QUESTIONS = ("Why does this Pod restart?", "What in the log shows it?", "What should I change?")
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "api", "image": "api:1"}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "api",
                "restartCount": 7,
                "ready": False,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }
        ],
    },
}
# Words that do not repeat, so that distillation leaves far more than any of the windows holds.
LOG = "\n".join(
    f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z ERROR worker-{n} failed: {hex(n * 7919)} of {n * 104_729 % 99_991} items"
    for n in range(1_500)
)

WINDOW = "ASSISTANT_MODEL_WINDOW"
# The bound of the request that finds out a window: more tokens than any model takes.
PROBE = 2_000_000_000

# Takes the question's number and the session so far; gives the text and the session.
type Turn = Callable[[int, str | None], tuple[str, str | None]]


@pytest.fixture(params=[True, False], ids=["window told", "window unset"])
def environment(request: pytest.FixtureRequest, model: Model, tmp_path: Path) -> dict[str, str]:
    told = {WINDOW: str(model.window)} if request.param else {}
    return told | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "LLAMASTACK_BASE_URL": model.url,
        "LLAMASTACK_MODEL": model.name,
        "ASSISTANT_KUBERNETES": "off",
        "ASSISTANT_PROVIDER_RETRIES": "0",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
    }


@pytest.fixture
def serving(environment: dict[str, str], tmp_path: Path) -> Generator[ServerProcess]:
    port = free_port()
    command = [sys.executable, "-m", "serve", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with server_process(command, url=url, health="/health", cwd=tmp_path, env=environment) as server:
        yield server


def by_ask(environment: dict[str, str], folder: Path) -> Turn:
    (folder / "pod.yaml").write_text(yaml.safe_dump(POD))
    (folder / "app.log").write_text(LOG)

    def turn(number: int, session: str | None) -> tuple[str, str | None]:
        continued = ["--session", session] if session else []
        command = [
            sys.executable,
            "-m",
            "agent.cli",
            "ask",
            "-f",
            "pod.yaml",
            "--logs",
            "app.log",
            "--json",
            *continued,
        ]
        done = subprocess.run(
            [*command, QUESTIONS[number]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        answer = json.loads(done.stdout)
        # A small model repeats itself until it reaches the bound; that is an end like any other here.
        assert answer["error"] is None or answer["error"]["code"] == "response_incomplete", answer["error"]
        return answer["answer"], answer["custom_outputs"].get("session_id") or session

    return turn


def by_http(server: ServerProcess, path: str) -> Turn:
    def turn(number: int, session: str | None) -> tuple[str, str | None]:
        inputs = {"manifest": POD, "logs": {"api": LOG}} | ({"session_id": session} if session else {})
        body = {
            "input": [{"role": "user", "content": QUESTIONS[number]}],
            "stream": True,
            "custom_inputs": inputs,
        }
        text = ""
        outputs: dict[str, Any] = {}
        url = f"{server.url}{path}"
        with httpx.stream("POST", url, json=body, timeout=PATIENCE, trust_env=False) as response:
            assert response.status_code == 200, response.read()
            for line in response.iter_lines():
                if not line.startswith("data: {"):
                    continue
                event = json.loads(line.removeprefix("data: "))
                # A small model repeats itself until it is stopped; that is an end like any other here.
                failure = event.get("code") or text_at(event, "response", "error", "code")
                assert event["type"] not in {"error", "response.failed"} or failure == "response_incomplete", event
                if event["type"] == "response.output_text.delta":
                    text += event["delta"]
                outputs = event.get("custom_outputs") or event.get("response", {}).get("custom_outputs") or outputs
        return text, outputs.get("session_id") or session

    return turn


def three_turns(turn: Turn, model: Model, *, told: bool, processes: int) -> None:
    model.counting.completions.clear()
    session: str | None = None
    for number in range(len(QUESTIONS)):
        text, session = turn(number, session)
        assert text.strip()

    if model.server == "direct":
        assert session is None
    # The request that asks an unknown server for its window is none for an answer.
    completions = [each for each in model.counting.completions if each.bound != PROBE]
    assert len(completions) >= len(QUESTIONS)
    for completion in completions:
        print(model.server, model.window, completion)
    answered = [each for each in completions if each.status == 200]
    refused = [each for each in completions if each.status != 200]
    assert len(answered) == len(QUESTIONS)
    # A window that nobody named is learned from one refusal, and remembered as long as the process lives.
    assert len(refused) <= (0 if told else processes)
    assert [each for each in answered if each.prompt > model.window] == []
    assert [each for each in answered if each.bound is None] == []
    if told:
        assert [each for each in answered if each.prompt + (each.bound or 0) > model.window] == []
    assert [each for each in answered if each.answer is not None and each.answer > (each.bound or 0)] == []


def test_by_ask(model: Model, environment: dict[str, str], tmp_path: Path) -> None:
    three_turns(by_ask(environment, tmp_path), model, told=WINDOW in environment, processes=len(QUESTIONS))


@pytest.mark.parametrize("path", ["/invocations", "/responses"])
def test_by_http(model: Model, environment: dict[str, str], serving: ServerProcess, path: str) -> None:
    three_turns(by_http(serving, path), model, told=WINDOW in environment, processes=1)
