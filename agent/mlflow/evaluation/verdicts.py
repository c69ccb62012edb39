"""Judges an answer by rules, which return the same verdict each time.

Every verdict has a rationale, so that a reader can disagree with the scenario.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.findings.model import Evidence, Finding
from agent.mlflow.evaluation.expectation import Cause, Expectation, terms_in

# The characters within which a model must name the cause.
_OPENING = 1_500

# Phrases of a model for a healthy target.
_CALM = (
    "nothing wrong | nothing is wrong | no problem | no issue | is healthy | are healthy | working as intended | "
    "nothing is broken | no fault | not broken | completed successfully | no action"
)

# Where a word begins; those inside of ResourceQuota count.
_WORD = r"(?:(?<![A-Za-z0-9])|(?<=[a-z])(?=[A-Z]))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a scenario. `by_model` is False where the findings themselves are the answer.

    `unresolved` is the evidence whose text is not at its path; `tokens` are those of the request as the server
    counted them, or their upper estimate (then `tokens_estimated`); `seconds` is the whole turn; `outage` is why the
    model that was configured did not answer, "" where it did or none is.
    """

    text: str
    findings: tuple[Finding, ...]
    unresolved: tuple[Evidence, ...]
    by_model: bool
    provider: str
    model: str
    tokens: int
    tokens_estimated: bool
    seconds: float
    outage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether it is right, and why."""

    passed: bool
    rationale: str


def root_cause_first(expected: Expectation, answer: Answer) -> Verdict | None:
    """Whether the cause comes first: in the first finding, or in the opening of a model's text.

    None for a healthy target, which has no cause.
    """
    cause = expected.cause
    if cause is None:
        return None
    if answer.by_model:
        opening = answer.text[:_OPENING]
        missing = _missing([*cause.says, *_names(cause)], opening)
        return _verdict(not missing, f"not in the opening of the answer: {missing}", "the opening names it")
    if not answer.findings:
        return Verdict(passed=False, rationale="nothing was found")
    first = answer.findings[0]
    named = _resource(first).lower()
    if cause.resource and named not in terms_in(cause.resource):
        return Verdict(passed=False, rationale=f"first is {first.title!r} about {named}, not about {cause.resource}")
    if missing := _missing(cause.says, f"{first.title}\n{first.explanation}"):
        return Verdict(passed=False, rationale=f"first is {first.title!r}, which does not say {missing}")
    main_part = answer.text.partition("## Also found")[0]
    missing = _missing(cause.says, main_part)
    return _verdict(not missing, f"the finding says it, the answer does not: {missing}", f"first is {first.title!r}")


def fix_named(expected: Expectation, answer: Answer) -> Verdict | None:
    """Whether the fix is named: in the next steps of the first finding, or anywhere in a model's text.

    None where no fix is expected.
    """
    if not expected.fix:
        return None
    if answer.by_model:
        missing = _missing(expected.fix, answer.text)
        return _verdict(not missing, f"not in the answer: {missing}", "the answer names it")
    if not answer.findings:
        return Verdict(passed=False, rationale="nothing was found")
    steps = answer.findings[0].next_steps
    missing = _missing(expected.fix, "\n".join(steps))
    advised = f"the first step is {steps[0]!r}" if steps else "there is no step"
    return _verdict(not missing, f"{advised}, and no step says {missing}", "the steps name it")


def evidence_cited(expected: Expectation, answer: Answer) -> Verdict:
    """Whether all evidence resolves, and the expected quotations are there."""
    if answer.unresolved:
        lost = answer.unresolved[0]
        return Verdict(passed=False, rationale=f"{lost.text!r} is not at {lost.source} {lost.path}")
    for quotation in expected.evidence:
        if answer.by_model:
            quoted = not _missing([quotation.text], answer.text)
        else:
            texts = (e.text for f in answer.findings for e in f.evidence if e.source in quotation.sources)
            quoted = any(not _missing([quotation.text], text) for text in texts)
        if not quoted:
            where = " or ".join(quotation.sources)
            return Verdict(passed=False, rationale=f"not quoted from {where}: {quotation.text!r}")
    return Verdict(passed=True, rationale="all evidence resolves, and what was expected is quoted")


def nothing_forbidden(expected: Expectation, answer: Answer) -> Verdict:
    """Whether no finding and no sentence draws a conclusion that is forbidden. A quotation concludes nothing."""
    texts = [f"{_resource(f)}\n{f.title}\n{f.explanation}\n{'\n'.join(f.next_steps)}" for f in answer.findings]
    texts.append(_without_quotations(answer.text))
    for term in expected.forbidden:
        for text in texts:
            if not _missing([term], text):
                return Verdict(passed=False, rationale=f"says {term!r}: {_around(term, text)!r}")
    return Verdict(passed=True, rationale="no forbidden conclusion")


def quiet_when_healthy(expected: Expectation, answer: Answer) -> Verdict | None:
    """Whether nothing but information is found where nothing is wrong, and a model says so. None for a target that is
    broken."""
    if not expected.healthy:
        return None
    faults = [finding for finding in answer.findings if finding.severity != "info"]
    if faults:
        return Verdict(passed=False, rationale=f"found {faults[0].title!r} on what is healthy")
    if answer.by_model and _missing([_CALM], answer.text):
        return Verdict(passed=False, rationale="the answer does not say that nothing is wrong")
    return Verdict(passed=True, rationale="nothing is found to be wrong")


def is_silent(expected: Expectation, answer: Answer) -> bool:
    """Whether nothing at all is found where something is wrong. A model always says something."""
    return expected.cause is not None and not answer.by_model and not answer.findings


RULES: dict[str, Callable[[Expectation, Answer], Verdict | None]] = {
    "root_cause_first": root_cause_first,
    "fix_named": fix_named,
    "evidence_cited": evidence_cited,
    "nothing_forbidden": nothing_forbidden,
    "quiet_when_healthy": quiet_when_healthy,
}
"""Every rule by its name, the order of the table's columns."""


def judged(expected: Expectation, answer: Answer) -> dict[str, Verdict]:
    """The verdicts of the rules that concern the scenario."""
    verdicts = {name: rule(expected, answer) for name, rule in RULES.items()}
    return {name: verdict for name, verdict in verdicts.items() if verdict is not None}


def _names(cause: Cause) -> list[str]:
    """The name of the resource as a Term, none where the cause names no resource."""
    return [" | ".join(each.rpartition("/")[2] for each in terms_in(cause.resource))] if cause.resource else []


def _verdict(passed: bool, otherwise: str, right: str) -> Verdict:
    return Verdict(passed=passed, rationale=right if passed else otherwise)


def _missing(terms: Iterable[str], text: str) -> list[str]:
    """The terms of which no spelling begins a word of the text; case, blanks and Markdown's marks do not count."""
    plain = _plain(text)
    return [term for term in terms if _place(term, plain) is None]


def _place(term: str, plain: str) -> int | None:
    for spelling in terms_in(term):
        if found := re.search(rf"{_WORD}(?i:{re.escape(_plain(spelling))})", plain):
            return found.start()
    return None


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[`*\\]", "", text))


def _without_quotations(markdown: str) -> str:
    """The text without fenced blocks and code spans."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown, flags=re.DOTALL)


def _resource(finding: Finding) -> str:
    return f"{finding.resource.kind}/{finding.resource.name}" if finding.resource else ""


def _around(term: str, text: str) -> str:
    plain = _plain(text)
    place = _place(term, plain) or 0
    return plain[max(0, place - 60) : place + 100]
