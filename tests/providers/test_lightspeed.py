"""A turn with OpenShift Lightspeed, its sessions, its limits and everything that can go wrong with it."""

import uuid
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agent.context.model import ContainerLog, Context, Event, Gap, LogLine
from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnreachable,
    RateLimited,
    RequestError,
    ResponseCut,
    ResponseFailed,
    SessionBusy,
    SessionForbidden,
    SessionNotFound,
    SettingsError,
)
from agent.findings.model import Evidence, Finding
from agent.prompt import Prompt, compose
from agent.providers.lightspeed import Lightspeed
from agent.providers.lightspeed.client import LightspeedSession
from agent.providers.lightspeed.events import TRUNCATED_NOTE, EventReader
from agent.providers.lightspeed.failures import translated
from agent.providers.lightspeed.query import compose_query
from agent.providers.provider import (
    ProviderEvent,
    ProviderInfo,
    ReasoningDelta,
    Reference,
    SessionRequest,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.request import Message
from agent.settings import Settings, load_settings
from agent.target import ResourceRef, Target
from tests.fakes.certificates import self_signed
from tests.fakes.lightspeed import TOKEN, FakeLightspeed, Reply, lightspeed, tokens
from tests.fakes.server import closed_port

pytestmark = pytest.mark.anyio

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop"}}
DEPLOYMENT: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}}
APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop"},
}
FINDING = Finding(
    title="Container api is OOMKilled (exit code 137)",
    severity="error",
    explanation="It needs more memory than its limit.",
    evidence=(Evidence(source="manifest", path="status.phase", text="OOMKilled"),),
    resource=ResourceRef(kind="Pod", name="api-1"),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeLightspeed]:
    with lightspeed(log_level="critical") as fake:
        yield fake


@pytest.fixture
def fake(server: FakeLightspeed) -> FakeLightspeed:
    server.forget()
    return server


@pytest.fixture
async def connect() -> AsyncGenerator[Callable[..., Lightspeed]]:
    """Providers for a fake, closed at the end of the test."""
    opened: list[Lightspeed] = []

    def provider(fake: FakeLightspeed, **settings: Any) -> Lightspeed:
        opened.append(Lightspeed(configured(fake.url, **settings)))
        return opened[-1]

    yield provider
    for each in opened:
        await each.aclose()


def configured(url: str, **settings: Any) -> Settings:
    return load_settings({"lightspeed_url": url, "lightspeed_token": TOKEN, "provider_retries": 0} | settings)


def asking(question: str = "Why is it down?", context: Context | None = None, **more: Any) -> Prompt:
    return compose(question, context or Context(target=Target()), more.pop("findings", []), limit=400_000, **more)


async def turn(
    provider: Lightspeed, prompt: Prompt | None = None, *, session: str | None = None, user: str | None = None
) -> list[ProviderEvent]:
    async with provider.open(SessionRequest(session_id=session, user_id=user)) as opened:
        return [event async for event in opened.stream(prompt or asking())]


def session_of(events: list[ProviderEvent]) -> str:
    started = events[0]
    assert isinstance(started, TurnStarted)
    assert started.session_id
    return started.session_id


# --- the turn ---------------------------------------------------------------------------------------------------


