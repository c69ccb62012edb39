"""The synchronous face of asynchronous code."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from agent.mlflow.background_loop import BackgroundLoop


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise LookupError("nothing there")


async def count(limit: int, closed: threading.Event, *, broken: bool = False) -> AsyncGenerator[int]:
    try:
        for number in range(limit):
            yield number
            await asyncio.sleep(0)
        if broken:
            raise LookupError("broken")
    finally:
        closed.set()


def test_the_result_of_a_coroutine_is_returned() -> None:
    assert BackgroundLoop().run(double(21)) == 42


def test_the_error_of_a_coroutine_is_raised() -> None:
    with pytest.raises(LookupError, match="nothing there"):
        BackgroundLoop().run(fail())


def test_a_stream_is_read_whole_and_in_order() -> None:
    closed = threading.Event()

    assert list(BackgroundLoop().iterate(count(500, closed))) == list(range(500))
    assert closed.is_set()


def test_the_error_of_a_stream_comes_after_its_items() -> None:
    seen: list[int] = []

    with pytest.raises(LookupError, match="broken"):
        seen.extend(BackgroundLoop().iterate(count(3, threading.Event(), broken=True)))

    assert seen == [0, 1, 2]


def test_closing_early_returns_only_after_the_stream_was_closed() -> None:
    closed = threading.Event()
    stream = BackgroundLoop().iterate(count(1_000_000, closed))
    assert next(stream) == 0

    stream.close()

    assert closed.is_set()


def test_streams_of_several_threads_do_not_mix() -> None:
    loop = BackgroundLoop()
    results: dict[int, list[int]] = {}

    def read(size: int) -> None:
        results[size] = list(loop.iterate(count(size, threading.Event())))

    threads = [threading.Thread(target=read, args=(size,)) for size in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {size: list(range(size)) for size in (10, 20, 30, 40)}
