"""Turns over Responses and Conversations, against the real llama-stack 0.7.3 and OGX 1.5.0."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Generator
from functools import partial
from pathlib import Path

import anyio
import pytest

from agent.conversation import Message
from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnreachable,
    RateLimited,
    ResponseCut,
    ResponseFailed,
    ResponseIncomplete,
    SessionBusy,
    SessionForbidden,
    SessionNotFound,
)
from agent.providers.provider import SessionRequest, TextDelta, Usage
from tests.fakes.certificates import self_signed
from tests.fakes.gateway import Gateway
from tests.fakes.openai_backend import CONTEXT_TOO_LONG, Answer, Failure, Gate, Reply, ScriptedBackend
from tests.fakes.server import running
from tests.providers.llama_stack.turns import Connect, ask, begun, providers, request

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.xdist_group("llama-stack")]


@pytest.fixture(params=["llama_stack_server", "ogx_server"])
def server(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    async with providers() as connect:
        yield connect


@pytest.fixture
def gateway(llama_stack_server: str) -> Generator[tuple[Gateway, str]]:
    """A gateway in front of a server, and its URL."""
    gateway = Gateway(llama_stack_server)
    with running(gateway.app) as url:
        yield gateway, url


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


@pytest.mark.parametrize(
    "session", ["conv_" + "0" * 48, "conv_short", "a:b", "..~admin", "conv_" + "0" * 47 + ":", "x" * 500]
)
async def test_a_session_that_never_was_is_not_found(server: str, connect: Connect, session: str) -> None:
    with pytest.raises(SessionNotFound, match="leave it out to start a new one"):
        await ask(connect(server), "hello", session=session)


async def test_a_session_that_was_lost_is_not_found(server: str, connect: Connect) -> None:
    provider = connect(server)
    session = (await ask(provider, "hello")).session_id
    await request("DELETE", f"{server}/v1/conversations/{session}")

    with pytest.raises(SessionNotFound):
        await ask(provider, "still there?", session=session)


async def test_a_session_that_is_lost_between_opening_and_asking_is_not_found(server: str, connect: Connect) -> None:
    provider = connect(server)
    session = (await ask(provider, "hello")).session_id

    async with begun(provider, "still there?", session=session) as (_, events):
        await request("DELETE", f"{server}/v1/conversations/{session}")
        with pytest.raises(SessionNotFound):
            await anext(events)


async def test_the_redaction_key_is_the_same_on_every_replica(server: str, connect: Connect) -> None:
    session = (await ask(connect(server), "hello", user="ada")).session_id
    async with connect(server).open(SessionRequest(session_id=session, user_id="ada")) as opened:
        key = opened.redaction_key

    async with connect(server).open(SessionRequest(session_id=session, user_id="ada")) as opened:
        assert opened.redaction_key == key
    async with connect(server).open(SessionRequest(user_id="ada")) as opened:
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


async def test_a_new_session_is_held_from_its_first_turn_on(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    async with begun(provider, "first") as (session, _):
        for second in (provider, connect(server)):
            with pytest.raises(SessionBusy):
                await ask(second, "impatient", session=session)


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


async def test_a_session_whose_first_turn_failed_takes_the_history_from_the_request(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(server)
    history = [Message("user", "before"), Message("assistant", "answered")]
    async with begun(provider, "first") as (session, _):
        pass  # left before it was answered
    await ask(provider, "second", session=session, history=history)
    await ask(provider, "third", session=session, history=history)

    assert [each.texts("user") for each in backend.requests[-2:]] == [
        ["before", "second"],
        ["before", "second", "third"],
    ]


FAILURES: dict[str, tuple[Answer, type[AssistantError], str]] = {
    "rate limit": (
        Failure(status=429, message="Rate limit reached for secret-org", code="rate_limit_exceeded"),
        RateLimited,
        "Ask again later",
    ),
    "refused key": (
        Failure(status=401, message="Incorrect API key provided: sk-secret", code="invalid_api_key"),
        ProviderUnauthorized,
        "LLAMASTACK_API_KEY",
    ),
    "context too long": (CONTEXT_TOO_LONG, ContextTooLong, "ASSISTANT_CONTEXT_TOKENS"),
    "model gone": (
        Failure(status=404, message="The model `m1` does not exist", code="model_not_found"),
        ModelNotFound,
        "It lists 'backend/m1'",
    ),
    "failed": (Failure(status=500, message="CUDA error: secret device"), ResponseFailed, "response resp_"),
    "cut": (Reply(cut_after=2), ResponseCut, "Ask again"),
    "away": (Reply(cut_after=0), ProviderUnreachable, "no answer from the backend"),
    "incomplete": (Reply(finish_reason="length"), ResponseIncomplete, "Ask something narrower"),
    "empty": (Reply(deltas=[]), ResponseFailed, "answer was empty"),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_each_failure_of_the_backend_has_its_own_error(
    server: str, backend: ScriptedBackend, connect: Connect, case: str
) -> None:
    answer, error, hint = FAILURES[case]
    provider = connect(server)
    backend.answer(answer)

    with pytest.raises(error) as raised:
        await ask(provider, "Why?")
    assert type(raised.value) is error
    assert hint in raised.value.public_message
    assert "secret" not in raised.value.public_message

    backend.answer(Reply())
    assert (await ask(provider, "And now?")).text == Reply().text


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


async def test_silence_ends_with_a_timeout_and_frees_the_session(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    session = (await ask(connect(server), "first")).session_id
    backend.answer(Reply(gate=Gate(), gate_after=1), Reply())

    with pytest.raises(ProviderTimeout, match=r"0\.5 s"):
        await ask(connect(server, provider_timeout=0.5), "second", session=session)
    await backend.until(lambda b: b.aborted_streams == 1)
    await ask(connect(server), "third", session=session)


@pytest.mark.parametrize("end", ["closed", "task cancelled", "scope cancelled"])
async def test_going_away_in_the_middle_ends_the_upstream_request_and_frees_the_session(
    server: str, backend: ScriptedBackend, connect: Connect, end: str
) -> None:
    provider = connect(server)
    session = (await ask(provider, "first")).session_id
    backend.answer(Reply(gate=Gate(), gate_after=2), Reply())
    reading = asyncio.Event()

    async def read(*, forever: bool) -> None:
        async with begun(provider, "second", session=session) as (_, events):
            async for event in events:
                if isinstance(event, TextDelta):
                    reading.set()
                    if not forever:
                        return

    match end:
        case "closed":
            await read(forever=False)
        case "task cancelled":
            task = asyncio.create_task(read(forever=True))
            await reading.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        case _:
            async with anyio.create_task_group() as tasks:  # as web servers do when their client goes away
                tasks.start_soon(partial(read, forever=True))
                await reading.wait()
                tasks.cancel_scope.cancel()

    await backend.until(lambda b: b.aborted_streams == 1 and b.open_streams == 0)
    await ask(connect(server), "third", session=session)
    assert backend.requests[-1].texts("user") == ["first", "third"]


async def test_any_character_arrives_as_it_was_sent(server: str, backend: ScriptedBackend, connect: Connect) -> None:
    odd = ["a\u2028b", "c\x85d", "\r\n", "e\x0bf\x1c", "😀", '"}\n\ndata: x']
    backend.answer(Reply(deltas=odd))

    assert (await ask(connect(server), "?")).text == "".join(odd)


async def test_many_turns_at_once_are_all_whole(server: str, backend: ScriptedBackend, connect: Connect) -> None:
    backend.answer(Reply(deltas=[f"{number} " for number in range(20)], pace=0.002))
    provider = connect(server)
    turns = await asyncio.gather(*(ask(provider, f"question {number}") for number in range(16)))

    assert {turn.text for turn in turns} == {"".join(f"{number} " for number in range(20))}
    assert len({turn.session_id for turn in turns}) == 16


async def test_turns_after_each_other_use_one_connection(
    server: str, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    provider = connect(server)
    with caplog.at_level("DEBUG", "httpcore.connection"):
        session = (await ask(provider, "first")).session_id
        await ask(provider, "second", session=session)

    assert sum("connect_tcp.started" in record.message for record in caplog.records) == 1


async def test_a_hundred_turns_leave_no_connection_behind(
    ogx_server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    provider = connect(ogx_server)
    session = (await ask(provider, "warm up")).session_id
    before = len(os.listdir("/dev/fd"))
    for number in range(100):
        if number % 10 == 9:
            async with begun(provider, "left") as (_, events):
                await anext(events)
        else:
            await ask(provider, "again", session=session if number % 20 == 0 else None)

    assert len(os.listdir("/dev/fd")) <= before + 3


class TestModel:
    async def test_the_first_language_model_is_found(self, server: str, connect: Connect) -> None:
        assert (await connect(server).check()).model == "backend/m1"

    @pytest.mark.parametrize("name", ["backend/m1", "m1"])
    async def test_it_may_be_named_with_or_without_its_provider(self, server: str, connect: Connect, name: str) -> None:
        turn = await ask(connect(server, llamastack_model=name), "hello")

        assert (turn.info.model, turn.text) == ("backend/m1", Reply().text)

    @pytest.mark.parametrize("name", ["gpt-5", "backend/gpt-5", "nowhere/gpt-5"])
    async def test_one_that_is_absent_is_told_with_what_there_is(
        self, server: str, connect: Connect, name: str
    ) -> None:
        with pytest.raises(ModelNotFound, match=f"'{name}' is not on .* It lists 'backend/m1'"):
            await ask(connect(server, llamastack_model=name), "hello")


class TestGateway:
    async def test_a_server_that_is_not_ready_is_asked_again(
        self, gateway: tuple[Gateway, str], connect: Connect
    ) -> None:
        refusing, url = gateway
        provider = connect(url, provider_retries=2)
        await ask(provider, "warm up")
        for asked in ("POST /v1/conversations", "POST /v1/responses"):
            refusing.refuse(asked, 503, times=2)

        assert (await ask(provider, "hello")).text == Reply().text

    async def test_tries_are_bounded(self, gateway: tuple[Gateway, str], connect: Connect) -> None:
        refusing, url = gateway
        provider = connect(url, provider_retries=2)
        await provider.check()
        refusing.refuse("POST /v1/responses", 503, times=9)

        with pytest.raises(ProviderUnreachable, match="HTTP 503"):
            await ask(provider, "hello")
        assert refusing.count("POST /v1/responses") == 3

    async def test_a_short_pause_that_is_asked_for_is_kept(
        self, gateway: tuple[Gateway, str], connect: Connect
    ) -> None:
        refusing, url = gateway
        refusing.refuse("POST /v1/responses", 429, headers={"Retry-After": "0.1"})

        assert (await ask(connect(url, provider_retries=1), "hello")).text == Reply().text
        assert refusing.count("POST /v1/responses") == 2

    async def test_a_long_pause_is_the_users(self, gateway: tuple[Gateway, str], connect: Connect) -> None:
        refusing, url = gateway
        refusing.refuse("POST /v1/responses", 429, headers={"Retry-After": "60"})

        with pytest.raises(RateLimited, match="Ask again in 60 s"):
            await ask(connect(url, provider_retries=2), "hello")
        assert refusing.count("POST /v1/responses") == 1

    async def test_nothing_is_asked_again_after_the_first_token(
        self, gateway: tuple[Gateway, str], backend: ScriptedBackend, connect: Connect
    ) -> None:
        refusing, url = gateway
        backend.answer(Reply(cut_after=1))

        with pytest.raises(ResponseCut):
            await ask(connect(url, provider_retries=3), "hello")
        assert (refusing.count("POST /v1/responses"), len(backend.requests)) == (1, 1)

    async def test_what_the_server_offers_is_found_out_when_it_is_there(
        self, gateway: tuple[Gateway, str], connect: Connect
    ) -> None:
        refusing, url = gateway
        provider = connect(url)
        refusing.refuse("GET /v1/version", 503)

        with pytest.raises(ProviderUnreachable):
            await ask(provider, "hello")
        assert (await ask(provider, "hello")).info.protocol == "responses"

    async def test_the_list_of_models_is_not_read_for_each_turn(
        self, gateway: tuple[Gateway, str], connect: Connect
    ) -> None:
        counting, url = gateway
        provider = connect(url)
        for _ in range(3):
            await ask(provider, "hello")

        assert (counting.count("GET /v1/models"), counting.count("GET /v1/version")) == (1, 1)


async def test_a_key_and_a_certificate_of_ones_own_are_used(
    llama_stack_server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = self_signed(tmp_path)
    gateway = Gateway(llama_stack_server, key="the-key")
    bundle = str(certificate.path)
    with running(gateway.app, ssl_certfile=bundle, ssl_keyfile=str(certificate.key_path)) as url:
        async with providers() as connect:
            turn = await ask(connect(url, llamastack_ca_bundle=bundle, llamastack_api_key="the-key"), "hello")
            assert turn.text == Reply().text

            with pytest.raises(ProviderUnauthorized) as refused:
                await ask(connect(url, llamastack_ca_bundle=bundle, llamastack_api_key="wrong-key"), "hello")
            with pytest.raises(ProviderUnreachable, match="LLAMASTACK_CA_BUNDLE"):
                await ask(connect(url, llamastack_api_key="the-key"), "hello")
    assert "wrong-key" not in refused.value.public_message
    assert "-key" not in caplog.text
