"""The caller that a request names."""

from agent.request.caller import ANONYMOUS, Caller
from agent.turn.parse import parse_question


def test_a_request_that_names_nobody_is_anonymous() -> None:
    assert Caller.claimed(None) is ANONYMOUS
    assert (ANONYMOUS.subject, ANONYMOUS.groups, ANONYMOUS.authentication) == (None, (), "none")


def test_a_named_caller_is_marked_as_claimed() -> None:
    assert Caller.claimed("ann") == Caller(subject="ann", authentication="claimed")
    assert Caller.claimed("ann") != Caller(subject="ann", authentication="proxy")


def test_the_user_of_a_request_becomes_the_claimed_caller_of_its_question() -> None:
    assert parse_question({"input": "Why?", "context": {"user_id": "ann"}}).caller == Caller.claimed("ann")
    assert parse_question({"input": "Why?"}).caller is ANONYMOUS
