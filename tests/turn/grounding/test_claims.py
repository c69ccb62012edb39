"""What an answer claims, by kind."""

import pytest

from agent.turn.grounding.claims import MAX_CLAIMS, ClaimKind, claims_in


def claims(answer: str) -> list[tuple[ClaimKind, str]]:
    return [(claim.kind, claim.text) for claim in claims_in(answer)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The log says `connection refused`.", [("quotation", "connection refused")]),
        (
            'The event says "Back-off restarting failed container".',
            [("quotation", "Back-off restarting failed container")],
        ),
        ("`Deployment/web` is short of pods.", [("resource", "Deployment/web")]),
        ("The Deployment `web` is short of pods.", [("resource", "Deployment web")]),
        ("Look at Pod web-7d9f-x2 first.", [("resource", "Pod web-7d9f-x2")]),
        ("Look at Deployment checkout-api first.", [("resource", "Deployment checkout-api")]),
        ("It ended with exit code 137.", [("number", "137")]),
        ("Its limit is `256Mi`.", [("number", "256Mi")]),
        ("See `status.containerStatuses[0].lastState`.", [("path", "status.containerStatuses[0].lastState")]),
        ("Run `kubectl -n shop logs web-1`.", [("command", "kubectl -n shop logs web-1")]),
        ("```sh\nkubectl get pods\n# a comment\n```", [("command", "kubectl get pods")]),
        ("```\npanic: no database\n```", [("quotation", "panic: no database")]),
    ],
)
def test_a_claim_is_recognized(answer: str, expected: list[tuple[ClaimKind, str]]) -> None:
    assert claims(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "The Pod is not ready because the Service that it calls is down.",
        "Pod anti-affinity, the Deployment rolling-update strategy and Node not-ready taints are as usual.",
        "Application v3.2 came with the Event 2026-11-28 from Service 10.0.12.7.",
        "1. First look at it.\n2. Then act.",
        "Raise the limit to 512Mi or 1Gi.",
        "It has 2 of 3 replicas.",
        "```yaml\nresources:\n  limits:\n    memory: 512Mi\n```",
        "`kubectl` is the tool.",
        "",
    ],
)
def test_advice_and_plain_words_claim_nothing(answer: str) -> None:
    assert claims(answer) == []


def test_a_claim_made_twice_is_one() -> None:
    assert claims("`web-1` and again `web-1`") == [("quotation", "web-1")]


def test_an_endless_answer_has_an_end() -> None:
    answer = " ".join(f"`value-{number}`" for number in range(10_000))
    assert len(claims_in(answer)) == MAX_CLAIMS


@pytest.mark.parametrize("brackets", ["[1]", '["a"]', "[*]", "[]"])
def test_brackets_without_end_are_read_once(brackets: str) -> None:
    code = f"spec{brackets * 60}"
    assert claims(f"`{code}`") == [("quotation", code)]


def test_what_may_claim_nothing_claims_nothing() -> None:
    assert claims("All is well with it, as far as can be told.") == []
    for answer in ("see `web`", "code 137", "Pod web-one", 'says "none"'):
        assert claims(answer) != []
