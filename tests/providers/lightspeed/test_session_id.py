"""A session of Lightspeed belongs to its user, on every replica, one turn at a time."""

import uuid

import pytest

from agent.errors import (
    ResponseFailed,
    SessionBusy,
    SessionForbidden,
    SessionNotFound,
)
from agent.providers.events import SessionRequest, TextDelta
from agent.request.caller import Caller
from tests.fakes.lightspeed import FakeLightspeed, Reply, tokens
from tests.providers.lightspeed.asking import Connect, asking, session_of, streaming, turn

pytestmark = pytest.mark.anyio


async def test_a_session_is_continued_by_another_replica(fake: FakeLightspeed, connect: Connect) -> None:
    first = await turn(connect(fake), user="ada")
    replica = connect(fake)

    second = await turn(replica, session=session_of(first), user="ada")

    assert "conversation_id" not in fake.bodies[0]
    assert [fake.bodies[1]["conversation_id"]] == list(fake.conversations)
    assert session_of(second) == session_of(first)


async def test_a_session_has_one_redaction_key_on_every_replica_and_no_other_session_has_it(
    fake: FakeLightspeed, connect: Connect
) -> None:
    provider, replica = connect(fake), connect(fake)
    async with provider.open(SessionRequest(caller=Caller.claimed("ada"))) as new:
        events = [event async for event in new.stream(asking())]
        async with provider.open(SessionRequest(caller=Caller.claimed("ada"))) as other:
            assert other.redaction_key != new.redaction_key
    async with replica.open(SessionRequest(session_id=session_of(events), caller=Caller.claimed("ada"))) as continued:
        assert continued.redaction_key == new.redaction_key


@pytest.mark.parametrize(("owner", "other"), [("ada", "bob"), ("ada", None), (None, "ada"), (None, ""), ("a", "A")])
async def test_a_session_is_refused_to_others(
    fake: FakeLightspeed, connect: Connect, owner: str | None, other: str | None
) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider, user=owner))

    with pytest.raises(SessionForbidden, match="belongs to another user"):
        await turn(provider, session=session, user=other)

    assert len(fake.bodies) == 1


async def test_a_forged_session_is_refused(fake: FakeLightspeed, connect: Connect) -> None:
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


@pytest.mark.parametrize(
    "session", ["x", "a.b.c", "3cac98b3-a4aa-4834-9c82-c7464ecd866d", "a." + "0" * 32 + "." + "0" * 31, "..", "\n"]
)
async def test_what_was_never_a_session_id_is_not_found(fake: FakeLightspeed, connect: Connect, session: str) -> None:
    with pytest.raises(SessionNotFound, match=r"custom_inputs\.session_id"):
        await turn(connect(fake), session=session)


async def test_a_conversation_that_lightspeed_lost_is_not_found(fake: FakeLightspeed, connect: Connect) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider))
    fake.conversations.clear()

    with pytest.raises(SessionNotFound, match="no longer has this conversation"):
        await turn(provider, session=session)


async def test_a_server_that_silently_starts_another_conversation_is_not_believed(
    fake: FakeLightspeed, connect: Connect
) -> None:
    provider = connect(fake)
    session = session_of(await turn(provider))
    fake.say(Reply(start=False, events=[("start", {"conversation_id": str(uuid.uuid4())}), *tokens("Hi")]))

    with pytest.raises(SessionNotFound, match="no longer has this conversation"):
        await turn(provider, session=session)


@pytest.mark.parametrize("named", [None, 7, "", "../admin", "x" * 200])
async def test_a_conversation_id_that_no_session_id_can_carry_fails_the_answer(
    fake: FakeLightspeed, connect: Connect, named: object
) -> None:
    fake.say(Reply(start=False, events=[("start", {"conversation_id": named}), *tokens("Hi")]))

    with pytest.raises(ResponseFailed, match="no usable conversation_id"):
        await turn(connect(fake))


async def test_two_turns_in_one_session_never_run_at_once(fake: FakeLightspeed, connect: Connect) -> None:
    provider = connect(fake)
    fake.say(Reply(events=tokens("It "), ending="hold"))

    async with provider.open(SessionRequest()) as first:
        events = streaming(first)
        session = session_of([await anext(events)])
        with pytest.raises(SessionBusy, match="a turn is running"):
            await turn(provider, session=session)
        await events.aclose()

    assert TextDelta("well.") in await turn(provider, session=session)
