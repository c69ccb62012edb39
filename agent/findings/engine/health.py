"""Health of Pods and workloads, read from their own status."""

from agent.objects.manifest import Manifest, integer_at, objects_at, text_at


def pod_is_healthy(pod: Manifest) -> bool:
    """Whether the Pod is ready or has succeeded."""
    return text_at(pod, "status", "phase") == "Succeeded" or has_condition(pod, "Ready")


def workload_is_healthy(manifest: Manifest) -> bool:
    """Whether a workload has all desired replicas, has completed (a Job), or has the condition Ready."""
    if has_condition(manifest, "Complete", "Ready"):
        return True
    desired = integer_at(manifest, "spec", "replicas")
    if desired is None:
        desired = integer_at(manifest, "status", "desiredNumberScheduled")
    counts = (integer_at(manifest, "status", field) for field in ("availableReplicas", "readyReplicas", "numberReady"))
    return desired is not None and max((count for count in counts if count is not None), default=0) >= desired


def has_condition(manifest: Manifest, *types: str) -> bool:
    """Whether a condition of one of `types` has the status True."""
    return any(
        text_at(condition, "type") in types and text_at(condition, "status") == "True"
        for condition in objects_at(manifest, "status", "conditions")
    )


_STARTING = ("", "ContainerCreating", "PodInitializing")


def is_starting(pod: Manifest) -> bool:
    """Whether a Pod starts for the first time: it is scheduled, no container has restarted, and none waits for another
    reason than its creation."""
    if text_at(pod, "status", "phase") != "Pending":
        return False
    conditions = objects_at(pod, "status", "conditions")
    if any(text_at(c, "type") == "PodScheduled" and text_at(c, "status") == "False" for c in conditions):
        return False
    fields = ("initContainerStatuses", "containerStatuses")
    statuses = [status for field in fields for status in objects_at(pod, "status", field)]
    return all(
        text_at(status, "state", "waiting", "reason") in _STARTING and not integer_at(status, "restartCount")
        for status in statuses
    )


def is_rolling_out(deployment: Manifest) -> bool:
    """Whether a rollout of the Deployment is in progress and has not exceeded its deadline."""
    return any(
        text_at(condition, "type") == "Progressing"
        and text_at(condition, "status") == "True"
        and text_at(condition, "reason") not in ("", "NewReplicaSetAvailable")
        for condition in objects_at(deployment, "status", "conditions")
    )
