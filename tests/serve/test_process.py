"""The server as a process: its start, its signals, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import mlflow
import pytest

from tests.fakes.server import PATIENCE
from tests.serve.scripted import ask
from tests.serve.sse_client import blocks, data, events, text

ROOT = Path(__file__).parents[2]
LONG = str(int(PATIENCE))  # seconds of grace that no answer outlasts
# `python -m serve`, which takes its time to write the last trace.
PATIENT = f"""
import runpy, serve.app
serve.app.CLOSE_SECONDS = {PATIENCE}
runpy.run_module("serve", run_name="__main__")
"""


@dataclass
class Process:
    """A running server and where it listens."""

    process: subprocess.Popen[str]
    url: str

    def ends_with(self) -> tuple[int, str]:
        """Waits for the end: exit status and what was printed."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output

    def refuses_connections(self) -> None:
        """Waits until nothing listens any more."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=PATIENCE).close()
            except (ConnectionRefusedError, ConnectionResetError):
                return


@contextmanager
def process(*arguments: str, cwd: Path, **environment: str) -> Generator[Process]:
    """`python ARGUMENTS` once it listens."""
    running = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Process(running, _listening(running.stdout or iter(())))
    finally:
        with suppress(ProcessLookupError):  # workers too: what outlives the test keeps its pipe open
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


def _listening(output: Iterator[str]) -> str:
    seen: list[str] = []
    for line in output:
        seen.append(line)
        if found := re.search(r"running on (http://\S+)", line):
            return found[1]
    raise AssertionError(f"the server did not start:\n{''.join(seen)}")


def test_sigterm_lets_running_answers_end_and_writes_the_traces(tmp_path: Path) -> None:
    with process("-m", "tests.serve.scripted_process", LONG, cwd=tmp_path) as server:
        with httpx.stream("POST", f"{server.url}/invocations", json=ask(stream=True), timeout=PATIENCE) as response:
            stream = blocks(response)
            while data(next(stream)).get("delta") != "first ":
                pass
            server.process.send_signal(signal.SIGTERM)
            server.refuses_connections()
            assert server.process.stdin is not None
            server.process.stdin.write("\n")
            server.process.stdin.flush()
            assert text(events(stream)) == "last"
        status, output = server.ends_with()

    assert status == 0
    assert "traces flushed" in output
    assert "turn cancelled" not in output


def test_an_answer_that_outlasts_the_grace_is_ended_with_an_error(tmp_path: Path) -> None:
    with process("-m", "tests.serve.scripted_process", "0", cwd=tmp_path) as server:
        with httpx.stream("POST", f"{server.url}/invocations", json=ask(stream=True), timeout=PATIENCE) as response:
            stream = blocks(response)
            while data(next(stream)).get("delta") != "first ":
                pass
            server.process.send_signal(signal.SIGTERM)
            (error,) = events(stream)
        status, output = server.ends_with()

    assert (error["type"], error["code"]) == ("error", "server_stopping")
    assert status == 0
    assert output.index("turn cancelled") < output.index("traces flushed")
    assert "Traceback" not in output


def test_a_plain_answer_that_outlasts_the_grace_is_told_so(tmp_path: Path) -> None:
    with process("-m", "tests.serve.scripted_process", "0", cwd=tmp_path) as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(
                b'POST /assist HTTP/1.1\r\nHost: test\r\nContent-Length: 17\r\n\r\n{"query": "Why?"}'[:-1]
            )
            # A probe on another connection is answered after the question was read.
            assert httpx.get(f"{server.url}/health", timeout=PATIENCE).status_code == 200
            connection.sendall(b"}")
            assert httpx.get(f"{server.url}/health", timeout=PATIENCE).status_code == 200
            server.process.send_signal(signal.SIGTERM)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        status, output = server.ends_with()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"error_code":"server_stopping"' in answer
    assert status == 0
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_has_ended_well(tmp_path: Path, number: signal.Signals) -> None:
    with process("-m", "tests.serve.scripted_process", LONG, cwd=tmp_path) as server:
        assert httpx.get(f"{server.url}/health", timeout=PATIENCE).status_code == 200
        server.process.send_signal(number)
        status, output = server.ends_with()

    assert status == 0
    assert "traces flushed" in output
    assert "Traceback" not in output


def test_a_port_that_is_taken_is_a_start_that_failed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "tests.serve.scripted_process", "0", str(taken.getsockname()[1])],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            input="",  # a pipe: uvloop cannot wait for a file
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert done.returncode == 3
    assert "address already in use" in done.stderr


@pytest.fixture
def store(trace_store_path: Path) -> dict[str, str]:
    """The environment of a server that writes its traces in the background, as outside of tests."""
    return {"MLFLOW_TRACKING_URI": f"sqlite:///{trace_store_path}", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "true"}


def test_the_code_in_place_is_served_and_its_last_trace_outlives_it(tmp_path: Path, store: dict[str, str]) -> None:
    with process("-c", PATIENT, "--port", "0", cwd=tmp_path, **store) as server:
        ready = httpx.get(f"{server.url}/ready", timeout=PATIENCE)
        answer = httpx.post(f"{server.url}/invocations", json=ask(), timeout=PATIENCE)
        server.process.send_signal(signal.SIGTERM)
        status, output = server.ends_with()

    assert ready.json()["parts"]["provider"]["ready"]
    assert answer.status_code == 200
    assert mlflow.get_trace(answer.json()["custom_outputs"]["trace_id"]) is not None
    assert status == 0
    assert "Traceback" not in output


def test_a_logged_model_is_served_with_its_own_code(tmp_path: Path, store: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, ROOT / "log_agent.py"],
        cwd=tmp_path,
        env=os.environ | store | {"PYTHONPATH": str(ROOT), "MLFLOW_MODEL_NAME": "served"},
        check=True,
        capture_output=True,
    )
    [errors] = tmp_path.rglob("code/agent/errors.py")
    errors.write_text(errors.read_text().replace("the most this server accepts", "the most this model accepts"))

    with process("-m", "serve", "--port", "0", "--model", "models:/served@champion", cwd=tmp_path, **store) as server:
        answer = httpx.post(f"{server.url}/invocations", json={"input": "Why does it restart?"}, timeout=PATIENCE)
        refused = httpx.post(f"{server.url}/assist", content=b" " * 30_000_000, timeout=PATIENCE)

    assert answer.json()["output"]
    assert refused.status_code == 413
    assert "the most this model accepts" in refused.json()["message"]
