"""A scripted OpenAI-compatible server, to stand behind llama-stack or to be asked directly.

Owns what it answers (`Reply`, `Failure`, `Gate`), what it was asked (`ChatRequest`) and the count of its streams.
Runs with `running(backend.app)`; every method may be called from any thread.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.objects.manifest import lookup
from tests.fakes.server import PATIENCE


class Gate:
    """Holds a stream back until it is opened, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        with self._lock:
            self._open = True
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    async def passed(self) -> None:
        event = asyncio.Event()
        with self._lock:
            if self._open:
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A completion. Delays are seconds: `first_after` to the first delta, `pace` from each to the next.

    `usage` is (input, output) tokens, None: none is sent. `cut_after` drops the connection after so many deltas.
    `gate` holds the stream after `gate_after` deltas. `finish_reason` None: the stream ends without one.
    `tool_calls` are (name, JSON arguments).
    """

    deltas: Sequence[str] = ("The ", "pod ", "is ", "OOMKilled.")
    first_after: float = 0.0
    pace: float = 0.0
    usage: tuple[int, int] | None = (11, 4)
    reasoning: Sequence[str] = ()
    tool_calls: Sequence[tuple[str, str]] = ()
    finish_reason: str | None = "stop"
    cut_after: int | None = None
    gate: Gate | None = None
    gate_after: int = 0

    @property
    def text(self) -> str:
        return "".join(self.deltas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error instead of a completion, in OpenAI's shape."""

    status: int
    message: str
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    type: str = "error"
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


