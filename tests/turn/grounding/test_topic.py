"""Answers held against the findings of the scenarios: nonsense is not about them, a good answer is."""

from dataclasses import replace
from pathlib import Path

import pytest
import ryaml

from agent.objects.target import ApplicationRef, ResourceRef, Target
from agent.turn.grounding import Topic
from agent.turn.grounding.topic import addresses
from tests.turn.grounding.scenario_findings import findings_of, scenarios

FOLDER = Path(__file__).parent / "answers"
SETS = ("first", "second", "third", "short", "last", "final")


def answers(kind: str) -> list[object]:
    """The answers of all sets; a known miss must fail, so that it is noticed when it no longer does."""
    missed = pytest.mark.xfail(reason="words that findings of many kinds have, or a common word as a name", strict=True)
    return [
        pytest.param(each["scenario"], each["answer"], marks=[missed] if each.get("known_miss") else [])
        for name in SETS
        for each in ryaml.loads((FOLDER / f"{name}_{kind}.yaml").read_text("utf-8"))  # pyright: ignore[reportPrivateImportUsage]
    ]


def topic(scenario: str, question: str = "", *, follow_up: bool = False) -> Topic:
    parsed = scenarios()[scenario].parsed
    return Topic(
        findings=findings_of(scenario), question=question or parsed.text, target=parsed.target, follow_up=follow_up
    )


@pytest.mark.parametrize(("scenario", "answer"), answers("nonsense"))
def test_nonsense_is_not_about_the_findings(scenario: str, answer: str) -> None:
    assert addresses(answer, topic(scenario)) is False


@pytest.mark.parametrize(("scenario", "answer"), answers("good"))
def test_a_good_answer_is_about_the_findings(scenario: str, answer: str) -> None:
    assert addresses(answer, topic(scenario)) is True


def expected_texts() -> list[tuple[str, str]]:
    """The cause and the first quotation that each scenario expects, as a short answer."""
    found: list[tuple[str, str]] = []
    for name, scenario in scenarios().items():
        if cause := scenario.expected.cause:
            says = ", ".join(term.partition(" | ")[0] for term in cause.says)
            resource = (cause.resource or "").partition(" | ")[0]
            found.append((name, f"{resource}: {says}. {scenario.expected.evidence[0].text.partition(' | ')[0]}"))
    return found


@pytest.mark.parametrize(("scenario", "answer"), expected_texts())
def test_what_a_scenario_expects_is_about_its_findings(scenario: str, answer: str) -> None:
    assert addresses(answer, topic(scenario)) is True


@pytest.mark.parametrize("other", ["nodes-disk-pressure", "storage-class-missing", "operation-unknown-field"])
def test_the_answer_to_another_scenario_is_not_about_the_findings(other: str) -> None:
    answer = dict(expected_texts())[other]
    assert addresses(answer, topic("pods-oom-killed")) is False


def test_an_answer_that_only_repeats_the_question_is_not_about_the_findings() -> None:
    answer = "search restarts again and again because search restarts again and again."
    assert addresses(answer, topic("pods-liveness-probe-kills")) is False


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Thanks!", "You're welcome!"),
        ("What is a PDB?", "A PodDisruptionBudget (PDB) limits how many pods are down at once."),
        ("谢谢", "不客气!"),
        ("And what is a sync wave?", "A number by which Argo CD orders what it applies."),
    ],
)
def test_a_follow_up_on_something_else_need_not_be_about_the_findings(question: str, answer: str) -> None:
    assert addresses(answer, topic("pods-oom-killed", question, follow_up=True)) is None


def test_a_follow_up_on_the_target_must_be_about_the_findings() -> None:
    asked = topic("pods-oom-killed", "So what do I change in orders-api?", follow_up=True)
    assert addresses("Follow the best practices.", asked) is False
    assert addresses("Raise the memory limit from 256Mi.", asked) is True


def test_a_first_question_on_another_thing_need_not_be_about_the_findings() -> None:
    asked = topic("pods-oom-killed", "What is a PDB?")
    assert addresses("A PDB limits voluntary evictions.", asked) is None
    assert addresses("You should change the Pod to a new one.", asked) is False


def test_where_nothing_was_found_no_answer_is_off_topic() -> None:
    assert addresses("It is well.", Topic(findings=(), question="Is it well?", target=Target())) is None


def test_the_name_of_an_application_in_the_question_makes_it_one_about_the_findings() -> None:
    asked = Topic(
        findings=findings_of("pods-oom-killed"),
        question="And checkout?",
        target=Target(application=ApplicationRef(name="checkout"), resource=None),
        follow_up=True,
    )
    assert addresses("Ask your administrator.", asked) is False
    other = replace(asked, target=Target(resource=ResourceRef(kind="Pod", name="billing")))
    assert addresses("Ask your administrator.", other) is None
