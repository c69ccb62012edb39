"""What Argo CD reports of an Application, as text: operation and status, revisions and sync windows, deployments, tree.

Owns what is shown of an Application of thousands of resources: counts, and those in trouble.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.context.context import Context
from agent.context.model import SyncWindow, TreeNode
from agent.objects.health import badness
from agent.objects.manifest import Manifest, list_at, object_at, objects_at, text_at
from agent.prompt.rendering.manifests import render_manifest
from agent.prompt.rendering.rendered import Rendered, label, shortened, whole_items

_STATUS = ("health", "conditions", "sourceType", "sourceTypes", "summary")
_OPERATION = ("phase", "message", "startedAt", "finishedAt", "retryCount", "operation")
_WELL = ("Synced", "Pruned")
# The most names of resources that share a state.
_MOST_NAMES = 10
_MOST_STATES = 40


def render_operation(application: Manifest, limit: int) -> Rendered:
    """Sync and health status, conditions, and the last operation with the results that failed."""
    status = object_at(application, "status")
    sync = {key: value for key, value in object_at(status, "sync").items() if key != "comparedTo"}
    shown: Manifest = {
        "apiVersion": application.get("apiVersion"),
        "kind": application.get("kind"),
        "metadata": _names(application),
        "status": {
            "sync": sync,
            "operationState": _operation(object_at(status, "operationState")),
            "resources": _resources(objects_at(status, "resources")),
            **{key: status[key] for key in _STATUS if key in status},
        },
    }
    return render_manifest(shown, limit)


def render_application(application: Manifest, limit: int) -> Rendered:
    """What is to be deployed from where: spec, labels and annotations."""
    shown = {key: value for key, value in application.items() if key not in ("status", "operation")}
    return render_manifest(shown, limit)


def has_sync_state(context: Context) -> bool:
    """Whether there is anything for `render_sync` to show."""
    return bool(context.revisions or context.sync_windows)


def render_sync(context: Context, limit: int) -> Rendered:
    """Whether a sync is allowed now, the windows, and the deployed revisions, newest first."""
    lines = [*_windows(context), *_revisions(context)]
    return whole_items(lines, limit, "older revisions", count=len(lines))


def render_deployments(application: Manifest, limit: int) -> Rendered:
    """`status.history`, newest first, a line each."""
    entries = list(reversed(objects_at(application, "status", "history")))
    return whole_items(map(_deployment, entries), limit, "older deployments", count=len(entries))


def render_tree(nodes: Sequence[TreeNode], limit: int) -> Rendered:
    """Counts by kind and health, then each state that is not well with its message and who is in it, then the names."""
    lines = [_counts(nodes), *_unwell(nodes), *_names_by_kind(nodes)]
    return whole_items(lines, limit, "lines of the resource tree", count=len(lines))


def _names(application: Manifest) -> Manifest:
    return {key: object_at(application, "metadata").get(key) for key in ("name", "namespace", "deletionTimestamp")}


def _operation(state: Manifest) -> Manifest:
    shown: Manifest = {key: state[key] for key in _OPERATION if key in state}
    result = object_at(state, "syncResult")
    if revision := result.get("revision") or result.get("revisions"):
        shown["revision"] = revision
    shown["results"] = _results(objects_at(result, "resources"))
    return shown


def _results(entries: Sequence[Manifest]) -> list[Any]:
    """The results that failed in full, the others as a count."""
    bad = [entry for entry in entries if not _went_well(entry)]
    shown: list[Any] = [{key: value for key, value in entry.items() if key != "version"} for entry in bad]
    if well := len(entries) - len(bad):
        shown.append(f"{well} others went well")
    return shown


def _went_well(entry: Manifest) -> bool:
    hook = text_at(entry, "hookPhase")
    return text_at(entry, "status") in ("", *_WELL) and hook in ("", "Succeeded", "Running")


def _resources(entries: Sequence[Manifest]) -> list[str]:
    """The Application's resources by their state: names where they are not well, else a count."""
    groups: dict[str, list[str]] = {}
    for entry in entries:
        prune = "to be pruned" if entry.get("requiresPruning") is True else ""
        state = (text_at(entry, "status"), text_at(entry, "health", "status"), prune)
        groups.setdefault(", ".join(word for word in map(label, state) if word), []).append(_place(entry))
    shown = [f"{state or 'no state'}: {_some(names)}" for state, names in groups.items() if not _is_well(state)]
    return shown + [f"{state}: {len(names)} resources" for state, names in groups.items() if _is_well(state)]


