"""Runs a turn for as long as its client is connected, and tracks the requests that run. Owns cancellation."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

_logger = logging.getLogger(__name__)


class ClientGone(Exception):
    """The client left, or reads no more."""


async def while_connected[T](turn: Coroutine[Any, Any, T], *, gone: Coroutine[Any, Any, None]) -> T:
    """The result of `turn`, which is cancelled as soon as `gone` returns.

    Whatever happens, the turn has ended when this returns or raises: its generators are closed. Raises ClientGone, and
    what the turn raises.
    """
    running = asyncio.create_task(turn)
    watching = asyncio.create_task(gone)
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        raise ClientGone
    finally:
        await _cancel(running)
        await _cancel(watching)
        if not watching.cancelled():
            watching.result()


async def disconnected(receive: Receive) -> None:
    """Returns when the client has left. The request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


class RunningRequests:
    """ASGI middleware that keeps the tasks of the requests in work, for the end of the process to wait for."""

    def __init__(self, app: ASGIApp, *, tasks: set[asyncio.Task[Any]]) -> None:
        self._app = app
        self._tasks = tasks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        self._tasks.add(task)
        try:
            await self._app(scope, receive, send)
        finally:
            self._tasks.discard(task)


async def ended(tasks: set[asyncio.Task[Any]], *, within: float) -> bool:
    """Waits for `tasks`, for at most `within` seconds. False when some did not end."""
    if not tasks:
        return True
    _, late = await asyncio.wait(set(tasks), timeout=within)
    return not late


async def _cancel(task: asyncio.Task[Any]) -> None:
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()):
        _logger.error("A turn failed while it was cancelled", exc_info=error)
