"""PodDisruptionBudgets that block every eviction or protect nothing.

Source of the status: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ and Kubernetes'
pkg/controller/disruption.
"""

from collections.abc import Iterator

from agent.findings.engine.build import named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding
from agent.findings.network.backends import Backends
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, object_at, text_at
from agent.objects.selectors import labels_at, spelled

BUDGET: GroupKind = ("policy", "PodDisruptionBudget")

_COUNTS = ("expectedPods", "disruptionsAllowed", "currentHealthy", "desiredHealthy")


def disruption_budgets(inventory: Inventory) -> Iterator[Finding]:
    """The findings of budgets with too few healthy pods for a disruption, and of settings of the one in question."""
    backends = Backends(inventory)
    for budget in inventory.of(BUDGET):
        failed = _condition(budget, "SyncFailed")
        expected, allowed, healthy, wanted = (integer_at(budget, "status", key) or 0 for key in _COUNTS)
        blocked = expected > 0 and allowed == 0 and lookup(budget, "status", "currentHealthy") is not None
        if failed is not None:
            yield _failed(budget, failed)
        elif blocked and healthy < min(wanted, expected):
            yield _too_few(backends, budget, f"{healthy} of the {wanted} wanted")
        elif blocked and healthy >= expected and inventory.is_asked_about(budget):
            yield _never_allows(budget)
        elif lookup(budget, "status", "expectedPods") == 0 and inventory.is_asked_about(budget):
            yield _protects_nothing(budget)


def _condition(budget: Manifest, reason: str) -> int | None:
    for index, condition in enumerate(list_at(budget, "status", "conditions")):
        if text_at(condition, "reason") == reason and text_at(condition, "status") == "False":
            return index
    return None


def _counts(budget: Manifest) -> tuple[Evidence, ...]:
    return tuple(quoted for field in _COUNTS for quoted in quote(budget, "status", field))


def _settings(budget: Manifest) -> tuple[Evidence, ...]:
    return quote(budget, "spec", "minAvailable") + quote(budget, "spec", "maxUnavailable")


def _failed(budget: Manifest, index: int) -> Finding:
    return object_finding(
        budget,
        f"{named(budget)} cannot be computed (SyncFailed)",
        "Its controller cannot compute how many pods it covers, so no disruption is allowed: drains of nodes hang.",
        quote(budget, "status", "conditions", index, "message")
        + quote(budget, "status", "conditions", index, "reason")
        + quote(budget, "spec", "selector")
        + _counts(budget),
        "Its pods need a controller with a scale subresource, and only one budget may select them.",
        level="effect",
    )


def _too_few(backends: Backends, budget: Manifest, count: str) -> Finding:
    labels = labels_at(budget, "spec", "selector", "matchLabels")
    pods = backends.selected(namespace_of(budget), labels)
    return object_finding(
        budget,
        f"{named(budget)} allows no disruption: {count} pods are healthy",
        "While its pods are unhealthy none may be evicted, so drains of nodes and upgrades wait.",
        _counts(budget) + _settings(budget),
        f"Repair the pods first: {kubectl('get', 'pods', '-l', spelled(labels), namespace=namespace_of(budget))}.",
        "To let unhealthy pods be evicted, set spec.unhealthyPodEvictionPolicy: AlwaysAllow.",
        level="symptom",
        severity="warning",
        blames=tuple(pod.resource for pod in pods if pod.ready is False),
    )


def _protects_nothing(budget: Manifest) -> Finding:
    labels = spelled(labels_at(budget, "spec", "selector", "matchLabels"))
    command = kubectl("get", "pods", *(["-l", labels] if labels else []), namespace=namespace_of(budget))
    return object_finding(
        budget,
        f"{named(budget)} matches no pod",
        "It protects nothing: its workload is scaled to zero, or its selector has other labels than the pods.",
        quote(budget, "status", "expectedPods") + quote(budget, "spec", "selector"),
        f"Compare its selector with the pods' labels: {command}.",
        severity="warning" if object_at(budget, "spec", "selector") else "info",
    )


def _never_allows(budget: Manifest) -> Finding:
    return object_finding(
        budget,
        f"{named(budget)} allows no disruption although all its pods are healthy",
        "Its settings allow no pod to be evicted, so each drain of a node with one of them waits forever.",
        _counts(budget) + _settings(budget),
        "In Git, run one replica more than minAvailable, or set maxUnavailable: 1.",
        severity="info",
    )
