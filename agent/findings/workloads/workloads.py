"""Workloads without the pods they want: Deployment, ReplicaSet, StatefulSet, DaemonSet.

Owns the status and events of the workload; why its pods fail is in `pods`. A workload in a rollout within its deadline
is not broken. Source of conditions and reasons: Kubernetes' pkg/controller/deployment/util/deployment_util.go and
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status.
"""

from collections.abc import Iterator

from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.build import name_of, named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.event_outcome import later_success
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.health import has_condition, is_starting, pod_is_healthy
from agent.findings.engine.inventory import GroupKind, Inventory, controller_of, key_of
from agent.findings.engine.references import alike
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding
from agent.findings.workloads.probes import allowed_failures
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, object_at, objects_at, text_at
from agent.objects.target import ResourceRef

DEPLOYMENT: GroupKind = ("apps", "Deployment")
REPLICA_SET: GroupKind = ("apps", "ReplicaSet")
STATEFUL_SET: GroupKind = ("apps", "StatefulSet")
DAEMON_SET: GroupKind = ("apps", "DaemonSet")
MAKERS_OF_PODS: tuple[GroupKind, ...] = (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, ("batch", "Job"))


def refused_pods(inventory: Inventory) -> Iterator[Finding]:
    """The findings of workloads whose pods the API server refuses: quota, limits, policy, a missing ServiceAccount."""
    reported: set[object] = set()
    for workload in inventory.of(*MAKERS_OF_PODS):
        condition = _condition(workload, "ReplicaFailure", "True")
        itself = ResourceRef.of(workload)
        failures = [
            event
            for event in inventory.events.of(workload, "FailedCreate")
            if not later_success(inventory.context, event, itself)
        ]
        message = text_at(workload, *condition, "message") if condition else ""
        if not condition and (not failures or not _is_short(workload)):
            continue
        message = message or (failures[0].message if failures else "")
        refusal = refusal_in(message, namespace_of(workload))
        title = f"{named(workload)}: its pods are refused"
        # A Deployment repeats the message of its ReplicaSet, with the names of other pods.
        fault = refusal.name.partition(" (")[0] if refusal else message
        owner = controller_of(workload)
        if owner and (fault, key_of(owner)) in reported:
            continue
        reported |= {(fault, key_of(itself))} if itself else set()
        yield object_finding(
            workload,
            f"{title}: {refusal.name}" if refusal else title,
            refusal.meaning if refusal else "The API server does not admit them; its message has the reason.",
            quote(workload, *condition, "message") + quote(workload, *condition, "reason")
            if condition
            else quote_event(failures[0]),
            *([refusal.step] if refusal else []),
            level="cause",
            blames=refusal.blames if refusal else (),
            cause=f"refused {namespace_of(workload)} {fault}" if refusal else "",
        )


def deployments(inventory: Inventory) -> Iterator[Finding]:
    """The findings of Deployments whose rollout exceeded its deadline, or that lost available pods."""
    for deployment in inventory.of(DEPLOYMENT):
        if _is_stale(deployment):
            continue
        wanted = _wanted(integer_at(deployment, "spec", "replicas"))
        available = integer_at(deployment, "status", "availableReplicas") or 0
        short = _condition(deployment, "Available", "False")
        progressing = _condition(deployment, "Progressing", "True") or ("status", "none")
        rolling = text_at(deployment, *progressing, "reason") not in _NOT_ROLLING or _is_coming_up(
            inventory, deployment
        )
        is_paused = lookup(deployment, "spec", "paused") is True or _condition(deployment, "Progressing", "Unknown")
        if stuck := _condition(deployment, "Progressing", "False"):
            yield _stuck_rollout(deployment, stuck, f"{available} of {wanted}")
        elif short and available < wanted and not rolling:
            yield object_finding(
                deployment,
                f"{named(deployment)} has {available} of {wanted} wanted pods available",
                "It has fewer available pods than its update strategy allows, and no rollout is under way.",
                quote(deployment, *short, "message") + quote(deployment, *short, "reason") + _counts(deployment),
                "Look at its pods: " + _pods_command(deployment) + ".",
                level="symptom",
            )
        elif _condition(deployment, "Available", "True") and not (rolling or is_paused) and available < wanted:
            yield _short(deployment, "availableReplicas", wanted)


