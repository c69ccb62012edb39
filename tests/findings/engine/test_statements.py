"""A finding has the innermost clause of its message in its own words."""

from hypothesis import given
from hypothesis import strategies as st

from agent.findings.engine.statements import with_statements
from agent.findings.model import Evidence, Finding, Level


def finding(title: str, message: str, *, level: Level = "effect") -> Finding:
    return Finding(
        title=title,
        severity="error",
        explanation="It is broken.",
        evidence=(Evidence(source="event", path="Failed", text=message),),
        resource=None,
        level=level,
    )


def stated(title: str, message: str, *, level: Level = "effect") -> Finding:
    return with_statements([finding(title, message, level=level)])[0]


def test_a_title_without_a_reason_gets_that_of_the_message() -> None:
    assert stated("Node a is not ready", "sync failed: the runtime on /dev/sdb is full").title == (
        "Node a is not ready: the runtime on /dev/sdb is full"
    )


def test_a_title_with_a_reason_keeps_it_and_the_message_goes_into_the_explanation() -> None:
    found = stated("Pod a cannot start: its volume is missing", "mount failed: exports of nas-7 are closed today")

    assert found.title == "Pod a cannot start: its volume is missing"
    assert found.explanation == "It is broken. The message: exports of nas-7 are closed today"


def test_what_a_symptom_repeats_is_left_out() -> None:
    assert stated("Deployment a is short of pods", "it has no minimum availability now", level="symptom").title == (
        "Deployment a is short of pods"
    )


def test_the_pause_of_the_kubelet_is_no_reason() -> None:
    assert stated("Container a crashes", "back-off 5m0s restarting failed container=a").title == "Container a crashes"


@given(st.text(alphabet="abc :'\"[]{}`/", max_size=300), st.booleans())
def test_the_innermost_clause_is_always_in_title_or_explanation(middle: str, full: bool) -> None:
    message = f"failed: {middle}: the bucket orders is gone"
    found = stated("It failed: somehow" if full else "It failed", message)

    assert "the bucket orders is gone" in f"{found.title} {found.explanation}"
