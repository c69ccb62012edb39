"""Pods without a node: what the scheduler says, what it means and what to do.

Owns the wording of the scheduler; that a node refused or evicted a Pod is in `pods`.
"""

import re

from agent.context.model import Event
from agent.findings.about import finding_about, namespace_of
from agent.findings.evidence import one_line, quote, quote_event
from agent.findings.model import Evidence, Finding, Level
from agent.manifest import Manifest, list_at, objects_at, text_at
from agent.target import ResourceRef

# What the scheduler's message names, what it means, what to do, and how near the cause it is.
_UNSCHEDULABLE: tuple[tuple[str, str, str, str, Level], ...] = (
    (
        r'persistentvolumeclaim "[^"]*" not found',
        "its PersistentVolumeClaim does not exist",
        "The pod mounts a claim that is not there.",
        "Create the claim, or correct claimName in the pod's volumes.",
        "cause",
    ),
    (
        r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* is being|volume binding",
        "its PersistentVolumeClaim is not bound",
        "The pod waits for a volume, so the claim is what to look at.",
        "See why the claim is pending: `kubectl describe pvc` in the pod's namespace.",
        "effect",
    ),
    (
        r"[Ii]nsufficient ([\w./-]*\w)",
        "no node has enough {0} left",
        "What the pod requests is not free on any node that it may run on.",
        "Lower the request, free room, or add nodes; `kubectl describe nodes` shows what is taken.",
        "cause",
    ),
    (
        r"volume node affinity conflict",
        "its volume is bound to a node or zone it cannot run in",
        "The PersistentVolume can only be used in its own zone or on its own node, and no suitable node is there.",
        "Make room in the volume's zone, or recreate the claim with WaitForFirstConsumer binding.",
        "cause",
    ),
    (
        r"untolerated taint|had taints? that the pod didn't tolerate",
        "the nodes have taints it does not tolerate",
        "Every node that would do repels the pod by a taint.",
        "Add a toleration to the pod template, or remove the taint, if it should run there.",
        "cause",
    ),
    (
        r"didn't match Pod's node affinity/selector|didn't match node selector",
        "no node matches its nodeSelector or affinity",
        "The labels that the pod asks for are on no node.",
        "Compare nodeSelector and affinity with `kubectl get nodes --show-labels`.",
        "cause",
    ),
    (
        r"topology spread constraints|anti-affinity rules",
        "its spreading rules leave no node",
        "Anti-affinity or topology spread constraints exclude every node that has room.",
        "Add nodes or zones, or make the rule preferred (ScheduleAnyway) instead of required.",
        "cause",
    ),
    (
        r"free ports for the requested pod ports",
        "its hostPort is taken on every node",
        "Another pod holds the same port on each node.",
        "Drop hostPort, or run no more replicas than nodes.",
        "cause",
    ),
)


def unscheduled_pod(pod: Manifest, events: tuple[Event, ...]) -> Finding | None:
    """Why the scheduler has no node for a Pod, None where it has one or has not looked yet."""
    for index, condition in enumerate(list_at(pod, "status", "conditions")):
        if text_at(condition, "type") != "PodScheduled" or text_at(condition, "status") != "False":
            continue
        path = ("status", "conditions", index)
        reason, message = text_at(condition, "reason"), text_at(condition, "message")
        failures = [e for e in events if e.reason == "FailedScheduling"]
        evidence = quote(pod, *path, "message") + quote(pod, *path, "reason")
        if reason == "SchedulingGated":
            return finding_about(
                pod,
                "Pod waits for its scheduling gates",
                "The scheduler does not look at the pod until every gate is removed by whoever set it.",
                evidence + quote(pod, "spec", "schedulingGates"),
                "Look at the controller that owns the gate: why does it not remove it?",
                severity="warning",
            )
        evidence += tuple(q for e in failures[:1] if e.message != message for q in quote_event(e))
        return _unschedulable(pod, message or (failures[0].message if failures else ""), evidence)
    return None


def _unschedulable(pod: Manifest, message: str, evidence: tuple[Evidence, ...]) -> Finding:
    requests = tuple(
        quoted
        for index in range(len(list_at(pod, "spec", "containers")))
        for quoted in quote(pod, "spec", "containers", index, "resources", "requests")
    )
    for pattern, name, meaning, step, level in _UNSCHEDULABLE:
        if match := re.search(pattern, message[:4_000]):
            extra = requests if "Insufficient" in match[0] or "insufficient" in match[0] else ()
            title = "Pod cannot be scheduled: " + name.format(*(one_line(g, 60) for g in match.groups()))
            claims = _claims(pod) if "PersistentVolumeClaim is not bound" in name else ()
            return finding_about(pod, title, meaning, evidence + extra, step, level=level, blames=claims)
    return finding_about(
        pod, "Pod cannot be scheduled", "No node suits the pod; the scheduler's message says why.", evidence + requests
    )


def _claims(pod: Manifest) -> tuple[ResourceRef, ...]:
    """The claims that the Pod mounts."""
    names = [text_at(volume, "persistentVolumeClaim", "claimName") for volume in objects_at(pod, "spec", "volumes")]
    return tuple(
        ResourceRef.model_construct(version="v1", kind="PersistentVolumeClaim", namespace=namespace_of(pod), name=name)
        for name in names
        if name
    )
