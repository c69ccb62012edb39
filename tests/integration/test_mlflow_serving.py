"""The logged model as its users meet it: `python log_agent.py`, then `mlflow models serve` in an empty folder."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.openai_backend import Gate, Reply, ScriptedBackend
from tests.fakes.server import PATIENCE, closed_port, free_port, running
from tests.integration.processes import ServerProcess, poll, server_process

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SECRET = "tr0ub4dor-and-3-" + "planted"
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop", "uid": "u1"},
    "spec": {"containers": [{"name": "api", "image": "api:1", "env": [{"name": "DB_PASSWORD", "value": SECRET}]}]},
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


def body(question: str = "Why does it restart?", **more: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": question}], "custom_inputs": {"manifest": POD}, **more}


@dataclass(frozen=True)
class Store:
    """A tracking store with the logged model in it."""

    folder: Path
    printed: str

    @property
    def environment(self) -> dict[str, str]:
        keep = {key: os.environ[key] for key in ("PATH", "LANG", "SSL_CERT_FILE") if key in os.environ}
        return keep | {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{keep.get('PATH', '')}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
            "ASSISTANT_KUBERNETES": "off",
        }

    def everything(self) -> str:
        """Every value of every table."""
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as connection:
            tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
            return "\n".join(repr(row) for table in tables for row in connection.execute(f'select * from "{table}"'))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    done = subprocess.run(
        [sys.executable, ROOT / "log_agent.py"],
        cwd=folder,
        env=Store(folder, "").environment | {"LLAMASTACK_BASE_URL": f"http://127.0.0.1:{closed_port()}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return Store(folder, done.stdout)


@pytest.fixture(scope="module")
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture(scope="module")
def served(
    store: Store, backend: ScriptedBackend, tmp_path_factory: pytest.TempPathFactory
) -> Generator[ServerProcess]:
    port = free_port()
    command = ["mlflow", "models", "serve", "-m", "models:/argocd-assistant@champion", "--env-manager", "local"]
    with (
        running(backend.app) as model,
        server_process(
            [sys.executable, "-m", *command, "--port", str(port)],
            url=f"http://127.0.0.1:{port}",
            health="/ping",
            cwd=tmp_path_factory.mktemp("empty"),
            env=store.environment | {"LLAMASTACK_BASE_URL": model, "MLFLOW_EXPERIMENT_NAME": "argocd-assistant"},
        ) as server,
    ):
        yield server


def post(server: ServerProcess, content: Any, **options: Any) -> httpx.Response:
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(
        f"{server.url}/invocations", content=content, headers=headers, timeout=PATIENCE, trust_env=False, **options
    )


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))


def streamed(server: ServerProcess, content: dict[str, Any]) -> Any:
    return httpx.stream(
        "POST", f"{server.url}/invocations", json=content | {"stream": True}, timeout=PATIENCE, trust_env=False
    )


def test_log_agent_prints_how_to_serve_ask_and_see_the_traces(store: Store) -> None:
    for line in ("models:/argocd-assistant@champion", "mlflow models serve", "curl -N", "mlflow ui"):
        assert line in store.printed


def test_the_logged_model_holds_code_and_lock_and_no_setting_of_this_place(store: Store) -> None:
    [model] = store.folder.rglob("MLmodel")
    text = model.read_text()

    assert (model.parent / "code" / "agent" / "turn" / "assistant.py").is_file()
    assert (model.parent / "uv.lock").is_file()
    assert "mlflow==" in (model.parent / "requirements.txt").read_text()
    assert "LLAMASTACK" not in text
    assert "127.0.0.1" not in text


def test_the_logged_model_runs_its_own_code_in_an_empty_folder(store: Store, tmp_path: Path) -> None:
    code = (
        "import agent, mlflow, json, sys\n"
        "model = mlflow.pyfunc.load_model('models:/argocd-assistant@champion')\n"
        f"answer = model.predict({body()!r})\n"
        "print(json.dumps({'text': answer['output'][0]['content'][0]['text'], 'file': sys.modules['agent'].__file__}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=store.environment, stdout=subprocess.PIPE, text=True, check=True
    )

    answer = json.loads(done.stdout.splitlines()[-1])
    assert "OOMKilled" in answer["text"]
    assert not Path(answer["file"]).is_relative_to(ROOT)


def test_a_plain_invocation_is_answered(served: ServerProcess, backend: ScriptedBackend) -> None:
    backend.reset()

    answer = post(served, body()).json()

    assert answer["output"][0]["content"][0]["text"] == "The pod is OOMKilled.", answer["custom_outputs"]["provider"]
    assert answer["custom_outputs"]["provider"]["protocol"] == "chat-completions"
    assert answer["usage"]["input_tokens"] == 11


def test_the_first_delta_arrives_before_the_last_is_produced(served: ServerProcess, backend: ScriptedBackend) -> None:
    gate = Gate()
    backend.reset()
    backend.answer(Reply(deltas=("It was ", "killed: ", "OOMKilled."), gate=gate, gate_after=1))
    deltas: list[str] = []

    with streamed(served, body()) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for event in events(response):
            if event["type"] == "response.output_text.delta":
                deltas.append(event["delta"])
                gate.open()

    assert deltas == ["It was ", "killed: ", "OOMKilled."]


def test_traces_arrive_in_the_store(served: ServerProcess, backend: ScriptedBackend, store: Store) -> None:
    backend.reset()
    trace_id = post(served, body()).json()["custom_outputs"]["trace_id"]

    def state() -> str | None:
        with closing(sqlite3.connect(store.folder / "mlflow.db")) as connection:
            row = connection.execute("select status from trace_info where request_id = ?", (trace_id,)).fetchone()
        return row[0] if row else None

    assert poll(state, what=f"trace {trace_id}") == "OK"


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (body(input=[]), 400, "input: must be"),
        (body(custom_inputs={"colour": "red"}), 400, "custom_inputs.colour"),
        (body(custom_inputs={"log_request": {"tail_lines": 0}}), 400, "custom_inputs.log_request.tail_lines"),
        (b"[1, 2]", 400, "body"),
        (b'{"input": "\xff"}', 400, "UTF-8"),
        (b"{", 400, "JSON"),
        (b" " * 60_000_000, 413, "body"),
    ],
    ids=["empty input", "unknown key", "tail_lines", "array", "utf-8", "json", "60 MB"],
)
def test_bad_input_is_told_by_its_field_and_the_server_goes_on(
    served: ServerProcess, backend: ScriptedBackend, content: Any, status: int, message: str
) -> None:
    backend.reset()

    answer = post(served, content)

    assert answer.status_code == status
    assert message in answer.json()["message"]
    assert "Traceback" not in answer.text
    assert post(served, body()).status_code == 200


def test_a_client_that_leaves_ends_the_request_upstream(served: ServerProcess, backend: ScriptedBackend) -> None:
    backend.reset()
    backend.answer(Reply(deltas=tuple(f"word {number} " for number in range(1_000)), pace=0.01))

    with streamed(served, body()) as response:
        for event in events(response):
            if event["type"] == "response.output_text.delta":
                break

    poll(lambda: backend.aborted_streams or None, what="the upstream request was aborted")
    assert backend.open_streams == 0


def test_a_planted_secret_is_found_nowhere(served: ServerProcess, backend: ScriptedBackend, store: Store) -> None:
    backend.reset()
    planted = {
        "manifest": POD,
        "events": [{"type": "Warning", "reason": "Failed", "message": f"login with password={SECRET} failed"}],
        "logs": {"api": f"connecting as app:{SECRET}\nDB_PASSWORD={SECRET}\n"},
    }
    good = post(served, body(f"Is {SECRET} the right password?", custom_inputs=planted))
    bad = post(served, body(f"My password is {SECRET}", custom_inputs={**planted, "colour": SECRET}))
    trace_id = good.json()["custom_outputs"]["trace_id"]
    poll(lambda: trace_id in store.everything() or None, what=f"trace {trace_id}")

    assert backend.requests
    assert SECRET not in "".join(request.all_text for request in backend.requests)
    assert SECRET not in good.text + bad.text
    assert SECRET not in store.everything()
    assert SECRET not in served.output
    for file in store.folder.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
