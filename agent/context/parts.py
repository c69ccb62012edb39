"""The parts of the context, each declared once: its name, and how it is supplied, collected, redacted and shown.

To add a part, declare it here and name it in PARTS; a source offers it by a reader under its name. `Context` holds it
in `parts`, and every later step uses the declaration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Discriminator, StrictStr, Tag, ValidationInfo

from agent.context import collecting
from agent.context.argocd.answers import managed_resources, revision_of, tree_nodes, windows_of
from agent.context.clean import cleaned, cleaned_application
from agent.context.context import Part, Redaction, SuppliedAs
from agent.context.events import merge_events
from agent.context.logs import parse_entries, parse_text
from agent.context.model import (
    ContainerLog,
    Event,
    Fleet,
    Gap,
    LogLine,
    ManagedResource,
    Reading,
    Revision,
    SyncWindows,
    TreeNode,
)
from agent.context.source import gap
from agent.objects.manifest import Manifest, list_at, object_at
from agent.objects.pods import is_pod
from agent.request.pasted.reading import read_pasted
from agent.request.question import LogEntry, Question

type _Manifests = tuple[Manifest, ...]

_MANY_EVENTS_CHARACTERS = 400
"""Parsing an event or a node takes as long as so many characters of a log."""


def _cleaned(value: Manifest, _: Question) -> Reading[Manifest | None]:
    return Reading(value=cleaned(value))


def _all_cleaned(value: Iterable[Manifest], _: Question) -> Reading[_Manifests]:
    return Reading(value=tuple(map(cleaned, value)))


APPLICATION = Part[Manifest | None](
    name="application",
    title="the manifest",
    empty=None,
    supplied=SuppliedAs(
        key="application_manifest",
        schema=Manifest,
        expected={(): "must be an object: the Application as Argo CD gives it"},
        option="`-f FILE`",
    ),
    parse=lambda value, _: Reading(value=cleaned_application(value)),
    collect=collecting.collect_application,
    further=False,
)

MANIFEST = Part[Manifest | None](
    name="manifest",
    title="the live manifest",
    empty=None,
    supplied=SuppliedAs(
        key="manifest",
        schema=Manifest,
        expected={(): "must be an object: the live manifest"},
        option="`-f FILE`",
    ),
    parse=_cleaned,
    collect=collecting.collect_manifest,
    further=False,
)

CHILDREN = Part[_Manifests](
    name="children",
    title="the Pods",
    empty=(),
    supplied=SuppliedAs(
        key="children",
        schema=list[Manifest],
        expected={(): "must be a list of manifests", ("*",): "must be an object: a manifest"},
        option="`-f FILE`",
    ),
    parse=_all_cleaned,
    collect=collecting.collect_children,
    further=False,
    evidence="manifest",
)

RELATED = Part[_Manifests](
    name="related",
    title="what belongs to it",
    empty=(),
    supplied=SuppliedAs(
        key="related",
        schema=list[Manifest],
        expected={(): "must be a list of manifests", ("*",): "must be an object: a manifest"},
    ),
    parse=_all_cleaned,
    collect=collecting.collect_related,
    evidence="manifest",
)


def _nodes(tree: Any) -> int:
    return _MANY_EVENTS_CHARACTERS * (len(list_at(tree, "nodes")) + len(list_at(tree, "orphanedNodes")))


def _node_texts(nodes: tuple[TreeNode, ...]) -> Iterable[str]:
    for node in nodes:
        yield f"{node.resource} {node.resource.kind}/{node.resource.name} {node.health} {node.message}"
        yield from node.info.values()
        yield from node.images


TREE = Part[tuple[TreeNode, ...]](
    name="tree",
    title="the resource tree",
    empty=(),
    supplied=SuppliedAs(
        key="resource_tree",
        schema=Manifest,
        expected={(): "must be an object with nodes: the resource tree as Argo CD gives it"},
    ),
    parse=lambda value, _: Reading(value=tree_nodes(value)),
    weight=_nodes,
    collect=collecting.collect_state,
    redact=lambda nodes, redaction: _messages_redacted(nodes, redaction),
    names=lambda nodes: (name for node in nodes for name in (node.resource.name, node.resource.namespace)),
    texts=_node_texts,
    document=lambda nodes: [node for node in nodes if node.health not in {"", "Healthy"}],
)


MESSAGES = Part[tuple[str, ...]](
    name="messages",
    title="the error messages of the question",
    empty=(),
    collect=collecting.collect_messages,
    evidence="question",
    quotable=lambda messages: ({f"message {number}": text} for number, text in enumerate(messages, start=1)),
)


def _item_list(value: object) -> object:
    """The list in Argo CD's `{"items": [...]}`, which is `{}` for an empty list."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value).get("items") or []
    return value


