"""Whether the context contains a quotation where its evidence points."""

from collections.abc import Iterable, Iterator, Mapping

from agent.context.context import Context
from agent.findings.engine.evidence import (
    LIVE,
    cut,
    log_path,
    quote,
    walk,
)
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, path_text
from agent.objects.target import ResourceRef


def resolves(evidence: Evidence, context: Context) -> bool:
    """Whether the text is where the evidence points, verbatim as far as it was not cut."""
    return any(cut(text) == evidence.text for text in texts_at(evidence, context))


def texts_at(evidence: Evidence, context: Context) -> Iterator[str]:
    """The texts in `context` where the evidence points; several where its path is ambiguous."""
    match evidence.source:
        case "application":
            yield from _in_manifests([context.application] if context.application else [], evidence.path)
        case "manifest":
            manifests = (m for m in context.manifests if ResourceRef.of(m) == evidence.resource)
            yield from _in_manifests(manifests, evidence.path)
        case "event":
            for event in context.events:
                if (event.reason, event.involved) == (evidence.path, evidence.resource):
                    yield event.message
        case "log":
            for log in context.logs:
                yield from (line.text for line in log.lines if log_path(log, line) == evidence.path)
        case "tree":
            for node in context.tree:
                if node.resource == evidence.resource:
                    yield from _field(node.fields, evidence.path)
        case "diff":
            for managed in context.managed:
                if managed.resource == evidence.resource:
                    is_live = evidence.path.endswith(LIVE)
                    state = managed.normalized_live if is_live else managed.predicted_live
                    yield from _in_manifests([state] if state else [], evidence.path.removesuffix(LIVE))
        case source:
            for part, value in context.parts.items():
                if part.evidence == source:
                    for fields in part.quotable(value):
                        yield from _field(fields, evidence.path)


def _field(fields: Mapping[str, str], path: str) -> Iterator[str]:
    if path in fields:
        yield fields[path]


def _in_manifests(manifests: Iterable[Manifest], wanted: str) -> Iterator[str]:
    for manifest in manifests:
        for path, _ in walk(manifest, depth=30):
            if path_text(path) == wanted:
                yield from (quoted.text for quoted in quote(manifest, *path))
