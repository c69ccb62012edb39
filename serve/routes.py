"""What can be asked over HTTP, and how it is answered. Owns the paths; the assistant owns the answers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from agent.errors import NoModelConfigured, ProviderUnreachable, RequestError
from agent.mlflow.event_stream import encode_event, encode_json
from agent.settings import Settings
from agent.turn.events import Outcome
from agent.turn.outputs import Answered
from serve import documentation
from serve.body import read_body
from serve.failures import ServerStopping, error_response, error_response_for, openai_error_response
from serve.openai_api import ResponsesRequest
from serve.readiness import Readiness
from serve.sse import EventStream
from serve.turns import ClientGone, disconnected, while_connected
from serve.versions import versions


class ServedAssistant(Protocol):
    """The asynchronous face of `agent.mlflow.responses_agent.ArgoCDAssistant`."""

    async def answer(self, body: Mapping[str, Any]) -> Answered:
        """The whole answer. Raises AssistantError."""
        ...

    def respond_in_batches(self, body: Mapping[str, Any]) -> AsyncGenerator[Sequence[dict[str, Any]]]:
        """The stream events of an answer, those together that come together. Raises AssistantError before the first;
        later it is an `error` event."""
        ...

    async def warm_up(self) -> None:
        """Does once what the first turn would wait for. Raises AssistantError."""
        ...

    async def check(self) -> Mapping[str, Any]:
        """Who would answer now. Raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Closes connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What the routes of one app share."""

    assistant: ServedAssistant
    settings: Settings
    readiness: Readiness


class _Route(APIRoute):
    """A route that answers errors itself: if they were raised further, the HTTP server would close the connection after
    the answer, under the next request of the client.

    Its endpoint takes the request and gives the response: what FastAPI would do between them, for parameters and bodies
    that it knows of, is left out.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def answer_or_error(request: Request) -> Response:
            try:
                return await self.endpoint(request)
            except (ClientGone, ClientDisconnect):
                # nginx's status for a client that left; it is read in the access log only.
                return Response(status_code=499)
            except Exception as error:  # noqa: BLE001 - the outermost of a request; what nobody foresaw is logged
                return error_response_for(request)(error)

        return answer_or_error


_MODEL = "argocd-assistant"

router = APIRouter(route_class=_Route)


@router.post("/invocations", **documentation.INVOCATIONS)
async def invocations(request: Request) -> Response:
    """Asks the assistant, in MLflow's shape.

    With `"stream": true` the answer is a stream of server-sent events (`data: {...}`), closed by `data: [DONE]`.
    """
    body = await asked(request)
    if not _wants_stream(body):
        return _json(await _answer(request, body))
    serving = _serving(request)
    return EventStream(
        serving.assistant.respond_in_batches(body),
        encode=encode_event,
        error_response=error_response,
        heartbeat=serving.settings.heartbeat_seconds,
    )


@router.post("/v1/responses", include_in_schema=False)
@router.post("/responses", **documentation.RESPONSES)
async def responses(request: Request) -> Response:
    """Asks the assistant, in the shape of OpenAI's Responses API: for the `openai` SDK and what speaks like it.

    `custom_inputs` goes as a further parameter (`extra_body`) or as JSON text in `metadata.custom_inputs`. To go on
    with a session, send the answer's `conversation` back.
    """
    body = await asked(request)
    asking = ResponsesRequest(body)
    if not _wants_stream(body):
        return _json(asking.response(await _answer(request, asking.turn_body())))
    serving = _serving(request)
    return EventStream(
        serving.assistant.respond_in_batches(asking.turn_body()),
        encode=asking.encode,
        error_response=openai_error_response,
        heartbeat=serving.settings.heartbeat_seconds,
    )


@router.post("/assist", **documentation.ASSIST)
async def assist(request: Request) -> Response:
    """One question, one answer, nothing else: for other services of a platform."""
    body = await asked(request)
    if unknown := sorted(body.keys() - {"query"}):
        raise RequestError.at(unknown[0][:100], "unknown key; allowed is query")
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RequestError.at("query", "must be a question, as text")
    answered = await _whole(request, {"input": [{"role": "user", "content": query}]})
    _check_answered(answered.outcome)
    return _json({"query": query, "answer": answered.outcome.text})


@router.get("/v1/models", **documentation.MODELS)
@router.get("/models", include_in_schema=False)
async def models(_: Request) -> Response:
    """The one model of this server, for tools that list models before they ask: any name is answered alike."""
    entry = {"id": _MODEL, "object": "model", "created": 0, "owned_by": _MODEL}
    return JSONResponse({"object": "list", "data": [entry]})


@router.get("/health", **documentation.ALIVE)
@router.get("/ping", **documentation.ALIVE)
async def alive(_: Request) -> Response:
    """The process runs. Says nothing of what it needs."""
    return JSONResponse({"status": "alive"})


@router.get("/ready", **documentation.READY)
async def ready(request: Request) -> Response:
    """Whether the provider and the store of traces answer, and why not. The result is a few seconds old at most."""
    report = await _serving(request).readiness.report()
    return JSONResponse(report, status_code=200 if report["ready"] else 503)


@router.get("/version", **documentation.VERSION)
async def version(_: Request) -> Response:
    """The versions of this package, MLflow and Python."""
    return JSONResponse(versions())


async def asked(request: Request) -> Mapping[str, Any]:
    """The body of a request that asks something: every question comes through here.

    Here a request becomes a user's: it is whom the body names in `context.user_id`. Raises RequestError.
    """
    return await read_body(request, limit=_serving(request).settings.body_limit_bytes)


async def _answer(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
    return (await _whole(request, body)).response


async def _whole(request: Request, body: Mapping[str, Any]) -> Answered:
    """The whole answer, unless the client leaves before: then the turn ends with it."""
    turn = _serving(request).assistant.answer(body)
    try:
        return await while_connected(turn, gone=disconnected(request.receive))
    except asyncio.CancelledError:  # only the end of the process cancels a request
        raise ServerStopping from None


def _check_answered(outcome: Outcome) -> None:
    """Raises where no model answered and nothing was found either: such a text answers no general question.

    NoModelConfigured, or ProviderUnreachable in an outage.
    """
    is_about_all = any(section.name == "fleet" and section.tokens for section in outcome.report.sections)
    if outcome.provider.protocol != "none" or outcome.report.findings or is_about_all:
        return
    if outcome.outage:
        raise ProviderUnreachable(outcome.outage.public_message)
    raise NoModelConfigured(
        "No model is configured, and only a model can answer a general question: set LLAMASTACK_BASE_URL (llama-stack, "
        "OGX) or LIGHTSPEED_URL (OpenShift Lightspeed). Questions about a resource are answered without one by "
        "POST /invocations."
    )


def _serving(request: Request) -> Serving:
    return cast("Serving", request.app.state.serving)


def _wants_stream(body: Mapping[str, Any]) -> bool:
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise RequestError.at("stream", "must be true or false")
    return bool(stream)


def _json(content: Mapping[str, Any]) -> Response:
    return Response(encode_json(content), media_type="application/json")