def _states(managed: Iterable[Manifest]) -> int:
    """The characters of the states, which are manifests as JSON texts."""
    return sum(len(value) for each in managed for value in each.values() if isinstance(value, str))


def _managed_redacted(managed: tuple[ManagedResource, ...], redaction: Redaction) -> tuple[ManagedResource, ...]:
    return tuple(
        replace(
            each,
            target=redaction.value(each.target),
            live=redaction.value(each.live),
            normalized_live=redaction.value(each.normalized_live),
            predicted_live=redaction.value(each.predicted_live),
        )
        for each in managed
    )


MANAGED = Part[tuple[ManagedResource, ...]](
    name="managed",
    title="the difference to Git",
    empty=(),
    supplied=SuppliedAs(
        key="managed_resources",
        schema=Annotated[list[Manifest], BeforeValidator(_item_list)],
        expected={
            (): "must be a list of managed resources as Argo CD gives them, or an object with items",
            ("*",): "must be an object: a managed resource with its states",
        },
    ),
    parse=lambda value, _: Reading(value=managed_resources([*value])),
    weight=_states,
    collect=collecting.collect_managed,
    redact=_managed_redacted,
    names=lambda managed: (name for each in managed for name in (each.resource.name, each.resource.namespace)),
    objects=lambda managed: (
        state for each in managed for state in (each.normalized_live, each.predicted_live) if state
    ),
    evidence="diff",
)

REVISIONS = Part[tuple[Revision, ...]](
    name="revisions",
    title="the deployed revisions",
    empty=(),
    supplied=SuppliedAs(
        key="revisions",
        schema=list[Manifest],
        expected={
            (): "must be a list of revision metadata, newest first",
            ("*",): "must be an object with revision, author, date and message",
        },
    ),
    parse=lambda value, _: Reading(value=tuple(map(revision_of, value))),
    collect=collecting.collect_sync_state,
    redact=lambda revisions, redaction: _messages_redacted(revisions, redaction),
    texts=lambda revisions: (f"{each.revision} {each.author} {each.date} {each.message}" for each in revisions),
    evidence="revision",
    quotable=lambda revisions: (revision.fields for revision in revisions),
)


def _window_texts(windows: SyncWindows | None) -> Iterable[str]:
    for each in (*windows.assigned, *windows.active) if windows else ():
        yield f"{each.kind} {each.schedule} {each.duration}"


SYNC_WINDOWS = Part[SyncWindows | None](
    name="sync_windows",
    title="the sync windows",
    empty=None,
    supplied=SuppliedAs(
        key="sync_windows",
        schema=Manifest,
        expected={(): "must be an object with assignedWindows, activeWindows and canSync"},
    ),
    parse=lambda value, _: Reading(value=windows_of(value)),
    collect=collecting.collect_sync_state,
    redact=lambda windows, _: windows,  # kinds, schedules and durations only
    texts=_window_texts,
    quotable=lambda windows: (windows.fields,) if windows else (),
)

FLEET = Part[Fleet | None](
    name="fleet",
    title="the list of Applications",
    empty=None,
    redact=lambda fleet, _: fleet,  # the survey redacts what it reads of each Application
)


def _event_list(value: object, info: ValidationInfo) -> object:
    """The list in an EventList (`{"items": [...] or null}`), or the events of a printed table."""
    if isinstance(value, str):
        events = read_pasted(value, info.data.get("read_at") or datetime.now(UTC)).events
        if not events:
            raise ValueError(_EVENTS_EXPECTED)
        return events
    if isinstance(value, dict):
        body = cast("dict[str, object]", value)
        if "items" not in body:
            raise ValueError(_EVENTS_EXPECTED)
        return [] if body["items"] is None else body["items"]
    return value


_EVENTS_EXPECTED = "must be a list of Kubernetes events or an EventList (an object with items)"


def _event_names(events: tuple[Event, ...]) -> Iterable[str]:
    for involved in (event.involved for event in events):
        if involved:
            yield from (involved.name, involved.namespace)


