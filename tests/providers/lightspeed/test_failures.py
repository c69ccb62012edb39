"""Everything that can go wrong with Lightspeed is an error of ours."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnreachable,
    RateLimited,
    ResponseCut,
    ResponseFailed,
)
from agent.providers.events import SessionRequest, TextDelta, TurnStarted
from agent.providers.lightspeed.client import Lightspeed
from agent.providers.lightspeed.failures import translated
from tests.fakes.lightspeed import TOKEN, FakeLightspeed, Reply, tokens
from tests.fakes.server import PATIENCE, closed_port
from tests.providers.lightspeed.asking import Connect, configured, streaming, turn

pytestmark = pytest.mark.anyio


STATUSES: list[tuple[int, type[AssistantError]]] = [
    (302, ProviderError),
    (400, ResponseFailed),
    (401, ProviderUnauthorized),
    (403, ProviderUnauthorized),
    (404, ProviderError),
    (405, ProviderError),
    (413, ContextTooLong),
    (418, ResponseFailed),
    (422, ResponseFailed),
    (429, RateLimited),
    (500, ResponseFailed),
    (502, ProviderUnreachable),
    (503, ProviderUnreachable),
    (504, ProviderTimeout),
]


@pytest.mark.parametrize(("status", "error"), STATUSES)
async def test_each_status_is_an_error_of_its_own(
    fake: FakeLightspeed, connect: Connect, status: int, error: type[AssistantError]
) -> None:
    fake.say(Reply(status=status, body={"detail": {"response": "Short reason", "cause": "a long cause"}}))

    with pytest.raises(error) as caught:
        await turn(connect(fake))

    assert type(caught.value) is error
    assert "Lightspeed" in caught.value.public_message or "LIGHTSPEED" in caught.value.public_message
    assert "a long cause" not in caught.value.public_message


@pytest.mark.parametrize(("status", "error"), [pair for pair in STATUSES if pair[0] >= 400])
async def test_an_error_event_with_a_status_is_the_same_error(
    fake: FakeLightspeed, connect: Connect, status: int, error: type[AssistantError]
) -> None:
    event = ("error", {"status_code": status, "response": "Short reason", "cause": "a long cause"})
    fake.say(Reply(events=[*tokens("It "), event], ending="silence"))

    with pytest.raises(error) as caught:
        await turn(connect(fake))

    assert type(caught.value) is error
    assert "a long cause" not in caught.value.public_message


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"response": "Bad   \n thing", "cause": "secret"}, ResponseFailed, "Lightspeed could not answer: Bad thing"),
        ({"response": "x" * 500, "cause": ""}, ResponseFailed, f"Lightspeed could not answer: {'x' * 200} ..."),
        ({"status_code": "413", "response": "Prompt is too long"}, ContextTooLong, "ASSISTANT_CONTEXT_TOKENS: Prompt"),
        ({"status_code": 200, "response": "odd"}, ResponseFailed, "could not answer: odd"),
        ({"response": "The quota has been exceeded"}, RateLimited, "ask again later: The quota"),
        ({}, ResponseFailed, "Lightspeed could not answer."),
    ],
)
async def test_an_error_event_says_what_lightspeed_says_in_short(
    fake: FakeLightspeed,
    connect: Connect,
    data: dict[str, Any],
    error: type[AssistantError],
    message: str,
) -> None:
    fake.say(Reply(events=[("error", data)], ending="silence"))

    with pytest.raises(error) as caught:
        await turn(connect(fake))

    assert message in caught.value.public_message


@pytest.mark.parametrize(
    "body", [b"", b"<html>oops</html>", b"[" * 100_000, b"null", {"detail": "text"}, {"detail": []}]
)
async def test_an_error_with_any_body_is_reported(fake: FakeLightspeed, connect: Connect, body: object) -> None:
    fake.say(Reply(status=500, body=body))

    with pytest.raises(ResponseFailed, match=r"^Lightspeed failed \(HTTP 500\)"):
        await turn(connect(fake))


async def test_an_exhausted_quota_is_reported_although_older_versions_answer_500(
    fake: FakeLightspeed, connect: Connect
) -> None:
    fake.say(Reply(status=500, body={"detail": {"response": "The quota has been exceeded", "cause": "id 7"}}))

    with pytest.raises(RateLimited, match="The quota has been exceeded"):
        await turn(connect(fake))


async def test_an_unknown_model_is_named(fake: FakeLightspeed, connect: Connect) -> None:
    with pytest.raises(ModelNotFound, match="'azure/gpt-9'"):
        await turn(connect(fake, lightspeed_provider="azure", lightspeed_model="gpt-9"))


async def test_a_token_that_may_not_choose_the_model_is_reported(fake: FakeLightspeed, connect: Connect) -> None:
    fake.may_choose_model = False

    with pytest.raises(ProviderUnauthorized, match="may not choose the model 'openai/gpt-4o'"):
        await turn(connect(fake, lightspeed_provider="openai", lightspeed_model="gpt-4o"))


@pytest.mark.parametrize(
    ("ending", "message"),
    [("silence", "ended before it was complete"), ("break", "broke before the answer was complete")],
)
async def test_an_answer_without_its_end_is_cut(
    fake: FakeLightspeed, connect: Connect, ending: Any, message: str
) -> None:
    fake.say(Reply(events=tokens("It "), ending=ending))

    async with connect(fake).open(SessionRequest()) as session:
        events = streaming(session)
        assert isinstance(await anext(events), TurnStarted)
        assert await anext(events) == TextDelta("It ")
        with pytest.raises(ResponseCut, match=message):
            await anext(events)


async def test_a_required_approval_is_reported_as_not_supported(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=[("approval_required", {"approval_id": "1", "tool_name": "pods_delete"})], ending="hold"))

    with pytest.raises(ResponseFailed, match="approved, which is not supported"):
        await turn(connect(fake))

    assert fake.client_gone.wait(PATIENCE)


async def test_silence_is_a_timeout(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=tokens("It "), ending="hold"))

    with pytest.raises(ProviderTimeout, match=r"silent for 0\.2 seconds"):
        await turn(connect(fake, provider_timeout=0.2))


async def test_an_unavailable_server_is_asked_again(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(status=503, body={}), Reply(status=503, body={}))

    events = await turn(connect(fake, provider_retries=2))

    assert len(fake.bodies) == 3
    assert TextDelta("well.") in events


async def test_tries_are_bounded(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(*[Reply(status=503, body={})] * 5)

    with pytest.raises(ProviderUnreachable):
        await turn(connect(fake, provider_retries=2))

    assert len(fake.bodies) == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=429),
        Reply(events=[("error", {"status_code": 503})], ending="silence"),
        Reply(events=tokens("It "), ending="break"),
    ],
)
async def test_what_asking_again_does_not_mend_is_asked_once(
    fake: FakeLightspeed, connect: Connect, reply: Reply
) -> None:
    fake.say(reply)

    with pytest.raises(ProviderError):
        await turn(connect(fake, provider_retries=2))

    assert len(fake.bodies) == 1


async def test_an_address_where_nothing_answers_is_unreachable() -> None:
    provider = Lightspeed(configured(f"http://127.0.0.1:{closed_port()}"))

    with pytest.raises(ProviderUnreachable, match="LIGHTSPEED_URL"):
        await turn(provider)
    await provider.aclose()


def concrete(kind: type[Exception]) -> Iterator[type[Exception]]:
    below = kind.__subclasses__()
    for each in below:
        yield from concrete(each)
    if not below:
        yield kind


@pytest.mark.parametrize("answering", [False, True])
@pytest.mark.parametrize("kind", [*concrete(httpx.HTTPError), httpx.InvalidURL])
def test_every_exception_of_httpx_is_an_error_of_ours(kind: type[Exception], answering: bool) -> None:
    more: dict[str, Any] = {}
    if kind is httpx.HTTPStatusError:
        more = {"request": httpx.Request("GET", "http://x"), "response": httpx.Response(500)}
    error = kind(f"Illegal header value b'Bearer {TOKEN}'", **more)

    with pytest.raises(ProviderError) as caught, translated(connect_timeout=5, timeout=120, answering=answering):
        raise error

    assert TOKEN not in caught.value.public_message
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [*concrete(httpx.StreamError), httpx.CookieConflict])
def test_faults_of_our_own_use_of_httpx_are_not_hidden(kind: type[Exception]) -> None:
    fault = kind("fault") if kind in (httpx.StreamError, httpx.CookieConflict) else kind()

    with pytest.raises(kind), translated(connect_timeout=5, timeout=120, answering=True):
        raise fault
