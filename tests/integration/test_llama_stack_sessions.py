"""Sessions over Responses and Conversations, against the real llama-stack 0.7.3 and OGX 1.5.0."""

import asyncio
import time

import pytest

from agent.errors import (
    ResponseFailed,
    ResponseIncomplete,
    SessionBusy,
    SessionForbidden,
    SessionNotFound,
)
from agent.providers.events import (
    ProviderEvent,
    SessionRequest,
    SessionStarted,
    TextDelta,
    TurnCompleted,
    Usage,
)
from agent.request.caller import Caller
from agent.request.conversation import Message
from tests.fakes.openai_backend import Failure, Gate, Reply, ScriptedBackend
from tests.providers.llama_stack.turns import Connect, ask, begun, request

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def server(responses_server: str) -> str:
    return responses_server


async def test_a_session_continues_after_the_process_was_replaced(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    backend.answer(Reply(deltas=["It was ", "OOMKilled."], usage=(120, 7)), Reply(deltas=["Raise the limit."]))
    first = await ask(connect(server), "Why is it down?", user="ada", context="exit code 137")
    second = await ask(connect(f"{server}/v1"), "And now?", session=first.session_id, user="ada", context="limit 64Mi")

    assert first.text == "It was OOMKilled."
    assert first.usage == Usage(input_tokens=120, output_tokens=7)
    assert (first.info.protocol, first.info.model, first.info.note) == ("responses", "backend/m1", "")
    assert second.session_id == first.session_id
    said = backend.requests[-1]
    assert said.texts()[1:] == ["Why is it down?", "It was OOMKilled.", "And now?"]
    assert said.roles == ["system", "user", "assistant", "user"]


async def test_the_context_is_the_current_one_and_never_piles_up(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    session = None
    for number in range(4):
        turn = await ask(provider, f"question {number}", session=session, context=f"<context {number}>")
        session = turn.session_id

    assert len(backend.requests) == 4
    for number, asked in enumerate(backend.requests):
        assert asked.all_text.count("<context") == 1
        assert f"<context {number}>" in asked.texts("system")[0]
        assert asked.texts("user") == [f"question {earlier}" for earlier in range(number + 1)]


async def test_two_users_interleaved_never_see_each_other(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    ada = await ask(provider, "ada's first", user="ada", context="ada's log")
    bob = await ask(provider, "bob's first", user="bob", context="bob's log")
    await ask(provider, "ada's second", session=ada.session_id, user="ada", context="ada's log")
    await ask(provider, "bob's second", session=bob.session_id, user="bob", context="bob's log")

    for asked in backend.requests:
        assert ("ada" in asked.all_text) != ("bob" in asked.all_text)


@pytest.mark.parametrize(
    ("owner", "other"), [("ada", "bob"), ("ada", None), (None, "ada"), (None, "anonymous"), ("anonymous", None)]
)
async def test_a_session_is_refused_to_everybody_but_its_owner(
    server: str, backend: ScriptedBackend, connect: Connect, owner: str | None, other: str | None
) -> None:
    session = (await ask(connect(server), "mine", user=owner)).session_id

    with pytest.raises(SessionForbidden, match="session_id"):
        await ask(connect(server), "give me that", session=session, user=other)
    assert len(backend.requests) == 1
    assert (await ask(connect(server), "still mine", session=session, user=owner)).session_id == session


async def test_a_conversation_that_somebody_else_made_is_nobodys_session(server: str, connect: Connect) -> None:
    made = await request("POST", f"{server}/v1/conversations", {"metadata": {"owner": "anonymous"}})

    with pytest.raises(SessionForbidden):
        await ask(connect(server), "hello", session=made["id"])


@pytest.mark.parametrize("session", ["a:b", "..~admin", "conv_" + "0" * 47 + ":", "conv_", "x" * 500])
async def test_an_id_that_no_session_can_have_is_not_found(server: str, connect: Connect, session: str) -> None:
    with pytest.raises(SessionNotFound, match="leave it out to start a new one"):
        await ask(connect(server), "hello", session=session)


@pytest.mark.parametrize("lost", ["deleted", "conv_" + "0" * 48, "conv_short"])
async def test_a_lost_session_is_rebuilt_from_what_the_caller_holds(
    server: str, backend: ScriptedBackend, connect: Connect, lost: str
) -> None:
    provider = connect(server)
    if lost == "deleted":
        lost = (await ask(provider, "Why is it down?", user="ada", context="exit code 137")).session_id
        await request("DELETE", f"{server}/v1/conversations/{lost}")
    history = [Message("user", "Why is it down?"), Message("assistant", "It is OOMKilled.")]
    turn = await ask(provider, "And now?", session=lost, user="ada", history=history, context="exit code 137")
    after = await ask(provider, "Really?", session=turn.session_id, user="ada", context="exit code 137")

    assert turn.session_id != lost
    assert turn.info.note == (
        f"the session {lost} is no longer on the model server; it was rebuilt from the messages of this request"
    )
    asked, asked_after = backend.requests[-2:]
    assert asked.texts()[1:] == ["Why is it down?", "It is OOMKilled.", "And now?"]
    assert asked.texts("system")[0].endswith("Its earlier messages were sent again by the caller.")
    assert (after.session_id, after.info.note) == (turn.session_id, "")
    assert asked_after.texts()[1:] == [*asked.texts()[1:], Reply().text, "Really?"]
    assert "was lost" not in asked_after.all_text


async def test_a_lost_session_of_which_nobody_holds_anything_is_started_anew_and_said(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    lost = (await ask(provider, "hello")).session_id
    await request("DELETE", f"{server}/v1/conversations/{lost}")
    turn = await ask(provider, "And now?", session=lost)

    assert "its earlier turns are lost; a new one was started" in turn.info.note
    assert backend.requests[-1].texts("user") == ["And now?"]
    assert "what was said before this question is not known to you" in backend.requests[-1].texts("system")[0]


async def test_a_session_that_is_lost_between_opening_and_asking_is_not_found(server: str, connect: Connect) -> None:
    provider = connect(server)
    session = (await ask(provider, "hello")).session_id

    async with begun(provider, "still there?", session=session) as (_, events):
        await request("DELETE", f"{server}/v1/conversations/{session}")
        with pytest.raises(SessionNotFound):
            await anext(events)


async def test_the_redaction_key_is_the_same_on_every_replica(server: str, connect: Connect) -> None:
    session = (await ask(connect(server), "hello", user="ada")).session_id
    async with connect(server).open(SessionRequest(session_id=session, caller=Caller.claimed("ada"))) as opened:
        key = opened.redaction_key

    async with connect(server).open(SessionRequest(session_id=session, caller=Caller.claimed("ada"))) as opened:
        assert opened.redaction_key == key
    async with connect(server).open(SessionRequest(caller=Caller.claimed("ada"))) as opened:
        assert opened.redaction_key != key
    assert len(key) == 32


async def test_a_second_turn_in_a_session_is_refused_while_the_first_runs(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    gate = Gate()
    here, elsewhere = connect(server), connect(server)
    session = (await ask(here, "first")).session_id
    backend.answer_when("slow", Reply(gate=gate, gate_after=1))
    slow = asyncio.create_task(ask(here, "slow", session=session))
    await backend.until(lambda b: b.open_streams == 1)

    for provider in (here, elsewhere):
        with pytest.raises(SessionBusy, match="a turn is running"):
            await ask(provider, "impatient", session=session)
    gate.open()
    await slow

    for provider in (here, elsewhere):
        await ask(provider, "patient", session=session)
    assert backend.requests[-1].texts("user") == ["first", "slow", "patient", "patient"]


async def test_a_new_session_is_made_when_its_first_turn_was_answered(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    """Nobody knows of it before; and a conversation costs the server a good deal before the first token."""
    gate = Gate()
    backend.answer(Reply(deltas=["It is ", "the limit."], gate=gate, gate_after=1))
    async with begun(connect(server), "first") as (session, events):
        assert not session
        assert isinstance(await anext(events), TextDelta)
        gate.open()
        rest = [event async for event in events]

    assert [type(event) for event in rest] == [TextDelta, SessionStarted, TurnCompleted]
    started = rest[1]
    assert isinstance(started, SessionStarted)
    items = await request("GET", f"{server}/v1/conversations/{started.session_id}/items?order=asc")
    assert [item["role"] for item in items["data"]] == ["user", "assistant"]
    await ask(connect(server), "second", session=started.session_id)
    assert backend.requests[-1].texts()[1:] == ["first", "It is the limit.", "second"]


async def test_a_first_answer_that_was_cut_by_the_models_limit_starts_a_session_all_the_same(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    backend.answer(Reply(deltas=["It is ", "the"], finish_reason="length"), Reply())
    events: list[ProviderEvent] = []

    async def read() -> None:
        async with begun(connect(server), "first") as (_, following):
            async for event in following:
                events.append(event)

    with pytest.raises(ResponseIncomplete):
        await read()
    started = events[-1]
    assert isinstance(started, SessionStarted)
    await ask(connect(server), "go on", session=started.session_id)
    assert backend.requests[-1].texts()[1:] == ["first", "It is the", "go on"]


async def test_a_hold_whose_process_is_gone_expires(server: str, connect: Connect) -> None:
    provider = connect(server)
    session = (await ask(provider, "first")).session_id
    conversation = f"{server}/v1/conversations/{session}"
    record = (await request("GET", conversation))["metadata"]

    held = {"holder": "gone", "held_until": str(int(time.time()) + 500)}
    await request("POST", conversation, {"metadata": record | held})
    with pytest.raises(SessionBusy, match=r"in \d+ s at the latest"):
        await ask(provider, "too early", session=session)

    held["held_until"] = str(int(time.time()) - 1)
    await request("POST", conversation, {"metadata": record | held})
    assert (await ask(provider, "later", session=session)).session_id == session


@pytest.mark.parametrize("number", [1, 8, 9, 10, 60])
async def test_without_a_session_the_messages_of_the_request_are_the_history(
    server: str, backend: ScriptedBackend, connect: Connect, number: int
) -> None:
    provider = connect(server)
    history = [Message("assistant" if left % 2 else "user", f"message {left};") for left in range(number, 0, -1)]
    first = await ask(provider, "question", history=history, context="the log")
    await ask(provider, "and then?", session=first.session_id, history=history, context="the log")

    asked, asked_again = backend.requests
    said = asked.all_text
    assert [said.count(message.text) for message in history] == [1] * number
    assert [said.index(message.text) for message in history] == sorted(said.index(m.text) for m in history)
    assert asked.roles[-2:] == ["assistant", "user"]
    assert asked_again.texts()[1:] == [*asked.texts()[1:], Reply().text, "and then?"]


async def test_a_first_turn_that_was_not_answered_leaves_no_conversation(
    server: str, backend: ScriptedBackend, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    provider = connect(server)
    backend.answer(Failure(status=400, message="bad request"))
    with caplog.at_level("INFO", "httpx"):
        with pytest.raises(ResponseFailed):
            await ask(provider, "first")
        backend.answer(Reply(gate=Gate(), gate_after=1))
        async with begun(provider, "second") as (_, events):
            await anext(events)

    asked = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert sum("/v1/responses" in line for line in asked) >= 2
    assert not [line for line in asked if "POST" in line and "/v1/conversations" in line]


async def test_a_failed_turn_leaves_the_session_as_it_was(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    session = (await ask(provider, "first")).session_id
    backend.answer(Failure(status=400, message="bad request"))
    with pytest.raises(ResponseFailed):
        await ask(provider, "second", session=session)
    backend.answer(Reply())
    await ask(provider, "third", session=session)

    assert backend.requests[-1].texts("user") == ["first", "third"]
