"""One server for all tests that need no settings of their own; each test says what its assistant does."""

from collections.abc import Generator

import httpx
import pytest

from tests.serve.scripted import ScriptedAssistant, served


@pytest.fixture(scope="session")
def one_server() -> Generator[tuple[ScriptedAssistant, httpx.Client]]:
    assistant = ScriptedAssistant()
    with served(assistant, body_limit_bytes=100_000) as client:
        yield assistant, client


@pytest.fixture
def assistant(one_server: tuple[ScriptedAssistant, httpx.Client]) -> ScriptedAssistant:
    """Answers every good question, unless the test makes it `play` something else."""
    assistant, _ = one_server
    assistant.play()
    return assistant


@pytest.fixture
def client(assistant: ScriptedAssistant, one_server: tuple[ScriptedAssistant, httpx.Client]) -> httpx.Client:
    """A client of the server around `assistant`."""
    return one_server[1]
