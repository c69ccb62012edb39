"""Who owns a session, and who holds it."""

import time
from dataclasses import replace

import pytest

from agent.errors import SessionBusy, SessionForbidden
from agent.prompt.fingerprint import MAX_FINGERPRINT
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.request.caller import Caller

USERS = ["ada", "bob", "", "anonymous", None]


@pytest.mark.parametrize("owner", USERS)
def test_a_session_is_its_owners_alone(owner: str | None) -> None:
    record = Record.of(Record.new(Caller.claimed(owner)).metadata)

    assert check_owner(record, Caller.claimed(owner)) == record
    for other in USERS:
        if other != owner:
            with pytest.raises(SessionForbidden):
                check_owner(record, Caller.claimed(other))


def test_the_record_names_no_user_and_no_two_are_alike() -> None:
    first, second = Record.new(Caller.claimed("user@example.com")), Record.new(Caller.claimed("user@example.com"))

    assert "example" not in str(first.metadata)
    assert first.owner != second.owner
    assert first.redaction_key != second.redaction_key


@pytest.mark.parametrize(
    "damage",
    [{"app": "another"}, {"redaction_key": ""}, {"redaction_key": "z" * 64}, {"redaction_key": "a" * 63}],
)
def test_a_record_that_is_not_ours_is_nobodys(damage: dict[str, object]) -> None:
    record = Record.of(Record.new(Caller.claimed(None)).metadata | damage)

    assert record is None
    with pytest.raises(SessionForbidden):
        check_owner(record, Caller.claimed(None))


def test_what_is_kept_fits_a_servers_metadata() -> None:
    """16 pairs of 64 and 512 characters, as in OpenAI's API; llama-stack and OGX take more."""
    record = Record.new(Caller.claimed("ada")).succeeding().held(seconds=7200)
    record = record.holding(10**9, previous_fingerprint="x" * MAX_FINGERPRINT)
    metadata = replace(record, successor="conv_" + "1" * 48).metadata

    assert len(metadata) <= 16
    assert all(len(key) <= 64 and len(value) <= 512 for key, value in metadata.items())
    assert Record.of(metadata) == replace(record, successor="conv_" + "1" * 48)


@pytest.mark.parametrize("count", ["-1", "many", "9" * 99, "١", None, 3.5])
def test_a_damaged_count_is_none(count: object) -> None:
    record = Record.of(Record.new(Caller.claimed("ada")).metadata | {"history_tokens": count, "held_until": count})

    assert record is not None
    assert (record.history_tokens, record.held_until) == (None, 0)
    assert record.is_uncertain


def test_a_held_session_is_refused_until_the_hold_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Record.of(Record.new(Caller.claimed("ada")).held(seconds=100).metadata)
    assert held is not None
    with pytest.raises(SessionBusy):
        held.held(seconds=100)

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 101)
    again = held.held(seconds=100)
    assert again.holder != held.holder


def test_a_released_session_can_be_held_again() -> None:
    turn = Record.new(Caller.claimed("ada")).held(seconds=100).holding(70, previous_fingerprint="state")
    again = turn.released().held(seconds=100)

    assert (again.history_tokens, again.previous_fingerprint) == (70, "state")


def test_a_session_that_nobody_gave_back_is_distinguished_from_one_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Record.new(Caller.claimed("ada")).held(seconds=100)
    now = time.time()
    assert not held.is_uncertain
    monkeypatch.setattr(time, "time", lambda: now + 101)

    assert held.is_uncertain
    assert not held.released().is_uncertain


def test_a_session_that_succeeds_another_is_its_owners_and_keeps_its_key() -> None:
    old = Record.new(Caller.claimed("ada")).held(seconds=100).holding(70, previous_fingerprint="state")
    new = Record.of(old.succeeding().metadata)

    assert new is not None
    assert check_owner(new, Caller.claimed("ada")).key == old.key
    assert (new.history_tokens, new.previous_fingerprint, new.holder) == (0, "state", "")


def test_a_hold_of_this_process_ends_with_its_block() -> None:
    holds = Holds()
    with holds.hold("a"), holds.hold("b"), pytest.raises(SessionBusy), holds.hold("a"):
        pass
    with holds.hold("a"):
        pass
