"""What the resource tree says of health is never lost, and never said twice."""

from dataclasses import replace

import pytest

from agent.context.context import Context
from agent.context.model import TreeNode
from agent.findings import analyze
from agent.findings.engine.inventory import Inventory
from agent.objects.manifest import Manifest
from agent.objects.target import ApplicationRef, ResourceRef
from tests.findings.citations import findings_of
from tests.findings.cluster import NAMESPACE, condition, context, crash_loop, pod, resource


def reference(kind: str, name: str, group: str = "") -> ResourceRef:
    return ResourceRef(group=group, version="v1", kind=kind, namespace=NAMESPACE, name=name)


def node(kind: str, name: str, health: str, message: str = "", *parents: ResourceRef, group: str = "") -> TreeNode:
    return TreeNode(resource=reference(kind, name, group), health=health, message=message, parents=parents)


def tree(*nodes: TreeNode, manifests: tuple[Manifest, ...] = ()) -> Context:
    return replace(context(None, *manifests), tree=nodes)


@pytest.mark.parametrize(
    ("health", "message", "severity"),
    [
        ("Degraded", "quota exceeded", "error"),
        ("Missing", "the namespace is not there", "warning"),
        ("Unknown", "lua script timed out", "warning"),
        ("Progressing", "rollout failed 3 times, retrying", "warning"),
    ],
)
def test_a_health_message_becomes_a_finding(health: str, message: str, severity: str) -> None:
    (finding,) = findings_of(tree(node("Widget", "w", health, message)))

    assert finding.severity == severity
    assert finding.title == f"Widget w is {health}: {message}"
    assert (finding.evidence[0].source, finding.evidence[0].text) == ("tree", message)


@pytest.mark.parametrize(
    "well",
    [
        node("Widget", "w", "Healthy", "no failures"),
        node("Widget", "w", "Healthy", "Failed once"),
        node("Widget", "w", "Progressing", "1 of 3 replicas are up"),
        node("Widget", "w", "Suspended", "Rollout is paused"),
        node("Widget", "w", "Missing"),
        node("Widget", "w", "Unknown"),
        node("Widget", "w", ""),
    ],
)
def test_what_is_well_on_its_way_or_says_nothing_is_no_finding(well: TreeNode) -> None:
    assert findings_of(tree(well)) == ()


def test_degraded_without_a_message_is_told_where_nothing_else_is_known() -> None:
    (finding,) = findings_of(tree(node("Widget", "w", "Degraded")))

    assert finding.evidence[0].text == "Degraded"


def test_an_owner_without_a_message_is_left_to_what_is_wrong_below_it() -> None:
    parent = node("Widget", "w", "Degraded")
    child = node("Gadget", "g", "Degraded", "no such host", parent.resource)

    assert [f.title for f in findings_of(tree(parent, child))] == ["Gadget g is Degraded: no such host"]


def test_children_stand_above_their_owners() -> None:
    top = node("Deployment", "w", "Degraded", "exceeded its progress deadline", group="apps")
    middle = node("ReplicaSet", "w-1", "Progressing", "", top.resource, group="apps")
    leaf = node("Pod", "w-1-a", "Degraded", "back-off restarting", middle.resource)

    titles = [finding.title for finding in findings_of(tree(top, middle, leaf))]

    assert titles == ["Pod w-1-a is Degraded: back-off restarting", f"Deployment w is Degraded: {top.message}"]


def test_a_message_that_a_finding_quotes_is_not_told_again() -> None:
    failing = condition("Ready", "False", "E", "secret tls-cert was not found")
    widget = resource("example.com/v1", "Widget", "w", status={"conditions": [failing]})
    known = TreeNode(resource=ResourceRef.of(widget) or reference("", ""), health="Degraded")

    for message in ("secret tls-cert  was not found", "E: secret tls-cert was not found"):
        (finding,) = findings_of(tree(replace(known, message=message), manifests=(widget,)))
        assert not any(evidence.source == "tree" for evidence in finding.evidence)


def test_another_message_joins_the_finding_about_the_same_resource() -> None:
    crashed = pod(crash_loop(137, "OOMKilled"))
    degraded = TreeNode(
        resource=ResourceRef.of(crashed) or reference("", ""), health="Degraded", message="out of patience"
    )

    (finding,) = findings_of(tree(degraded, manifests=(crashed,)))

    assert "OOMKilled" in finding.title
    assert finding.evidence[-1].text == "out of patience"


def test_many_pods_of_one_owner_with_one_message_are_one_finding() -> None:
    owner = reference("ReplicaSet", "w-1", "apps")
    pods = [node("Pod", f"w-1-{i}", "Degraded", "back-off restarting", owner) for i in range(30)]

    (finding,) = findings_of(tree(*pods))

    assert "25 more" in finding.explanation


def test_a_missing_resource_is_created_by_a_sync() -> None:
    known = tree(node("ConfigMap", "c", "Missing", "not there"))
    application = ApplicationRef(name="shop", namespace="argocd")
    known = replace(known, target=known.target.model_copy(update={"application": application}))

    (finding,) = findings_of(known)

    assert f"`argocd app sync argocd/shop --resource :ConfigMap:{NAMESPACE}/c`" in finding.next_steps[0]


def test_a_tree_of_thousands_is_read_in_linear_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    original = Inventory.node

    def counting(self: Inventory, kind: str, namespace: str, name: str) -> TreeNode | None:
        nonlocal looked
        looked += 1
        return original(self, kind, namespace, name)

    def steps(count: int) -> int:
        nonlocal looked
        looked = 0
        nodes: list[TreeNode] = []
        for i in range(count):
            parents = (nodes[-1].resource,) if i % 10 else ()
            nodes.append(node("Widget", f"w-{i}", "Degraded", f"failure {i}", *parents))
        assert len(analyze(tree(*nodes))) == count
        return looked

    monkeypatch.setattr(Inventory, "node", counting)

    few, many = steps(50), steps(500)
    assert few > 0
    assert many <= 11 * few


def test_a_circle_of_owners_ends() -> None:
    one, two = reference("Widget", "a"), reference("Widget", "b")

    found = findings_of(tree(node("Widget", "a", "Degraded", "x", two), node("Widget", "b", "Degraded", "y", one)))

    assert len(found) == 2
