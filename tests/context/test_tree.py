"""Finding nodes of a resource tree and the Pods below them."""

from typing import Any

import pytest

from agent.context.argocd.answers import tree_nodes
from agent.context.tree import ResourceTree
from agent.errors import SourceError
from agent.objects.target import ResourceRef


def node(kind: str, name: str, *, parent: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    found = {"group": "", "version": "v1", "kind": kind, "namespace": "shop", "name": name, "uid": f"uid-{name}"}
    parents = [{key: parent[key] for key in ("group", "kind", "namespace", "name", "uid")}] if parent else None
    return found | {"parentRefs": parents} | fields


def find(tree: dict[str, Any], **reference: str) -> ResourceRef:
    return ResourceTree(tree_nodes(tree)).find(ResourceRef(**reference)).resource


def pods_below(tree: dict[str, Any], resource: ResourceRef) -> list[str]:
    return [pod.resource.name for pod in ResourceTree(tree_nodes(tree)).pods_below(resource)]


DEPLOYMENT = node("Deployment", "web", group="apps")
REPLICA_SET = node("ReplicaSet", "web-5d9", group="apps", parent=DEPLOYMENT)


def test_what_was_left_out_is_filled_in_from_the_tree():
    found = find({"nodes": [DEPLOYMENT, REPLICA_SET]}, kind="deployment", name="web")
    assert found == ResourceRef(
        group="apps", version="v1", kind="Deployment", namespace="shop", name="web", uid="uid-web"
    )


def test_of_two_namespaces_the_one_named_is_meant():
    tree = {"nodes": [DEPLOYMENT, DEPLOYMENT | {"namespace": "stage", "uid": "other"}]}
    assert find(tree, kind="Deployment", name="web", namespace="stage").uid == "other"
    with pytest.raises(SourceError, match="name its group and namespace") as raised:
        find(tree, kind="Deployment", name="web")
    assert raised.value.code == "invalid"


def test_the_core_group_goes_before_others_where_no_group_is_named():
    tree = {"nodes": [node("Service", "web", group="serving.knative.dev"), node("Service", "web", uid="core")]}
    assert find(tree, kind="Service", name="web", namespace="shop").uid == "core"


def test_orphaned_resources_are_found_too():
    assert find({"nodes": None, "orphanedNodes": [DEPLOYMENT]}, kind="Deployment", name="web").uid == "uid-web"


@pytest.mark.parametrize("tree", [{}, {"nodes": None}, {"nodes": [REPLICA_SET, None, 3]}])
def test_what_is_not_in_the_tree_is_said(tree: dict[str, Any]):
    with pytest.raises(SourceError, match="Deployment shop/web is not part of the Application's resource tree"):
        find(tree, kind="Deployment", name="web", namespace="shop")


def test_pods_are_found_through_all_their_owners_the_unhealthiest_first():
    pods = [
        node("Pod", "fine", parent=REPLICA_SET, health={"status": "Healthy"}),
        node("Pod", "bad", parent=REPLICA_SET, health={"status": "Degraded"}),
        node("Pod", "flaky", parent=REPLICA_SET, info=[{"name": "Restart Count", "value": "4"}]),
        node("Pod", "other", parent=node("ReplicaSet", "db", group="apps")),
        node("Endpoints", "web", parent=DEPLOYMENT),
    ]
    tree = {"nodes": [DEPLOYMENT, REPLICA_SET, *pods]}
    assert pods_below(tree, find(tree, kind="Deployment", name="web")) == ["bad", "flaky", "fine"]


def test_owners_that_own_each_other_come_to_an_end():
    one, two = node("ReplicaSet", "one"), node("ReplicaSet", "two")
    tree = {"nodes": [one | {"parentRefs": [two]}, two | {"parentRefs": [one]}]}
    assert pods_below(tree, find(tree, kind="ReplicaSet", name="one")) == []


def test_a_large_tree_is_walked_once():
    chain = [node("Thing", "0")]
    for number in range(1, 5_000):
        chain.append(node("Thing", str(number), parent=chain[-1]))
    tree = {"nodes": [*chain, node("Pod", "last", parent=chain[-1])]}
    assert pods_below(tree, find(tree, kind="Thing", name="0")) == ["last"]
