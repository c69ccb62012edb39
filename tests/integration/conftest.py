"""Fixtures of the tests on real servers: the scripted backend, and llama-stack and OGX in front of it."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.openai_backend import ScriptedBackend
from tests.fakes.server import running
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, OLD_LLAMA_STACK, ServerKind, running_server
from tests.providers.llama_stack.turns import Connect, providers


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True, slots=True)
class RunningBackend:
    """The backend of all servers of this process. `url` ends in `/v1`."""

    scripted: ScriptedBackend
    url: str


@pytest.fixture(scope="session")
def running_backend() -> Generator[RunningBackend]:
    scripted = ScriptedBackend()
    with running(scripted.app, log_level="critical") as url:  # a dropped connection is no news
        yield RunningBackend(scripted, f"{url}/v1")


@pytest.fixture
def backend(running_backend: RunningBackend) -> ScriptedBackend:
    """The backend, as if nobody had asked it before."""
    running_backend.scripted.reset()
    return running_backend.scripted


@pytest.fixture
def backend_url(running_backend: RunningBackend) -> str:
    """The address of `backend`, for asking it directly."""
    return running_backend.url


@pytest.fixture(scope="session")
def start_server(
    running_backend: RunningBackend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[ServerKind], str]]:
    """Starts a server of a kind at the first call and keeps it until the tests end; gives its base URL."""
    urls: dict[str, str] = {}
    with ExitStack() as servers:

        def start(kind: ServerKind) -> str:
            if kind.name not in urls:
                data: Path = tmp_path_factory.mktemp(kind.name)
                running = running_server(kind, backend_url=running_backend.url, data=data)
                urls[kind.name] = servers.enter_context(running)
            return urls[kind.name]

        yield start


@pytest.fixture
def llama_stack_server(start_server: Callable[[ServerKind], str], backend: ScriptedBackend) -> str:
    """llama-stack 0.7.3 in front of `backend`."""
    return start_server(LLAMA_STACK)


@pytest.fixture
def ogx_server(start_server: Callable[[ServerKind], str], backend: ScriptedBackend) -> str:
    """OGX 1.5.0 in front of `backend`."""
    return start_server(OGX)


@pytest.fixture
def old_llama_stack_server(start_server: Callable[[ServerKind], str], backend: ScriptedBackend) -> str:
    """llama-stack 0.2.23, with the Agents API, in front of `backend`."""
    return start_server(OLD_LLAMA_STACK)


@pytest.fixture(params=["llama_stack_server", "ogx_server"])
def responses_server(request: pytest.FixtureRequest) -> str:
    """Each of the servers that offer Responses and Conversations."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Providers for a server by its URL and further settings, closed at the end of the test."""
    # With a configured window nothing is asked of a server but what a test asks.
    async with providers(model_window=48_000) as connect:
        yield connect