async def test_a_turn_arrives_as_provider_events(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
    fake.say(
        Reply(
            events=[
                ("history_compression_start", {"status": "started"}),
                ("history_compression_end", {"status": "completed", "duration_ms": 12.5}),
                ("skill_selected", {"name": "pods"}),
                ("reasoning", {"id": 0, "reasoning": "exit code 137 is"}),
                ("tool_call", {"name": "pods_log", "args": {"name": "api-1"}, "id": "call-1", "type": "tool_call"}),
                ("tool_result", {"id": "call-1", "status": "success", "content": "Killed", "round": 1}),
                *tokens("It was ", "OOMKilled\u2028."),
                ("never_heard_of", {"x": 1}),
            ],
            end={
                "referenced_documents": [
                    {"doc_title": "Memory", "doc_url": "https://docs.example.com/memory"},
                    {"doc_title": "Memory", "doc_url": "https://docs.example.com/memory"},
                    {"doc_title": None, "doc_url": "https://docs.example.com/limits"},
                    {"doc_title": None, "doc_url": None},
                ]
            },
        )
    )

    events = await turn(connect(fake))

    assert events == [
        TurnStarted(
            provider=ProviderInfo(name="lightspeed", protocol="streaming-query"), session_id=session_of(events)
        ),
        ReasoningDelta("exit code 137 is"),
        ToolCall(call_id="call-1", name="pods_log", arguments='{"name": "api-1"}'),
        ToolResult(call_id="call-1", output="Killed"),
        TextDelta("It was "),
        TextDelta("OOMKilled\u2028."),
        Reference(title="Memory", url="https://docs.example.com/memory"),
        Reference(title="https://docs.example.com/limits", url="https://docs.example.com/limits"),
        TurnCompleted(usage=Usage(input_tokens=120, output_tokens=7, reasoning_tokens=2)),
    ]


async def test_a_truncated_history_is_told_in_the_answer(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(events=tokens("Yes."), end={"truncated": True}))

    assert (await turn(connect(fake)))[-2:] == [
        TextDelta(TRUNCATED_NOTE),
        TurnCompleted(usage=Usage(input_tokens=120, output_tokens=7, reasoning_tokens=2)),
    ]


async def test_a_server_that_counts_no_tokens_gives_no_usage(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(events=tokens("Yes."), end={"input_tokens": 0, "output_tokens": 0}))

    assert (await turn(connect(fake)))[-1] == TurnCompleted(usage=None)


async def test_a_server_that_names_no_conversation_gives_no_session(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(events=tokens("Yes."), start=False))

    started, text, _ = await turn(connect(fake))

    assert isinstance(started, TurnStarted)
    assert started.session_id is None
    assert text == TextDelta("Yes.")


async def test_the_model_is_chosen_by_provider_and_model_together(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    events = await turn(connect(fake, lightspeed_provider="openai", lightspeed_model="gpt-4o"))

    assert (fake.bodies[0]["provider"], fake.bodies[0]["model"]) == ("openai", "gpt-4o")
    assert isinstance(events[0], TurnStarted)
    assert events[0].provider.model == "openai/gpt-4o"


async def test_an_address_with_v1_serves_as_well(connect: Callable[..., Lightspeed], fake: FakeLightspeed) -> None:
    assert TextDelta("well.") in await turn(connect(fake, lightspeed_url=f"{fake.url}/v1/"))


async def test_a_client_that_goes_away_ends_the_upstream_request(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(events=tokens("It "), ending="hold"))
    provider = connect(fake)

    async with provider.open(SessionRequest()) as session:
        events = streaming(session)
        assert isinstance(await anext(events), TurnStarted)
        assert await anext(events) == TextDelta("It ")
        await events.aclose()

    assert fake.client_gone.wait(10)


def streaming(session: LightspeedSession) -> AsyncGenerator[ProviderEvent]:
    return session.stream(asking())


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_the_body_is_chunked(size: int) -> None:
    body = (
        'data: {"event": "token", "data": {"token": "né\\u2028"}}\r\n\r\n: ping\n\ndata:{"event": "end"}\n\ndata: {}\n'
    )
    raw = body.encode()
    reader = EventReader()

    events = [event for at in range(0, len(raw), size) for event in reader.feed(raw[at : at + size])]

    assert [(event.name, event.data) for event in events] == [("token", {"token": "né\u2028"}), ("end", {})]


@pytest.mark.parametrize("line", [b"data: {not json}\n", b"data: " + b"[" * 100_000 + b"\n", b'data: "\xff"\n'])
def test_a_line_that_is_no_event_fails_the_answer(line: bytes) -> None:
    with pytest.raises(ResponseFailed, match="no JSON event"):
        list(EventReader().feed(line))


def test_a_line_without_end_is_not_collected_for_ever() -> None:
    reader = EventReader()

    assert [*reader.feed(b"x" * 16_000_000)] == []
    with pytest.raises(ResponseFailed, match="more than 16,000,000 bytes"):
        list(reader.feed(b"x"))


# --- what is sent -----------------------------------------------------------------------------------------------


async def test_the_context_travels_as_attachments_that_lightspeed_accepts(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    context = Context(
        target=Target(resource=ResourceRef(kind="Deployment", name="api")),
        application=APPLICATION,
        manifest=DEPLOYMENT,
        children=(POD,),
        events=(Event(type="Warning", reason="BackOff", message="restarting failed container"),),
        logs=(ContainerLog(container="api", lines=(LogLine(text="allocating"),)),),
        gaps=(Gap(part="logs", source="argocd", reason="forbidden", message="may not read logs"),),
    )

    await turn(connect(fake), asking("Why?", context, findings=[FINDING]))

    body = fake.bodies[0]
    assert body["query"] == "Why?"
    assert body["media_type"] == "application/json"
    sent = [(a["attachment_type"], a["content_type"]) for a in body["attachments"]]
    assert sent == [
        ("configuration", "text/plain"),
        ("error message", "text/plain"),
        ("error message", "text/plain"),
        ("api object", "application/yaml"),
        ("event", "text/plain"),
        ("log", "text/plain"),
        ("api object", "application/yaml"),
        ("api object", "application/yaml"),
    ]
    texts = [a["content"] for a in body["attachments"]]
    assert "You are Argo CD Assistant" in texts[0]
    assert FINDING.title in texts[1]
    assert "may not read logs" in texts[2]
    assert [yaml.safe_load(texts[i])["kind"] for i in (3, 6, 7)] == ["Application", "Deployment", "Pod"]
    assert "restarting failed container" in texts[4]
    assert "allocating" in texts[5]
    for text in texts[1:]:
        assert text.count("----- DATA") == 2


async def test_attachments_are_sent_anew_in_every_turn_of_a_session(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)
    prompt = asking(context=Context(target=Target(), manifest=POD))

    session = session_of(await turn(provider, prompt))
    await turn(provider, prompt, session=session)

    assert fake.bodies[0]["attachments"] == fake.bodies[1]["attachments"]


def test_more_pods_than_attachments_share_the_last_one() -> None:
    pods = tuple({**POD, "metadata": {"name": f"api-{n}"}} for n in range(30))

    query = compose_query(asking(context=Context(target=Target(), children=pods)), conversation_id=None)

    attachments = query.body["attachments"]
    assert len(attachments) == 10
    assert yaml.safe_load(attachments[1]["content"])["metadata"]["name"] == "api-0"
    rest = list(yaml.safe_load_all(attachments[9]["content"]))
    assert [pod["metadata"]["name"] for pod in rest] == [f"api-{n}" for n in range(8, 30)]
    assert query.left_out == ""


async def test_what_does_not_fit_an_attachment_is_cut_visibly_and_told(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    lines = tuple(LogLine(text=f"line {n} of a long log") for n in range(10_000))
    environment = [{"name": f"V{n}", "value": "x" * 900} for n in range(200)]
    context = Context(
        target=Target(),
        manifest={**POD, "spec": {"containers": [{"name": "api", "env": environment}]}},
        logs=(ContainerLog(container="api", lines=lines),),
    )

    started = (await turn(connect(fake), asking(context=context)))[0]

    _, log, manifest = [a["content"] for a in fake.bodies[0]["attachments"]]
    assert "line 9999 of a long log" in log
    assert "line 0 of a long log" not in log
    assert "kind: Pod" in manifest
    assert "V199" not in manifest
    for text in (log, manifest):
        assert len(text) <= 100_000
        assert "characters did not fit here" in text
    assert isinstance(started, TurnStarted)
    assert "characters of the Container logs" in started.provider.note
    assert "characters of the Live manifest" in started.provider.note


async def test_a_question_over_the_limit_goes_on_in_an_attachment(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    question = "Why? " + "x" * 40_000 + " the end"

    await turn(connect(fake), asking(question))

    body = fake.bodies[0]
    head, note = body["query"].split("\n\n[The question goes on")
    assert note == " in the first attachment.]"
    assert head + body["attachments"][0]["content"] == question


async def test_a_question_too_long_for_that_too_names_the_limit(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    with pytest.raises(RequestError, match=r"input: the question has 140,000 characters") as caught:
        await turn(connect(fake), asking("x" * 140_000))

    assert caught.value.field == "input"
    assert fake.bodies == []


async def test_earlier_messages_are_folded_into_the_query_of_a_new_conversation_only(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)
    prompt = asking("And now?", history=[Message("user", "Why is it down?"), Message("assistant", "OOMKilled.")])

    session = session_of(await turn(provider, prompt))
    await turn(provider, prompt, session=session)

    assert fake.bodies[0]["query"] == (
        "And now?\n\n--- Earlier in this conversation, oldest first, for reference ---\n"
        "user: Why is it down?\nassistant: OOMKilled.\n"
        "--- End of the earlier conversation; answer the question above it ---"
    )
    assert fake.bodies[1]["query"] == "And now?"


def test_of_a_long_history_the_latest_messages_are_kept() -> None:
    history = [Message("user", f"message {n} " + "x" * 3_000) for n in range(20)]

    query = compose_query(asking("Q" * 31_000, history=history), conversation_id=None).body["query"]
    roomy = compose_query(asking("And now?", history=history), conversation_id=None).body["query"]

    assert len(query) <= 32_000
    assert len(roomy) < 9_000
    assert "message 19" in roomy
    assert "message 0 " not in roomy
    assert "(17 older messages left out)" in roomy
    assert "more characters)" in roomy


# --- sessions ---------------------------------------------------------------------------------------------------


async def test_a_session_is_continued_by_another_replica(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    first = await turn(connect(fake), user="ada")
    replica = connect(fake)

    second = await turn(replica, session=session_of(first), user="ada")

    assert "conversation_id" not in fake.bodies[0]
    assert [fake.bodies[1]["conversation_id"]] == list(fake.conversations)
    assert session_of(second) == session_of(first)


async def test_a_session_has_one_redaction_key_on_every_replica_and_no_other_session_has_it(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider, replica = connect(fake), connect(fake)
    async with provider.open(SessionRequest(user_id="ada")) as new:
        events = [event async for event in new.stream(asking())]
        async with provider.open(SessionRequest(user_id="ada")) as other:
            assert other.redaction_key != new.redaction_key
    async with replica.open(SessionRequest(session_id=session_of(events), user_id="ada")) as continued:
        assert continued.redaction_key == new.redaction_key


@pytest.mark.parametrize(("owner", "other"), [("ada", "bob"), ("ada", None), (None, "ada"), (None, ""), ("a", "A")])
async def test_a_session_is_refused_to_others(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], owner: str | None, other: str | None
) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider, user=owner))

    with pytest.raises(SessionForbidden, match="belongs to another user"):
        await turn(provider, session=session, user=other)

    assert len(fake.bodies) == 1


async def test_a_forged_session_is_refused(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
    provider = connect(fake)
    conversation, nonce, mac = session_of(await turn(provider)).split(".")
    forged = [
        f"{uuid.uuid4()}.{nonce}.{mac}",
        f"{conversation}.{'0' * 32}.{mac}",
        f"{conversation}.{nonce}.{'0' * 32}",
    ]

    for session in forged:
        with pytest.raises(SessionForbidden):
            await turn(provider, session=session)


@pytest.mark.parametrize("session", ["x", "a.b.c", str(uuid.uuid4()), "a." + "0" * 32 + "." + "0" * 31, "..", "\n"])
async def test_what_was_never_a_session_id_is_not_found(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], session: str
) -> None:
    with pytest.raises(SessionNotFound, match=r"custom_inputs\.session_id"):
        await turn(connect(fake), session=session)


async def test_a_conversation_that_lightspeed_lost_is_not_found(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider))
    fake.conversations.clear()

    with pytest.raises(SessionNotFound, match="no longer has this conversation"):
        await turn(provider, session=session)


async def test_a_server_that_silently_starts_another_conversation_is_not_believed(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider))
    fake.say(Reply(start=False, events=[("start", {"conversation_id": str(uuid.uuid4())}), *tokens("Hi")]))

    with pytest.raises(SessionNotFound, match="no longer has this conversation"):
        await turn(provider, session=session)


@pytest.mark.parametrize("named", [None, 7, "", "../admin", "x" * 200])
async def test_a_conversation_id_that_no_session_id_can_carry_fails_the_answer(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], named: object
) -> None:
    fake.say(Reply(start=False, events=[("start", {"conversation_id": named}), *tokens("Hi")]))

    with pytest.raises(ResponseFailed, match="no usable conversation_id"):
        await turn(connect(fake))


async def test_two_turns_in_one_session_never_run_at_once(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)
    fake.say(Reply(events=tokens("It "), ending="hold"))

    async with provider.open(SessionRequest()) as first:
        events = streaming(first)
        session = session_of([await anext(events)])
        with pytest.raises(SessionBusy, match="a turn is running"):
            await turn(provider, session=session)
        await events.aclose()

    assert TextDelta("well.") in await turn(provider, session=session)


# --- what goes wrong --------------------------------------------------------------------------------------------

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
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], status: int, error: type[AssistantError]
) -> None:
    fake.say(Reply(status=status, body={"detail": {"response": "Short reason", "cause": "a long cause"}}))

    with pytest.raises(error) as caught:
        await turn(connect(fake))

    assert type(caught.value) is error
    assert "Lightspeed" in caught.value.public_message or "LIGHTSPEED" in caught.value.public_message
    assert "a long cause" not in caught.value.public_message