EVENTS = Part[tuple[Event, ...]](
    name="events",
    title="the events",
    empty=(),
    supplied=SuppliedAs(
        key="events",
        schema=Annotated[list[Manifest], BeforeValidator(_event_list)],
        expected={(): _EVENTS_EXPECTED, ("*",): "must be an object: a Kubernetes event"},
        option="`--events FILE`",
    ),
    parse=lambda value, _: Reading(value=merge_events(value)),
    weight=lambda value: _MANY_EVENTS_CHARACTERS * len(value),
    collect=collecting.collect_events,
    further=False,
    redact=lambda events, redaction: _messages_redacted(events, redaction),
    names=_event_names,
    texts=lambda events: (
        f"{event.type} {event.reason} {event.message} {event.involved or ''} {event.count} {event.last_seen}"
        for event in events
    ),
    evidence="event",
)


def _entry(value: object) -> object:
    return object_at(value, "result") or value


def _log_form(value: object) -> str | None:
    return "text" if isinstance(value, str) else "entries" if isinstance(value, list) else None


type SuppliedLog = Annotated[
    Annotated[StrictStr, Tag("text")] | Annotated[list[Annotated[LogEntry, BeforeValidator(_entry)]], Tag("entries")],
    Discriminator(_log_form),
]


def _logs_parsed(logs: Mapping[str, str | list[LogEntry]], question: Question) -> Reading[tuple[ContainerLog, ...]]:
    """The parsed logs, that of the requested container first."""
    request = question.log_request
    wanted, tail, previous = request.container, request.tail_lines, request.previous
    resource = question.target.resource
    pod = resource.name if resource and is_pod(resource.kind) else ""
    parsed: list[ContainerLog] = []
    gaps: list[Gap] = []
    for container in sorted(logs, key=lambda name: name != wanted):
        log = logs[container]
        if isinstance(log, str):
            one = parse_text(log, container=container, pod=pod, previous=previous, tail_lines=tail)
        else:
            one = parse_entries(log, container=container, pod=pod, previous=previous, tail_lines=tail)
        parsed += one.logs
        gaps += [gap("logs", "supplied", refusal) for refusal in one.refusals]
    if wanted is not None and wanted not in logs:
        message = f"No log of container {wanted!r} was supplied; there are: {', '.join(logs) or 'none'}"
        gaps.append(Gap(part="logs", source="supplied", reason="not_found", message=message))
    return Reading(value=tuple(parsed), gaps=tuple(gaps))


def _logs_redacted(logs: tuple[ContainerLog, ...], redaction: Redaction) -> tuple[ContainerLog, ...]:
    return tuple(replace(log, lines=_lines_redacted(log.lines, redaction)) for log in logs)


def _lines_redacted(lines: tuple[LogLine, ...], redaction: Redaction) -> tuple[LogLine, ...]:
    texts = redaction.texts([line.text for line in lines])
    pairs = zip(lines, texts, strict=True)
    return tuple(line if text == line.text else replace(line, text=text) for line, text in pairs)


def _log_texts(logs: tuple[ContainerLog, ...]) -> Iterable[str]:
    for log in logs:
        yield f"{log.container} {log.pod}"
        yield from (f"{line.timestamp} {line.text}" for line in log.lines)


LOGS = Part[tuple[ContainerLog, ...]](
    name="logs",
    title="the logs",
    empty=(),
    supplied=SuppliedAs(
        key="logs",
        schema=dict[str, SuppliedLog],
        expected={
            (): "must be an object with a log for each container",
            ("*",): "must be text or a list of Argo CD log entries",
            ("*", "*"): 'must be an Argo CD log entry, like {"content": "...", "timeStampStr": "..."}',
        },
        tag_at=2,
        option="`--logs FILE`",
    ),
    parse=_logs_parsed,
    weight=lambda logs: sum(len(log) if isinstance(log, str) else 100 * len(log) for log in logs.values()),
    collect=collecting.collect_logs,
    further=False,
    redact=_logs_redacted,
    names=lambda logs: (name for log in logs for name in (log.container, log.pod)),
    texts=_log_texts,
    evidence="log",
)


def _messages_redacted[V: (Event, Gap, Revision, TreeNode)](
    values: tuple[V, ...], redaction: Redaction
) -> tuple[V, ...]:
    messages = redaction.texts([each.message for each in values])
    pairs = zip(values, messages, strict=True)
    return tuple(each if message == each.message else replace(each, message=message) for each, message in pairs)


PARTS: tuple[Part[Any], ...] = (
    APPLICATION,
    MANIFEST,
    TREE,
    CHILDREN,
    RELATED,
    MANAGED,
    REVISIONS,
    SYNC_WINDOWS,
    FLEET,
    EVENTS,
    LOGS,
    MESSAGES,
)
"""The parts of a context, in the order of gaps and documents."""
