"""Argo CD's resource tree: finding a node in it, and the Pods below one.

Owns the reading of nodes and their parents; fetches nothing.
"""

from collections.abc import Iterator

from agent.context.pods import is_pod
from agent.errors import SourceError
from agent.manifest import Manifest, objects_at, text_at
from agent.target import ResourceRef

# Argo CD's health codes, the worst last.
_HEALTH = ("Healthy", "Suspended", "Progressing", "Unknown", "Missing", "Degraded")


def find_node(tree: Manifest, resource: ResourceRef) -> ResourceRef:
    """The node that `resource` names, with group, version, namespace and uid as the tree knows them.

    Kinds are compared without case; a group or namespace that was left out matches where only one node is meant.
    Raises SourceError when there is no such node, or several.
    """
    found = [
        node
        for node in map(_reference, _nodes(tree))
        if node.name == resource.name
        and node.kind.casefold() == resource.kind.casefold()
        and resource.namespace in {"", node.namespace}
        and resource.group in {"", node.group}
    ]
    exact = [node for node in found if (node.group, node.namespace) == (resource.group, resource.namespace)]
    match exact or found:
        case [node]:
            return node
        case []:
            raise SourceError(f"{resource} is not part of the Application's resource tree", code="not_found")
        case several:
            named = ", ".join(f"{node} ({node.group or 'core'})" for node in several[:5])
            message = f"{resource} may be any of {named}: name its group and namespace"
            raise SourceError(message, code="invalid")


def pods_below(tree: Manifest, resource: ResourceRef) -> list[ResourceRef]:
    """Every Pod owned by `resource`, through however many owners; the unhealthiest first, then the newest."""
    owned: dict[object, list[Manifest]] = {}
    for node in _nodes(tree):
        for parent in objects_at(node, "parentRefs"):
            owned.setdefault(_identity(_reference(parent)), []).append(node)
    pods: dict[object, Manifest] = {}
    seen: set[object] = set()
    owners: list[ResourceRef] = [resource]
    while owners:
        identity = _identity(owners.pop())
        if identity in seen:
            continue
        seen.add(identity)
        for node in owned.get(identity, []):
            below = _reference(node)
            owners.append(below)
            if is_pod(below.kind) and not below.group:
                pods[_identity(below)] = node
    ranked = sorted(pods.values(), key=_order, reverse=True)
    return [_reference(node) for node in ranked]


def _nodes(tree: Manifest) -> Iterator[Manifest]:
    yield from objects_at(tree, "nodes")
    yield from objects_at(tree, "orphanedNodes")


def _reference(node: Manifest) -> ResourceRef:
    # The tree's values are for naming and looking up; they are not validated.
    return ResourceRef.model_construct(
        group=text_at(node, "group"),
        version=text_at(node, "version"),
        kind=text_at(node, "kind"),
        namespace=text_at(node, "namespace"),
        name=text_at(node, "name"),
        uid=text_at(node, "uid"),
    )


def _identity(node: ResourceRef) -> object:
    """By uid, or by name for what is not in the cluster (and has no uid)."""
    return node.uid or (node.group, node.kind, node.namespace, node.name)


def _order(node: Manifest) -> tuple[int, int, str]:
    health = text_at(node, "health", "status")
    restarts = next(
        (text_at(info, "value") for info in objects_at(node, "info") if text_at(info, "name") == "Restart Count"), ""
    )
    return (
        _HEALTH.index(health) if health in _HEALTH else 0,
        int(restarts) if restarts.isdecimal() and len(restarts) < 10 else 0,
        text_at(node, "createdAt"),
    )
