"""Real llama-stack and OGX servers, each installed once into an environment of its own and kept.

Owns installing, starting and stopping; what they answer is the scripted backend's. A server that cannot be installed
or started raises with its output.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fakes.server import free_port

_HERE = Path(__file__).parent / "servers"
_CHECKOUT = Path(__file__).parents[2]
# Taken when the tests start: later, HOME is a test's own and uv would find none of its packages.
_ENVIRONMENT = dict(os.environ)
# Seconds. An installation may download 300 MB; a start takes 4 s on an idle machine.
_INSTALLATION, _START, _STOP = 540, 300, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKind:
    """`name` names the files in `servers/`; `command` is what the environment's `bin` offers, before the configuration;
    `options` follow it."""

    name: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


LLAMA_STACK = ServerKind(
    name="llama-stack-0.7.3",
    command=("llama", "stack", "run"),
    environment={"LLAMA_STACK_LOG_FORMAT": "json"},  # the default format blocks the server for seconds on each error
)
OGX = ServerKind(
    name="ogx-1.5.0", command=("ogx", "run"), options=("--insecure",), environment={"OGX_LOG_FORMAT": "json"}
)
OLD_LLAMA_STACK = ServerKind(name="llama-stack-0.2.23", command=("llama", "stack", "run"))


@contextmanager
def running_server(kind: ServerKind, *, backend_url: str, data: Path) -> Generator[str]:
    """The base URL of a server, without `/v1`, while the block runs. `backend_url` ends in `/v1`, `data` is empty."""
    environment = installed(kind)
    port = free_port()
    configuration = str(_HERE / f"{kind.name}.yaml")
    command = [*kind.command, configuration, "--port", str(port), *kind.options]
    command[0] = str(environment / "bin" / command[0])
    output = data / "output.txt"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**_server_environment(environment, data), **kind.environment, "BACKEND_URL": backend_url},
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, process, output)
        yield url
    finally:
        _stop(process)


def installed(kind: ServerKind) -> Path:
    """The environment with the pinned packages of `kind`, made if it is not there as the file says."""
    requirements = _HERE / f"{kind.name}.txt"
    environment = _CHECKOUT / ".cache" / "servers" / kind.name
    stamp = environment / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    environment.parent.mkdir(parents=True, exist_ok=True)
    with (environment.parent / f"{kind.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes want the same one
        if stamp.exists() and stamp.read_text() == wanted:
            return environment
        shutil.rmtree(environment, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(environment))
        python = str(environment / "bin" / "python")
        _uv("pip", "install", "--quiet", "--no-deps", "--python", python, "--requirement", str(requirements))
        stamp.write_text(wanted)
    return environment


def _uv(*arguments: str) -> None:
    command = [*_find_uv(), *arguments]
    done = subprocess.run(
        command,
        env=_ENVIRONMENT,
        cwd=_CHECKOUT,
        timeout=_INSTALLATION,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def _find_uv() -> list[str]:
    """`uv` of $UV, of the PATH, beside this Python, or as a module of it."""
    beside = Path(sys.executable).parent / "uv"
    if named := _ENVIRONMENT.get("UV") or shutil.which("uv", path=_ENVIRONMENT.get("PATH")):
        return [named]
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "uv"]


def _server_environment(environment: Path, data: Path) -> dict[str, str]:
    """Of this process' environment only what a program needs to run: no proxy, no settings, no keys."""
    kept = {name: value for name, value in _ENVIRONMENT.items() if name in {"LANG", "LC_ALL", "TMPDIR"}}
    path = f"{environment / 'bin'}{os.pathsep}{_ENVIRONMENT.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "HOME": str(data), "DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + _START
    with httpx.Client(timeout=10, trust_env=False, verify=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}:\n{_end_of(output)}")
            try:
                if client.get(f"{url}/v1/health").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
    raise RuntimeError(f"the server is not healthy after {_START} s:\n{_end_of(output)}")


def _end_of(output: Path) -> str:
    return output.read_text(errors="replace")[-8_000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and what it started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP)
            break
        except subprocess.TimeoutExpired:
            continue
