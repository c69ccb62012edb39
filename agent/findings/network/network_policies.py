"""NetworkPolicies that may block a connection, or select no Pods. A policy that works as written is no fault."""

from collections.abc import Iterator

from agent.findings.engine.build import named, namespace_of, object_finding
from agent.findings.engine.evidence import quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, list_at, lookup, object_at
from agent.objects.selectors import Labels, labels_at, selects

POLICY: GroupKind = ("networking.k8s.io", "NetworkPolicy")

_QUOTED = 2


def network_policies(inventory: Inventory) -> Iterator[Finding]:
    """The finding that the policy of the question selects none of the known Pods of its namespace."""
    for policy in inventory.of(POLICY):
        selector, namespace = object_at(policy, "spec", "podSelector"), namespace_of(policy)
        if not selector or not inventory.is_asked_about(policy):
            continue
        labels = list(_labels(inventory, namespace))
        if labels and not any(selects(selector, each) for each in labels):
            yield object_finding(
                policy,
                f"{named(policy)} selects none of the {len(labels)} known pods of its namespace",
                "A policy that selects no pods neither protects nor blocks anything.",
                quote(policy, "spec", "podSelector"),
                "Compare its podSelector with the pods' labels: `kubectl get pods --show-labels` in its namespace.",
                severity="info",
            )


def _labels(inventory: Inventory, namespace: str) -> Iterator[Labels]:
    for pod in inventory.of(("", "Pod")):
        if namespace_of(pod) == namespace:
            yield labels_at(pod, "metadata", "labels")
    for node in inventory.context.tree:
        if (node.resource.group, node.resource.kind, node.resource.namespace) == ("", "Pod", namespace):
            yield node.labels


def policies_on(inventory: Inventory, namespace: str, labels: Labels, direction: str) -> list[Manifest]:
    """The policies that restrict the traffic of a Pod with these labels; `direction` is Egress or Ingress."""
    return [
        policy
        for policy in inventory.of(POLICY)
        if namespace_of(policy) == namespace
        and _is_about(policy, direction)
        and selects(object_at(policy, "spec", "podSelector"), labels)
    ]


def _is_about(policy: Manifest, direction: str) -> bool:
    types = list_at(policy, "spec", "policyTypes")
    # Without policyTypes a policy is about Ingress, and about Egress where it has such rules:
    # https://kubernetes.io/docs/concepts/services-networking/network-policies/
    return direction in types if types else direction == "Ingress" or lookup(policy, "spec", "egress") is not None


def quote_policies(policies: list[Manifest]) -> tuple[Evidence, ...]:
    """The parts of the policies that show which Pods they select and what they allow."""
    return tuple(
        quoted
        for policy in policies[:_QUOTED]
        for part in ("podSelector", "policyTypes", "egress", "ingress")
        for quoted in quote(policy, "spec", part)
    )
