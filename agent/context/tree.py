"""Argo CD's resource tree: finding a node, the nodes below it and its owners.

Owns the walk through owners and the order of unhealthiness.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from agent.context.model import TreeNode
from agent.errors import SourceError
from agent.objects.health import badness
from agent.objects.pods import is_pod
from agent.objects.target import ResourceRef

MAX_OWNERS = 20
"""Owners above one node that are looked at; real chains have three or four."""


class ResourceTree:
    """The nodes of a tree, indexed once."""

    def __init__(self, nodes: Sequence[TreeNode]) -> None:
        self.nodes = nodes
        self._by_identity = {identity(node.resource): node for node in nodes}
        self._named: dict[tuple[str, str], list[TreeNode]] = {}
        self._owned: dict[object, list[TreeNode]] = {}
        for node in nodes:
            self._named.setdefault((node.resource.kind.casefold(), node.resource.name), []).append(node)
            for parent in node.parents:
                self._owned.setdefault(identity(parent), []).append(node)

    def find(self, resource: ResourceRef) -> TreeNode:
        """Return the node that `resource` names, with group, version, namespace and uid as in the tree.

        Kinds are compared without case; a group or namespace that was left out matches if only one node fits.
        Raises SourceError when there is no such node, or several.
        """
        found = [
            node
            for node in self._named.get((resource.kind.casefold(), resource.name), [])
            if resource.namespace in {"", node.resource.namespace} and resource.group in {"", node.resource.group}
        ]
        place = (resource.group, resource.namespace)
        exact = [node for node in found if (node.resource.group, node.resource.namespace) == place]
        match exact or found:
            case [node]:
                return node
            case []:
                message = f"{resource} is not part of the Application's resource tree"
                raise SourceError(message, code="not_found", refused=True)
            case several:
                named = ", ".join(f"{node.resource} ({node.resource.group or 'core'})" for node in several[:5])
                message = f"{resource} may be any of {named}: name its group and namespace"
                raise SourceError(message, code="invalid", refused=True)

    def below(self, resource: ResourceRef) -> Iterator[TreeNode]:
        """Yield every node owned by `resource`, directly or through other owners."""
        seen = {identity(resource)}
        owners = [resource]
        while owners:
            for node in self._owned.get(identity(owners.pop()), []):
                if (key := identity(node.resource)) not in seen:
                    seen.add(key)
                    owners.append(node.resource)
                    yield node

    def pods_below(self, resource: ResourceRef) -> list[TreeNode]:
        """Return the Pods below `resource`, the unhealthiest first, then the newest."""
        return worst_first(node for node in self.below(resource) if is_pod_node(node))

    def above(self, node: TreeNode) -> list[TreeNode]:
        """Return the owners of a node and theirs, the nearest first, MAX_OWNERS at most."""
        found: dict[object, TreeNode] = {}
        waiting = deque(node.parents)
        while waiting and len(found) < MAX_OWNERS:
            parent = self._by_identity.get(identity(waiting.popleft()))
            if parent and parent is not node and identity(parent.resource) not in found:
                found[identity(parent.resource)] = parent
                waiting += parent.parents
        return list(found.values())

    def root(self, node: TreeNode) -> TreeNode:
        """Return the outermost owner, which is the one in Git; the node itself if it has none."""
        owners = self.above(node)
        return owners[-1] if owners else node


def identity(node: ResourceRef) -> object:
    """Return a key of the node: its uid, or its name if it is not in the cluster and has no uid."""
    return node.uid or (node.group, node.kind, node.namespace, node.name)


def is_pod_node(node: TreeNode) -> bool:
    """Whether the node is a Pod."""
    return is_pod(node.resource.kind) and not node.resource.group


def worst_first(nodes: Iterable[TreeNode]) -> list[TreeNode]:
    """Return the nodes by health status, the worst first, then by restarts, then the newest first."""
    return sorted(nodes, key=_order, reverse=True)


def _order(node: TreeNode) -> tuple[int, int, str]:
    restarts = node.info.get("Restart Count", "")
    return (
        badness(node.health),
        int(restarts) if restarts.isdecimal() and len(restarts) < 10 else 0,
        node.created_at,
    )
