"""Findings whose every quotation was looked up where it claims to have been read."""

from agent.context.model import Context
from agent.findings import analyze
from agent.findings.evidence import ELLIPSIS, QUOTE_LIMIT, quote, walk
from agent.findings.model import Evidence, Finding
from agent.manifest import Manifest, path_text
from agent.target import ResourceRef


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
    said = evidence.text.removesuffix(ELLIPSIS) if len(evidence.text) > QUOTE_LIMIT else evidence.text
    sources = list(_sources(evidence, context))
    assert any(source == evidence.text or source.startswith(said) for source in sources), (
        f"{evidence.text!r} is not at {evidence.source} {evidence.path} of {evidence.resource}; there: {sources!r}"
    )


def _sources(evidence: Evidence, context: Context) -> list[str]:
    match evidence.source:
        case "application":
            return _in_manifests([context.application] if context.application else [], evidence)
        case "manifest":
            return _in_manifests([m for m in context.manifests if ResourceRef.of(m) == evidence.resource], evidence)
        case "event":
            return [e.message for e in context.events if (e.reason, e.involved) == (evidence.path, evidence.resource)]
        case "log":
            return [
                line.text
                for log in context.logs
                for line in log.lines
                if evidence.path
                == f"{log.container}{' (previous run)' if log.previous else ''} {line.timestamp}".rstrip()
            ]


def _in_manifests(manifests: list[Manifest], evidence: Evidence) -> list[str]:
    found: list[str] = []
    for manifest in manifests:
        for path, _ in walk(manifest, depth=30):
            if path_text(path) == evidence.path:
                found += [q.text.removesuffix(ELLIPSIS) for q in quote(manifest, *path)]
    return found
