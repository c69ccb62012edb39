"""Conditions of built-in kinds that are not well, and for how long: under way, or waiting too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory, group_kind
from agent.findings.engine.own_family import OWN_FAMILY
from agent.findings.observations.observation import PATIENCE, STATEMENT_LIMIT, Observation, names
from agent.objects.error_message import parse, shorten
from agent.objects.manifest import Manifest, integer_at, list_at, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

# Kinds of which a condition that is True is bad (https://kubernetes.io/docs/reference/node/node-status/#condition,
# https://kubernetes.io/docs/reference/kubernetes-api/core/namespace-v1/#NamespaceStatus and
# .../core/persistent-volume-claim-v1/#PersistentVolumeClaimStatus); the exceptions are in _GOOD_IF_TRUE.
_REPORT_FAULTS = frozenset({("", "Node"), ("", "Namespace"), ("", "PersistentVolumeClaim")})
_GOOD_IF_TRUE = names("Ready")
# Of other kinds a condition that is False is bad, but for these.
_BAD_IF_TRUE = names("ReplicaFailure FailureTarget Failed LoadBalancerPortsError")
_READ_KINDS = OWN_FAMILY - {("", "Event"), ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet")} | {
    ("", "Service"),
    ("networking.k8s.io", "Ingress"),
}
# They are False or True in the normal life of an object.
_NORMAL_REASONS = names("""
    PodCompleted ReplicaSetUpdated NewReplicaSetCreated FoundNewReplicaSet ScalingDisabled
    """)
# A Deployment that was never complete, a Pod that may be resized, an autoscaler at its limits: no fault.
_OPTIONAL = names("Complete SuccessCriteriaMet Suspended DisruptionTarget PodResizePending ScalingLimited")
# Reasons that last without a fault: somebody asked for it
# (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming), or a budget protects
# every Pod there is (https://kubernetes.io/docs/tasks/run-application/configure-pdb/).
_INTENDED = names("DeploymentPaused InsufficientPods")
# Reasons that repeat what the parts of the object report (Kubernetes' pkg/kubelet/status/generate.go,
# pkg/controller/deployment/util/deployment_util.go, pkg/controller/job/job_controller.go).
_OUTER_REASONS = names("""
    ContainersNotReady ContainersNotInitialized PodFailed MinimumReplicasUnavailable ProgressDeadlineExceeded
    BackoffLimitExceeded
    """)


def bad_conditions(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each condition that is not well: a warning if it lasts, else what is under way. What repeats
    the state of other objects is one for each object."""
    for kind, manifest in inventory.objects:
        resource = ResourceRef.of(manifest)
        if kind not in _READ_KINDS or resource is None or text_at(manifest, "metadata", "deletionTimestamp"):
            continue
        messages = set[str]()
        for index in _bad_conditions(kind, manifest):
            found = _condition(inventory, manifest, resource, index)
            message = "" if found.follows else text_at(manifest, "status", "conditions", index, "message")
            if message not in messages:
                messages.add(message)
                yield found


def _bad_conditions(group_kind: GroupKind, manifest: Manifest) -> Iterator[int]:
    if integer_at(manifest, "spec", "replicas") == 0 or text_at(manifest, "status", "phase") in ("Succeeded", "Failed"):
        return
    for index, condition in enumerate(list_at(manifest, "status", "conditions")):
        kind, status, reason = (text_at(condition, key) for key in ("type", "status", "reason"))
        is_fault = group_kind in _REPORT_FAULTS and kind not in _GOOD_IF_TRUE
        bad = "True" if is_fault or kind in _BAD_IF_TRUE else "False"
        if status in (bad, "Unknown") and reason not in _NORMAL_REASONS and kind not in _OPTIONAL:
            yield index


def _condition(inventory: Inventory, manifest: Manifest, resource: ResourceRef, index: int) -> Observation:
    path = ("status", "conditions", index)
    kind, reason, message = (text_at(manifest, *path, key) for key in ("type", "reason", "message"))
    since = _since(manifest, path)
    lasted = inventory.now - since if since and inventory.now else None
    intended = reason in _INTENDED
    is_away = lasted is None and kind == "Available"  # nothing shows that it is a start
    lasting = (is_away or (lasted is not None and lasted > PATIENCE)) and not intended
    how_long = f" for {minutes_text(lasted)}" if lasted and lasted > timedelta() else ""
    state = f"{one_line(kind, 60)} is {text_at(manifest, *path, 'status')}{how_long}"
    statement = shorten(parse(message).statement, STATEMENT_LIMIT) if message else ""
    what = _waits_for(manifest) or one_line(statement, STATEMENT_LIMIT).rstrip(".") or one_line(reason, 60)
    counts = _pods_text(manifest)
    return Observation(
        resource=resource,
        title=f"{resource.kind} {one_line(resource.name, 80)}{counts}: {what or state}{how_long if what else ''}",
        explanation=f"Its condition {state}{f' ({one_line(reason, 60)})' if reason else ''}. "
        + (
            "It is intended, or was forgotten."
            if intended
            else "Since when is not known; it is normal only for the minutes of a start."
            if is_away
            else "It should have ended by now."
            if lasting
            else "This is normal while it starts."
        ),
        evidence=quote(manifest, *path, "message") + quote(manifest, *path, "reason") + quote(manifest, *path, "type"),
        severity="warning" if lasting else "info",
        follows=not message or reason in _OUTER_REASONS,
    )


def _since(manifest: Manifest, path: tuple[str | int, ...]) -> datetime | None:
    """Since when the condition lasts: its own time, else the latest start of the object or of one of its containers."""
    if stated := moment(text_at(manifest, *path, "lastTransitionTime")):
        return stated
    running = (
        text_at(each, "state", "running", "startedAt") for each in objects_at(manifest, "status", "containerStatuses")
    )
    texts = (text_at(manifest, "status", "startTime"), *running)
    return max((time for text in texts if (time := moment(text))), default=None)


def _pods_text(manifest: Manifest) -> str:
    if group_kind(manifest) not in (("apps", "Deployment"), ("apps", "ReplicaSet")):
        return ""
    wanted = integer_at(manifest, "spec", "replicas")
    available = integer_at(manifest, "status", "availableReplicas") or 0
    return f" has {available} of {1 if wanted is None else wanted} pods available"


def _waits_for(pod: Manifest) -> str:
    """What a Pod whose containers do not start waits for, "" for any other object."""
    if group_kind(pod) != ("", "Pod"):
        return ""
    waiting = [
        status
        for field in ("initContainerStatuses", "containerStatuses")
        for status in list_at(pod, "status", field)
        if text_at(status, "state", "waiting", "reason") in ("ContainerCreating", "PodInitializing")
    ]
    if not waiting:
        return ""
    volumes = [
        f"{kind} {one_line(text_at(volume, *path), 80)} (volume {one_line(text_at(volume, 'name'), 60)})"
        for volume in list_at(pod, "spec", "volumes")
        for kind, path in _VOLUMES
        if text_at(volume, *path)
    ]
    name = one_line(text_at(waiting[0], "name"), 80)
    return f"container {name} is not created" + (f"; it needs {', '.join(volumes[:4])}" if volumes else "")


_VOLUMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ConfigMap", ("configMap", "name")),
    ("Secret", ("secret", "secretName")),
    ("PersistentVolumeClaim", ("persistentVolumeClaim", "claimName")),
    ("CSI driver", ("csi", "driver")),
    ("NFS server", ("nfs", "server")),
    ("host path", ("hostPath", "path")),
)
