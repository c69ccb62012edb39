"""`mlflow models serve` with the whole contract of `/invocations`: streaming, error codes, a body limit.

MLflow's own scoring server (`mlflow/pyfunc/scoring_server`) ignores `"stream": true` (mlflow issue 12439),
answers through six threads, and writes the request, secrets included, into its error messages. While it loads this
model, its decorator of `/invocations` is replaced by one that hands JSON requests to the assistant and leaves all
others alone. That decorator is a private name: without it, the server answers as MLflow does and logs a warning.
"""

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import wraps
from typing import TYPE_CHECKING, Any

from mlflow.pyfunc import scoring_server

from agent.errors import AssistantError, BodyTooLarge
from agent.mlflow.event_stream import DONE, encode_event, encode_json, error_body
from agent.mlflow.tracing import configure
from agent.request.body import decode_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from agent.mlflow.responses_agent import ArgoCDAssistant

_logger = logging.getLogger(__name__)

_DECORATOR = "_async_catch_mlflow_exception"
_APP_MODULE = "mlflow.pyfunc.scoring_server.app"

type Route = Callable[..., Awaitable[Any]]


def serve_streams(agent: "ArgoCDAssistant") -> bool:
    """Take over `/invocations` if this process is MLflow's scoring server loading its model; returns whether it did."""
    if _APP_MODULE not in sys.modules:
        return False
    configure()
    original: Callable[[Route], Route] | None = getattr(scoring_server, _DECORATOR, None)
    if original is None:
        _logger.warning("This version of MLflow cannot be made to stream on /invocations: use `argocd-assistant serve`")
        return False

    def decorator(route: Route) -> Route:
        setattr(scoring_server, _DECORATOR, original)
        plain = original(route)

        @wraps(route)  # FastAPI reads the parameters from the signature
        async def invocations(request: "Request") -> "Response":
            if not _is_json(request):
                return await plain(request)
            return await _respond(agent, request)

        return invocations

    setattr(scoring_server, _DECORATOR, decorator)
    return True


def _is_json(request: "Request") -> bool:
    content_type = request.headers.get("content-type", "application/json")
    return content_type.partition(";")[0].strip().lower() == "application/json"


async def _respond(agent: "ArgoCDAssistant", request: "Request") -> "Response":
    from starlette.responses import JSONResponse, Response, StreamingResponse

    try:
        body = decode_body(await _read(request, agent.settings.body_limit_bytes))
        if not body.get("stream"):
            return Response(encode_json(await agent.respond(body)), media_type="application/json")
        events = agent.respond_stream(body)
        first = await anext(events)
    except AssistantError as error:
        return JSONResponse(error_body(error), status_code=error.http_status)
    return StreamingResponse(
        _stream(first, events),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _stream(first: dict[str, Any], events: AsyncGenerator[dict[str, Any]]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        yield encode_event(first)
        async for event in events:
            yield encode_event(event)
        yield DONE


async def _read(request: "Request", limit: int) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLarge(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        chunks.append(chunk)
    return b"".join(chunks)
