"""Each rule passes the right answer and fails each wrong one, with the reason."""

import pytest

from agent.findings.model import Evidence
from agent.mlflow.evaluation.expectation import Cause, Expectation
from agent.mlflow.evaluation.verdicts import (
    RULES,
    Answer,
    evidence_cited,
    fix_named,
    is_silent,
    judged,
    nothing_forbidden,
    quiet_when_healthy,
    root_cause_first,
)
from tests.mlflow.evaluation.answers import EXPECTED, answer, finding

BROKEN = Expectation.model_validate(EXPECTED)
HEALTHY = Expectation.model_validate({"family": "healthy", "question": "Is it well?", "healthy": True})

SAYS_IT = '**Root cause:** Pod `web-0` needs the Secret `db`, which does not exist: `secret "db" not found`.'


@pytest.mark.parametrize("right", [answer(finding()), answer(finding(), text=SAYS_IT)], ids=["findings", "model"])
def test_the_right_answer_passes_every_rule(right: Answer) -> None:
    verdicts = judged(BROKEN, right)

    assert {name for name, verdict in verdicts.items() if verdict.passed} == {*RULES} - {
        "quiet_when_healthy",
        "fix_named",
    }
    assert len(verdicts) == 3


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (answer(), "nothing was found"),
        (answer(finding("Pod web-0 is not ready"), finding()), "does not say"),
        (answer(finding(resource="Deployment/web")), "not about Pod/web-0"),
        (answer(finding(), text="Pod web-0 runs out of memory."), "not in the opening"),
        (answer(finding(), text="Something else first. " * 100 + SAYS_IT), "not in the opening"),
        (answer(finding(), text=SAYS_IT.replace("web-0", "api-0")), "web-0"),
    ],
    ids=["nothing", "symptom first", "about another", "model: another cause", "model: late", "model: another pod"],
)
def test_another_first_cause_fails(wrong: Answer, because: str) -> None:
    verdict = root_cause_first(BROKEN, wrong)

    assert verdict is not None
    assert not verdict.passed
    assert because in verdict.rationale


def test_a_cause_without_a_resource_may_be_found_on_any() -> None:
    anywhere = BROKEN.model_copy(update={"cause": Cause(says=["Secret", "db"])})

    for right in (answer(finding(resource="Deployment/web")), answer(text="The Secret db does not exist.")):
        verdict = root_cause_first(anywhere, right)
        assert verdict is not None
        assert verdict.passed


FIX = BROKEN.model_copy(update={"fix": ["create", "Secret | SealedSecret"]})


@pytest.mark.parametrize(
    "right",
    [
        answer(finding(next_steps=("See its events.", "Create the `Secret` db."))),
        answer(finding(), text=SAYS_IT + " Create the Secret."),
    ],
    ids=["findings", "model"],
)
def test_a_fix_may_be_any_step_of_the_first_finding(right: Answer) -> None:
    verdict = fix_named(FIX, right)

    assert verdict is not None
    assert verdict.passed


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (answer(), "nothing was found"),
        (answer(finding()), "there is no step"),
        (answer(finding(next_steps=("Repair what the message names.",))), "'Repair what the message names.'"),
        (answer(finding(next_steps=("Look.",)), finding(next_steps=("Create the Secret.",))), "no step says ['create'"),
        (answer(finding(next_steps=("Create the Secret.",)), text=SAYS_IT), "not in the answer: ['create']"),
    ],
    ids=["nothing", "no step", "too general", "of another finding", "model"],
)
def test_another_fix_or_none_fails(wrong: Answer, because: str) -> None:
    verdict = fix_named(FIX, wrong)

    assert verdict is not None
    assert not verdict.passed
    assert because in verdict.rationale


def test_only_findings_that_are_none_where_something_is_wrong_are_silence() -> None:
    assert is_silent(BROKEN, answer())
    assert not is_silent(BROKEN, answer(finding("Another")))
    assert not is_silent(BROKEN, answer(text="I do not know."))
    assert not is_silent(HEALTHY, answer())


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (answer(finding(quoted="CreateContainerConfigError")), "not quoted from manifest or event"),
        (answer(finding(source="log")), "not quoted from manifest or event"),
        (answer(finding(), unresolved=(Evidence(source="event", path="Failed", text="made up"),)), "'made up'"),
        (answer(finding(), text="The Secret db of Pod web-0 is missing."), "not quoted"),
    ],
    ids=["not quoted", "from elsewhere", "unresolved", "model does not quote"],
)
def test_evidence_that_is_missing_or_made_up_fails(wrong: Answer, because: str) -> None:
    verdict = evidence_cited(BROKEN, wrong)

    assert not verdict.passed
    assert because in verdict.rationale


@pytest.mark.parametrize(
    "wrong",
    [
        answer(finding(), finding("The image cannot be pulled")),
        answer(finding(explanation="Or the image is wrong.")),
        answer(finding(), text=SAYS_IT + " The image may be missing, too."),
        answer(finding(resource="Image/web")),
    ],
    ids=["title", "explanation", "model", "resource"],
)
def test_a_forbidden_conclusion_fails(wrong: Answer) -> None:
    verdict = nothing_forbidden(BROKEN, wrong)

    assert not verdict.passed
    assert "says 'image'" in verdict.rationale


def test_a_quotation_or_the_end_of_a_word_is_no_conclusion() -> None:
    quoting = SAYS_IT + " Seen beside it: `image pulled`, and\n```\nimage: web\n```\nNo preimage of it."

    assert nothing_forbidden(BROKEN, answer(finding(quoted='image: secret "db" not found'), text=quoting)).passed


def test_words_inside_of_a_kind_count() -> None:
    expected = BROKEN.model_copy(update={"forbidden": ["quota"]})

    assert not nothing_forbidden(expected, answer(finding("A ResourceQuota is used up"))).passed


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (answer(finding()), "on what is healthy"),
        (answer(text="The pod restarts since its memory is too small."), "does not say that nothing is wrong"),
        (answer(finding(), text="Nothing is wrong."), "on what is healthy"),
    ],
)
def test_a_finding_on_what_is_healthy_fails(wrong: Answer, because: str) -> None:
    verdict = quiet_when_healthy(HEALTHY, wrong)

    assert verdict is not None
    assert not verdict.passed
    assert because in verdict.rationale


def test_silence_on_what_is_healthy_passes() -> None:
    assert all(verdict.passed for verdict in judged(HEALTHY, answer()).values())
    assert all(verdict.passed for verdict in judged(HEALTHY, answer(text="The pod **is healthy**.")).values())
    assert "root_cause_first" not in judged(HEALTHY, answer())
