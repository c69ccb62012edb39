"""Turns that arrive at once begin one after the other."""

import asyncio

import pytest

from agent.turn.admission import StartQueue

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def steps(count: int) -> None:
    """What an HTTP client does until its request is out: it waits for the loop `count` times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_turn_is_on_its_way_before_the_next_one_begins() -> None:
    queue, told = StartQueue(), list[str]()

    async def turn(name: str) -> None:
        await queue.enter()
        told.append(f"{name} begins")
        await steps(2)
        told.append(f"{name} is on its way")

    await asyncio.gather(*(turn(name) for name in "abc"))

    assert told == [f"{name} {what}" for name in "abc" for what in ("begins", "is on its way")]


async def test_a_hundred_begin_in_their_order() -> None:
    queue, began = StartQueue(), list[int]()

    async def turn(number: int) -> None:
        await queue.enter()
        began.append(number)

    await asyncio.gather(*(turn(number) for number in range(100)))

    assert began == list(range(100))


async def test_one_that_is_cancelled_while_it_waits_keeps_nobody_waiting() -> None:
    queue = StartQueue()
    await queue.enter()
    left = asyncio.create_task(queue.enter())
    stays = asyncio.create_task(queue.enter())
    await asyncio.sleep(0)
    left.cancel()

    await stays
    assert left.cancelled()


async def test_nobody_waits_at_one_that_stands_still() -> None:
    queue = StartQueue()
    await queue.enter()
    await steps(20)
    entering = queue.enter()

    with pytest.raises(StopIteration):
        entering.send(None)
