"""What a Pod's manifest says of its containers: how bad it is, and whose log tells most.

Owns the order of Pods and the choice of a log; the faults themselves are named by the findings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.context.source import MAX_LOGS, LogChoice
from agent.errors import SourceError
from agent.manifest import Manifest, integer_at, lookup, object_at, objects_at, text_at
from agent.request import LogRequest

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
# Of the other kinds, those whose events say what goes wrong.
_TELLING = frozenset(
    {"PersistentVolumeClaim", "HorizontalPodAutoscaler", "Application", "Certificate", "ExternalSecret"}
)

_STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})

# Severities, of a container or of a Pod as a whole.
_FINE, _STARTS, _RESTARTED, _NOT_READY, _FLAPPING, _BLOCKED, _FAILED = range(7)


def is_pod(kind: str) -> bool:
    """Whether `kind` is Pod, in any spelling that kubectl takes."""
    return kind.casefold() in {"pod", "pods", "po"}


def is_workload(kind: str, manifest: Manifest | None = None) -> bool:
    """Whether it runs Pods of its own: by its kind, or by the Pod template in its manifest."""
    return kind.casefold() in _WORKLOADS or bool(
        objects_at(manifest, "spec", "template", "spec", "containers")
        or objects_at(manifest, "spec", "jobTemplate", "spec", "template", "spec", "containers")
    )


def unhealthiest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    """The Pods by how bad they are, then by restarts, then the newest first."""
    return sorted(pods, key=_pod_order, reverse=True)


def choose_log(pods: Sequence[Manifest], request: LogRequest, *, tail_lines: int) -> LogChoice:
    """Whose log to read: of the container asked for, else of the one that fails most in the unhealthiest Pod.

    A container that failed and was started again tells more by its previous run, which is taken unless the request
    says otherwise. Raises SourceError where no Pod has the container, naming those there are.
    """
    ranked = unhealthiest_first(pods)
    if request.container is None:
        pod = ranked[0]
        names = _container_names(pod)
        container = max(names, key=lambda name: _severity(pod, name), default="")
    else:
        container = request.container
        pod = next((pod for pod in ranked if container in _container_names(pod)), None)
    if pod is None or not container:
        names = dict.fromkeys(name for pod in ranked for name in _container_names(pod))
        there = f"there are: {', '.join(names)}" if names else "its manifest names none"
        asked = f"No container {container!r} in" if container else "No container to read the log of in"
        raise SourceError(f"{asked} {_names(ranked)}; {there}", code="not_found")
    asked_for_run = "previous" in request.model_fields_set
    return LogChoice(
        namespace=text_at(pod, "metadata", "namespace"),
        pod=text_at(pod, "metadata", "name"),
        container=container,
        previous=request.previous if asked_for_run else _has_failed_before(pod, container),
        tail_lines=tail_lines,
        since_seconds=request.since_seconds,
        chosen=not asked_for_run,
    )


def choose_logs(pods: Sequence[Manifest], request: LogRequest, *, tail_lines: int) -> list[LogChoice]:
    """Whose logs to read, those that tell most first: every container that fails, is not ready or has failed before,
    MAX_LOGS at most, of many alike (the same container below the same owner) the worst before the others. Where none
    is so, and where the request names a container or a run, it is the one log of `choose_log`.
    """
    one = choose_log(pods, request, tail_lines=tail_lines)
    if request.container is not None or "previous" in request.model_fields_set:
        return [one]
    needed = [
        (severity, pod, name)
        for pod in unhealthiest_first(pods)
        for name in _container_names(pod)
        if (severity := _severity(pod, name)) not in {_FINE, _STARTS} and _has_run(pod, name)
    ]
    needed.sort(key=lambda each: each[0], reverse=True)
    alike: dict[tuple[object, str], int] = {}
    ranked: list[tuple[int, LogChoice]] = []
    for _, pod, name in needed:
        kind = (_owner(pod), name)
        alike[kind] = alike.get(kind, 0) + 1
        choice = replace(
            one,
            namespace=text_at(pod, "metadata", "namespace"),
            pod=text_at(pod, "metadata", "name"),
            container=name,
            previous=_has_failed_before(pod, name),
        )
        ranked.append((alike[kind], choice))
    ranked.sort(key=lambda each: each[0])
    return [choice for _, choice in ranked[:MAX_LOGS]] or [one]


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
    """Whether the events of a related object tell of the target's troubles: what runs or scales Pods or stores data."""
    return is_workload(text_at(manifest, "kind"), manifest) or text_at(manifest, "kind") in _TELLING


