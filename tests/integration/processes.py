"""Server processes of a test: started in a group of their own, waited for, and stopped with all they started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fakes.server import PATIENCE


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server: its base URL, its process and what it printed."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def terminate(self) -> int:
        """SIGTERM, as an orchestrator sends it; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def server_process(
    command: Sequence[str | Path], *, url: str, health: str, cwd: Path, env: Mapping[str, str], within: float = PATIENCE
) -> Generator[ServerProcess]:
    """`command` running in `cwd` with exactly `env`, once `health` answers 200. Fails with its output otherwise."""
    log = cwd / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = ServerProcess(url, process, log)
    try:
        deadline = time.monotonic() + within
        while not _healthy(url + health):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} did not start:\n{server.output[-4000:]}")
            time.sleep(0.1)
        yield server
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def poll[T](look: Callable[[], T | None], *, within: float = PATIENCE, what: str) -> T:
    """The first result of `look` that is not None."""
    deadline = time.monotonic() + within
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.1)
    return found
