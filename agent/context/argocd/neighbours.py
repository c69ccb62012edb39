"""The neighbours of a resource in Argo CD's tree: its owners, what it names, what selects it or routes to it.

Owns the choice and its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from agent.context.model import TreeNode
from agent.context.selection import nodes_in
from agent.context.source import MAX_CHILDREN
from agent.context.tree import ResourceTree, identity, is_pod_node, worst_first
from agent.objects.manifest import Manifest, text_at
from agent.objects.references import pod_labels, points_to, references, selects_pods
from agent.objects.selectors import takes
from agent.objects.target import ResourceRef

# How many neighbours of each sort are read.
_OWNERS, _NAMED, _SERVICES, _ENDPOINTS, _POINTING = 3, 6, 2, 2, 3

# Kinds whose targets are in their manifests only, not in the tree.
_POINTS = frozenset({"HorizontalPodAutoscaler", "PodDisruptionBudget", "ScaledObject"})


def nodes_around(
    tree: ResourceTree, node: TreeNode, manifest: Manifest | None, children: Sequence[Manifest]
) -> list[TreeNode]:
    """Return the nodes around `node`, the nearest first. Autoscalers and disruption budgets are candidates: see
    `concerns`."""
    labels = labels_of(node, manifest)
    services = [each for each in tree.nodes if _is(each, "Service", node) and takes(each.target_labels, labels)]
    services = ([node] if node.resource.kind == "Service" else []) + services[:_SERVICES]
    leading = [each for each in tree.nodes if _leads_to(each, services)]
    pointing = [each for each in tree.nodes if each.resource.kind in _POINTS and _same_namespace(each, node)]
    around = (
        *tree.above(node)[:_OWNERS],
        *_without_pods(tree, node),
        *_selected_pods(tree, node),
        *_of_kind(_named(tree, node, [manifest] if manifest else []), "PersistentVolumeClaim"),
        *_named(tree, node, ([manifest] if manifest else []) + list(children[:1]))[:_NAMED],
        *services,
        *islice((each for service in services for each in _endpoints(tree, service)), _ENDPOINTS),
        *leading[:_SERVICES],
        *(pointing[:_POINTING] if labels else ()),
    )
    distinct = {identity(each.resource): each for each in around if each.health != "Missing"}
    distinct.pop(identity(node.resource), None)
    for child in children:
        distinct.pop(text_at(child, "metadata", "uid"), None)
    return list(distinct.values())


def concerns(manifest: Manifest, itself: Iterable[ResourceRef], labels: Mapping[str, str]) -> bool:
    """Whether a manifest around a resource concerns it. A candidate does if it points to the resource or its owners
    (`itself`), or selects its Pods; all others do."""
    if text_at(manifest, "kind") not in _POINTS:
        return True
    return selects_pods(manifest, labels) or any(points_to(manifest, each) for each in itself)


def labels_of(node: TreeNode, manifest: Manifest | None) -> Mapping[str, str]:
    """The labels of the Pods that the resource is or creates."""
    return node.labels if is_pod_node(node) and node.labels else pod_labels(manifest or {})


def _named(tree: ResourceTree, node: TreeNode, manifests: Sequence[Manifest]) -> list[TreeNode]:
    named = [each.resource for manifest in manifests for each in references(manifest)]
    found, _ = nodes_in(tree, named)
    return [each for each in found if each is not node]


def _of_kind(nodes: Iterable[TreeNode], kind: str) -> list[TreeNode]:
    return [node for node in nodes if node.resource.kind == kind]


def _without_pods(tree: ResourceTree, node: TreeNode) -> list[TreeNode]:
    """The newest ReplicaSet or Job between a workload and its Pods, if it is degraded or has no Pods."""
    if is_pod_node(node):
        return []
    between = [each for each in tree.below(node.resource) if each.resource.kind in {"ReplicaSet", "Job"}]
    newest = sorted(between, key=lambda each: each.created_at, reverse=True)[:1]
    return [each for each in newest if each.health == "Degraded" or not tree.pods_below(each.resource)]


def _selected_pods(tree: ResourceTree, node: TreeNode) -> list[TreeNode]:
    """The Pods that a Service selects, the unhealthiest first."""
    if node.resource.kind != "Service" or not node.target_labels:
        return []
    pods = (each for each in tree.nodes if is_pod_node(each) and _same_namespace(each, node))
    return worst_first(pod for pod in pods if takes(node.target_labels, pod.labels))[:MAX_CHILDREN]


def _endpoints(tree: ResourceTree, service: TreeNode) -> list[TreeNode]:
    below = [each for each in tree.below(service.resource)]
    return _of_kind(below, "EndpointSlice") or _of_kind(below, "Endpoints")


def _leads_to(node: TreeNode, services: Sequence[TreeNode]) -> bool:
    names = {(each.resource.namespace, each.resource.name) for each in services}
    return any(each.kind == "Service" and (each.namespace, each.name) in names for each in node.targets)


def _is(node: TreeNode, kind: str, neighbour: TreeNode) -> bool:
    return node.resource.kind == kind and not node.resource.group and _same_namespace(node, neighbour)


def _same_namespace(node: TreeNode, other: TreeNode) -> bool:
    return node.resource.namespace == other.resource.namespace
