"""A running fake of Lightspeed, as new for each test, and providers for it."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from agent.providers.lightspeed.client import Lightspeed
from tests.fakes.lightspeed import FakeLightspeed, lightspeed
from tests.providers.lightspeed.asking import Connect, configured


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="package")
def server() -> Iterator[FakeLightspeed]:
    with lightspeed(log_level="critical") as fake:
        yield fake


@pytest.fixture
def fake(server: FakeLightspeed) -> FakeLightspeed:
    server.forget()
    return server


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Providers for a fake, closed at the end of the test."""
    opened: list[Lightspeed] = []

    def provider(fake: FakeLightspeed, **settings: Any) -> Lightspeed:
        opened.append(Lightspeed(configured(fake.url, **settings)))
        return opened[-1]

    yield provider
    for each in opened:
        await each.aclose()
