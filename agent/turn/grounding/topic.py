"""Whether an answer is about the findings: it names a resource, a cause or a piece of evidence of one of them.

Owns how much of that makes an answer one about the findings, and whether the question asks for one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.findings.model import Finding
from agent.objects.target import Target
from agent.turn.grounding.terms import rarity, terms
from agent.turn.grounding.vocabulary import KINDS

# What a shared term counts by the best place it has in the findings.
_IN_TITLE, _IN_EVIDENCE, _IN_EXPLANATION = 1.5, 1.0, 0.5
# A name is as telling in a next step as in the evidence.
_NAMED = 1.0
# A term that the question has too: an answer that repeats the question has not answered it.
_ECHOED = 0.5
# Terms that count less are the field's common ones (`container`, `error`), which any answer has.
_LEAST = 0.2
# What is left of the sum for an answer whose terms are nearly all in no finding.
_DILUTED = 0.5
ENOUGH = 0.95
_STEM = 5
_KIND = 0.5
_KINDS = frozenset(terms(" ".join(KINDS)))


# A word of capitals is mostly the name of something: `PDB`.
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What an answer should be about: the findings, for a `question` about `target`. `follow_up`: it is not the first
    question of its conversation."""

    findings: tuple[Finding, ...]
    question: str
    target: Target
    follow_up: bool = False


def addresses(answer: str, topic: Topic) -> bool | None:
    """Whether `answer` names what at least one of the findings is about. None where that is not to be expected:
    nothing is wrong, or the question is about something else ("thanks", "what is a PDB?")."""
    if not any(finding.severity != "info" for finding in topic.findings):
        return None
    if score(answer, topic.findings, topic.question) >= ENOUGH:
        return True
    return False if _asks_for_findings(topic, answer) else None


def _asks_for_findings(topic: Topic, answer: str) -> bool:
    """Whether the question is about the findings: it names the target or something of theirs. The first question of a
    conversation is so as well, unless it names another thing (a kind, an abbreviation) that the answer is about."""
    asked = terms(topic.question)
    about = topic.target.resource or topic.target.application
    named = terms(about.name) if about else {}
    if any(term in named for term in asked) or shared(topic.question, topic.findings, ""):
        return True
    if topic.follow_up:
        return False
    things = {*terms(" ".join(_CAPITALS.findall(topic.question))), *(term for term in asked if term in _KINDS)}
    return not things & terms(answer).keys()


def score(answer: str, findings: Sequence[Finding], question: str) -> float:
    """How much of the findings the answer names; ENOUGH and more is an answer about them.

    The counts of the terms that both have are added up. General advice shares a few of the field's words by chance, the
    more the longer it is, so that the sum is lowered where most of an answer's terms are in no finding.
    """
    common = shared(answer, findings, question)
    said = sum(map(rarity, terms(answer)))
    return sum(common.values()) * min(1.0, _DILUTED + sum(map(rarity, common)) / said) if common else 0.0


def shared(answer: str, findings: Sequence[Finding], question: str) -> dict[str, float]:
    """The terms that the answer shares with the findings, and what each counts."""
    said, asked = terms(answer), tuple(terms(question))
    worth: dict[str, float] = {}
    for texts, weight in (
        (_explanations(findings), _IN_EXPLANATION),
        (_evidence(findings), _IN_EVIDENCE),
        (_titles(findings), _IN_TITLE),
    ):
        found = terms("\n".join(texts))
        worth |= {term: max(weight, _NAMED) if within else weight for term, within in found.items()}
    counts = {term: rarity(term) * worth[term] * _newness(term, asked) for term in said if term in worth}
    within = {part for term in counts for part in said[term]}
    return {term: count for term, count in counts.items() if term not in within and count >= _LEAST}


def _newness(term: str, asked: Sequence[str]) -> float:
    """Less than 1 for what needs no reading of the findings: a word of the question (`comparison` for `compared`), and
    a kind."""
    echoed = any(term.startswith(word) for word in asked if len(word) >= _STEM or word == term)
    return (_ECHOED if echoed else 1.0) * (_KIND if term in _KINDS else 1.0)


def _titles(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield finding.title
        if finding.resource:
            yield finding.resource.name


def _evidence(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        for evidence in finding.evidence:
            yield evidence.text
            if evidence.resource:
                yield evidence.resource.name


def _explanations(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from (finding.explanation, *finding.next_steps)
