"""Writes the configuration to a folder, installs the server and starts it.

Owns the order of the steps, what they print, and the server's process. Every failure names the next step.
"""

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from agent.cli.exit_codes import ExitCode
from agent.cli.llama_stack.backend import models_of, require_model
from agent.cli.llama_stack.distributions import DISTRIBUTIONS, Distribution, DistributionName
from agent.cli.llama_stack.environment import (
    environments_folder,
    find_uv,
    for_server,
    install,
    installation,
    is_installed,
)
from agent.cli.llama_stack.failure import LlamaStackNotStarted

# Seconds. A start takes 5 s on an idle machine.
_START, _STOP = 300, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaStackOptions:
    """What was asked for on the command line. `folder` receives the files, the data and the log."""

    distribution: DistributionName
    backend_url: str
    model: str | None
    port: int
    folder: Path
    detach: bool
    write_only: bool


def run_llama_stack(options: LlamaStackOptions, *, variables: Mapping[str, str] | None = None) -> int:
    """Runs the server until it ends or Ctrl-C; with `detach` until it answers. The exit code."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    variables = os.environ if variables is None else variables
    distribution = DISTRIBUTIONS[options.distribution]
    try:
        if options.write_only:
            _write(distribution, options.folder)
            _show_commands(distribution, options, variables)
            return 0
        return _run(distribution, options, variables, console)
    except LlamaStackNotStarted as error:
        console.print(f"error: {error}", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _run(distribution: Distribution, options: LlamaStackOptions, variables: Mapping[str, str], console: Console) -> int:
    _require_free(options.port)
    models = models_of(options.backend_url, api_key=variables.get("BACKEND_API_KEY"))
    model = require_model(options.model, models, options.backend_url) if options.model else None
    configuration = _write(distribution, options.folder)
    environment = environments_folder(variables) / distribution.title
    if not is_installed(distribution.requirements, environment):
        console.print(f"Installing {distribution.title} to {environment} (once, about a minute) ...")
        with console.status("downloading and installing ..."):
            install(distribution.requirements, environment, variables=variables)
    command = _command(distribution, environment, configuration, options.port)
    log = options.folder / "server.log"
    console.print(f"Starting {distribution.title} in front of {options.backend_url}; its output is in {log} ...")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command,
            env=for_server(variables, environment) | _own_variables(distribution, options),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{options.port}"
    left_running = False
    try:
        with _ended_like_ctrl_c():
            _wait_until_healthy(url, process, log)
            (options.folder / "server.pid").write_text(f"{process.pid}\n")
            _show_settings(url, model or models[0], process, console, detached=options.detach)
            left_running = options.detach
            if left_running:
                return 0
            process.wait()
    finally:
        if not left_running:
            _stop(process)
    raise LlamaStackNotStarted(
        f"the server ended with {process.returncode}. Its last lines:\n{_end_of(log)}", exit_code=ExitCode.NOT_ANSWERED
    )


@contextmanager
def _ended_like_ctrl_c() -> Generator[None]:
    """SIGTERM raises KeyboardInterrupt while the block runs, so that the server ends with this process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LlamaStackNotStarted(
                f"port {port} cannot be used ({error.strerror}): end what listens there, or choose another with --port."
            ) from error


def _write(distribution: Distribution, folder: Path) -> Path:
    """Writes the configuration and the requirements to `folder`; the path of the configuration."""
    configuration = folder / f"{distribution.name}.yaml"
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        configuration.write_text(distribution.configuration)
        (folder / f"{distribution.name}.txt").write_text(distribution.requirements)
    except OSError as error:
        raise LlamaStackNotStarted(
            f"{folder} cannot be written ({error.strerror}): choose another with --folder."
        ) from error
    return configuration


def _command(distribution: Distribution, environment: Path, configuration: Path, port: int) -> list[str]:
    program, *words = distribution.command
    return [
        str(environment / "bin" / program),
        *words,
        str(configuration),
        "--port",
        str(port),
        *distribution.options,
    ]


def _own_variables(distribution: Distribution, options: LlamaStackOptions) -> dict[str, str]:
    data = str((options.folder / "data").absolute())
    return {**distribution.environment, "BACKEND_URL": options.backend_url, "DATA_DIR": data}


def _show_commands(distribution: Distribution, options: LlamaStackOptions, variables: Mapping[str, str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    environment = options.folder / "environment"
    listed = options.folder / f"{distribution.name}.txt"
    for command in installation(environment, listed, uv="uv" if find_uv(variables) else None):
        console.print(shlex.join(command), markup=False)
    set_first = [f"{name}={shlex.quote(value)}" for name, value in _own_variables(distribution, options).items()]
    configuration = options.folder / f"{distribution.name}.yaml"
    start = shlex.join(_command(distribution, environment, configuration, options.port))
    console.print(" ".join([*set_first, start]), markup=False)


def _show_settings(url: str, model: str, process: subprocess.Popen[bytes], console: Console, *, detached: bool) -> None:
    console.print(f"It answers on {url}. To ask through it:")
    console.print(f"  export LLAMASTACK_BASE_URL={url} LLAMASTACK_MODEL=backend/{model}", markup=False)
    console.print(f"To stop it: kill {process.pid}" if detached else "To stop it: Ctrl-C")


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    with httpx.Client(timeout=10, trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if client.get(f"{url}/v1/health").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
    raise LlamaStackNotStarted(
        f"the server did not start. Its last lines (all of them are in {log}):\n{_end_of(log)}",
        exit_code=ExitCode.NOT_ANSWERED,
    )


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-15:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