type Answer = Reply | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request for a completion as it arrived."""

    model: str
    messages: list[dict[str, Any]]
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def roles(self) -> list[str]:
        return [message["role"] for message in self.messages]

    def texts(self, role: str | None = None) -> list[str]:
        """The text of each message, of one role or of all."""
        return [_text(m.get("content")) for m in self.messages if role is None or m["role"] == role]

    @property
    def all_text(self) -> str:
        return "\n".join(self.texts())


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        return "".join(str(part.get("text", "")) for part in parts)
    return content if isinstance(content, str) else ""


CONTEXT_TOO_LONG = Failure(
    status=400,
    code="context_length_exceeded",
    message="This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. "
    "Please reduce the length of the messages.",
)


class ScriptedBackend:
    """Answers as told: by a marker in the last user message, else by the queue, whose last answer stays."""

    def __init__(self, *, models: Sequence[str] = ("m1",), api_key: str | None = None) -> None:
        self.models = tuple(models)
        self.api_key = api_key
        self._changed = threading.Condition()
        self._queue: list[Answer] = [Reply()]
        self._marked: dict[str, Answer] = {}
        self._requests: list[ChatRequest] = []
        self._open = 0
        self._aborted = 0
        self.app = Starlette(
            routes=[
                Route("/v1/models", self._list_models),
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/embeddings", self._embed, methods=["POST"]),
            ]
        )

    def answer(self, *answers: Answer) -> None:
        """The answers to the next requests; the last one answers all that follow."""
        with self._changed:
            self._queue = list(answers)

    def answer_when(self, marker: str, answer: Answer) -> None:
        """The answer to every request whose last user message contains `marker`."""
        with self._changed:
            self._marked[marker] = answer

    def reset(self) -> None:
        """The default answer, no recorded requests, counters at zero."""
        with self._changed:
            self._queue = [Reply()]
            self._marked.clear()
            self._requests.clear()
            self._aborted = 0

    @property
    def requests(self) -> list[ChatRequest]:
        with self._changed:
            return list(self._requests)

    @property
    def open_streams(self) -> int:
        with self._changed:
            return self._open

    @property
    def aborted_streams(self) -> int:
        """Streams whose client went away before the end."""
        with self._changed:
            return self._aborted

    async def until(self, condition: Callable[["ScriptedBackend"], bool], *, within: float = PATIENCE) -> None:
        """Waits for `condition`. Raises TimeoutError after `within` seconds."""

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(lambda: condition(self), within)

        if not await anyio.to_thread.run_sync(wait):
            raise TimeoutError(f"open streams {self.open_streams}, aborted {self.aborted_streams}")

    def _next(self, request: ChatRequest) -> Answer:
        question = (request.texts("user") or [""])[-1]
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            for marker, answer in self._marked.items():
                if marker in question:
                    return answer
            return self._queue.pop(0) if len(self._queue) > 1 else self._queue[0]

    def _count(self, *, opened: int = 0, aborted: int = 0) -> None:
        with self._changed:
            self._open += opened
            self._aborted += aborted
            self._changed.notify_all()

    def _refused(self, request: Request) -> Response | None:
        if self.api_key is None or request.headers.get("authorization") == f"Bearer {self.api_key}":
            return None
        return _error(Failure(status=401, message="Incorrect API key provided", code="invalid_api_key"))

    async def _list_models(self, request: Request) -> Response:
        listed = [{"id": model, "object": "model", "created": 0, "owned_by": "fake"} for model in self.models]
        return self._refused(request) or JSONResponse({"object": "list", "data": listed})

    async def _embed(self, request: Request) -> Response:
        body = await request.json()
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        vectors = [{"object": "embedding", "index": i, "embedding": [0.1] * 64} for i in range(len(inputs))]
        usage = {"prompt_tokens": len(inputs), "total_tokens": len(inputs)}
        return JSONResponse({"object": "list", "data": vectors, "model": body["model"], "usage": usage})

    async def _complete(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        body = json.loads(await request.body())
        asked = ChatRequest(
            model=body["model"], messages=body["messages"], body=body, headers=dict(request.headers.items())
        )
        answer = self._next(asked)
        if isinstance(answer, Failure):
            return _error(answer)
        if asked.model.rpartition("/")[2] not in self.models:
            message = f"The model `{asked.model}` does not exist or you do not have access to it."
            return _error(Failure(status=404, message=message, code="model_not_found"))
        if not body.get("stream"):
            return JSONResponse(_whole(answer, asked.model))
        with_usage = lookup(body, "stream_options", "include_usage") is True
        return StreamingResponse(self._stream(answer, asked.model, with_usage), media_type="text/event-stream")

    async def _stream(self, reply: Reply, model: str, with_usage: bool) -> AsyncIterator[bytes]:
        self._count(opened=1)
        try:
            async for chunk in _chunks(reply, model, with_usage):
                yield chunk
        except (asyncio.CancelledError, GeneratorExit):
            self._count(aborted=1)
            raise
        finally:
            self._count(opened=-1)


class _ConnectionDropped(Exception):
    """Ends a stream without its last chunk."""


async def _chunks(reply: Reply, model: str, with_usage: bool) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    due = loop.time() + reply.first_after
    yield _chunk(model, {"role": "assistant", "content": ""})
    for thought in reply.reasoning:
        yield _chunk(model, {"reasoning_content": thought})
    for index, (name, arguments) in enumerate(reply.tool_calls):
        call = {"index": index, "id": f"call_{index}", "type": "function"}
        yield _chunk(model, {"tool_calls": [call | {"function": {"name": name, "arguments": arguments}}]})
    for index, text in enumerate(reply.deltas):
        if reply.gate and index == reply.gate_after:
            await reply.gate.passed()
        if index == reply.cut_after:
            raise _ConnectionDropped
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        due += reply.pace
        yield _chunk(model, {"content": text})
    if reply.finish_reason:
        yield _chunk(model, {}, finish_reason=reply.finish_reason)
    if with_usage and reply.usage:
        yield _chunk(model, None, usage=_usage(reply.usage))
    yield b"data: [DONE]\n\n"


def _chunk(
    model: str,
    delta: dict[str, Any] | None,
    *,
    finish_reason: str | None = None,
    usage: dict[str, int] | None = None,
) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": choices}
    return b"data: " + json.dumps(chunk | {"usage": usage}).encode() + b"\n\n"


def _whole(reply: Reply, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason or "stop"}
    usage = _usage(reply.usage) if reply.usage else None
    return {"id": "c1", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": usage}


def _usage(tokens: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}


def _error(failure: Failure) -> Response:
    error = {"message": failure.message, "type": failure.type, "param": None, "code": failure.code}
    return JSONResponse(
        {"error": error | dict(failure.fields)}, status_code=failure.status, headers=dict(failure.headers)
    )
