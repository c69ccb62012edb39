"""Processes of a benchmark: servers that are started and stopped, the client, and what the kernel says of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.benchmarks.load import Stream

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(*arguments: str, port: int, health: str, log: Path, env: Mapping[str, str] | None = None) -> Generator[int]:
    """The process id of `python ARGUMENTS` while the block runs, once `health` answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{health}", log)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the server at {url} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def streams(url: str, body: Mapping[str, Any], count: int) -> list[Stream]:
    """What a client in a process of its own saw of `count` streams at once (see `load`)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", url, str(count)],
        input=json.dumps(body).encode(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return [Stream(**each) for each in json.loads(done.stdout)]


def first_p50(results: list[Stream]) -> float:
    """Median seconds to the first delta."""
    return median(result.first for result in results)


def wall(results: list[Stream]) -> float:
    """Seconds until the last stream ended."""
    return max(result.total for result in results)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmRSS")
