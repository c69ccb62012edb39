"""The whole way: HTTP, the server as a process, a real llama-stack or OGX behind it, a real trace store."""

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import mlflow
import pytest
from mlflow.entities import Trace

from tests.fakes.openai_backend import CONTEXT_TOO_LONG, Answer, Failure, Gate, Reply, ScriptedBackend
from tests.fakes.server import PATIENCE, closed_port, free_port
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, ServerKind
from tests.integration.processes import ServerProcess, poll, server_process

pytestmark = pytest.mark.integration

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


def body(question: str, *, user: str = "ada", **custom_inputs: Any) -> dict[str, Any]:
    return {
        "input": [{"role": "user", "content": question}],
        "context": {"user_id": user},
        "custom_inputs": {"manifest": POD} | custom_inputs,
    }


def post(server: ServerProcess, content: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{server.url}/invocations", json=content, timeout=PATIENCE, trust_env=False)


def stream(server: ServerProcess, content: dict[str, Any]) -> AbstractContextManager[httpx.Response]:
    content = content | {"stream": True}
    return httpx.stream("POST", f"{server.url}/invocations", json=content, timeout=PATIENCE, trust_env=False)


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))


def text_of(answer: dict[str, Any]) -> str:
    return answer["output"][-1]["content"][0]["text"]


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "mlflow.db"


type Serve = Callable[..., AbstractContextManager[ServerProcess]]


@pytest.fixture(scope="module")
def serve(store_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Starts the assistant's server as a process, with a llama-stack server behind it."""

    @contextmanager
    def start(llama_stack: str, **settings: str) -> Generator[ServerProcess]:
        port = free_port()
        with server_process(
            [sys.executable, "-m", "serve", "--port", str(port)],
            url=f"http://127.0.0.1:{port}",
            health="/health",
            cwd=tmp_path_factory.mktemp("serve"),
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "HOME": str(store_path.parent),
                "LLAMASTACK_BASE_URL": llama_stack,
                "ASSISTANT_MODEL_WINDOW": "48000",
                "ASSISTANT_KUBERNETES": "off",
                "ASSISTANT_PROVIDER_RETRIES": "0",
                "MLFLOW_TRACKING_URI": f"sqlite:///{store_path}",
            }
            | settings,
        ) as server:
            yield server

    return start


@pytest.fixture(scope="module", params=[LLAMA_STACK, OGX], ids=lambda kind: kind.name)
def llama_stack(request: pytest.FixtureRequest, start_server: Callable[[ServerKind], str]) -> str:
    """Each of the two servers of today."""
    return start_server(request.param)


@pytest.fixture(scope="module")
def serving(serve: Serve, llama_stack: str) -> Generator[ServerProcess]:
    """The assistant's server in front of each of them."""
    with serve(llama_stack) as server:
        yield server


def stored_trace(store_path: Path, trace_id: str) -> Trace:
    mlflow.set_tracking_uri(f"sqlite:///{store_path}")

    def look() -> Trace | None:
        trace = mlflow.get_trace(trace_id)
        # The store takes the spans first, and what is known of the whole after them.
        return trace if trace and "mlflow.trace.session" in trace.info.trace_metadata else None

    return poll(look, what=f"trace {trace_id}")


def test_a_session_goes_on_after_the_process_was_replaced(
    serve: Serve, llama_stack: str, backend: ScriptedBackend
) -> None:
    backend.answer(Reply(deltas=("It ran out ", "of memory.")), Reply(deltas=("Raise the limit.",)))
    with serve(llama_stack) as first:
        session_id = post(first, body("Why does it restart?")).json()["custom_outputs"]["session_id"]
        assert first.terminate() == 0
    with serve(llama_stack) as second:
        answer = post(second, body("What shall I do?", session_id=session_id)).json()

    assert text_of(answer) == "Raise the limit."
    assert answer["custom_outputs"]["session_id"] == session_id
    last = backend.requests[-1]
    assert [text for text in last.texts("user")] == ["Why does it restart?", "What shall I do?"]
    assert last.texts("assistant") == ["It ran out of memory."]
    assert last.all_text.count("## Live manifest, status") == 1


def test_usage_and_model_stand_in_the_trace(serving: ServerProcess, backend: ScriptedBackend, store_path: Path) -> None:
    backend.answer(Reply(usage=(1_234, 56)))

    outputs = post(serving, body("Why does it restart?")).json()["custom_outputs"]

    trace = stored_trace(store_path, outputs["trace_id"])
    assert trace.info.token_usage == {"input_tokens": 1_234, "output_tokens": 56, "total_tokens": 1_290}
    assert trace.info.tags["assistant.protocol"] == "responses"
    assert trace.info.tags["assistant.model"].endswith("m1")
    assert trace.info.trace_metadata["mlflow.trace.user"] == "ada"
    assert trace.info.trace_metadata["mlflow.trace.session"] == outputs["session_id"]


def test_two_users_side_by_side_never_see_each_other(serving: ServerProcess, backend: ScriptedBackend) -> None:
    sessions: dict[str, str] = {}
    for turn in ("first", "second"):
        for user in ("ada", "bob"):
            more = {"session_id": sessions[user]} if user in sessions else {}
            pod = POD | {"metadata": POD["metadata"] | {"name": f"pod-of-{user}"}}
            answer = post(serving, body(f"{turn} of-{user}", user=user, manifest=pod, **more)).json()
            sessions[user] = answer["custom_outputs"]["session_id"]
    refused = post(serving, body("Let me see", user="bob", session_id=sessions["ada"]))

    assert (refused.status_code, refused.json()["error_code"]) == (403, "session_forbidden")
    assert len(backend.requests) == 4
    for asked in backend.requests:
        other = "of-ada" if "of-bob" in asked.texts("user")[-1] else "of-bob"
        assert other not in asked.all_text


