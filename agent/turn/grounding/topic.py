"""Whether an answer is about the findings: it names a resource, a cause or a piece of evidence of one of them.

Owns how much of that makes an answer one about the findings, and whether the question asks for one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.findings.model import Finding
from agent.objects.target import Target
from agent.turn.grounding.terms import rarity, terms
from agent.turn.grounding.vocabulary import KINDS, TOOLS

# What a shared term counts by the best place it has in the findings.
_IN_TITLE, _IN_EVIDENCE, _IN_EXPLANATION = 2.0, 1.0, 0.5
# A name is as telling in a next step as in the evidence.
_NAMED = 1.0
# A term that the question has too: an answer that repeats the question has not answered it.
_ECHOED = 0.5
_ECHOES = 0.5  # all of them together
# Terms that count less are the field's common ones (`container`, `error`), which any answer has.
_LEAST = 0.3
# The most that one word counts: one alone may be there by chance.
_WORD = 1.1
# What is left of the words' sum for an answer whose terms are nearly all in no finding.
_DILUTED = 0.3
_BESIDE = 5.0  # rare terms beside the shared ones that halve it
_RARE = 0.5  # names above it are of few findings, those below of many (`CrashLoopBackOff`)
ENOUGH = 0.72
_STEM = 5
_KIND = 0.5
_KINDS = frozenset(terms(" ".join(KINDS | TOOLS)))


# A word alone in a code span is meant as a name.
_CODE = re.compile(r"`(\w+)`")
# A word of capitals is mostly the name of something: `PDB`, `DEBUG`.
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
    nothing was found, or the question is about something else ("thanks", "what is a PDB?")."""
    if not topic.findings:
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

    The counts of the terms that both have are added up. General advice shares some of the field's words by chance, the
    more the longer it is, so words count less where most of an answer's terms are in no finding; names do not.
    """
    said, common = terms(answer), shared(answer, findings, question)
    quoted = terms("\n".join([*_CODE.findall(answer), *_CAPITALS.findall(answer)]))
    names = {term for term in common if (said[term] or term in quoted) and rarity(term) > _RARE}
    beside = sum(rarity(term) for term in said if term not in common)
    weight = max(_DILUTED, 1 / (1 + beside / _BESIDE))
    counts = {term: count if term in names else min(count, _WORD) * weight for term, count in common.items()}
    asked = tuple(terms(question))
    echoes = sum(count for term, count in counts.items() if _is_echo(term, asked))
    return sum(counts.values()) - echoes + min(echoes, _ECHOES)


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
    # `ip-10-20-5-40` for `ip-10-20-5-40.internal`, `web:2.0` for `registry.example.com/web:2.0`
    whole = " ".join(_spelled(term) for term in worth)
    worth |= {term: _NAMED for term, within in said.items() if within and _spelled(term) in whole and term not in worth}
    counts = {term: rarity(term) * worth[term] * _share(term, asked) for term in said if term in worth}
    within = {part for term in counts for part in said[term]}
    return {term: count for term, count in counts.items() if term not in within and count >= _LEAST}


def _spelled(name: str) -> str:
    """A name with its parts between dashes, so that the beginning of a longer one can be looked for."""
    return f"-{re.sub('[-._:/@]+', '-', name)}-"


def _share(term: str, asked: Sequence[str]) -> float:
    """Less than 1 for what needs no reading of the findings: a word of the question, and a kind."""
    return (_ECHOED if _is_echo(term, asked) else 1.0) * (_KIND if term in _KINDS else 1.0)


def _is_echo(term: str, asked: Sequence[str]) -> bool:
    """Whether a term is one of the question, `comparison` for `compared` as well."""
    return term in asked or (term.isalpha() and any(term.startswith(word) for word in asked if len(word) >= _STEM))


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
