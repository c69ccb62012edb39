"""Streams a turn as server-sent events. Owns the headers, heartbeats and the end of a stream; not what the events say.

Written for many streams at once: one `send` a batch of events, no task, lock or timer per event. (sse-starlette and
FastAPI's own event streams take a lock, a cancel scope or a queue for each, and send headers before the first event is
known.)
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent.mlflow.event_stream import DONE
from serve.failures import ErrorResponse, ServerStopping, error_event
from serve.turns import ClientGone, disconnected, while_connected

type _Event = dict[str, Any]

HEARTBEAT = b": keep-alive\n\n"
"""A comment of SSE: keeps proxies from closing a silent stream, and clients ignore it."""

_HEADERS = {
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would hold events back otherwise
}


class EventStream(Response):
    """The events of one turn, closed by `data: [DONE]`.

    An error before the first event is answered with its own HTTP status, a later one is an `error` event. The headers
    wait for the first event, but for `heartbeat` seconds at most. After each `heartbeat` seconds of silence comes a
    comment. The generator is closed as soon as the client leaves, or takes nothing for `stall` seconds.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[Sequence[_Event]],
        *,
        encode: Callable[[_Event], bytes],
        error_response: ErrorResponse,
        heartbeat: float,
        stall: float = 60.0,
    ) -> None:
        self.background = None
        self.status_code = 200
        self.init_headers(_HEADERS)
        self._events = events
        self._encode = encode
        self._error_response = error_response
        self._heartbeat = heartbeat
        self._stall = stall
        self._started = False
        self._writing = False
        self._now = asyncio.get_running_loop().time
        self._last_write = 0.0
        self._sequence = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._last_write = self._now()
        try:
            await while_connected(self._write(scope, receive, send), gone=self._watch(receive, send))
        except ClientGone:
            pass
        except asyncio.CancelledError:
            # Only the end of the process cancels a request, and this answer is all that is left to do in it.
            await self._fail(ServerStopping(), scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        encode = self._encode
        try:
            async with aclosing(self._events) as events:
                async for batch in events:
                    if batch:
                        self._sequence = batch[-1].get("sequence_number", self._sequence + len(batch))
                        await self._put(send, b"".join(map(encode, batch)))
        except Exception as error:  # noqa: BLE001 - the outermost of a turn; what nobody foresaw is logged
            await self._fail(error, scope, receive, send)
        else:
            await self._put(send, DONE, last=True)

    async def _put(self, send: Send, body: bytes, *, last: bool = False) -> None:
        self._writing = True
        self._last_write = self._now()
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body, "more_body": not last})
        self._writing = last  # nothing may follow the last

    async def _fail(self, error: BaseException, scope: Scope, receive: Receive, send: Send) -> None:
        if self._started:
            event = error_event(error, sequence_number=self._sequence + 1)
            await self._put(send, self._encode(event) + DONE, last=True)
        else:
            self._started = self._writing = True
            await self._error_response(error)(scope, receive, send)

    async def _watch(self, receive: Receive, send: Send) -> None:
        """Returns when the client is gone; meanwhile breaks the silence."""
        wait = self._heartbeat
        while True:
            try:
                async with asyncio.timeout(wait):
                    return await disconnected(receive)
            except TimeoutError:
                silence = self._now() - self._last_write
            if not self._writing and silence >= self._heartbeat:
                try:
                    async with asyncio.timeout(self._stall):
                        await self._put(send, HEARTBEAT)
                except TimeoutError:
                    return None
                silence = 0.0
            elif self._writing and silence >= self._stall:
                return None
            wait = max(self._heartbeat - silence, 0.0) or self._heartbeat
