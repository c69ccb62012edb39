"""What the caller supplied as a context: cleaned, merged and cut like what is read. Reads nothing from anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.context.argocd.answers import managed_resources, revision_of, sync_windows_of, tree_nodes
from agent.context.clean import cleaned, cleaned_application
from agent.context.events import merge_events
from agent.context.logs import parse_entries, parse_text
from agent.context.model import ContainerLog, Event, Gap, ManagedResource, Revision, SyncWindows, TreeNode
from agent.context.source import gap
from agent.objects.manifest import Manifest, list_at
from agent.objects.pods import is_pod
from agent.request.question import LogEntry, Question, Supplied

MANY_EVENTS = 500
"""More events than this are merged in a thread: 500 take some 15 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedContext:
    """The supplied parts; None for what was not supplied. `gaps` say what is wrong with the supplied logs."""

    application: Manifest | None = None
    manifest: Manifest | None = None
    children: tuple[Manifest, ...] | None = None
    related: tuple[Manifest, ...] | None = None
    tree: tuple[TreeNode, ...] | None = None
    managed: tuple[ManagedResource, ...] | None = None
    revisions: tuple[Revision, ...] | None = None
    sync_windows: SyncWindows | None = None
    events: tuple[Event, ...] | None = None
    logs: tuple[ContainerLog, ...] | None = None
    gaps: tuple[Gap, ...] = ()


def is_heavy(supplied: Supplied) -> bool:
    """Whether parsing takes long enough (some milliseconds) to be better done in a thread."""
    characters = sum(len(log) if isinstance(log, str) else 100 * len(log) for log in (supplied.logs or {}).values())
    managed = supplied.managed_resources or ()  # whose states are manifests written as text
    characters += sum(len(value) for each in managed for value in each.values() if isinstance(value, str))
    nodes = len(list_at(supplied.resource_tree, "nodes")) + len(list_at(supplied.resource_tree, "orphanedNodes"))
    return characters > 200_000 or len(supplied.events or ()) + nodes > MANY_EVENTS


def read_supplied(question: Question) -> SuppliedContext:
    """The supplied parts of a question. Of a log the tail that the request names, or what matters of all of it."""
    supplied = question.supplied
    logs: tuple[ContainerLog, ...] | None = None
    gaps: tuple[Gap, ...] = ()
    if supplied.logs is not None:
        logs, gaps = _logs(supplied.logs, question)
    return SuppliedContext(
        application=None if supplied.application is None else cleaned_application(supplied.application),
        manifest=None if supplied.manifest is None else cleaned(supplied.manifest),
        children=None if supplied.children is None else tuple(map(cleaned, supplied.children)),
        related=None if supplied.related is None else tuple(map(cleaned, supplied.related)),
        tree=None if supplied.resource_tree is None else tree_nodes(supplied.resource_tree),
        managed=None if supplied.managed_resources is None else managed_resources([*supplied.managed_resources]),
        revisions=None if supplied.revisions is None else tuple(map(revision_of, supplied.revisions)),
        sync_windows=None if supplied.sync_windows is None else sync_windows_of(supplied.sync_windows),
        events=None if supplied.events is None else merge_events(supplied.events),
        logs=logs,
        gaps=gaps,
    )


def _logs(
    supplied: Mapping[str, str | tuple[LogEntry, ...]], question: Question
) -> tuple[tuple[ContainerLog, ...], tuple[Gap, ...]]:
    """The logs, that of the container asked for first."""
    wanted = question.log_request.container
    logs: list[ContainerLog] = []
    gaps: list[Gap] = []
    tail = question.log_request.tail_lines
    previous = question.log_request.previous
    resource = question.target.resource
    pod = resource.name if resource and is_pod(resource.kind) else ""
    for container in sorted(supplied, key=lambda name: name != wanted):
        log = supplied[container]
        if isinstance(log, str):
            parsed = parse_text(log, container=container, pod=pod, previous=previous, tail_lines=tail)
        else:
            parsed = parse_entries(log, container=container, pod=pod, previous=previous, tail_lines=tail)
        logs += parsed.logs
        gaps += [gap("logs", "supplied", refusal) for refusal in parsed.refusals]
    if wanted is not None and wanted not in supplied:
        message = f"No log of container {wanted!r} was supplied; there are: {', '.join(supplied) or 'none'}"
        gaps.append(Gap(part="logs", source="supplied", reason="not_found", message=message))
    return tuple(logs), tuple(gaps)
