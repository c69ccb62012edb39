"""A turn runs for as long as its client is there."""

import asyncio
import logging

import pytest

from serve.turns import ClientGone, while_connected


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    return None


def test_the_result_of_a_turn_is_given_when_the_client_stays() -> None:
    async def turn() -> str:
        return "answer"

    assert asyncio.run(while_connected(turn(), gone=never())) == "answer"


def test_a_turn_has_cleaned_up_when_its_client_is_said_to_be_gone() -> None:
    cleaned: list[str] = []

    async def turn() -> None:
        try:
            await never()
        finally:
            await asyncio.sleep(0)
            cleaned.append("closed")

    async def check() -> None:
        with pytest.raises(ClientGone):
            await while_connected(turn(), gone=at_once())
        assert cleaned == ["closed"]

    asyncio.run(check())


def test_a_turn_that_fails_while_it_is_cancelled_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def turn() -> None:
        try:
            await never()
        finally:
            raise OSError("could not close the connection")

    with pytest.raises(ClientGone):
        asyncio.run(while_connected(turn(), gone=at_once()))

    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "could not close the connection" in str(record.exc_info)


def test_a_watch_that_fails_is_not_hidden() -> None:
    async def broken() -> None:
        raise OSError("no receive")

    with pytest.raises(OSError, match="no receive"):
        asyncio.run(while_connected(never(), gone=broken()))