@pytest.mark.parametrize(("status", "error"), [pair for pair in STATUSES if pair[0] >= 400])
async def test_an_error_event_with_a_status_is_the_same_error(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], status: int, error: type[AssistantError]
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
    connect: Callable[..., Lightspeed],
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
async def test_an_error_with_any_body_is_told(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], body: object
) -> None:
    fake.say(Reply(status=500, body=body))

    with pytest.raises(ResponseFailed, match=r"^Lightspeed failed \(HTTP 500\)"):
        await turn(connect(fake))


async def test_an_exhausted_quota_is_told_although_older_versions_answer_500(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(status=500, body={"detail": {"response": "The quota has been exceeded", "cause": "id 7"}}))

    with pytest.raises(RateLimited, match="The quota has been exceeded"):
        await turn(connect(fake))


async def test_an_unknown_model_is_named(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
    with pytest.raises(ModelNotFound, match="'azure/gpt-9'"):
        await turn(connect(fake, lightspeed_provider="azure", lightspeed_model="gpt-9"))


async def test_a_token_that_may_not_choose_the_model_is_told(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.may_choose_model = False

    with pytest.raises(ProviderUnauthorized, match="may not choose the model 'openai/gpt-4o'"):
        await turn(connect(fake, lightspeed_provider="openai", lightspeed_model="gpt-4o"))


@pytest.mark.parametrize(
    ("ending", "said"),
    [("silence", "ended before it was complete"), ("break", "broke before the answer was complete")],
)
async def test_an_answer_without_its_end_is_cut(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], ending: Any, said: str
) -> None:
    fake.say(Reply(events=tokens("It "), ending=ending))

    async with connect(fake).open(SessionRequest()) as session:
        events = streaming(session)
        assert isinstance(await anext(events), TurnStarted)
        assert await anext(events) == TextDelta("It ")
        with pytest.raises(ResponseCut, match=said):
            await anext(events)


async def test_a_required_approval_is_told_as_not_supported(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(events=[("approval_required", {"approval_id": "1", "tool_name": "pods_delete"})], ending="hold"))

    with pytest.raises(ResponseFailed, match="approved, which is not supported"):
        await turn(connect(fake))

    assert fake.client_gone.wait(10)


async def test_silence_is_a_timeout(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
    fake.say(Reply(events=tokens("It "), ending="hold"))

    with pytest.raises(ProviderTimeout, match=r"silent for 0\.2 seconds"):
        await turn(connect(fake, provider_timeout=0.2))


async def test_an_unavailable_server_is_asked_again(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
    fake.say(Reply(status=503, body={}), Reply(status=503, body={}))

    events = await turn(connect(fake, provider_retries=2))

    assert len(fake.bodies) == 3
    assert TextDelta("well.") in events


async def test_tries_are_bounded(fake: FakeLightspeed, connect: Callable[..., Lightspeed]) -> None:
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
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], reply: Reply
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


# --- the token, certificates, readiness -------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, " "])
async def test_without_a_token_the_setting_is_named(fake: FakeLightspeed, token: str | None) -> None:
    provider = Lightspeed(load_settings({"lightspeed_url": fake.url, "lightspeed_token": token}))

    with pytest.raises(ProviderUnauthorized, match="LIGHTSPEED_TOKEN is not set"):
        await turn(provider)


@pytest.mark.parametrize("token", ["sec\nret", "sécret", "two words", "sec\x00ret"])
async def test_a_token_that_no_header_can_carry_is_refused_without_being_told(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], token: str
) -> None:
    with pytest.raises(ProviderUnauthorized, match="LIGHTSPEED_TOKEN") as caught:
        await turn(connect(fake, lightspeed_token=token))

    assert token not in str(caught.value)


async def test_the_line_break_at_the_end_of_a_token_file_does_no_harm(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    assert TextDelta("well.") in await turn(connect(fake, lightspeed_token=TOKEN + "\n"))


async def test_a_server_that_repeats_the_token_does_not_get_it_into_the_message(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    fake.say(Reply(status=401, body={"detail": f"unknown token {TOKEN}"}))

    with pytest.raises(ProviderUnauthorized, match=r"unknown token \[token\]") as caught:
        await turn(connect(fake))

    assert TOKEN not in str(caught.value)


async def test_a_certificate_is_trusted_by_its_bundle_only(tmp_path: Path, connect: Callable[..., Lightspeed]) -> None:
    certificate = self_signed(tmp_path)
    with lightspeed(ssl_certfile=str(certificate.path), ssl_keyfile=str(certificate.key_path)) as fake:
        with pytest.raises(ProviderUnreachable, match="certificate is not trusted"):
            await turn(connect(fake))

        assert TextDelta("well.") in await turn(connect(fake, lightspeed_ca_bundle=str(certificate.path)))


@pytest.mark.parametrize("content", [None, "no PEM"])
async def test_a_bundle_that_cannot_be_read_names_the_setting(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed], tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)

    with pytest.raises(SettingsError, match="LIGHTSPEED_CA_BUNDLE"):
        await turn(connect(fake, lightspeed_ca_bundle=str(bundle)))


async def test_the_check_tells_a_server_that_is_ready_from_one_that_is_not(
    fake: FakeLightspeed, connect: Callable[..., Lightspeed]
) -> None:
    provider = connect(fake)

    assert (await provider.check()).name == "lightspeed"

    fake.ready = False
    with pytest.raises(ProviderUnreachable, match="Service is not ready"):
        await provider.check()


# --- the mapping is complete ------------------------------------------------------------------------------------


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
