"""A group of tasks that start when they are created. Owns their end."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class EagerTaskGroup:
    """Tasks that run up to their first wait when they are created, and end with the block at the latest.

    A task without a wait is done at once, so that supplied parts become a context without an iteration of the event
    loop, in which all other requests would run first. If the block fails, the tasks are cancelled.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Return the task of `work`, already started."""
        task: asyncio.Task[T] = asyncio.eager_task_factory(asyncio.get_running_loop(), work)
        self._tasks.append(task)
        return task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for task in self._tasks:
                    await task
        finally:
            unfinished = [task for task in self._tasks if not task.done()]
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.gather(*unfinished, return_exceptions=True)
