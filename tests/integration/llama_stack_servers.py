"""Real llama-stack and OGX servers, each installed once into an environment of its own and kept.

Owns installing, starting and stopping; what they answer is the scripted backend's. A server that cannot be installed
or started raises with its output.
"""

import os
import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from agent.cli.llama_stack import distributions
from agent.cli.llama_stack.distributions import Distribution
from agent.cli.llama_stack.environment import environments_folder, install
from tests.fakes.server import free_port

_HERE = Path(__file__).parent / "servers"
_CACHE = Path(__file__).parents[2] / ".cache"
# Taken when the tests start: later, HOME is a test's own and uv would find none of its packages.
_ENVIRONMENT = dict(os.environ) | {"XDG_CACHE_HOME": str(_CACHE)}
# Seconds. A start takes 4 s on an idle machine.
_START, _STOP = 300, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKind:
    """`name` names its environment; `command` is what the environment's `bin` offers, before the configuration;
    `options` follow it. `configuration` is YAML, `requirements` the pinned packages."""

    name: str
    command: tuple[str, ...]
    configuration: str
    requirements: str
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def _as_shipped(distribution: Distribution) -> ServerKind:
    """What `argocd-assistant llama-stack` starts."""
    return ServerKind(
        name=distribution.title,
        command=distribution.command,
        configuration=distribution.configuration,
        requirements=distribution.requirements,
        options=distribution.options,
        environment=distribution.environment,
    )


LLAMA_STACK = _as_shipped(distributions.LLAMA_STACK)
OGX = _as_shipped(distributions.OGX)
OLD_LLAMA_STACK = ServerKind(
    name="llama-stack-0.2.23",
    command=("llama", "stack", "run"),
    configuration=(_HERE / "llama-stack-0.2.23.yaml").read_text(),
    requirements=(_HERE / "llama-stack-0.2.23.txt").read_text(),
)


@contextmanager
def running_server(kind: ServerKind, *, backend_url: str, data: Path) -> Generator[str]:
    """The base URL of a server, without `/v1`, while the block runs. `backend_url` ends in `/v1`, `data` is empty."""
    environment = installed(kind)
    port = free_port()
    configuration = data / "configuration.yaml"
    configuration.write_text(kind.configuration)
    command = [*kind.command, str(configuration), "--port", str(port), *kind.options]
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
    """The environment with the pinned packages of `kind`, made if it is not there as they are pinned."""
    environment = environments_folder(_ENVIRONMENT) / kind.name
    install(kind.requirements, environment, variables=_ENVIRONMENT)
    return environment


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
