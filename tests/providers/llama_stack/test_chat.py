"""Turns over chat completions, against a plain OpenAI-compatible server."""

import asyncio

import pytest

from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderTimeout,
    ProviderUnauthorized,
    RateLimited,
    ResponseCut,
    ResponseFailed,
    ResponseIncomplete,
    SessionNotFound,
)
from agent.providers.events import ReasoningDelta, SessionRequest, TextDelta, TurnCompleted, Usage
from agent.request.conversation import Message
from tests.fakes.gateway import Gateway
from tests.fakes.openai_backend import CONTEXT_TOO_LONG, Answer, Failure, Gate, Reply, ScriptedBackend
from tests.fakes.server import running
from tests.providers.llama_stack.turns import Connect, ask, begun

pytestmark = pytest.mark.anyio


async def test_a_turn_is_answered_from_context_and_history(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    backend.answer(Reply(deltas=["OOM", "Killed."], reasoning=["137 ", "is memory"], usage=(90, 2)))
    history = [Message("user", "Hello?"), Message("assistant", "Hello.")]
    turn = await ask(connect(f"{backend_url}/v1"), "Why?", history=history, context="exit code 137")

    assert turn.events[1:] == [
        ReasoningDelta("137 "),
        ReasoningDelta("is memory"),
        TextDelta("OOM"),
        TextDelta("Killed."),
        TurnCompleted(usage=Usage(input_tokens=90, output_tokens=2)),
    ]
    assert (turn.info.protocol, turn.info.model, turn.started.session_id) == ("chat-completions", "m1", None)
    assert "keep no session" in turn.info.note
    asked = backend.requests[-1]
    assert asked.roles == ["system", "user", "assistant", "user"]
    assert asked.texts()[1:] == ["Hello?", "Hello.", "Why?"]
    assert "exit code 137" in asked.texts("system")[0]


async def test_a_server_that_counts_no_tokens_gives_no_usage(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    backend.answer(Reply(usage=None))
    assert (await ask(connect(backend_url), "Why?")).usage is None


async def test_a_session_id_is_refused_with_what_to_do_instead(backend_url: str, connect: Connect) -> None:
    with pytest.raises(SessionNotFound, match="send the earlier messages in `input`"):
        await ask(connect(backend_url), "Why?", session="conv_1")


async def test_each_turn_has_a_redaction_key_of_its_own(backend_url: str, connect: Connect) -> None:
    provider = connect(backend_url)
    async with provider.open(SessionRequest()) as first, provider.open(SessionRequest()) as second:
        assert first.redaction_key != second.redaction_key


FAILURES: dict[str, tuple[Answer, type[AssistantError], str]] = {
    "429": (Failure(status=429, message="slow down, secret"), RateLimited, "Ask again later"),
    "429 with a pause": (
        Failure(status=429, message="slow down", headers={"Retry-After": "20"}),
        RateLimited,
        "Ask again in 20 s",
    ),
    "401": (Failure(status=401, message="bad key sk-secret"), ProviderUnauthorized, "LLAMASTACK_API_KEY"),
    "403": (Failure(status=403, message="no"), ProviderUnauthorized, "LLAMASTACK_API_KEY"),
    "400 too long": (CONTEXT_TOO_LONG, ContextTooLong, "ASSISTANT_CONTEXT_TOKENS"),
    "413": (Failure(status=413, message="no"), ContextTooLong, "ASSISTANT_CONTEXT_TOKENS"),
    "404": (Failure(status=404, message="The model `m1` does not exist"), ModelNotFound, "It lists 'm1', 'm2'"),
    "500": (Failure(status=500, message="secret traceback"), ResponseFailed, "HTTP 500"),
    "504": (Failure(status=504, message="gateway timeout"), ProviderTimeout, "Ask again"),
    "cut": (Reply(cut_after=2), ResponseCut, "Ask again"),
    "no finish reason": (Reply(finish_reason=None), ResponseCut, "Ask again"),
    "length": (Reply(finish_reason="length"), ResponseIncomplete, "Ask something narrower"),
    "content filter": (Reply(finish_reason="content_filter"), ResponseFailed, "content filter"),
    "empty": (Reply(deltas=[]), ResponseFailed, "answer was empty"),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_each_failure_has_its_own_error(
    backend: ScriptedBackend, backend_url: str, connect: Connect, case: str
) -> None:
    answer, error, hint = FAILURES[case]
    backend.answer(answer)

    with pytest.raises(error) as raised:
        await ask(connect(backend_url), "Why?")
    assert type(raised.value) is error
    assert hint in raised.value.public_message
    assert "secret" not in raised.value.public_message
    assert len(backend.requests) == 1


async def test_silence_ends_with_a_timeout(backend: ScriptedBackend, backend_url: str, connect: Connect) -> None:
    backend.answer(Reply(gate=Gate(), gate_after=1))
    with pytest.raises(ProviderTimeout, match=r"no sign of life for 0\.3 s"):
        await ask(connect(backend_url, provider_timeout=0.3), "Why?")
    await backend.until(lambda b: len(b.requests) == 1 and b.open_streams == 0)


async def test_going_away_ends_the_upstream_request(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    backend.answer(Reply(gate=Gate(), gate_after=1))
    async with begun(connect(backend_url), "Why?") as (_, events):
        assert await anext(events) == TextDelta("The ")
    await backend.until(lambda b: b.aborted_streams == 1 and b.open_streams == 0)


async def test_a_turn_can_be_stepped_from_another_task_each_time(
    backend: ScriptedBackend, backend_url: str, connect: Connect
) -> None:
    """A synchronous caller steps a turn through a loop, each step in a task of its own."""
    provider = connect(backend_url)
    opened = begun(provider, "Why?")
    _, events = await asyncio.create_task(opened.__aenter__())
    texts: list[str] = []
    while not isinstance(event := await asyncio.create_task(anext(events)), TurnCompleted):
        assert isinstance(event, TextDelta)
        texts.append(event.text)
    await asyncio.create_task(opened.__aexit__(None, None, None))

    assert "".join(texts) == Reply().text


async def test_the_key_is_sent_as_a_bearer_token(connect: Connect) -> None:
    guarded = ScriptedBackend(api_key="the-key")
    with running(guarded.app, log_level="critical") as url:
        assert (await ask(connect(url, llamastack_api_key="the-key"), "Why?")).text == Reply().text
        for wrong in ("another", None):
            with pytest.raises(ProviderUnauthorized):
                await ask(connect(url, llamastack_api_key=wrong), "Why?")


async def test_turns_after_each_other_use_one_connection(backend_url: str, connect: Connect) -> None:
    gateway = Gateway(backend_url.removesuffix("/v1"))
    with running(gateway.app) as url:
        provider = connect(f"{url}/v1")
        await provider.check()
        opened = gateway.connections
        for _ in range(3):
            await ask(provider, "Why?")

    assert gateway.count("POST /v1/chat/completions") == 3
    assert gateway.connections == opened