def _is_well(state: str) -> bool:
    return state in ("Synced", "Synced, Healthy")


def _place(entry: Manifest) -> str:
    namespace, name = text_at(entry, "namespace"), text_at(entry, "name")
    return label(f"{text_at(entry, 'kind')} {namespace}/{name}" if namespace else f"{text_at(entry, 'kind')} {name}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _windows(context: Context) -> Iterator[str]:
    windows = context.sync_windows
    if windows is None:
        return
    yield f"can be synced now: {'yes' if windows.can_sync else 'no'}"
    yield from (f"active window: {_window(window)}" for window in windows.active)
    active = set(windows.active)
    yield from (f"assigned window: {_window(window)}" for window in windows.assigned if window not in active)


def _window(window: SyncWindow) -> str:
    manual = ", manual sync allowed" if window.manual_sync else ""
    return f"{window.kind} at {window.schedule!r} for {window.duration}{manual}"


def _revisions(context: Context) -> Iterator[str]:
    for revision in context.revisions:
        tags = f" ({', '.join(revision.tags)})" if revision.tags else ""
        by = " ".join(word for word in (revision.date, revision.author) if word)
        yield f"revision {revision.revision}{tags}{f' of {by}' if by else ''}: {shortened(revision.message.strip())}"


def _deployment(entry: Manifest) -> str:
    revisions = text_at(entry, "revision") or ", ".join(str(each) for each in list_at(entry, "revisions")[:5])
    by = text_at(entry, "initiatedBy", "username")
    if object_at(entry, "initiatedBy").get("automated") is True:
        by = "automated sync"
    return f"- {text_at(entry, 'deployedAt') or 'time unknown'}: {revisions}{f' by {by}' if by else ''}"


def _counts(nodes: Sequence[TreeNode]) -> str:
    kinds: dict[str, Counter[str]] = {}
    for node in nodes:
        kinds.setdefault(node.resource.kind, Counter())[node.health or "no health"] += 1
    parts = (f"{label(kind)} {_by_health(counts)}" for kind, counts in sorted(kinds.items())[:_MOST_STATES])
    return f"{len(nodes)} nodes: {'; '.join(parts)}"


def _by_health(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {label(health)}" for health, count in sorted(counts.items()))


def _unwell(nodes: Sequence[TreeNode]) -> Iterator[str]:
    """Nodes that share health, kind and message in one line, the worst first."""
    groups: dict[tuple[str, str, str], list[TreeNode]] = {}
    for node in nodes:
        if node.health not in ("", "Healthy"):
            groups.setdefault((node.health, node.resource.kind, node.message), []).append(node)
    ranked = sorted(groups.items(), key=lambda group: -badness(group[0][0]))
    for (health, kind, message), members in ranked[:_MOST_STATES]:
        names = _some([_node(member) for member in members])
        yield f"- {label(health)} {label(kind)}: {names}{f': {shortened(message)}' if message else ''}"
    if more := sum(len(members) for _, members in ranked[_MOST_STATES:]):
        yield f"- and {more} more that are not healthy"


def _node(node: TreeNode) -> str:
    resource = node.resource
    name = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    notes = ", ".join(f"{key} {node.info[key]}" for key in ("Status Reason", "Restart Count") if node.info.get(key))
    orphaned = ["orphaned"] if node.orphaned else []
    shown = ", ".join([*orphaned, *([label(notes)] if notes else [])])
    return label(name) + (f" ({shown})" if shown else "")


def _names_by_kind(nodes: Sequence[TreeNode]) -> Iterator[str]:
    kinds: dict[str, list[str]] = {}
    for node in nodes:
        if node.health in ("", "Healthy"):
            kinds.setdefault(node.resource.kind, []).append(_node(node))
    for kind, names in sorted(kinds.items())[:_MOST_STATES]:
        yield f"- {label(kind)} without a complaint: {_some(names)}"
