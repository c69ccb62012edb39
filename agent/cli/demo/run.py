"""The demo: log the assistant to a local MLflow, serve it, ask it about two broken targets, show where the trace is.

Owns the course of the demo and what it prints; the questions are in `scenarios`. It writes to `.demo/` only and
stops the server that it starts.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from agent.cli.demo.scenarios import DemoScenario, load_scenarios
from agent.cli.terminal_answer import TerminalAnswer
from agent.errors import SettingsError

_STORE = "sqlite:///mlflow.db"  # in the folder of the demo
_START_SECONDS = 90
_TRACE_SECONDS = 30


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to look at."""


@dataclass(frozen=True, slots=True)
class _Server:
    url: str
    process: subprocess.Popen[bytes]
    log: Path


def run_demo(*, folder: Path | None = None, console: Console | None = None) -> int:
    """Runs the demo in `folder` (default `.demo` here). The exit code: 0 when every question was answered."""
    console = console or Console()
    folder = (folder or Path.cwd() / ".demo").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    store = f"sqlite:///{folder / 'mlflow.db'}"
    began = time.monotonic()
    try:
        _say(console, 1, "Logging the assistant to a local MLflow (SQLite) and registering it")
        uri = _log(folder, store, console)
        _say(console, 2, f"Serving it: mlflow models serve -m {uri} --env-manager local")
        with _serving(uri, folder, store) as server:
            for number, scenario in enumerate(load_scenarios(), start=3):
                _say(console, number, scenario.title)
                _show(_ask(server, scenario, console), console)
    except (DemoFailed, SettingsError) as error:
        console.print("[bold red]The demo stopped:[/]", escape(str(error)), soft_wrap=True)
        return 1
    console.print(f"\nDone in {time.monotonic() - began:.0f} s. The server is stopped; the traces are kept:")
    console.print("  make ui    opens MLflow on them; without make:")
    here = os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder)
    command = f"  cd {shlex.quote(here)} && mlflow ui --backend-store-uri {_STORE}"
    console.print(command, soft_wrap=True, markup=False, highlight=False)
    return 0


def _say(console: Console, number: int, text: str) -> None:
    console.print(f"\n[bold cyan]{number}[/] [bold]{text}[/]", soft_wrap=True)


def _log(folder: Path, store: str, console: Console) -> str:
    with console.status("importing MLflow, logging the model ..."):
        import mlflow

        from agent.mlflow.registration import log_and_register
        from agent.mlflow.store import missing_package

        mlflow.set_tracking_uri(store)
        if reason := missing_package():
            raise DemoFailed(reason)
        # Artifacts go to the folder of the store, wherever the demo is started.
        with _working_directory(folder), _quiet():
            model = log_and_register()
    console.print(f"  {model.uri} is version {model.version}")
    return model.uri


@contextmanager
def _working_directory(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _quiet() -> Generator[None]:
    """MLflow's progress and migration lines are not the demo's story."""
    import logging

    names = ("mlflow", "alembic")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _serving(uri: str, folder: Path, store: str) -> Generator[_Server]:
    """`mlflow models serve` in an empty folder, stopped with everything it started."""
    room = folder / "server"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir()
    log = folder / "server.log"
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*command, "--port", str(port)],
            cwd=room,
            env=_server_environment(store),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = _Server(f"http://127.0.0.1:{port}", process, log)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            _stop(process)


def _server_environment(store: str) -> dict[str, str]:
    """The demo brings its own context: no cluster and no Argo CD of this machine is asked."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ARGOCD_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    return environment | {
        "ASSISTANT_KUBERNETES": "off",
        "MLFLOW_TRACKING_URI": store,
        "MLFLOW_EXPERIMENT_NAME": os.environ.get("MLFLOW_EXPERIMENT_NAME", "argocd-assistant"),
        "PATH": path,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(server: _Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/ping", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    tail = server.log.read_text(errors="replace").strip().splitlines()[-15:]
    raise DemoFailed("the model server did not start. Its last lines:\n" + "\n".join(tail))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ask(server: _Server, scenario: DemoScenario, console: Console) -> dict[str, Any]:
    """Streams the answer to the terminal; its `custom_outputs`."""
    console.print(Panel(scenario.question, title="question", title_align="left"))
    body = {**scenario.body, "stream": True}
    outputs: dict[str, Any] = {}
    began = time.monotonic()
    first: float | None = None
    deltas = 0
    with _writer(console) as write:
        for event in _events(server, body):
            match event["type"]:
                case "response.output_text.delta":
                    first = first or time.monotonic() - began
                    deltas += 1
                    write(event["delta"])
                case "response.completed":
                    outputs = event["custom_outputs"]
                case "error":
                    raise DemoFailed(f"{event['message']} ({event['code']})")
                case _:
                    pass
    if not outputs:
        raise DemoFailed(f"the stream ended without a completed answer; see {server.log}")
    total = time.monotonic() - began
    console.print(f"[dim]streamed in {deltas} pieces; first after {first or 0:.2f} s, last after {total:.2f} s[/]")
    return outputs


def _events(server: _Server, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    timeout = httpx.Timeout(10, read=300)
    try:
        with httpx.stream("POST", f"{server.url}/invocations", json=body, timeout=timeout, trust_env=False) as response:
            if not response.is_success:
                raise DemoFailed(f"/invocations answered {response.status_code}: {response.read().decode()[:500]}")
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line.removeprefix("data: "))
    except httpx.TransportError as error:
        raise DemoFailed(f"the model server went away ({type(error).__name__}); see {server.log}") from error


@contextmanager
def _writer(console: Console) -> Generator[Callable[[str], None]]:
    """Writes the answer as it arrives: rendered in a terminal, plain in a pipe."""
    if not console.is_terminal:

        def plain(delta: str) -> None:
            console.file.write(delta)
            console.file.flush()

        yield plain
        console.file.write("\n")
        return
    answer = TerminalAnswer(console)
    try:
        yield answer.add
    finally:
        answer.end()


def _show(outputs: dict[str, Any], console: Console) -> None:
    table = Table("severity", "finding", "resource", title="findings", title_justify="left")
    for finding in outputs["findings"]:
        resource: dict[str, str] = finding["resource"] or {}
        table.add_row(finding["severity"], finding["title"], f"{resource.get('kind')}/{resource.get('name')}")
    console.print(table)
    provider = outputs["provider"]
    who = f"{provider['name']} over {provider['protocol']} ({provider['model']})" if provider["model"] else "no model"
    console.print(f"answered by {who}, from {outputs['context']['tokens']} tokens of context")
    _wait_for_trace(outputs["trace_id"], console)


def _wait_for_trace(trace_id: str, console: Console) -> None:
    """The server hands traces to the store in the background; shows the one of this answer when it is there."""
    import mlflow

    deadline = time.monotonic() + _TRACE_SECONDS
    while time.monotonic() < deadline:
        with _quiet():
            trace = mlflow.get_trace(trace_id)
        # The store takes the spans first, and what is known of the whole (the tags) after them.
        if trace is not None and "assistant.provider" in trace.info.tags:
            spans = " > ".join(span.name for span in sorted(trace.data.spans, key=lambda span: span.start_time_ns))
            console.print(f"trace {trace_id}: {spans}", soft_wrap=True)
            return
        time.sleep(0.3)
    raise DemoFailed(f"trace {trace_id} did not reach the store within {_TRACE_SECONDS} s")
