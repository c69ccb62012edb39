"""Pods and workloads as manifests show them: which kinds run Pods, how bad a container is, which Pod comes first.

Owns that order; the faults themselves are named by the findings.
"""

from collections.abc import Iterable, Sequence

from agent.objects.manifest import Manifest, integer_at, lookup, object_at, objects_at, text_at

_WORKLOADS = frozenset(
    {
        "deployment",
        "statefulset",
        "daemonset",
        "replicaset",
        "replicationcontroller",
        "job",
        "cronjob",
        "rollout",
    }
)
# Of the other kinds, those whose events explain failures.
_KINDS_WITH_EVENTS = frozenset(
    {"PersistentVolumeClaim", "HorizontalPodAutoscaler", "Application", "Certificate", "ExternalSecret"}
)

_STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})

# How bad a container or a Pod is.
FINE, STARTS, _RESTARTED, _NOT_READY, _FLAPPING, _BLOCKED, _FAILED = range(7)


def is_pod(kind: str) -> bool:
    """Whether `kind` is Pod, in any spelling that kubectl takes."""
    return kind.casefold() in {"pod", "pods", "po"}


def is_workload(kind: str, manifest: Manifest | None = None) -> bool:
    """Whether the object creates Pods: by its kind, or by the Pod template in its manifest."""
    return kind.casefold() in _WORKLOADS or bool(
        objects_at(manifest, "spec", "template", "spec", "containers")
        or objects_at(manifest, "spec", "jobTemplate", "spec", "template", "spec", "containers")
    )


def unhealthiest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    """The Pods by how bad they are, then by restarts, then the newest first."""
    return sorted(pods, key=_pod_order, reverse=True)


def is_short_of_pods(workload: Manifest) -> bool:
    """Whether a workload has fewer ready Pods than it wants, or is a Job whose Pods failed."""
    status = object_at(workload, "status")
    wanted = integer_at(workload, "spec", "replicas")
    if text_at(workload, "kind") == "DaemonSet":
        wanted = integer_at(status, "desiredNumberScheduled")
        return (wanted or 0) > (integer_at(status, "numberReady") or 0)
    if text_at(workload, "kind") == "Job":
        return bool(integer_at(status, "failed")) and not integer_at(status, "succeeded")
    if text_at(workload, "kind") == "CronJob":
        return False
    return (1 if wanted is None else wanted) > (integer_at(status, "readyReplicas") or 0)


def is_refused_pods(workload: Manifest) -> bool:
    """Whether the Pods that a workload wants are not even created: a quota, a limit or a webhook refuses them."""
    status, kind = object_at(workload, "status"), text_at(workload, "kind")
    if not status:  # no controller has seen it
        return False
    if any(
        (text_at(each, "type"), text_at(each, "status")) == ("ReplicaFailure", "True")
        for each in objects_at(status, "conditions")
    ):
        return True
    if kind == "DaemonSet":
        created, wanted = integer_at(status, "currentNumberScheduled"), integer_at(status, "desiredNumberScheduled")
        return (wanted or 0) > (created or 0)
    if kind == "Job":
        return not any(integer_at(status, name) for name in ("active", "succeeded", "failed"))
    if kind in {"Deployment", "ReplicaSet", "StatefulSet"}:
        wanted = integer_at(workload, "spec", "replicas")
        return (1 if wanted is None else wanted) > (integer_at(status, "replicas") or 0)
    return False


def has_events(manifest: Manifest) -> bool:
    """Whether events of a related object may explain failures of the target: it runs or scales Pods, or stores data."""
    return is_workload(text_at(manifest, "kind"), manifest) or text_at(manifest, "kind") in _KINDS_WITH_EVENTS


def has_run(pod: Manifest, container: str) -> bool:
    """Whether the container has a log: it runs, or has run."""
    status, _ = _status(pod, container)
    return bool({"running", "terminated"} & object_at(status, "state").keys() or object_at(status, "lastState"))


def none_has_run(pods: Sequence[Manifest]) -> bool:
    """Whether there are Pods none of whose containers ever started, so that no log exists. A Pod without a status may
    have one."""
    return (
        bool(pods)
        and all(_is_known(pod) for pod in pods)
        and not any(has_run(pod, name) for pod in pods for name in container_names(pod))
    )


def _is_known(pod: Manifest) -> bool:
    return bool(objects_at(pod, "status", "containerStatuses")) or text_at(pod, "status", "phase") == "Pending"


def container_names(pod: Manifest) -> list[str]:
    """The containers' names in the order in which equals are preferred: the default one first, init containers last."""
    names = [
        text_at(container, "name")
        for field in ("containers", "initContainers", "ephemeralContainers")
        for container in objects_at(pod, "spec", field)
    ]
    default = text_at(pod, "metadata", "annotations", "kubectl.kubernetes.io/default-container")
    return sorted(filter(None, names), key=lambda name: name != default)


def _status(pod: Manifest, container: str) -> tuple[Manifest, bool]:
    """The container's status, and whether it is an init container that must end before the others start."""
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for status in objects_at(pod, "status", field):
            if text_at(status, "name") == container:
                return status, field == "initContainerStatuses"
    return {}, False


def container_severity(pod: Manifest, container: str) -> int:
    """How bad the container is: FINE, STARTS or worse; a larger number is worse."""
    status, is_init = _status(pod, container)
    state = object_at(status, "state")
    failed_before = _failed(object_at(status, "lastState", "terminated"))
    if "terminated" in state:
        return _FAILED if _failed(object_at(state, "terminated")) else FINE
    if "running" in state:
        # A plain init container is never ready; one that runs holds up all others.
        ready = lookup(status, "ready") is True or (is_init and lookup(status, "started") is True)
        if ready:
            return _RESTARTED if failed_before else FINE
        return _FLAPPING if failed_before else _NOT_READY
    if text_at(state, "waiting", "reason") in _STARTING:
        return _FLAPPING if failed_before else STARTS
    return _FAILED if object_at(status, "lastState", "terminated") else _BLOCKED


def _failed(terminated: Manifest) -> bool:
    return bool(terminated) and integer_at(terminated, "exitCode") != 0


def has_failed_before(pod: Manifest, container: str) -> bool:
    """Whether the previous run of the container failed, so that its log explains more than the current one."""
    status, _ = _status(pod, container)
    state = object_at(status, "state")
    last = object_at(status, "lastState", "terminated")
    return "terminated" not in state and (_failed(last) or (bool(last) and "waiting" in state))


def _pod_order(pod: Manifest) -> tuple[int, int, str]:
    phase = text_at(pod, "status", "phase")
    severity = max((container_severity(pod, name) for name in container_names(pod)), default=FINE)
    if phase == "Succeeded":
        severity = -1
    elif phase in {"Failed", "Unknown"} or (phase == "Pending" and not objects_at(pod, "status", "containerStatuses")):
        severity = max(severity, _BLOCKED)
    statuses = objects_at(pod, "status", "containerStatuses") + objects_at(pod, "status", "initContainerStatuses")
    restarts = sum(integer_at(status, "restartCount") or 0 for status in statuses)
    return severity, restarts, text_at(pod, "metadata", "creationTimestamp")
