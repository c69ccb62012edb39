"""An error message in a question is classified, without a target too."""

import pytest

from agent.context.context import Context
from agent.findings import analyze
from agent.objects.target import Target


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("rpc error: code = Unknown desc = apps/ledger: app path does not exist", "A path is not in the repository"),
        ("error getting cached app state: NOAUTH Authentication required.", "Redis asks for a password"),
        ("dial tcp: lookup cd-redis on 10.1.0.3:53: no such host", "there is no Service cd-redis"),
        ('admission webhook "w.example" denied the request: label owner is required', "label owner is required"),
        ("dial tcp 10.9.0.2:5432: connect: connection refused", "connection refused"),
        ("ledger-1: READY 0/1, STATUS CrashLoopBackOff, RESTARTS 9", "CrashLoopBackOff"),
    ],
)
def test_a_known_message_is_a_finding(message: str, title: str) -> None:
    (finding,) = analyze(Context(target=Target(), messages=(message,)))

    assert title in finding.title
    assert finding.evidence[0].text == message
    assert finding.next_steps


def test_an_unknown_message_claims_nothing() -> None:
    assert not analyze(Context(target=Target(), messages=("the weather: it is fine",)))
