"""Sessions that grow beyond their share of the model's window, against the real llama-stack 0.7.3 and OGX 1.5.0."""

import asyncio
import time

import pytest

from agent.errors import ResponseFailed, SessionBusy, SessionForbidden
from agent.prompt.tokens import count_tokens
from agent.providers.events import SessionRequest, TextDelta
from agent.providers.llama_stack.provider import LlamaStack
from tests.fakes.openai_backend import Failure, Gate, Reply, ScriptedBackend
from tests.integration.llama_stack_servers import LLAMA_STACK, OGX, ServerKind, running_server
from tests.providers.llama_stack.turns import Connect, ask, begun, request

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

# Of a window that nobody tells a session may hold half of this.
SMALL = {"model_window": 6_000}
ESTABLISHED = Reply(deltas=["The Secret `db-credentials` is missing.\n\n", "More about it. " * 25])
LONG = Reply(deltas=["Some words of an answer. " * 25])


@pytest.fixture
def server(responses_server: str) -> str:
    return responses_server


async def grown(provider: LlamaStack, backend: ScriptedBackend, *, user: str | None = None) -> str:
    """The id of a session that holds more than it may."""
    backend.answer(ESTABLISHED, LONG)
    first = await ask(provider, "Why is it down?", user=user)
    for number in range(4):
        turn = await ask(provider, f"And then {number}?", session=first.session_id, user=user)
        assert turn.session_id == first.session_id
    return first.session_id


async def test_it_goes_on_in_a_successor_that_the_old_id_leads_to(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    old = await grown(connect(server, **SMALL), backend, user="ada")
    moved = await ask(connect(server, **SMALL), "question 4", session=old, user="ada", context="<log>")
    again = await ask(connect(server, **SMALL), "question 5", session=old, user="ada", context="<log>")

    assert moved.session_id != old
    assert "shortened to fit the model's window" in moved.info.note
    assert (again.session_id, again.info.note) == (moved.session_id, "")
    asked, asked_again = backend.requests[-2:]
    assert asked.roles == ["system", "user"]
    assert "asked: Why is it down? | established: The Secret `db-credentials` is missing." in asked.all_text
    assert LONG.text.strip() in asked.all_text
    assert asked.texts("user")[0].endswith("\n\nquestion 4")
    assert count_tokens(asked.all_text) < count_tokens(backend.requests[-3].all_text)
    assert asked_again.texts("user") == [*asked.texts("user"), "question 5"]
    for other in ("bob", None):
        with pytest.raises(SessionForbidden):
            await ask(connect(server), "mine?", session=old, user=other)


async def test_the_redaction_key_and_what_is_remembered_go_with_it(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server, **SMALL)
    old = await grown(provider, backend)
    turn = await ask(provider, "moved", session=old, fingerprint="state 4")
    keys: list[bytes] = []
    for session_id in (old, turn.session_id):
        async with connect(server, **SMALL).open(SessionRequest(session_id=session_id)) as opened:
            keys.append(opened.redaction_key)
            assert opened.previous_fingerprint == "state 4"
            assert opened.history_tokens >= sum(map(count_tokens, backend.requests[-1].texts("user")))

    assert keys[0] == keys[1]


async def test_the_old_and_the_new_id_are_held_together(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    here, elsewhere = connect(server, **SMALL), connect(server, **SMALL)
    old = await grown(here, backend)

    async def refused_meanwhile(session: str, question: str) -> str:
        """The session of a turn during which the old id is refused, in this process and in another."""
        gate = Gate()
        backend.answer_when(question, Reply(gate=gate, gate_after=1))
        running = asyncio.create_task(ask(here, question, session=session))
        await backend.until(lambda b: b.open_streams == 1)
        for provider in (here, elsewhere):
            with pytest.raises(SessionBusy):
                await ask(provider, "too early", session=old)
        gate.open()
        return (await running).session_id

    new = await refused_meanwhile(old, "while it moves")
    assert new != old
    assert await refused_meanwhile(new, "when it has moved") == new


async def test_the_first_id_leads_to_the_latest_session_without_a_detour(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server, **SMALL)
    first = await grown(provider, backend)
    reached = [(await ask(provider, f"question {number}", session=first)).session_id for number in range(8)]
    await ask(provider, "and then", session=first)
    record = (await request("GET", f"{server}/v1/conversations/{first}"))["metadata"]

    assert len(set(reached)) >= 3
    assert record["successor"] == reached[-1]
    assert "established: The Secret `db-credentials` is missing." in backend.requests[-1].all_text


@pytest.mark.parametrize("how", ["failed", "left before it was asked", "left in the middle"])
async def test_nothing_is_lost_when_the_first_turn_of_a_successor_is_not_answered(
    server: str, backend: ScriptedBackend, connect: Connect, how: str
) -> None:
    provider = connect(server, **SMALL)
    old = await grown(provider, backend)
    backend.answer(Failure(status=400, message="bad request") if how == "failed" else Reply(gate=Gate(), gate_after=1))
    async with begun(provider, "unlucky", session=old) as (known, events):
        if how == "failed":
            with pytest.raises(ResponseFailed):
                await anext(events)
        elif how == "left in the middle":
            assert isinstance(await anext(events), TextDelta)
    if how == "left in the middle":
        await backend.until(lambda b: b.open_streams == 0)

    backend.answer(Reply())
    turn = await ask(connect(server, **SMALL), "again", session=old)
    last = await ask(provider, "and again", session=old)
    asked = backend.requests[-1].all_text
    assert known == old
    assert turn.session_id == last.session_id != old
    assert "asked: Why is it down? | established: The Secret `db-credentials` is missing." in asked
    assert "unlucky" not in asked
    assert asked.count("again") == 2


async def test_a_session_whose_turn_was_left_is_measured_anew(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    """Whether the server stored the turn is known to nobody; so is what a process that is gone has left."""
    provider = connect(server, **SMALL)
    session = await grown(provider, backend)
    conversation = f"{server}/v1/conversations/{session}"
    record = (await request("GET", conversation))["metadata"]
    kept = int(record.pop("history_tokens"))

    for left in ({}, {"history_tokens": "0", "holder": "gone", "held_until": str(int(time.time()) - 1)}):
        await request("POST", conversation, {"metadata": record | left})
        async with connect(server).open(SessionRequest(session_id=session)) as opened:
            assert abs(opened.history_tokens - kept) <= 10


@pytest.mark.parametrize("kind", [LLAMA_STACK, OGX], ids=lambda kind: kind.name)
async def test_many_first_turns_at_once_on_a_server_that_was_never_asked(
    kind: ServerKind,
    backend: ScriptedBackend,
    backend_url: str,
    connect: Connect,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A fresh llama-stack makes its tables with the first requests and answers 500 to some of them."""
    with running_server(kind, backend_url=backend_url, data=tmp_path_factory.mktemp("fresh")) as fresh:
        provider = connect(fresh, provider_retries=2)
        turns = await asyncio.gather(*(ask(provider, f"question {number}") for number in range(24)))

    assert {turn.text for turn in turns} == {Reply().text}
    assert len({turn.session_id for turn in turns}) == 24
