"""Whether an answer is about the findings: it names a resource, a cause or a piece of evidence of one of them.

Owns how much of that makes an answer one about the findings, and when a question asks for one.
"""

from collections.abc import Iterator, Sequence

from agent.findings.model import Finding
from agent.turn.grounding.terms import rarity, terms

ENOUGH = 1.0
# What a term counts that is in no title, evidence or name of a resource but in the explanation or a next step.
_EXPLAINED = 0.5
# What a term counts that the question has too: an answer that repeats the question has not answered it.
_ECHOED = 0.5


def addresses(answer: str, findings: Sequence[Finding], question: str) -> bool:
    """Whether `answer` names what at least one of the findings is about."""
    return score(answer, findings, question) >= ENOUGH


def score(answer: str, findings: Sequence[Finding], question: str) -> float:
    """How much of the findings the answer names: the sum of the rarities of the terms that they share."""
    said, asked = terms(answer), terms(question)
    shown = terms("\n".join(_shown(findings)))
    explained = terms("\n".join(_explained(findings)))
    return sum(
        rarity(term) * (1 if term in shown else _EXPLAINED) * (_ECHOED if term in asked else 1)
        for term in said & (shown | explained)
    )


def _shown(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield finding.title
        if finding.resource:
            yield finding.resource.name
        for evidence in finding.evidence:
            yield evidence.text
            if evidence.resource:
                yield evidence.resource.name


def _explained(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from (finding.explanation, *finding.next_steps)
