"""Findings whose every quotation was looked up where it claims to have been read."""

from agent.context.context import Context
from agent.findings import analyze
from agent.findings.engine.citations import resolves, texts_at
from agent.findings.engine.evidence import ELLIPSIS, QUOTE_LIMIT
from agent.findings.model import Evidence, Finding


def findings_of(context: Context) -> tuple[Finding, ...]:
    """The findings of the context, after resolving each of their quotations against it."""
    findings = analyze(context)
    for finding in findings:
        assert finding.title
        assert "\n" not in finding.title
        assert finding.explanation
        assert finding.evidence, f"{finding.title!r} stands on nothing"
        for evidence in finding.evidence:
            check_citation(evidence, context)
    return findings


def check_citation(evidence: Evidence, context: Context) -> None:
    """Fails unless the text stands where the evidence says, word for word from its first character on."""
    assert len(evidence.text) <= QUOTE_LIMIT + len(ELLIPSIS)
    assert resolves(evidence, context), (
        f"{evidence.text!r} is not at {evidence.source} {evidence.path} of {evidence.resource}; "
        f"there: {list(texts_at(evidence, context))!r}"
    )


def faults_of(context: Context) -> tuple[Finding, ...]:
    """The findings that are more than information: what is under way, and what is over, are none."""
    return tuple(finding for finding in findings_of(context) if finding.severity != "info")
