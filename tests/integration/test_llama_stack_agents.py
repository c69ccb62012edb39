"""Turns over the Agents API and over chat completions, against the real llama-stack 0.2.23."""

import asyncio
import logging

import pytest

from agent.errors import (
    ContextTooLong,
    ModelNotFound,
    ProviderUnreachable,
    ResponseCut,
    ResponseFailed,
    SessionBusy,
    SessionForbidden,
    SessionNotFound,
)
from agent.prompt.tokens import count_tokens
from agent.providers.events import SessionRequest, TextDelta, Usage
from agent.request.caller import Caller
from agent.request.conversation import Message
from tests.fakes.openai_backend import CONTEXT_TOO_LONG, Gate, Reply, ScriptedBackend
from tests.providers.llama_stack.turns import Connect, ask, begun, request

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def server(old_llama_stack_server: str) -> str:
    return old_llama_stack_server


async def test_a_session_continues_after_the_process_was_replaced(
    server: str, backend: ScriptedBackend, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    backend.answer(Reply(deltas=["It was ", "OOMKilled."]), Reply(deltas=["Raise the limit."]), Reply())
    history = [Message("user", "Hello?"), Message("assistant", "Hello.")]
    first = await ask(connect(server), "Why is it down?", user="ada", context="exit code 137", history=history)
    second = await ask(connect(server), "And now?", session=first.session_id, user="ada", context="limit 64Mi")
    await ask(connect(server), "Sure?", session=second.session_id, user="ada", context="no change")

    assert (first.text, first.usage, first.info.protocol) == ("It was OOMKilled.", None, "agents")
    assert "Agents API" in first.info.note
    assert "is asked over agents: the server has no Conversations" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING
    asked = backend.requests[-1]
    assert asked.texts("system") == ["You are Argo CD Assistant."]
    parts = [part["text"] for part in asked.messages[-1]["content"]]
    assert "no change" in parts[0]
    assert parts[1:] == [
        "User: Hello?",
        "Assistant: Hello.",
        "User: Why is it down?",
        "Assistant: It was OOMKilled.",
        "User: And now?",
        "Assistant: Raise the limit.",
        "User: Sure?",
    ]


async def test_the_context_is_the_current_one_and_never_piles_up(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    session = None
    for number in range(4):
        session = (await ask(provider, f"question {number}", session=session, context=f"<context {number}>")).session_id

    for number, asked in enumerate(backend.requests):
        assert asked.all_text.count("<context") == 1
        assert f"<context {number}>" in asked.all_text
        assert asked.all_text.count("question") == number + 1


async def test_a_session_is_refused_to_everybody_but_its_owner(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    session = (await ask(connect(server), "mine", user="ada")).session_id

    for other in ("bob", None):
        with pytest.raises(SessionForbidden):
            await ask(connect(server), "give me that", session=session, user=other)
    assert len(backend.requests) == 1


async def test_the_redaction_key_stays_the_same_in_a_session(server: str, connect: Connect) -> None:
    session = (await ask(connect(server), "hello", user="ada")).session_id
    keys: list[bytes] = []
    for _ in range(2):
        provider = connect(server)
        async with provider.open(SessionRequest(session_id=session, caller=Caller.claimed("ada"))) as opened:
            keys.append(opened.redaction_key)
        session = (await ask(provider, "and?", session=session, user="ada")).session_id

    assert keys[0] == keys[1]


@pytest.mark.parametrize("session", ["conv_" + "0" * 48, "none", "..:..", "a:b:c", "a:"])
async def test_an_id_that_no_session_can_have_is_not_found(server: str, connect: Connect, session: str) -> None:
    with pytest.raises(SessionNotFound, match="leave it out to start a new one"):
        await ask(connect(server), "hello", session=session)


async def test_the_session_of_an_earlier_answer_is_lost_and_rebuilt_from_what_the_caller_holds(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    first = await ask(provider, "first")
    second = await ask(provider, "second", session=first.session_id)
    third = await ask(provider, "third", session=first.session_id, history=[Message("user", "first")])

    assert len({first.session_id, second.session_id, third.session_id}) == 3
    assert f"{first.session_id} is no longer on the model server; it was rebuilt" in third.info.note
    assert "User: first" in backend.requests[-1].all_text
    assert "Its earlier messages were sent again" in backend.requests[-1].all_text


@pytest.mark.parametrize("lost", ["none:none", "3f2a-77:5b1c-01"])
async def test_a_lost_session_of_which_nobody_holds_anything_is_started_anew_and_said(
    server: str, backend: ScriptedBackend, connect: Connect, lost: str
) -> None:
    turn = await ask(connect(server), "hello", session=lost)

    assert "its earlier turns are lost; a new one was started" in turn.info.note
    assert "what was said before this question is not known to you" in backend.requests[-1].all_text


async def test_a_conversation_that_grows_is_shortened_and_keeps_what_its_first_turn_established(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server, model_window=3_000)  # of which the history may take 500
    words = " ".join(f"w{number}" for number in range(60))
    backend.answer(Reply(deltas=["The Secret `db` is missing.\n\n", "More words. " * 30]), Reply(deltas=[words]))
    session = None
    for number in range(12):
        session = (await ask(provider, f"question {number}", session=session, context="<log>")).session_id

    last = backend.requests[-1].all_text
    assert "asked: question 0 | established: The Secret `db` is missing." in last
    assert last.count("<log>") == 1
    assert last.count("# Earlier in this conversation") == 1
    assert max(count_tokens(asked.all_text) for asked in backend.requests) < 1_000


async def test_what_a_turn_left_is_remembered_for_the_next_one(server: str, connect: Connect) -> None:
    first = await ask(connect(server), "first", fingerprint="state 1")
    async with connect(server).open(SessionRequest(session_id=first.session_id)) as opened:
        assert opened.previous_fingerprint == "state 1"


async def test_a_turn_left_in_the_middle_loses_nothing_of_the_conversation(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    first = await ask(provider, "first")
    backend.answer(Reply(gate=Gate(), gate_after=2), Reply())
    async with begun(provider, "left", session=first.session_id) as (left, events):
        async for event in events:
            if isinstance(event, TextDelta):
                break
    await backend.until(lambda b: b.aborted_streams == 1 and b.open_streams == 0)

    await ask(connect(server), "next", session=left)
    assert "User: first" in backend.requests[-1].all_text
    assert "left" not in backend.requests[-1].all_text


async def test_a_second_turn_in_a_session_is_refused_while_the_first_runs(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    gate = Gate()
    provider = connect(server)
    session = (await ask(provider, "first")).session_id
    backend.answer(Reply(gate=gate, gate_after=1), Reply())
    slow = asyncio.create_task(ask(provider, "slow", session=session))
    await backend.until(lambda b: b.open_streams == 1)

    with pytest.raises(SessionBusy):
        await ask(provider, "impatient", session=session)
    gate.open()
    await ask(provider, "patient", session=(await slow).session_id)


async def test_agents_are_made_once_for_model_and_instructions(server: str, connect: Connect) -> None:
    async def agents() -> int:
        return len((await request("GET", f"{server}/v1/agents?limit=1000"))["data"])

    provider = connect(server)
    await ask(provider, "first")
    before = await agents()
    for _ in range(3):
        await ask(provider, "next", context="another context")
    assert await agents() == before


async def test_an_agent_that_the_server_lost_is_made_again(server: str, connect: Connect) -> None:
    provider = connect(server)
    agent_id = (await ask(provider, "first")).session_id.partition(":")[0]
    await request("DELETE", f"{server}/v1/agents/{agent_id}")

    assert (await ask(provider, "second")).text == Reply().text


async def test_a_configured_agent_is_used_with_our_instructions_beside_its_own(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    config = {"model": "backend/m1", "instructions": "You are terse.", "enable_session_persistence": True}
    agent_id = (await request("POST", f"{server}/v1/agents", {"agent_config": config}))["agent_id"]
    turn = await ask(connect(server, llamastack_agent_id=agent_id), "Why?", context="exit code 137")

    assert turn.session_id.startswith(f"{agent_id}:")
    assert turn.info.model == "backend/m1"
    assert "LLAMASTACK_AGENT_ID" in turn.info.note
    assert backend.requests[-1].texts("system") == ["You are terse."]
    assert "You are Argo CD Assistant." in backend.requests[-1].texts("user")[0]
    assert "exit code 137" in backend.requests[-1].texts("user")[0]


async def test_a_configured_agent_that_is_not_there_is_told(server: str, connect: Connect) -> None:
    with pytest.raises(ModelNotFound, match="LLAMASTACK_AGENT_ID"):
        await ask(connect(server, llamastack_agent_id="nobody"), "Why?")


async def test_failures_have_their_own_errors(server: str, backend: ScriptedBackend, connect: Connect) -> None:
    provider = connect(server)
    backend.answer(CONTEXT_TOO_LONG)
    with pytest.raises(ContextTooLong):
        await ask(provider, "Why?")
    backend.answer(Reply(cut_after=2))
    with pytest.raises(ResponseCut):
        await ask(provider, "Why?")
    backend.answer(Reply(deltas=[]))
    with pytest.raises(ResponseFailed, match="empty"):
        await ask(provider, "Why?")
    with pytest.raises(ModelNotFound, match=r"'gpt-5' is not on .* It lists 'backend/m1'"):
        await ask(connect(server, llamastack_model="gpt-5"), "Why?")


async def test_a_backend_that_is_away_is_told(server: str, backend: ScriptedBackend, connect: Connect) -> None:
    backend.answer(Reply(cut_after=0))
    with pytest.raises(ProviderUnreachable, match="no answer from the backend"):
        await ask(connect(server), "Why?")


async def test_its_chat_completions_answer_where_their_address_is_configured(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    turn = await ask(connect(f"{server}/v1/openai/v1"), "Why?", context="exit code 137")

    assert (turn.text, turn.info.protocol, turn.started.session_id) == (Reply().text, "chat-completions", None)
    assert turn.usage == Usage(input_tokens=11, output_tokens=4)
    assert "exit code 137" in backend.requests[-1].texts("system")[0]