FAILURES: dict[str, tuple[Answer, int]] = {
    "rate_limited": (Failure(status=429, message="Rate limit reached for requests"), 429),
    "provider_unauthorized": (Failure(status=401, message="Incorrect API key provided: sk-abc123"), 502),
    "context_too_long": (CONTEXT_TOO_LONG, 413),
    "response_incomplete": (Reply(finish_reason="length"), 502),
}


@pytest.mark.parametrize("code", list(FAILURES))
def test_each_failure_of_the_model_has_its_own_code_and_public_message(
    serving: ServerProcess, backend: ScriptedBackend, code: str
) -> None:
    answer, status = FAILURES[code]
    backend.answer(answer)
    _check_failure(serving, code, status)


def test_the_silence_of_the_model_has_its_own_code_and_public_message(
    serve: Serve, llama_stack: str, backend: ScriptedBackend
) -> None:
    backend.answer(Reply(gate=Gate(), gate_after=0))
    with serve(llama_stack, ASSISTANT_PROVIDER_TIMEOUT="3") as serving:
        _check_failure(serving, "provider_timeout", 504)


def _check_failure(serving: ServerProcess, code: str, status: int) -> None:
    plain = post(serving, body("Why does it restart?"))
    with stream(serving, body("Why does it restart?")) as response:
        last = list(events(response))[-1]

    assert (plain.status_code, plain.json()["error_code"]) == (status, code)
    assert (last["type"], last["code"]) == ("error", code)
    assert last["message"] == plain.json()["message"]
    assert "sk-abc123" not in plain.text + json.dumps(last)
    assert last["custom_outputs"]["findings"], "the findings come with the error"


def test_with_the_server_down_the_findings_are_answered_and_marked(serve: Serve) -> None:
    with serve(f"http://127.0.0.1:{closed_port()}") as server:
        answer = post(server, body("Why does it restart?")).json()
        ready = httpx.get(f"{server.url}/ready", trust_env=False, timeout=PATIENCE)

    assert "OOMKilled" in text_of(answer)
    provider = answer["custom_outputs"]["provider"]
    assert provider["name"] == "offline"
    assert provider["outage"]["code"] == "provider_unreachable"
    assert "cannot be reached" in text_of(answer)
    assert ready.status_code == 503


def test_two_hundred_clients_that_leave_leave_nothing_behind(
    serve: Serve, backend: ScriptedBackend, backend_url: str, store_path: Path
) -> None:
    # Asked directly: llama-stack itself keeps a request open now and then when its clients leave many at a time.
    with serve(backend_url) as serving:
        _two_hundred_leave(serving, backend, store_path)


def _two_hundred_leave(serving: ServerProcess, backend: ScriptedBackend, store_path: Path) -> None:
    began = int(time.time() * 1_000)
    descriptors = Path(f"/proc/{serving.process.pid}/fd")
    backend.answer(Reply(deltas=tuple(f"word {number} " for number in range(10_000)), pace=0.005))

    def leave(user: str) -> None:
        with stream(serving, body("Why does it restart?", user=user)) as response:
            for event in events(response):
                if event["type"] == "response.output_text.delta":
                    return

    leave("first")  # connections that are kept
    poll(lambda: backend.aborted_streams == 1 or None, what="the upstream request ended")
    before = len(list(descriptors.iterdir()))
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(leave, (f"user-{number}" for number in range(200))))
    poll(lambda: backend.aborted_streams == 201 or None, what="every upstream request ended")
    after = len(list(descriptors.iterdir()))

    assert backend.open_streams == 0
    assert after <= before + 5
    mlflow.set_tracking_uri(f"sqlite:///{store_path}")
    experiment = mlflow.get_experiment_by_name("argocd-assistant")
    assert experiment
    found = f"tags.`assistant.cancelled` = 'true' AND timestamp_ms > {began}"

    def stored() -> list[Trace] | None:
        traces = mlflow.search_traces(
            locations=[experiment.experiment_id],
            filter_string=found,
            max_results=500,
            return_type="list",
            include_spans=True,
        )
        return cast("list[Trace]", traces) if len(traces) == 201 else None

    for trace in poll(stored, what="the traces of all 201 clients"):
        assert "word" in trace.data.spans[0].outputs["output"][-1]["content"][0]["text"]


def test_a_planted_secret_reaches_neither_model_nor_store_nor_log(
    serving: ServerProcess, backend: ScriptedBackend, store_path: Path
) -> None:
    answer = post(
        serving,
        body(
            f"Is {SECRET} the password?",
            events=[{"type": "Warning", "reason": "Failed", "message": f"password={SECRET} refused"}],
            logs={"api": f"postgres://app:{SECRET}@db/shop refused"},
        ),
    )
    backend.answer(Failure(status=400, message=f"bad request: {SECRET}"))
    failed = post(serving, body("And now?"))
    stored_trace(store_path, answer.json()["custom_outputs"]["trace_id"])

    asked = "".join(request.all_text for request in backend.requests)
    assert "[REDACTED:" in asked
    assert SECRET not in asked
    assert SECRET not in answer.text + failed.text
    assert SECRET not in serving.output
    for file in store_path.parent.glob("mlflow.db*"):
        with suppress(FileNotFoundError):  # SQLite removes its journal with each transaction
            assert SECRET.encode() not in file.read_bytes(), file