# Reasons of Progressing=True without a rollout: the last one is complete.
_NOT_ROLLING = ("", "NewReplicaSetAvailable")


def _stuck_rollout(deployment: Manifest, condition: tuple[str | int, ...], pods: str) -> Finding:
    undo = kubectl("rollout", "undo", f"deployment/{name_of(deployment)}", namespace=namespace_of(deployment))
    return object_finding(
        deployment,
        f"{named(deployment)} did not finish its rollout in time ({pods} pods available{_updated(deployment)})",
        "Its newest pods did not become available within progressDeadlineSeconds"
        + ("; older ones stay in service." if integer_at(deployment, "status", "availableReplicas") else "."),
        quote(deployment, *condition, "message") + quote(deployment, *condition, "reason") + _counts(deployment),
        "Look at its pods: " + _pods_command(deployment) + ".",
        f"To go back meanwhile, revert in Git and sync; Argo CD's self-heal reverts {undo}.",
        level="symptom",
    )


def _updated(deployment: Manifest) -> str:
    """How many pods are of the new revision, "" without a status."""
    if not object_at(deployment, "status") or lookup(deployment, "status", "replicas") is None:
        return ""
    updated = integer_at(deployment, "status", "updatedReplicas") or 0
    return f", {updated} of {_wanted(integer_at(deployment, 'spec', 'replicas'))} of the new revision"


def replica_sets(inventory: Inventory) -> Iterator[Finding]:
    """The finding of a ReplicaSet in question with too few ready pods (otherwise its Deployment has the finding)."""
    for replica_set in inventory.of(REPLICA_SET):
        if inventory.is_asked_about(replica_set) and _is_short(replica_set):
            yield _short(replica_set, "readyReplicas", integer_at(replica_set, "spec", "replicas"))


def stateful_sets(inventory: Inventory) -> Iterator[Finding]:
    """The findings of StatefulSets without their Service, or with too few ready pods and no update in progress."""
    for stateful_set in inventory.of(STATEFUL_SET):
        current, update = (text_at(stateful_set, "status", f"{which}Revision") for which in ("current", "update"))
        updating = bool(current and update) and current != update
        if governing := _no_governing_service(inventory, stateful_set):
            yield governing
        idle = not updating and not _is_stale(stateful_set) and not _is_coming_up(inventory, stateful_set)
        if idle and _is_short(stateful_set):
            yield _short(stateful_set, "readyReplicas", integer_at(stateful_set, "spec", "replicas"))


def _no_governing_service(inventory: Inventory, stateful_set: Manifest) -> Finding | None:
    """The finding that its Service (spec.serviceName) is missing, by Argo CD, the cluster, or a tree with others."""
    name, namespace = text_at(stateful_set, "spec", "serviceName"), namespace_of(stateful_set)
    if not name or inventory.has("Service", namespace, name):
        return None
    others = [each for each in inventory.names("Service", namespace) if inventory.node("Service", namespace, each)]
    if ("Service", namespace, name) not in inventory.absent and not others:
        return None
    return object_finding(
        stateful_set,
        f"{named(stateful_set)}: its governing Service {one_line(name, 80)} does not exist",
        f"Without it the pods have no host names of their own to find each other.{alike(name, others)}",
        quote(stateful_set, "spec", "serviceName"),
        change(inventory, f"add a headless Service {one_line(name, 80)} (clusterIP: None) that selects the pods"),
        severity="warning",
    )


