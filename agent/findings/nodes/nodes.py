"""Nodes that are not ready or run short of something. A condition with status False is a good one, except Ready."""

from collections.abc import Iterator

from agent.findings.engine.build import name_of, named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, list_at, lookup, objects_at, text_at

NODE: GroupKind = ("", "Node")

# Conditions of the kubelet that are bad when True: what they mean, and what to do.
PRESSURES: dict[str, tuple[str, str]] = {
    "MemoryPressure": (
        "It is short of memory, so the kubelet evicts pods and takes no new ones without requests.",
        "See who takes it: `kubectl top pods --all-namespaces --sort-by=memory`; set requests near the real use.",
    ),
    "DiskPressure": (
        "It is short of disk, so the kubelet removes images and evicts pods.",
        "Free the node's disk (images, container logs, emptyDir volumes), or enlarge it.",
    ),
    "PIDPressure": (
        "It is short of process ids, so the kubelet evicts pods.",
        "Find the pod that starts processes without end, and bound it.",
    ),
    "NetworkUnavailable": (
        "Its network is not set up, so pods on it reach nothing.",
        "Look at the pods of the network plugin (CNI) on this node.",
    ),
}


def nodes(inventory: Inventory) -> Iterator[Finding]:
    """Nodes that are not ready or under pressure; that the one asked about is cordoned, for information."""
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
                "Its pods go on running, new ones are not scheduled to it.",
                quote(node, "spec", "unschedulable"),
                f"When its maintenance is done: {kubectl('uncordon', name_of(node))}.",
                severity="info",
            )


def _not_ready(node: Manifest, index: int, status: str) -> Finding:
    silent = status == "Unknown"
    return object_finding(
        node,
        f"{named(node)} is not ready" + (": its kubelet no longer reports" if silent else ""),
        "The control plane hears nothing of it; its pods are given up after some minutes and made anew elsewhere."
        if silent
        else "Its kubelet says that it cannot run pods; the message says why.",
        _quote_condition(node, index),
        "Look at the machine: is it up, does the kubelet run (`systemctl status kubelet`) and reach the API server?",
    )


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
    """The conditions of a Node that tell why it evicts Pods or is lost."""
    return tuple(
        quoted
        for index, condition in enumerate(list_at(node, "status", "conditions"))
        if (text_at(condition, "type") in PRESSURES and text_at(condition, "status") == "True")
        or (text_at(condition, "type") == "Ready" and text_at(condition, "status") in ("False", "Unknown"))
        for quoted in _quote_condition(node, index)
    )


def quote_readiness(node: Manifest) -> tuple[Evidence, ...]:
    """The condition of a Node that calls it not ready, () where none does."""
    return tuple(
        quoted
        for index, condition in enumerate(list_at(node, "status", "conditions"))
        if text_at(condition, "type") == "Ready" and text_at(condition, "status") in ("False", "Unknown")
        for quoted in _quote_condition(node, index)
    )


def pressure_of(node: Manifest) -> str:
    """What a Node is short of, by its conditions: `MemoryPressure, DiskPressure`; "" where it is short of nothing."""
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
