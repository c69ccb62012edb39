"""A group of tasks that begin when they are made. Owns their end."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class EagerTaskGroup:
    """Tasks that run up to their first wait when they are made, and end with the block at the latest.

    One that has nothing to wait for is done by then: what was supplied becomes a context without a pass of the event
    loop, in which all other requests would come first. When the block fails the tasks are cancelled.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """The task of `work`."""
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
