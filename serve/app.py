"""The app: joins routes, errors and the life of the process around one assistant."""

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from agent.errors import AssistantError
from agent.settings import Settings
from serve import documentation
from serve.failures import error_response_for
from serve.readiness import Readiness
from serve.routes import ServedAssistant, Serving, router
from serve.trace_store import MLflowTraceStore, TraceStore
from serve.turns import RunningRequests, ended
from serve.versions import versions

_logger = logging.getLogger(__name__)

WARM_UP_SECONDS = 20.0
"""Limit of the warm-up, and of the first check of provider and store (which may create its tables)."""
CLOSE_SECONDS = 5.0
"""Limit for cancelled requests to end at shutdown, and for traces to be written."""


def create_app(assistant: ServedAssistant, *, settings: Settings, trace_store: TraceStore | None = None) -> FastAPI:
    """The HTTP server of `assistant`; `trace_store` is MLflow's by default.

    Its lifespan warms up, and at the end closes and flushes, each in bounded time.
    """
    trace_store = trace_store or MLflowTraceStore()
    checks = {"provider": assistant.check, "trace_store": trace_store.check}
    serving = Serving(assistant=assistant, settings=settings, readiness=Readiness(checks))
    tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        trace_store.configure()
        await _warm_up(serving)
        _freeze_startup_objects()
        yield
        if not await ended(tasks, within=CLOSE_SECONDS):
            _logger.warning("%d requests did not end within %g seconds", len(tasks), CLOSE_SECONDS)
        await _close(assistant, trace_store)

    app = FastAPIOffline(  # /docs and /redoc with their own files instead of a CDN's
        title="Argo CD Assistant",
        summary="Why an Argo CD resource is degraded, out of sync or failing, on what evidence, and what to do.",
        version=versions()["argocd-assistant"],
        lifespan=lifespan,
        # The assistant traces its turns itself, redacted; the framework would record errors and bodies as they are.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.serving = serving
    app.include_router(router)
    app.add_middleware(RunningRequests, tasks=tasks)
    app.openapi = documentation.described(app)
    app.add_exception_handler(HTTPException, _http_exception_handler)
    return app


async def _warm_up(serving: Serving) -> None:
    """Warm up without failing the start: a provider or a store that is down may recover, and findings need neither."""
    try:
        async with asyncio.timeout(WARM_UP_SECONDS):
            await serving.assistant.warm_up()
    except AssistantError as error:
        _logger.warning("Started without a warm-up: %s", error.public_message)
    except TimeoutError:
        _logger.warning("Started without a warm-up: it took more than %g seconds", WARM_UP_SECONDS)
    report = await serving.readiness.report(bound=WARM_UP_SECONDS)
    for name, part in report["parts"].items():
        if not part["ready"]:
            _logger.warning("Started while the %s is not ready: %s", name, part["message"])


def _freeze_startup_objects() -> None:
    """Exclude the objects loaded at startup (some 350,000) from later garbage collections: walking them stops all
    streams for a fifth of a second each time."""
    gc.collect()
    gc.freeze()
    # CPython delays a full collection until the objects have grown by a quarter since the last one. Collecting again
    # resets that count; otherwise the cycles of traces (MLflow's spans) pile up for hundreds of turns.
    gc.collect()


async def _close(assistant: ServedAssistant, trace_store: TraceStore) -> None:
    await assistant.aclose()
    if not await trace_store.flush(within=CLOSE_SECONDS):
        _logger.warning("Traces were lost: they could not be written within %g seconds", CLOSE_SECONDS)


async def _http_exception_handler(request: Request, error: Exception) -> Response:
    """Answer what the router refuses (an unknown path, a wrong method) in the shape of the API."""
    return error_response_for(request)(error)
