"""Pods without a node: what the scheduler says, what it means and what to do.

Owns the wording of the scheduler; that a node refused or evicted a Pod is in `evictions`.
"""

import re
from dataclasses import dataclass

from agent.context.model import Event
from agent.findings.engine.build import namespace_of, object_finding
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.model import Evidence, Finding, Level
from agent.objects.manifest import Manifest, list_at, objects_at, text_at
from agent.objects.target import ResourceRef

type _SpecPaths = tuple[tuple[str, ...], ...]
"""Parts of the Pod's spec by their paths below `spec`."""

_REQUESTS: _SpecPaths = (("resources", "requests"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """A reason of the scheduler. `name` completes "Pod cannot be scheduled: ..."; `quoted` are the parts of the spec
    that ask for what no node has (`of_containers`: of each container)."""

    pattern: str
    name: str
    meaning: str
    step: str
    level: Level = "cause"
    quoted: _SpecPaths = ()
    of_containers: bool = False


# Of these the one that keeps the most nodes away is the reason; among equals the first.
_REASONS = (
    _Reason(
        pattern=r'persistentvolumeclaim "([^"]{0,253})" not found',
        name="its PersistentVolumeClaim {0} does not exist",
        meaning="The pod mounts a claim that is not there.",
        step="Create the claim, or correct claimName in the pod's volumes.",
        quoted=(("volumes",),),
    ),
    _Reason(
        pattern=r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim .{0,300} is being|volume binding",
        name="its PersistentVolumeClaim is not bound",
        meaning="The pod waits for a volume, so the claim is what to look at.",
        step="See why the claim is pending: `kubectl describe pvc` in the pod's namespace.",
        level="effect",
    ),
    _Reason(
        pattern=r"[Ii]nsufficient ([\w./-]{0,100}\w)",
        name="no node has enough {0} left",
        meaning="What the pod requests is not free on any node that it may run on.",
        step="Lower the request, free room, or add nodes; `kubectl describe nodes` shows what is taken.",
        quoted=_REQUESTS,
        of_containers=True,
    ),
    _Reason(
        pattern=r"Too many pods",
        name="the nodes run as many pods as they may",
        meaning="Each node takes only so many pods (maxPods of its kubelet, or the addresses of its network).",
        step="Add nodes, or raise the kubelets' maxPods.",
    ),
    _Reason(
        pattern=r"volume node affinity conflict",
        name="its volume is bound to a node or zone it cannot run in",
        meaning="The PersistentVolume can only be used in its own zone or on its own node, and no node there suits.",
        step="Make room in the volume's zone, or recreate the claim with WaitForFirstConsumer binding.",
    ),
    _Reason(
        pattern=r"exceed max volume count",
        name="the nodes have as many volumes attached as they may",
        meaning="Each node takes only so many volumes of its storage driver.",
        step="Add nodes, or use fewer volumes.",
    ),
    _Reason(
        pattern=r"didn't match Pod's node affinity/selector|didn't match node selector|"
        r"didn't satisfy plugin\(s\) \[NodeAffinity",
        name="no node matches its nodeSelector or affinity",
        meaning="The labels that the pod asks for are on no node.",
        step="Compare nodeSelector and affinity with `kubectl get nodes --show-labels`.",
        quoted=(("nodeSelector",), ("affinity", "nodeAffinity")),
    ),
    _Reason(
        pattern=r"untolerated taint(?:\(s\))?(?: \{([^}:]{1,120}))?|had taints? that the pod didn't tolerate",
        name="the nodes have taints it does not tolerate ({0})",
        meaning="Every node that would do repels the pod by a taint.",
        step="Add a toleration to the pod template, or remove the taint, if it should run there.",
    ),
    _Reason(
        pattern=r"were unschedulable",
        name="the nodes are cordoned",
        meaning="The nodes that would do take no new pods (spec.unschedulable), for maintenance mostly.",
        step="See which by `kubectl get nodes`; when the work on them is done, `kubectl uncordon` them.",
    ),
    _Reason(
        pattern=r"topology spread constraints|anti-affinity rules",
        name="its spreading rules leave no node",
        meaning="Anti-affinity or topology spread constraints exclude every node that has room.",
        step="Add nodes or zones, or make the rule preferred (ScheduleAnyway) instead of required.",
        quoted=(("affinity", "podAntiAffinity"), ("topologySpreadConstraints",)),
    ),
    _Reason(
        pattern=r"free ports for the requested pod ports",
        name="its hostPort is taken on every node",
        meaning="Another pod holds the same port on each node.",
        step="Drop hostPort, or run no more replicas than nodes.",
        quoted=(("ports",),),
        of_containers=True,
    ),
)

# Every cluster keeps pods off its control plane: no reason to change anything.
_CONTROL_PLANE = re.compile(
    r"\d{1,6} node\(s\) had untolerated taint \{node-role\.kubernetes\.io/(?:control-plane|master)[^}]{0,100}\},? ?"
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
            return _gated(pod, evidence)
        evidence += tuple(q for e in failures[:1] if e.message != message for q in quote_event(e))
        return _unschedulable(pod, message or (failures[0].message if failures else ""), evidence)
    return None


def _gated(pod: Manifest, evidence: tuple[Evidence, ...]) -> Finding:
    gates = ", ".join(one_line(text_at(gate, "name"), 80) for gate in objects_at(pod, "spec", "schedulingGates")[:3])
    return object_finding(
        pod,
        "Pod waits for its scheduling gates" + (f" ({gates})" if gates else ""),
        "The scheduler does not look at the pod until every gate is removed by whoever set it.",
        evidence + quote(pod, "spec", "schedulingGates"),
        "Look at the controller that owns the gate: why does it not remove it?",
        severity="warning",
    )


def _unschedulable(pod: Manifest, message: str, evidence: tuple[Evidence, ...]) -> Finding:
    told = message[:4_000].partition("preemption:")[0]
    reasons = _reasons(_CONTROL_PLANE.sub("", told)) or _reasons(told)
    if not reasons:
        requests = _quoted(pod, _REQUESTS, of_containers=True)
        return object_finding(
            pod,
            "Pod cannot be scheduled",
            "No node suits the pod; the scheduler's message says why.",
            evidence + requests,
        )
    reason, name = reasons[0]
    others = "; ".join(other for _, other in reasons[1:4])
    return object_finding(
        pod,
        f"Pod cannot be scheduled: {name}",
        reason.meaning + (f" Of other nodes the scheduler says: {others}." if others else ""),
        evidence + _quoted(pod, reason.quoted, of_containers=reason.of_containers),
        reason.step,
        level=reason.level,
        blames=_claims(pod) if "PersistentVolumeClaim" in reason.name else (),
        cause=f"claim missing {namespace_of(pod)} {name}" if "does not exist" in name else "",
    )


def _reasons(message: str) -> list[tuple[_Reason, str]]:
    """The reasons that the message names, with their names filled in; that of the most nodes first."""
    found: list[tuple[int, _Reason, str]] = []
    for reason in _REASONS:
        for match in re.finditer(rf"(?:(\d{{1,6}}) (?:node\(s\) )?(?:had )?)?(?:{reason.pattern})", message):
            words = [one_line(group or "", 80) for group in match.groups()[1:]]
            found.append((int(match[1] or 0), reason, reason.name.format(*words).removesuffix(" ()")))
    found.sort(key=lambda each: -each[0])
    return list({name: (reason, name) for _, reason, name in found}.values())


def _quoted(pod: Manifest, paths: _SpecPaths, *, of_containers: bool) -> tuple[Evidence, ...]:
    if not of_containers:
        return tuple(quoted for path in paths for quoted in quote(pod, "spec", *path))
    return tuple(
        quoted
        for index in range(min(len(list_at(pod, "spec", "containers")), 20))
        for path in paths
        for quoted in quote(pod, "spec", "containers", index, *path)
    )


def _claims(pod: Manifest) -> tuple[ResourceRef, ...]:
    """The claims that the Pod mounts."""
    names = [text_at(volume, "persistentVolumeClaim", "claimName") for volume in objects_at(pod, "spec", "volumes")]
    return tuple(
        ResourceRef.unchecked(version="v1", kind="PersistentVolumeClaim", namespace=namespace_of(pod), name=name)
        for name in names
        if name
    )
