"""Quotations from a context as evidence, each with where it was read.

Owns the form and the length of evidence.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine, ManagedResource, Revision, TreeNode
from agent.findings.model import Evidence, EvidenceSource
from agent.objects.error_message import shorten
from agent.objects.manifest import Manifest, lookup, path_text, text_at
from agent.objects.target import ResourceRef

# Long enough for a kubelet's or webhook's whole sentence, short enough that ten quotations stay readable.
QUOTE_LIMIT = 600
ELLIPSIS = "…"
LIVE = " (live)"
"""Ends the path of evidence from the live side of a difference."""

# Objects are quoted as JSON (a probe's settings); one nested deeper than any probe is left out.
_DEPTH_LIMIT = 8


def quote(manifest: Manifest, *path: str | int, source: EvidenceSource = "manifest") -> tuple[Evidence, ...]:
    """The value at `path` as evidence, () where there is nothing to quote.

    Text is quoted as it is, anything else as JSON; of what is longer than QUOTE_LIMIT both ends are (see `cut`).
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
    return quote_lines(context, log, [line])


def quote_lines(context: Context, log: ContainerLog, lines: Iterable[LogLine]) -> tuple[Evidence, ...]:
    """Lines of a log like `quote_log`, with one look-up of the Pod that wrote them."""
    pod = _pod_of(context, log)
    filled = (line for line in lines if line.text.strip())
    return tuple(Evidence(source="log", path=log_path(log, line), text=cut(line.text), resource=pod) for line in filled)


def log_path(log: ContainerLog, line: LogLine) -> str:
    """The path of a line of a log in evidence."""
    run = " (previous run)" if log.previous else ""
    return f"{log.container}{run} {line.timestamp}".rstrip()


def quote_node(node: TreeNode, path: str = "health.message") -> tuple[Evidence, ...]:
    """A field of a node of the resource tree (see `TreeNode.fields`)."""
    return quote_field("tree", node.fields, path, node.resource)


def quote_difference(managed: ManagedResource, *path: str | int, live: bool = False) -> tuple[Evidence, ...]:
    """The value at `path` of the state in Git (the predicted one), or of the `live` one in the cluster."""
    state = managed.normalized_live if live else managed.predicted_live
    text = _as_text(lookup(state, *path))
    if not text.strip():
        return ()
    field = path_text(path) + (LIVE if live else "")
    return (Evidence(source="diff", path=field, text=cut(text), resource=managed.resource),)


def quote_revision(revision: Revision, name: str = "message") -> tuple[Evidence, ...]:
    """A field of a revision: `author`, `date` or `message`."""
    return quote_field("revision", revision.fields, f"{revision.revision}.{name}", None)


def quote_field(
    source: EvidenceSource, fields: Mapping[str, str], path: str, resource: ResourceRef | None = None
) -> tuple[Evidence, ...]:
    """A field of a part of the context that lists what can be quoted of it by path; () where it is empty."""
    text = fields.get(path, "")
    return (Evidence(source=source, path=path, text=cut(text), resource=resource),) if text.strip() else ()


def cut(text: str) -> str:
    """`text`, or QUOTE_LIMIT characters of it: both ends around an ellipsis, quoted command lines left out first."""
    return shorten(text, QUOTE_LIMIT)


def one_line(text: str, limit: int = 160) -> str:
    """`text` for a title or a sentence: blanks and line breaks folded, at most `limit` characters, both ends kept."""
    if len(text) <= limit and text.isalnum():
        return text
    return shorten(" ".join(text.split()), limit)


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
    if isinstance(value, str):
        return value
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, int | float):
        return text_at(value)
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
    return ResourceRef.unchecked(kind="Pod", version="v1", name=log.pod, namespace=namespace)
