"""Runs the asynchronous core for synchronous callers: one event loop in one daemon thread.

MLflow's `predict` and `predict_stream` are synchronous; this runs coroutines and async iterators for them.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing
from typing import Any

CLOSE_SECONDS = 5.0
"""How long the end of a loop may take."""


class BackgroundLoop:
    """An event loop in a thread that starts with its first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return the result of `coroutine`, or raise what it raises; interrupting the caller cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate[T](self, stream: AsyncGenerator[T]) -> Generator[T]:
        """The items of `stream`. Raises what the stream raises, after its items. Closing the generator closes the
        stream and waits until it is closed."""
        loop = self._started()
        items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        tasks: list[asyncio.Task[None]] = []

        async def pump() -> None:
            async with aclosing(stream):
                async for item in stream:
                    items.put(item)

        def start() -> None:
            task = loop.create_task(pump())
            tasks.append(task)
            # A callback of the task runs even when the task is cancelled before its first step.
            task.add_done_callback(lambda done: items.put(_End(None if done.cancelled() else done.exception())))

        loop.call_soon_threadsafe(start)
        ended = False
        try:
            while not isinstance(item := items.get(), _End):
                yield item
            ended = True
        finally:
            if not ended:
                loop.call_soon_threadsafe(lambda: tasks[0].cancel())
                while not isinstance(items.get(), _End):
                    pass
        if item.error is not None:
            raise item.error

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `last` on the loop, for at most CLOSE_SECONDS, then end the loop and its thread. Nothing for a loop that
        never ran."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(last(), loop).result(CLOSE_SECONDS)
            asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(CLOSE_SECONDS)
        except TimeoutError:
            pass  # the process ends, or the connections with their loop
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        if not loop.is_running():
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="argocd-assistant", daemon=True)
                self._thread.start()
            return self._loop


class _End:
    """The stream is over, by `error` or by itself."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