def _owner(pod: Manifest) -> object:
    return text_at(pod, "metadata", "ownerReferences", 0, "uid") or text_at(pod, "metadata", "name")


def _has_run(pod: Manifest, container: str) -> bool:
    """Whether it has a log: it runs, or has run."""
    status, _ = _status(pod, container)
    return bool({"running", "terminated"} & object_at(status, "state").keys() or object_at(status, "lastState"))


def none_has_run(pods: Sequence[Manifest]) -> bool:
    """Whether there are Pods of which no container was ever started, so that there is no log. A Pod whose manifest says
    nothing of its state may have one."""
    return (
        bool(pods)
        and all(_is_known(pod) for pod in pods)
        and not any(_has_run(pod, name) for pod in pods for name in _container_names(pod))
    )


def _is_known(pod: Manifest) -> bool:
    return bool(objects_at(pod, "status", "containerStatuses")) or text_at(pod, "status", "phase") == "Pending"


def _names(pods: Sequence[Manifest]) -> str:
    names = [f"{text_at(pod, 'metadata', 'namespace')}/{text_at(pod, 'metadata', 'name')}" for pod in pods]
    return f"Pod {names[0]}" if len(names) == 1 else f"Pods {', '.join(names)}"


def _container_names(pod: Manifest) -> list[str]:
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


def _severity(pod: Manifest, container: str) -> int:
    status, is_init = _status(pod, container)
    state = object_at(status, "state")
    failed_before = _failed(object_at(status, "lastState", "terminated"))
    if "terminated" in state:
        return _FAILED if _failed(object_at(state, "terminated")) else _FINE
    if "running" in state:
        # A plain init container is never ready; one that runs holds up all others.
        ready = lookup(status, "ready") is True or (is_init and lookup(status, "started") is True)
        if ready:
            return _RESTARTED if failed_before else _FINE
        return _FLAPPING if failed_before else _NOT_READY
    if text_at(state, "waiting", "reason") in _STARTING:
        return _FLAPPING if failed_before else _STARTS
    return _FAILED if object_at(status, "lastState", "terminated") else _BLOCKED


def _failed(terminated: Manifest) -> bool:
    return bool(terminated) and integer_at(terminated, "exitCode") != 0


def _has_failed_before(pod: Manifest, container: str) -> bool:
    status, _ = _status(pod, container)
    state = object_at(status, "state")
    last = object_at(status, "lastState", "terminated")
    return "terminated" not in state and (_failed(last) or (bool(last) and "waiting" in state))


def _pod_order(pod: Manifest) -> tuple[int, int, str]:
    phase = text_at(pod, "status", "phase")
    severity = max((_severity(pod, name) for name in _container_names(pod)), default=_FINE)
    if phase == "Succeeded":
        severity = -1
    elif phase in {"Failed", "Unknown"} or (phase == "Pending" and not objects_at(pod, "status", "containerStatuses")):
        severity = max(severity, _BLOCKED)
    statuses = objects_at(pod, "status", "containerStatuses") + objects_at(pod, "status", "initContainerStatuses")
    restarts = sum(integer_at(status, "restartCount") or 0 for status in statuses)
    return severity, restarts, text_at(pod, "metadata", "creationTimestamp")
