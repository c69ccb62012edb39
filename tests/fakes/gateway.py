"""A reverse proxy as platforms put in front of a model server: asks for a key, refuses on demand, counts requests.

Runs with `running(gateway.app)`, with or without TLS; every method may be called from any thread.
"""

import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.server import PATIENCE

_METHODS = ["GET", "HEAD", "POST", "DELETE"]
# Headers of one connection, not of the message.
_HOP = {"connection", "content-length", "host", "transfer-encoding"}


class Gateway:
    """In front of `upstream`, a base URL. `key` is the bearer token it wants, None: it wants none."""

    def __init__(self, upstream: str, *, key: str | None = None) -> None:
        self._upstream = upstream
        self._key = key
        self._lock = threading.Lock()
        self._refusals: list[tuple[str, int, Mapping[str, str]]] = []
        self._losses: list[tuple[str, int]] = []
        self._asked: list[str] = []
        self._clients: set[object] = set()
        self.app = Starlette(routes=[Route("/{path:path}", self._pass, methods=_METHODS)])

    def refuse(self, asked: str, status: int, *, times: int = 1, headers: Mapping[str, str] | None = None) -> None:
        """Answers the next requests for `asked`, a method and a path, with `status`."""
        with self._lock:
            self._refusals += [(asked, status, headers or {})] * times

    def lose(self, ending: str, status: int) -> None:
        """Lets the next request whose path ends so through to the upstream, and answers it with `status`."""
        with self._lock:
            self._losses.append((ending, status))

    def count(self, asked: str) -> int:
        """How many requests there were for `asked`, a method and a path, refused ones too."""
        with self._lock:
            return self._asked.count(asked)

    @property
    def connections(self) -> int:
        """Over how many connections it was asked."""
        with self._lock:
            return len(self._clients)

    def _refusal(self, request: Request) -> Response | None:
        asked = f"{request.method} {request.url.path}"
        with self._lock:
            self._asked.append(asked)
            self._clients.add(request.client)
            for index, (refused, status, headers) in enumerate(self._refusals):
                if asked == refused:
                    del self._refusals[index]
                    return PlainTextResponse("no healthy upstream", status, dict(headers))
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return PlainTextResponse("who are you?", 401)
        return None

    def _lost(self, path: str) -> int | None:
        with self._lock:
            for index, (ending, status) in enumerate(self._losses):
                if path.endswith(ending):
                    del self._losses[index]
                    return status
        return None

    async def _pass(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = self._answer(request, await request.body())
        head = await anext(body)
        assert isinstance(head, httpx.Response)
        headers = {name: value for name, value in head.headers.items() if name.lower() not in _HOP}
        if status := self._lost(request.url.path):
            async for _ in body:
                pass
            return PlainTextResponse("lost", status)
        return StreamingResponse(_chunks(body), status_code=head.status_code, headers=headers)

    async def _answer(self, request: Request, body: bytes) -> AsyncGenerator[httpx.Response | bytes]:
        """The head of the upstream's answer, then its body as it arrives."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = httpx.URL(self._upstream).copy_with(raw_path=request.url.path.encode())
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False) as client,
            client.stream(request.method, url, headers=headers, content=body) as response,
        ):
            yield response
            async for chunk in response.aiter_raw():
                yield chunk


async def _chunks(body: AsyncGenerator[httpx.Response | bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(body):
        async for chunk in body:
            if isinstance(chunk, bytes):
                yield chunk
