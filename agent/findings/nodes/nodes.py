"""Nodes that are not ready or short of a resource. Their conditions are good with status False, except Ready.

Source: https://kubernetes.io/docs/reference/node/node-status/#condition
"""

import re
from collections.abc import Iterator

from agent.findings.engine.build import name_of, named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, list_at, lookup, objects_at, text_at

NODE: GroupKind = ("", "Node")

# Conditions that are bad when True: their meaning, and what to do.
PRESSURES: dict[str, tuple[str, str]] = {
    "MemoryPressure": (
        "It is short of memory, so the kubelet evicts pods and takes no new ones without requests.",
        "Find the consumers: `kubectl top pods --all-namespaces --sort-by=memory`; set requests near the real use.",
    ),
    "DiskPressure": (
        "It is short of disk, so the kubelet removes images and evicts pods.",
        "Free the node's disk (images, container logs, emptyDir volumes), or enlarge it.",
    ),
    "PIDPressure": (
        "It is short of process ids, so the kubelet evicts pods.",
        "Find the pod that keeps starting processes, and limit it.",
    ),
    "NetworkUnavailable": (
        "Its network is not configured, so its pods have no connection.",
        "Look at the pods of the network plugin (CNI) on this node.",
    ),
}


def nodes(inventory: Inventory) -> Iterator[Finding]:
    """The findings of Nodes that are not ready or under pressure, and of a cordoned one that the question is about."""
    for node in inventory.of(NODE):
        for index, condition in enumerate(list_at(node, "status", "conditions")):
            kind, status = text_at(condition, "type"), text_at(condition, "status")
            if kind == "Ready" and status in ("False", "Unknown"):
                yield _not_ready(node, index, status)
            elif kind in PRESSURES and status == "True":
                yield _under_pressure(node, index, kind)
        if lookup(node, "spec", "unschedulable") is True and inventory.is_asked_about(node):
            yield object_finding(
                node,
                f"{named(node)} is cordoned",
                "Its pods keep running, and no new ones are scheduled to it.",
                quote(node, "spec", "unschedulable"),
                f"After its maintenance: {kubectl('uncordon', name_of(node))}.",
                severity="info",
            )


def _not_ready(node: Manifest, index: int, status: str) -> Finding:
    is_silent = status == "Unknown"
    return object_finding(
        node,
        f"{named(node)} is not ready" + (": its kubelet no longer reports" if is_silent else ""),
        "The control plane gets no status from it; after some minutes its pods are evicted and recreated elsewhere."
        if is_silent
        else "Its kubelet reports that it cannot run pods; the message has the reason.",
        _quote_condition(node, index),
        _readiness_step(node, text_at(node, "status", "conditions", index, "message")),
    )


# Kubernetes' pkg/kubelet/kubelet.go and pkg/kubelet/nodestatus/setters.go: why the kubelet is not ready.
_READINESS_STEPS: tuple[tuple[str, str], ...] = (
    (
        r"network plugin|NetworkPluginNotReady|\bcni\b",
        "Look at the pods of the network plugin on node {node}, which write its configuration to /etc/cni/net.d.",
    ),
    (
        r"PLEG is not healthy|container runtime|runtime is down",
        "Look at the container runtime of node {node} (`systemctl status containerd`, `crictl ps`): it does not answer "
        "the kubelet; restart it, then the kubelet, and look for a disk or memory that is used up.",
    ),
    (
        r"CSINode|csi",
        "Look at the kubelet's log for the CSINode object, which is not initialized (is the API server reachable?).",
    ),
    (
        r"shut(?:ting)? ?down",
        "Node {node} is being shut down; wait until it is back, or remove it from the cluster.",
    ),
)
_READINESS = (
    "Look at the machine: is it up, does its kubelet run (`systemctl status kubelet`) and reach the API server?"
)


def _readiness_step(node: Manifest, message: str) -> str:
    steps = (step for pattern, step in _READINESS_STEPS if re.search(pattern, message[:4_000], re.IGNORECASE))
    return next(steps, _READINESS).replace("{node}", one_line(name_of(node), 80))


def _under_pressure(node: Manifest, index: int, kind: str) -> Finding:
    meaning, step = PRESSURES[kind]
    return object_finding(
        node,
        f"{named(node)} has {kind}",
        meaning,
        _quote_condition(node, index),
        step,
        severity="error" if kind == "NetworkUnavailable" else "warning",
    )


def quote_pressure(node: Manifest) -> tuple[Evidence, ...]:
    """The conditions of a Node that explain why it evicts Pods or is lost."""
    return tuple(
        quoted
        for index, condition in enumerate(list_at(node, "status", "conditions"))
        if (text_at(condition, "type") in PRESSURES and text_at(condition, "status") == "True")
        or (text_at(condition, "type") == "Ready" and text_at(condition, "status") in ("False", "Unknown"))
        for quoted in _quote_condition(node, index)
    )


def quote_readiness(node: Manifest) -> tuple[Evidence, ...]:
    """The condition of a Node that is not ready, () where it is ready."""
    return tuple(
        quoted
        for index, condition in enumerate(list_at(node, "status", "conditions"))
        if text_at(condition, "type") == "Ready" and text_at(condition, "status") in ("False", "Unknown")
        for quoted in _quote_condition(node, index)
    )


def pressure_of(node: Manifest) -> str:
    """The pressure conditions of a Node (`MemoryPressure, DiskPressure`), "" without any."""
    found = [
        text_at(condition, "type")
        for condition in objects_at(node, "status", "conditions")
        if text_at(condition, "type") in PRESSURES and text_at(condition, "status") == "True"
    ]
    return one_line(", ".join(found))


def _quote_condition(node: Manifest, index: int) -> tuple[Evidence, ...]:
    path = ("status", "conditions", index)
    return quote(node, *path, "message") + quote(node, *path, "reason") or quote(node, *path, "type") + quote(
        node, *path, "status"
    )
