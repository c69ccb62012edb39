"""A turn with OpenShift Lightspeed, its token and its certificates."""

from pathlib import Path

import pytest

from agent.errors import (
    ProviderUnauthorized,
    ProviderUnreachable,
    ResponseFailed,
    SettingsError,
)
from agent.providers.events import (
    Citation,
    ProviderInfo,
    ReasoningDelta,
    SessionRequest,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.providers.lightspeed.client import Lightspeed
from agent.providers.lightspeed.events import TRUNCATED_NOTE, EventReader
from agent.settings import load_settings
from tests.fakes.certificates import self_signed
from tests.fakes.lightspeed import TOKEN, FakeLightspeed, Reply, lightspeed, tokens
from tests.fakes.server import PATIENCE
from tests.providers.lightspeed.asking import Connect, session_of, streaming, turn

pytestmark = pytest.mark.anyio


async def test_a_turn_arrives_as_provider_events(fake: FakeLightspeed, connect: Connect) -> None:
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
        Citation(title="Memory", url="https://docs.example.com/memory"),
        Citation(title="https://docs.example.com/limits", url="https://docs.example.com/limits"),
        TurnCompleted(usage=Usage(input_tokens=120, output_tokens=7, reasoning_tokens=2)),
    ]


async def test_a_truncated_history_is_reported_in_the_answer(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=tokens("Yes."), end={"truncated": True}))

    assert (await turn(connect(fake)))[-2:] == [
        TextDelta(TRUNCATED_NOTE),
        TurnCompleted(usage=Usage(input_tokens=120, output_tokens=7, reasoning_tokens=2)),
    ]


async def test_a_server_that_counts_no_tokens_gives_no_usage(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=tokens("Yes."), end={"input_tokens": 0, "output_tokens": 0}))

    assert (await turn(connect(fake)))[-1] == TurnCompleted(usage=None)


async def test_a_server_that_names_no_conversation_gives_no_session(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=tokens("Yes."), start=False))

    started, text, _ = await turn(connect(fake))

    assert isinstance(started, TurnStarted)
    assert started.session_id is None
    assert text == TextDelta("Yes.")


async def test_the_model_is_chosen_by_provider_and_model_together(fake: FakeLightspeed, connect: Connect) -> None:
    events = await turn(connect(fake, lightspeed_provider="openai", lightspeed_model="gpt-4o"))

    assert (fake.bodies[0]["provider"], fake.bodies[0]["model"]) == ("openai", "gpt-4o")
    assert isinstance(events[0], TurnStarted)
    assert events[0].provider.model == "openai/gpt-4o"


async def test_an_address_with_v1_serves_as_well(connect: Connect, fake: FakeLightspeed) -> None:
    assert TextDelta("well.") in await turn(connect(fake, lightspeed_url=f"{fake.url}/v1/"))


async def test_a_client_that_goes_away_ends_the_upstream_request(fake: FakeLightspeed, connect: Connect) -> None:
    fake.say(Reply(events=tokens("It "), ending="hold"))
    provider = connect(fake)

    async with provider.open(SessionRequest()) as session:
        events = streaming(session)
        assert isinstance(await anext(events), TurnStarted)
        assert await anext(events) == TextDelta("It ")
        await events.aclose()

    assert fake.client_gone.wait(PATIENCE)


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


@pytest.mark.parametrize("token", [None, " "])
async def test_without_a_token_the_setting_is_named(fake: FakeLightspeed, token: str | None) -> None:
    provider = Lightspeed(load_settings({"lightspeed_url": fake.url, "lightspeed_token": token}))

    with pytest.raises(SettingsError, match="LIGHTSPEED_TOKEN: is not set"):
        await turn(provider)
    with pytest.raises(SettingsError, match="LIGHTSPEED_TOKEN: is not set"):
        await provider.check()


@pytest.mark.parametrize("token", ["sec\nret", "sécret", "two words", "sec\x00ret"])
async def test_a_token_that_no_header_can_carry_is_refused_without_being_reported(
    fake: FakeLightspeed, connect: Connect, token: str
) -> None:
    with pytest.raises(SettingsError, match="LIGHTSPEED_TOKEN") as caught:
        await turn(connect(fake, lightspeed_token=token))

    assert token not in str(caught.value)


async def test_the_line_break_at_the_end_of_a_token_file_does_no_harm(fake: FakeLightspeed, connect: Connect) -> None:
    assert TextDelta("well.") in await turn(connect(fake, lightspeed_token=TOKEN + "\n"))


async def test_a_server_that_repeats_the_token_does_not_get_it_into_the_message(
    fake: FakeLightspeed, connect: Connect
) -> None:
    fake.say(Reply(status=401, body={"detail": f"unknown token {TOKEN}"}))

    with pytest.raises(ProviderUnauthorized, match=r"unknown token \[token\]") as caught:
        await turn(connect(fake))

    assert TOKEN not in str(caught.value)


async def test_a_certificate_is_trusted_by_its_bundle_only(tmp_path: Path, connect: Connect) -> None:
    certificate = self_signed(tmp_path)
    with lightspeed(ssl_certfile=str(certificate.path), ssl_keyfile=str(certificate.key_path)) as fake:
        with pytest.raises(ProviderUnreachable, match="certificate is not trusted"):
            await turn(connect(fake))

        assert TextDelta("well.") in await turn(connect(fake, lightspeed_ca_bundle=str(certificate.path)))


@pytest.mark.parametrize("content", [None, "no PEM"])
async def test_a_bundle_that_cannot_be_read_names_the_setting(
    fake: FakeLightspeed, connect: Connect, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)

    with pytest.raises(SettingsError, match="LIGHTSPEED_CA_BUNDLE"):
        await turn(connect(fake, lightspeed_ca_bundle=str(bundle)))


async def test_the_check_tells_a_server_that_is_ready_from_one_that_is_not(
    fake: FakeLightspeed, connect: Connect
) -> None:
    provider = connect(fake)

    assert (await provider.check()).name == "lightspeed"

    fake.ready = False
    with pytest.raises(ProviderUnreachable, match="Service is not ready"):
        await provider.check()