def daemon_sets(inventory: Inventory) -> Iterator[Finding]:
    """The findings of DaemonSets with fewer ready pods than nodes and no update in progress."""
    for daemon_set in inventory.of(DAEMON_SET):
        desired = integer_at(daemon_set, "status", "desiredNumberScheduled")
        updated = integer_at(daemon_set, "status", "updatedNumberScheduled")
        updating = updated is not None and desired is not None and updated < desired
        idle = not updating and not _is_stale(daemon_set) and not _is_coming_up(inventory, daemon_set)
        if idle and _is_short(daemon_set):
            yield _short(daemon_set, "numberReady", desired)


def _short(workload: Manifest, field: str, wanted: int | None) -> Finding:
    ready = integer_at(workload, "status", field) or 0
    return object_finding(
        workload,
        f"{named(workload)} has {ready} of {_wanted(wanted)} pods {'available' if field.startswith('a') else 'ready'}",
        "It wants more ready pods than it has; the fault is in the pods that are not ready or missing.",
        quote(workload, "status", field)
        + quote(workload, "spec", "replicas")
        + quote(workload, "status", "desiredNumberScheduled"),
        "Look at its pods: " + _pods_command(workload) + ".",
        severity="warning",
        level="symptom",
    )


def _is_coming_up(inventory: Inventory, workload: Manifest) -> bool:
    """Whether the missing pods of a workload are starting, and none of them has failed."""
    resource = ResourceRef.of(workload)
    pods = [pod for pod in inventory.pods_of(resource) if not pod_is_healthy(pod)] if resource else []
    return bool(pods) and all(_starts(inventory, pod) for pod in pods)


def _starts(inventory: Inventory, pod: Manifest) -> bool:
    if is_starting(pod):
        return True
    statuses = objects_at(pod, "status", "containerStatuses")
    runs = bool(statuses) and all(lookup(status, "state", "running") is not None for status in statuses)
    failed = sum(event.count for event in inventory.events.of(pod, "Unhealthy"))
    allowed = allowed_failures(objects_at(pod, "spec", "containers"))
    return runs and failed < allowed and not any(integer_at(status, "restartCount") for status in statuses)


def _is_short(workload: Manifest) -> bool:
    """Whether fewer pods are ready than wanted; for a Job, whether it has none and is not complete."""
    match text_at(workload, "kind"):
        case "Job":
            return not integer_at(workload, "status", "active") and not has_condition(workload, "Complete")
        case "DaemonSet":
            wanted, have = integer_at(workload, "status", "desiredNumberScheduled"), "numberReady"
        case _:
            # A manifest without a status comes from Git, not from a cluster.
            wanted, have = _wanted(integer_at(workload, "spec", "replicas")), "readyReplicas"
            wanted = wanted if object_at(workload, "status") else 0
    return wanted is not None and (integer_at(workload, "status", have) or 0) < wanted


def _wanted(replicas: int | None) -> int:
    """`spec.replicas`, which defaults to 1."""
    return 1 if replicas is None else replicas


def _is_stale(workload: Manifest) -> bool:
    """Whether the controller has not yet seen the newest spec."""
    seen, newest = integer_at(workload, "status", "observedGeneration"), integer_at(workload, "metadata", "generation")
    return seen is not None and newest is not None and seen < newest


def _condition(workload: Manifest, kind: str, status: str) -> tuple[str | int, ...] | None:
    """The path of the condition of this type, None where it is absent or has another status."""
    for index, condition in enumerate(list_at(workload, "status", "conditions")):
        if text_at(condition, "type") == kind and text_at(condition, "status") == status:
            return ("status", "conditions", index)
    return None


def _counts(deployment: Manifest) -> tuple[Evidence, ...]:
    fields = ("availableReplicas", "unavailableReplicas", "updatedReplicas")
    return tuple(quoted for field in fields for quoted in quote(deployment, "status", field))


def _pods_command(workload: Manifest) -> str:
    """The command that lists the workload's pods by its selector."""
    labels = object_at(workload, "spec", "selector", "matchLabels")
    selector = ",".join(f"{key}={text_at(labels, key)}" for key in sorted(labels))
    return kubectl("get", "pods", *(["-l", selector] if selector else []), namespace=namespace_of(workload))
