"""Runs the server as a process: which assistant it serves, its signals and its end."""

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
    """Serves until SIGTERM or SIGINT, then ends the process with status 0.

    `model` is an MLflow model URI (`models:/argocd-assistant@champion`); None serves the code in place. `port` 0 takes
    a free one, which the log names. With several `workers` each is a process of its own. `access_log` logs every
    request, those of probes too. Raises SettingsError, also for a model that cannot be loaded; where a worker finds
    that, it logs it and all ends in SystemExit(3).
    """
    _set_up_logging()
    if workers == 1:
        run_app(_app(model), host=host, port=port, access_log=access_log, grace_seconds=grace_seconds)
    else:
        from agent.settings import load_settings

        load_settings()  # reports a wrong setting once, not in every worker
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
    """Run the app of `factory` (a function of a module, or a partial of one) in each of several processes, as `run_app`
    runs one."""
    run_workers(
        _config(factory, host=host, port=port, workers=workers, access_log=access_log, grace_seconds=grace_seconds)
    )


def run_app(
    app: FastAPI, *, host: str, port: int, access_log: bool = False, grace_seconds: int = GRACE_SECONDS
) -> None:
    """Runs `app` until a signal, then raises SystemExit(0) or returns. Raises SystemExit(3) when it could not start.

    On the signal it stops accepting at once; running answers get `grace_seconds`, later ones end with an error.
    """
    _shorten_switch_interval()
    server = uvicorn.Server(_config(app, host=host, port=port, access_log=access_log, grace_seconds=grace_seconds))
    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(KeyboardInterrupt):  # raised again by uvicorn when all is closed
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
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request otherwise


def _shorten_switch_interval() -> None:
    """Let the event loop have the interpreter back after 1 ms (default: 5): a thread of this process writes traces."""
    sys.setswitchinterval(0.001)


def _worker_app(model: str | None) -> FastAPI:
    """The app of a worker. An error that prevents its start is logged in one line and ends it for good."""
    _set_up_logging()
    _shorten_switch_interval()
    try:
        return _app(model)
    except AssistantError as error:
        _logger.error("%s", error.public_message)
        sys.exit(STARTUP_FAILURE)


def _app(model: str | None) -> FastAPI:
    # A logged model brings its own `agent`, which takes the place of the installed one. It is loaded first, so that
    # what is imported after it, the app with its errors and traces, is of the same code.
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
    """End with status 0 on SIGTERM; uvicorn raises the signal again when all is closed."""
    sys.exit(0)
