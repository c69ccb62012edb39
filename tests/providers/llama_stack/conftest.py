"""Fixtures of the llama-stack provider's tests: a scripted backend asked directly, providers closed at the end."""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.fakes.openai_backend import ScriptedBackend
from tests.fakes.server import running
from tests.providers.llama_stack.turns import Connect, providers


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="package")
def running_backend() -> Generator[tuple[ScriptedBackend, str]]:
    scripted = ScriptedBackend(models=("text-embedding-3", "m1", "m2"))
    with running(scripted.app, log_level="critical") as url:
        yield scripted, url


@pytest.fixture
def backend(running_backend: tuple[ScriptedBackend, str]) -> ScriptedBackend:
    """A plain OpenAI-compatible server, as if nobody had asked it before."""
    running_backend[0].reset()
    return running_backend[0]


@pytest.fixture
def backend_url(running_backend: tuple[ScriptedBackend, str]) -> str:
    return running_backend[1]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    async with providers() as connect:
        yield connect
