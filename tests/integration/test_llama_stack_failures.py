"""What goes wrong, and what must not, in turns over Responses against the real llama-stack 0.7.3 and OGX 1.5.0."""

import asyncio
import os
from collections.abc import Generator
from functools import partial
from pathlib import Path

import anyio
import pytest

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
)
from agent.providers.events import SessionStarted, TextDelta
from tests.fakes.certificates import self_signed
from tests.fakes.gateway import Gateway
from tests.fakes.openai_backend import CONTEXT_TOO_LONG, Answer, Failure, Gate, Reply, ScriptedBackend
from tests.fakes.server import running
from tests.providers.llama_stack.turns import Connect, ask, begun, providers, request

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture
def server(responses_server: str) -> str:
    return responses_server


@pytest.fixture
def gateway(llama_stack_server: str) -> Generator[tuple[Gateway, str]]:
    """A gateway in front of a server, and its URL."""
    gateway = Gateway(llama_stack_server)
    with running(gateway.app) as url:
        yield gateway, url


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


async def test_silence_ends_with_a_timeout_and_frees_the_session(
    server: str, backend: ScriptedBackend, connect: Connect
) -> None:
    session = (await ask(connect(server), "first")).session_id
    backend.answer(Reply(gate=Gate(), gate_after=1), Reply())

    with pytest.raises(ProviderTimeout, match=r" 3 s"):
        await ask(connect(server, provider_timeout=3), "second", session=session)
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


async def test_turns_after_each_other_use_one_connection(server: str, connect: Connect) -> None:
    gateway = Gateway(server)
    with running(gateway.app) as url:
        provider = connect(url)
        await provider.check()
        opened = gateway.connections
        session = (await ask(provider, "first")).session_id
        await ask(provider, "second", session=session)

    assert gateway.count("POST /v1/responses") == 2
    assert gateway.connections == opened


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

    async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
        self, gateway: tuple[Gateway, str], connect: Connect
    ) -> None:
        refusing, url = gateway
        refusing.refuse("POST /v1/conversations", 503)
        turn = await ask(connect(url), "hello")

        assert turn.text == Reply().text
        kept = turn.events[-2]
        assert isinstance(kept, SessionStarted)
        assert kept.session_id is None
        assert "this turn could not be kept, the next question will not know of it" in kept.note
        assert "HTTP 503" in kept.note

    @pytest.mark.parametrize("status", [500, 503])
    async def test_what_is_kept_is_tried_again_and_kept_once(
        self, gateway: tuple[Gateway, str], connect: Connect, status: int
    ) -> None:
        keeping, url = gateway
        provider = connect(url, provider_retries=2)
        await ask(provider, "warm up")
        keeping.refuse("POST /v1/conversations", status)
        keeping.lose("/items", status)  # it is written, and its answer is lost
        session = (await ask(provider, "hello")).session_id

        assert keeping.count(f"POST /v1/conversations/{session}/items") == 2
        items = await request("GET", f"{url}/v1/conversations/{session}/items")
        assert sorted(item["role"] for item in items["data"]) == ["assistant", "user"]

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
        async with providers(model_window=48_000) as connect:
            turn = await ask(connect(url, llamastack_ca_bundle=bundle, llamastack_api_key="the-key"), "hello")
            assert turn.text == Reply().text

            with pytest.raises(ProviderUnauthorized) as refused:
                await ask(connect(url, llamastack_ca_bundle=bundle, llamastack_api_key="wrong-key"), "hello")
            with pytest.raises(ProviderUnreachable, match="LLAMASTACK_CA_BUNDLE"):
                await ask(connect(url, llamastack_api_key="the-key"), "hello")
    assert "wrong-key" not in refused.value.public_message
    assert "-key" not in caplog.text
