"""Pods that the cluster ended or refused as a whole: evicted, past their deadline, lost with their node, preempted.

Owns the reasons of the kubelet (Kubernetes' pkg/kubelet: eviction, nodeshutdown, lifecycle, preemption) and of the node
controller; containers that exited by themselves are in `crashes`.
"""

import re

from agent.context.model import Event
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding
from agent.findings.nodes.nodes import pressure_of, quote_pressure
from agent.findings.workloads.pod_finding import pod_finding
from agent.objects.error_message import parse, shorten
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ResourceRef

_ENDED = {
    "DeadlineExceeded": (
        "ran longer than its activeDeadlineSeconds",
        "The kubelet ended it because its deadline passed.",
        "Find out what it waited for, or raise the deadline.",
    ),
    "NodeLost": (
        "was lost with its node",
        "The node stopped answering.",
        "Look at the node: `kubectl get nodes`.",
    ),
    "Preempting": (
        "was preempted by one of higher priority",
        "The node had no room for a pod of higher priority, so this one was removed.",
        "Add nodes, or give the pod a priorityClassName that fits its importance.",
    ),
    "Terminated": (
        "was ended with its node",
        "The node was shut down, as preemptible and autoscaled ones are.",
        "None, if its workload created a new one; otherwise look at `kubectl get nodes`.",
    ),
    "NodeShutdown": (
        "was ended with its node",
        "The node was shut down, as preemptible and autoscaled ones are.",
        "None, if its workload created a new one; otherwise look at `kubectl get nodes`.",
    ),
    "UnexpectedAdmissionError": (
        "was refused by its node",
        "The kubelet could not allocate what it was scheduled for, a device for instance.",
        "Look at the node and its device plugins.",
    ),
    "NodeAffinity": (
        "was refused by its node: the node no longer matches its affinity",
        "The labels of the node changed between scheduling and start.",
        "Delete the pod, so that it is scheduled again.",
    ),
}

# Messages of the kubelet's eviction manager (pkg/kubelet/eviction/helpers.go), and the resource that ran short.
_SHORTAGES: tuple[tuple[str, str], ...] = (
    (r"low on resource: ([\w-]{1,60})", "the node was low on {0}"),
    (r"node had condition: \[([\w, ]{1,120})\]", "the node had {0}"),
    (
        r"ephemeral local storage usage exceeds the total limit of containers (\w{1,40})",
        "it exceeded its limit of {0} ephemeral-storage",
    ),
    (
        r"EmptyDir volume \"([^\"]{1,120})\" exceeds the limit \"([^\"]{1,40})\"",
        "emptyDir volume {0} exceeded its limit of {1}",
    ),
    (
        r"Container ([\w-]{1,80}) exceeded its local ephemeral storage limit \"([^\"]{1,40})\"",
        "container {0} exceeded its ephemeral-storage limit of {1}",
    ),
)


def ended_by_cluster(inventory: Inventory, pod: Manifest, events: tuple[Event, ...]) -> Finding | None:
    """The finding of a Pod that failed as a whole, not by one of its containers."""
    reason = text_at(pod, "status", "reason")
    if text_at(pod, "status", "phase") != "Failed" or not reason:
        return None
    evidence = quote(pod, "status", "message") + quote(pod, "status", "reason")
    evidence += tuple(q for e in events if e.reason == reason for q in quote_event(e))[:1]
    node = ResourceRef.unchecked(version="v1", kind="Node", namespace="", name=text_at(pod, "spec", "nodeName"))
    if reason == "Evicted":
        message = text_at(pod, "status", "message") or next((e.message for e in events if e.reason == reason), "")
        return _evicted(inventory, pod, node, message, evidence)
    fault, meaning, step = _ENDED.get(
        reason, (f"failed: {one_line(reason, 60)}", "The cluster ended the pod, not one of its containers.", "")
    )
    message = parse(text_at(pod, "status", "message")).statement
    if reason in _STATED and message:
        fault = f"{fault}: {one_line(shorten(message, _STATED_LIMIT), _STATED_LIMIT)}"
    return pod_finding(pod, fault, meaning, evidence, step, blames=(node,) if reason == "NodeLost" else ())


# Reasons of which only the message says what was missing, and its characters in a title.
_STATED = ("UnexpectedAdmissionError",)
_STATED_LIMIT = 160


def _evicted(
    inventory: Inventory, pod: Manifest, node: ResourceRef, message: str, evidence: tuple[Evidence, ...]
) -> Finding:
    found = ((words, re.search(pattern, message[:4_000])) for pattern, words in _SHORTAGES)
    why = next((words.format(*match.groups()) for words, match in found if match), "")
    manifest = inventory.get("Node", "", node.name)
    pressure = pressure_of(manifest) if manifest else ""
    if pressure and manifest:
        evidence += quote_pressure(manifest)
        why = why or f"the node has {pressure}"
    fault = "was evicted from its node" + (f": {one_line(why)}" if why else "")
    describe_node = f"See the node's conditions: {kubectl('describe', 'node', node.name)}." if node.name else ""
    is_its_own = "limit" in why
    return pod_finding(
        pod,
        fault,
        "The kubelet ended it because it exceeded its own limit."
        if is_its_own
        else "The kubelet ended it to relieve the node"
        + (f", which still has {pressure}." if pressure else ", which ran short of the resource in the message."),
        evidence,
        "In Git, raise the limit that the message names, or let the program write less."
        if is_its_own
        else "Set requests (memory, ephemeral-storage) near the real use, so that the pod runs on nodes with room; "
        "limit what it writes to emptyDir and logs.",
        describe_node,
        blames=(node,) if node.name else (),
    )
