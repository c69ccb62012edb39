"""Parses the answers of Argo CD's API about an Application: resource tree, managed resources, sync windows, revisions.

Owns the fields of those answers, fetched or supplied. They are those of `pkg/apis/application/v1alpha1/types.go` and
`server/application/application.proto` in argoproj/argo-cd.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.context.clean import without_secret_values
from agent.context.model import ManagedResource, Revision, SyncWindow, SyncWindows, TreeNode
from agent.objects.manifest import Manifest, list_at, lookup, object_at, objects_at, text_at
from agent.objects.target import reference_of


def tree_nodes(answer: object) -> tuple[TreeNode, ...]:
    """Return the nodes of a `/resource-tree` answer, then the orphaned ones, but none without a kind or a name."""
    owned = (_node(node, orphaned=False) for node in objects_at(answer, "nodes"))
    orphaned = (_node(node, orphaned=True) for node in objects_at(answer, "orphanedNodes"))
    return tuple(node for node in (*owned, *orphaned) if node.resource.kind and node.resource.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """Resources that differ between Git and the cluster: `kept` of `total`, parsed from `size` bytes of states."""

    kept: tuple[ManagedResource, ...] = ()
    total: int = 0
    size: int = 0


def managed_resources(answer: object) -> tuple[ManagedResource, ...]:
    """Return the differing resources of a `/managed-resources` answer (or its `items`); a state is JSON in a string."""
    items = objects_at(answer) or objects_at(answer, "items")
    return tuple(found for item in items if (found := _differing(item)))


def differing(chunks: Iterable[bytes], *, most: int) -> Differing:
    """Like `managed_resources` for an answer that arrives in pieces: `most` resources are kept, one is held at a time.

    Raises ValueError if the answer is no JSON.
    """
    import ijson

    items: list[object] = ijson.sendable_list()
    parser = ijson.items_coro(items, "items.item")
    kept: list[ManagedResource] = []
    total = size = 0
    try:
        for chunk in chunks:
            parser.send(chunk)
            for item in map(object_at, items):
                found = _differing(item) if len(kept) < most else None
                kept += [found] if found else []
                total += 1 if found or (len(kept) == most and _texts_differ(item)) else 0
                size += sum(len(text_at(item, state)) for state in _STATES) if found else 0
            items.clear()
        parser.close()
    except ijson.JSONError as error:
        raise ValueError("the answer is no JSON") from error
    return Differing(kept=tuple(kept), total=total, size=size)


def revision_of(answer: object, revision: str = "") -> Revision:
    """Return the revision of a `/revisions/{revision}/metadata` answer; `revision` is the one that was requested."""
    return Revision(
        revision=text_at(answer, "revision") or revision,
        author=text_at(answer, "author"),
        date=text_at(answer, "date"),
        message=text_at(answer, "message"),
        tags=tuple(tag for tag in list_at(answer, "tags") if isinstance(tag, str)),
    )


def windows_of(answer: object) -> SyncWindows:
    """Return the sync windows of a `/syncwindows` answer."""
    return SyncWindows(
        assigned=tuple(_windows(answer, "assignedWindows")),
        active=tuple(_windows(answer, "activeWindows")),
        can_sync=lookup(answer, "canSync") is not False,
    )


_STATES = ("targetState", "liveState", "normalizedLiveState", "predictedLiveState")


def _differing(item: Manifest) -> ManagedResource | None:
    """The resource, None if Argo CD's UI shows no difference."""
    if not _texts_differ(item):
        return None
    target, live, normalized, predicted = (_state(item, name) for name in _STATES)
    if normalized is not None and normalized == predicted:
        return None
    return ManagedResource(
        resource=reference_of(item), target=target, live=live, normalized_live=normalized, predicted_live=predicted
    )


def _texts_differ(item: Manifest) -> bool:
    """Whether it is a resource whose states differ as texts; the others need not be parsed."""
    if not (text_at(item, "kind") and text_at(item, "name")):
        return False
    target, live, normalized, predicted = (text_at(item, name) or "null" for name in _STATES)
    return normalized != predicted or (normalized == "null" and live != target)


def _windows(answer: object, key: str) -> Iterator[SyncWindow]:
    for window in objects_at(answer, key):
        yield SyncWindow(
            kind=text_at(window, "kind"),
            schedule=text_at(window, "schedule"),
            duration=text_at(window, "duration"),
            manual_sync=lookup(window, "manualSync") is True,
        )


def _node(node: Manifest, *, orphaned: bool) -> TreeNode:
    info = {text_at(item, "name"): text_at(item, "value") for item in objects_at(node, "info")}
    return TreeNode(
        resource=reference_of(node),
        health=text_at(node, "health", "status"),
        message=text_at(node, "health", "message"),
        parents=tuple(map(reference_of, objects_at(node, "parentRefs"))),
        info={name: value for name, value in info.items() if name},
        images=tuple(image for image in list_at(node, "images") if isinstance(image, str)),
        labels=_texts(node, "networkingInfo", "labels"),
        target_labels=_texts(node, "networkingInfo", "targetLabels"),
        targets=tuple(map(reference_of, objects_at(node, "networkingInfo", "targetRefs"))),
        created_at=text_at(node, "createdAt"),
        orphaned=orphaned,
    )


def _texts(node: Manifest, *path: str) -> dict[str, str]:
    return {key: value for key, value in object_at(node, *path).items() if isinstance(value, str)}


def _state(item: Manifest, key: str) -> Manifest | None:
    """The state as an object, None for `null`, "", and anything but a JSON object."""
    try:
        return without_secret_values(object_at(json.loads(text_at(item, key) or "null"))) or None
    except (ValueError, RecursionError):
        return None
