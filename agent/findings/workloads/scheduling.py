"""Pods without a node: the scheduler's reasons, their meaning and what to do.

Owns the wording of the scheduler (the plugins in Kubernetes' pkg/scheduler/framework/plugins); Pods that a node refused
or evicted are in `evictions`.
"""

import re
from dataclasses import dataclass, replace

from agent.context.model import Event
from agent.findings.engine.build import namespace_of
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding, Level
from agent.findings.workloads.pod_finding import pod_finding
from agent.objects.manifest import Manifest, list_at, objects_at, text_at
from agent.objects.selectors import labels_at, spelled
from agent.objects.target import ResourceRef

type _SpecPaths = tuple[tuple[str, ...], ...]
"""Parts of the Pod's spec by their paths below `spec`."""

_REQUESTS: _SpecPaths = (("resources", "requests"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """A reason of the scheduler. `name` completes "Pod x cannot be scheduled: ..."; `quoted` are the parts of the spec
    that no node satisfies (`of_containers`: of each container)."""

    pattern: str
    name: str
    meaning: str
    step: str
    level: Level = "cause"
    quoted: _SpecPaths = ()
    of_containers: bool = False


# The reason is the one that excludes the most nodes; among equals the first.
_REASONS = (
    _Reason(
        pattern=r'persistentvolumeclaim "([^"]{0,253})" not found',
        name="its PersistentVolumeClaim {0} does not exist",
        meaning="The pod mounts a claim that does not exist.",
        step="Create the claim, or correct claimName in the pod's volumes.",
        quoted=(("volumes",),),
    ),
    _Reason(
        pattern=r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim .{0,300} is being|volume binding",
        name="its PersistentVolumeClaim is not bound",
        meaning="The pod waits for a volume; the claim has the reason.",
        step="See why the claim is pending: `kubectl describe pvc` in the pod's namespace.",
        level="effect",
    ),
    _Reason(
        pattern=r"[Ii]nsufficient ([\w./-]{0,100}\w)",
        name="no node has enough {0} left",
        meaning="No node that the pod may run on has the requested amount free.",
        step="Lower the request, free room, or add nodes; `kubectl describe nodes` shows what is allocated.",
        quoted=_REQUESTS,
        of_containers=True,
    ),
    _Reason(
        pattern=r"Too many pods",
        name="the nodes run as many pods as they can",
        meaning="The number of pods of a node is limited (maxPods of its kubelet, or the addresses of its network).",
        step="Add nodes, or raise the kubelets' maxPods.",
    ),
    _Reason(
        pattern=r"volume node affinity conflict",
        name="its volume is bound to a node or zone where it cannot run",
        meaning="The PersistentVolume can only be used in its own zone or on its own node, and no node there fits.",
        step="Make room in the volume's zone, or recreate the claim with WaitForFirstConsumer binding.",
    ),
    _Reason(
        pattern=r"exceed max volume count",
        name="the nodes have as many volumes attached as they can",
        meaning="The number of volumes of a storage driver on one node is limited.",
        step="Add nodes, or use fewer volumes.",
    ),
    _Reason(
        pattern=r"didn't match Pod's node affinity/selector|didn't match node selector|"
        r"didn't satisfy plugin\(s\) \[NodeAffinity",
        name="no node matches its nodeSelector or affinity",
        meaning="No node has the labels that the pod requires.",
        step="Compare nodeSelector and affinity with `kubectl get nodes --show-labels`.",
        quoted=(("nodeSelector",), ("affinity", "nodeAffinity")),
    ),
    _Reason(
        pattern=r"untolerated taint(?:\(s\))?(?: \{([^}:]{1,120}))?|had taints? that the pod didn't tolerate",
        name="the nodes have taints it does not tolerate ({0})",
        meaning="Every node that would fit has a taint without a toleration in the pod.",
        step="If the pod should run there, add a toleration to the pod template, or remove the taint.",
    ),
    _Reason(
        pattern=r"were unschedulable",
        name="the nodes are cordoned",
        meaning="The nodes that would fit accept no new pods (spec.unschedulable), mostly for maintenance.",
        step="List them by `kubectl get nodes`; after the maintenance, `kubectl uncordon` them.",
    ),
    _Reason(
        pattern=r"(?:didn't (?:match|satisfy) (?:pod |existing pods )?)?"
        r"(?:topology spread constraints|anti-affinity rules)",
        name="its spreading rules leave no node",
        meaning="Anti-affinity or topology spread constraints exclude every node that has room.",
        step="Add nodes or zones, or make the rule preferred (ScheduleAnyway) instead of required.",
        quoted=(("affinity", "podAntiAffinity"), ("topologySpreadConstraints",)),
    ),
    _Reason(
        pattern=r"free ports for the requested pod ports",
        name="its hostPort is taken on every node",
        meaning="Another pod uses the same port on each node.",
        step="Remove hostPort, or run no more replicas than nodes.",
        quoted=(("ports",),),
        of_containers=True,
    ),
)

# The taint of the control plane is normal in every cluster, and no reason to change anything.
_CONTROL_PLANE = re.compile(
    r"\d{1,6} node\(s\) had untolerated taint \{node-role\.kubernetes\.io/(?:control-plane|master)[^}]{0,100}\},? ?"
)


def unscheduled_pod(inventory: Inventory, pod: Manifest, events: tuple[Event, ...]) -> Finding | None:
    """The finding that the scheduler has no node for a Pod, None where it has one or has not tried yet."""
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
        found = _unschedulable(pod, message or (failures[0].message if failures else ""), evidence)
        return replace(found, blames=(*found.blames, *_nodes_to_come(inventory)))
    return None


# The kinds that become a node: Karpenter's (https://karpenter.sh/docs/concepts/nodeclaims/) and Cluster API's
# (https://cluster-api.sigs.k8s.io/user/concepts#machine).
_NODES_TO_COME: tuple[GroupKind, ...] = (
    ("karpenter.sh", "NodeClaim"),
    ("cluster.x-k8s.io", "Machine"),
    ("machine.openshift.io", "Machine"),
)


def _nodes_to_come(inventory: Inventory) -> tuple[ResourceRef, ...]:
    """The objects that should become nodes: where one of them fails, the Pod waits for it."""
    return tuple(each for manifest in inventory.of(*_NODES_TO_COME) if (each := ResourceRef.of(manifest)))


def _gated(pod: Manifest, evidence: tuple[Evidence, ...]) -> Finding:
    gates = ", ".join(one_line(text_at(gate, "name"), 80) for gate in objects_at(pod, "spec", "schedulingGates")[:3])
    return pod_finding(
        pod,
        "waits for its scheduling gates" + (f" ({gates})" if gates else ""),
        "The scheduler ignores the pod until every gate is removed by the controller that set it.",
        evidence + quote(pod, "spec", "schedulingGates"),
        "Look at the controller that owns the gate: why does it not remove the gate?",
        severity="warning",
    )


def _unschedulable(pod: Manifest, message: str, evidence: tuple[Evidence, ...]) -> Finding:
    text = message[:4_000].partition("preemption:")[0]
    reasons = _reasons(_CONTROL_PLANE.sub("", text)) or _reasons(text)
    if not reasons:
        requests = _quoted(pod, _REQUESTS, of_containers=True)
        return pod_finding(
            pod,
            "cannot be scheduled",
            "No node fits the pod; the scheduler's message has the reason.",
            evidence + requests,
        )
    if combined := _of_two_rules(pod, reasons):
        title, step = combined
        return pod_finding(
            pod,
            f"cannot be scheduled: {title}",
            " ".join(reason.meaning for reason, _ in reasons[:2]),
            evidence + tuple(quoted for reason, _ in reasons[:2] for quoted in _quoted(pod, reason.quoted)),
            step,
            blames=_claims(pod),
        )
    reason, name = reasons[0]
    others = "; ".join(other for _, other in reasons[1:4])
    return pod_finding(
        pod,
        f"cannot be scheduled: {name}",
        reason.meaning + (f" The scheduler's reasons for other nodes: {others}." if others else ""),
        evidence + _quoted(pod, reason.quoted, of_containers=reason.of_containers),
        reason.step,
        level=reason.level,
        blames=_claims(pod) if "PersistentVolumeClaim" in reason.name else (),
        cause=f"claim missing {namespace_of(pod)} {name}" if "does not exist" in name else "",
    )


def _of_two_rules(pod: Manifest, reasons: list[tuple[_Reason, str]]) -> tuple[str, str] | None:
    """The title and the step of rules that only together leave no node; None for any other reasons."""
    patterns = [reason.pattern for reason, _ in reasons]
    first = patterns[0]
    if any("volume node affinity" in each for each in patterns) and any(
        "node affinity/selector" in each for each in patterns
    ):
        return (
            f"its nodeSelector or node affinity{_selected_nodes(pod)} and the node affinity of its volume admit no "
            "common node",
            "Correct nodeSelector (or affinity) in the pod template so that it admits the node or zone of the volume "
            "(`kubectl get pv -o yaml`, spec.nodeAffinity), or recreate the claim there, with its data.",
        )
    if any("volume node affinity" in each for each in patterns) and (
        taints := next((name for reason, name in reasons if "untolerated taint" in reason.pattern), "")
    ):
        return (
            f"its volume can only be used in its own zone or on its own node, where no node takes it, and {taints}",
            "See where the volume can be used (`kubectl get pv -o yaml`, spec.nodeAffinity) and add a node in that "
            "zone, or a toleration where the tainted nodes are there; or recreate the claim, with its data, in a zone "
            "that has nodes.",
        )
    constraints = objects_at(pod, "spec", "topologySpreadConstraints")
    counting = [each for each in constraints if text_at(each, "nodeTaintsPolicy") != "Honor"]
    if "topology spread" in first and counting and any("untolerated taint" in each for each in patterns):
        key = one_line(text_at(counting[0], "topologyKey"), 80)
        return (
            f"its topology spread constraint on {key} also counts the tainted nodes that it may not use "
            "(nodeTaintsPolicy: Ignore)",
            f"Set nodeTaintsPolicy: Honor on the constraint on {key} in the pod template: the tainted nodes then are "
            "no empty domains that must be filled first.",
        )
    return None


def _selected_nodes(pod: Manifest) -> str:
    labels = labels_at(pod, "spec", "nodeSelector")
    return f" ({one_line(spelled(labels), 100)})" if labels else ""


def _reasons(message: str) -> list[tuple[_Reason, str]]:
    """The reasons in the message with their completed names; that of the most nodes first."""
    found: list[tuple[int, _Reason, str]] = []
    for reason in _REASONS:
        for match in re.finditer(rf"(?:(\d{{1,6}}) (?:node\(s\) )?(?:had )?)?(?:{reason.pattern})", message):
            words = [one_line(group or "", 80) for group in match.groups()[1:]]
            found.append((int(match[1] or 0), reason, reason.name.format(*words).removesuffix(" ()")))
    found.sort(key=lambda each: -each[0])
    return list({name: (reason, name) for _, reason, name in found}.values())


def _quoted(pod: Manifest, paths: _SpecPaths, *, of_containers: bool = False) -> tuple[Evidence, ...]:
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
