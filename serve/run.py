"""Runs the HTTP server as a process: loads the assistant, handles signals and shuts down."""

import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from agent.errors import AssistantError
from serve.logged_model import load_logged
from serve.workers import run_workers

if TYPE_CHECKING:
    from agent.mlflow.responses_agent import ArgoCDAssistant

_logger = logging.getLogger(__name__)

GRACE_SECONDS = 20
"""How long running answers may continue after SIGTERM. With closing and flushing it stays within the 30 seconds of
Kubernetes' default `terminationGracePeriodSeconds`."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than the 60 seconds of Argo CD's proxy, which could otherwise send a
request on a connection that is being closed."""


def run_server(
    *,
    host: str,
    port: int,
    model: str | None = None,
    workers: int = 1,
    access_log: bool = False,
    grace_seconds: int = GRACE_SECONDS,
) -> None:
    """Serve until SIGTERM or SIGINT, then exit with status 0.

    `model` is an MLflow model URI (`models:/argocd-assistant@champion`); None serves the installed code. `port` 0 takes
    a free port, which is logged. Each of several `workers` is a process. `access_log` logs every request, including
    probes. Raises SettingsError for a wrong setting and for a model that cannot be loaded. In a worker the error is
    logged instead, and SystemExit(3) is raised.
    """
    _set_up_logging()
    if workers == 1:
        run_app(_app(model), host=host, port=port, access_log=access_log, grace_seconds=grace_seconds)
    else:
        from agent.settings import load_settings

        load_settings()  # reports a wrong setting once instead of in every worker
        run_factory(
            partial(_worker_app, model),
            host=host,
            port=port,
            workers=workers,
            access_log=access_log,
            grace_seconds=grace_seconds,
        )


def run_factory(
    factory: Callable[[], FastAPI],
    *,
    host: str,
    port: int,
    workers: int,
    access_log: bool = False,
    grace_seconds: int = GRACE_SECONDS,
) -> None:
    """Run the app that `factory` returns in several processes, like `run_app`. `factory` must be picklable: a function
    of a module, or a partial of one."""
    run_workers(
        _config(factory, host=host, port=port, workers=workers, access_log=access_log, grace_seconds=grace_seconds)
    )


def run_app(
    app: FastAPI, *, host: str, port: int, access_log: bool = False, grace_seconds: int = GRACE_SECONDS
) -> None:
    """Run `app` until a signal, then raise SystemExit(0) or return. Raises SystemExit(3) when it could not start.

    On the signal it accepts no more connections. Answers that take longer than `grace_seconds` end with an error.
    """
    _shorten_switch_interval()
    server = uvicorn.Server(_config(app, host=host, port=port, access_log=access_log, grace_seconds=grace_seconds))
    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after the shutdown
        server.run()
    if not server.started:
        sys.exit(3)


def _config(
    app: FastAPI | Callable[[], FastAPI],
    *,
    host: str,
    port: int,
    access_log: bool,
    grace_seconds: int,
    workers: int = 1,
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=not isinstance(app, FastAPI),
        host=host,
        port=port,
        workers=workers,
        timeout_graceful_shutdown=grace_seconds,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
        access_log=access_log,
    )


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log a line for each request


def _shorten_switch_interval() -> None:
    """Let threads hold the interpreter for 1 ms instead of 5: the thread that writes traces must not delay answers."""
    sys.setswitchinterval(0.001)


def _worker_app(model: str | None) -> FastAPI:
    """Create the app of a worker. An error is logged in one line and ends the worker, which is not started again."""
    _set_up_logging()
    _shorten_switch_interval()
    try:
        return _app(model)
    except AssistantError as error:
        _logger.error("%s", error.public_message)
        sys.exit(STARTUP_FAILURE)


def _app(model: str | None) -> FastAPI:
    # A logged model comes with its own `agent` package, which replaces the installed one. It is loaded before the app,
    # so that both use the same classes of errors and traces.
    assistant = _in_place() if model is None else load_logged(model)
    from serve.app import create_app

    return create_app(assistant, settings=assistant.settings)


def _in_place() -> "ArgoCDAssistant":
    import mlflow

    from agent.mlflow.responses_agent import ArgoCDAssistant
    from agent.mlflow.store import check_store

    if mlflow.is_tracking_uri_set():  # unset, a small installation serves without traces
        check_store()
    return ArgoCDAssistant.from_environment()


def _end(signal_number: int, frame: FrameType | None) -> None:
    """Exit with status 0 on SIGTERM, which uvicorn raises again after the shutdown."""
    sys.exit(0)
