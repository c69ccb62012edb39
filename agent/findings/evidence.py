"""Quotations: the one way by which a finding takes text from a context, with where it was read.

Owns the form and the length of evidence; decides nothing.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from agent.context.model import ContainerLog, Context, Event, LogLine
from agent.findings.model import Evidence, EvidenceSource
from agent.manifest import Manifest, lookup, path_text, text_at
from agent.target import ResourceRef

# Long enough for a kubelet's or webhook's whole sentence, short enough that ten quotations stay readable.
QUOTE_LIMIT = 600
ELLIPSIS = "…"

# Objects are quoted as JSON (a probe's settings); one nested deeper than any probe is left out, not dumped.
_DEPTH_LIMIT = 8


def quote(manifest: Manifest, *path: str | int, source: EvidenceSource = "manifest") -> tuple[Evidence, ...]:
    """The value at `path` as evidence, () where there is nothing to quote.

    Text is quoted as it is, anything else as JSON; what is longer than QUOTE_LIMIT ends in an ellipsis.
    """
    text = _as_text(lookup(manifest, *path))
    if not text.strip():
        return ()
    return (Evidence(source=source, path=path_text(path), text=cut(text), resource=ResourceRef.of(manifest)),)


def quote_event(event: Event) -> tuple[Evidence, ...]:
    """The message of an event, under its reason. () where it has none."""
    if not event.message.strip():
        return ()
    return (Evidence(source="event", path=event.reason, text=cut(event.message), resource=event.involved),)


def quote_log(context: Context, log: ContainerLog, line: LogLine) -> tuple[Evidence, ...]:
    """A line of a log, under its container (`api`, `api (previous run)`) and the line's time where it is known."""
    if not line.text.strip():
        return ()
    run = " (previous run)" if log.previous else ""
    path = f"{log.container}{run} {line.timestamp}".rstrip()
    return (Evidence(source="log", path=path, text=cut(line.text), resource=_pod_of(context, log)),)


def cut(text: str) -> str:
    """`text`, or its first QUOTE_LIMIT characters and an ellipsis."""
    return text if len(text) <= QUOTE_LIMIT else text[:QUOTE_LIMIT] + ELLIPSIS


def one_line(text: str, limit: int = 160) -> str:
    """`text` for a title or a sentence: blanks and line breaks folded, at most `limit` characters."""
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 1] + ELLIPSIS


def walk(value: object, *start: str | int, depth: int = 10) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value inside `value` with its path from `start` on, parents before children, never deeper than `depth`."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [(start, value)]
    while stack:
        path, current = stack.pop()
        yield path, current
        if len(path) - len(start) >= depth:
            continue
        if isinstance(current, dict):
            entries = cast("dict[object, Any]", current).items()
            stack.extend(((*path, key), item) for key, item in reversed(entries) if isinstance(key, str))
        elif isinstance(current, list):
            items = cast("list[Any]", current)
            stack.extend(((*path, index), items[index]) for index in range(len(items) - 1, -1, -1))


def _as_text(value: object) -> str:
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, str | int | float):
        return text_at([value], 0)
    if any(len(path) >= _DEPTH_LIMIT for path, _ in walk(value, depth=_DEPTH_LIMIT)):
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _pod_of(context: Context, log: ContainerLog) -> ResourceRef | None:
    """The Pod that wrote the log: by name among the manifests, else the target's resource."""
    if not log.pod:
        return context.target.resource
    for manifest in context.manifests:
        if text_at(manifest, "kind") == "Pod" and text_at(manifest, "metadata", "name") == log.pod:
            return ResourceRef.of(manifest)
    namespace = context.target.resource.namespace if context.target.resource else ""
    return ResourceRef.model_construct(kind="Pod", version="v1", name=log.pod, namespace=namespace)
