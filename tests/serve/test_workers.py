"""Several server processes on one port: the real server, answering from the findings."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.fakes.server import PATIENCE
from tests.serve.test_process import ROOT, Process, process

QUESTION = {
    "input": [{"role": "user", "content": "Why?"}],
    "custom_inputs": {"manifest": {"kind": "Pod", "metadata": {"name": "api"}}, "logs": {"app": "error: no route"}},
}


def children(server: Process) -> list[int]:
    """The worker processes; Python's own helper for spawned ones is none."""
    pid = server.process.pid
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in told if b"resource_tracker" not in command_line(child)]


def command_line(pid: str) -> bytes:
    """The arguments of a process, nothing where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def until_there_are(count: int, server: Process, *, without: int = 0) -> None:
    """Waits until so many workers run."""

    def there() -> bool:
        running = children(server)
        return len(running) == count and without not in running

    until(there, what=f"{count} workers")


def stored_traces(folder: Path) -> int:
    """How many whole traces are in the store."""
    with closing(sqlite3.connect(folder / "traces.db")) as store:
        return store.execute("select count(*) from trace_info where status = 'OK'").fetchone()[0]


def until(holds: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.1)


def answer(server: Process) -> str:
    response = httpx.post(f"{server.url}/invocations", json=QUESTION, timeout=PATIENCE)
    assert response.status_code == 200
    return response.json()["output"][0]["content"][0]["text"]


def environment(folder: Path) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'traces.db'}", "ASSISTANT_KUBERNETES": "off"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_share_the_port_and_the_store_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    with process("-m", "serve", "--port", "0", "--workers", "2", cwd=tmp_path, **environment(tmp_path)) as server:
        assert "Pod api" in answer(server)
        until_there_are(2, server)
        lost = children(server)[0]
        os.kill(lost, signal.SIGKILL)
        until_there_are(2, server, without=lost)
        for _ in range(3):
            assert "Pod api" in answer(server)
        until(lambda: stored_traces(tmp_path) >= 3, what="three stored traces")
        server.process.send_signal(signal.SIGTERM)
        status, output = server.ends_with()

    assert status == 0, output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "said"),
    [
        ((), {"LLAMASTACK_BASE_URL": "ftp://models"}, 2, "LLAMASTACK_BASE_URL"),
        (("--model", "models:/nobody@champion"), {}, 3, "nobody"),
    ],
    ids=["wrong setting", "unknown model"],
)
def test_workers_that_cannot_start_say_why_and_are_not_started_again(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], status: int, said: str
) -> None:
    command = [sys.executable, "-m", "serve", "--port", "0", "--workers", "2", *arguments]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment(tmp_path) | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == status
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("Started server process") == 0
