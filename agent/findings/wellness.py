"""Whether a Pod or a workload is known to be well or done. Says nothing about what is wrong with one that is not."""

from agent.manifest import Manifest, integer_at, objects_at, text_at


def pod_is_well(pod: Manifest) -> bool:
    """Whether the Pod is ready, or has succeeded."""
    return text_at(pod, "status", "phase") == "Succeeded" or has_condition(pod, "Ready")


def workload_is_well(manifest: Manifest) -> bool:
    """Whether a workload has all the pods it wants, has completed (a Job), or calls itself ready."""
    if has_condition(manifest, "Complete", "Ready"):
        return True
    wanted = integer_at(manifest, "spec", "replicas")
    if wanted is None:
        wanted = integer_at(manifest, "status", "desiredNumberScheduled")
    counts = (integer_at(manifest, "status", field) for field in ("availableReplicas", "readyReplicas", "numberReady"))
    return wanted is not None and max((count for count in counts if count is not None), default=0) >= wanted


def has_condition(manifest: Manifest, *types: str) -> bool:
    """Whether a condition of one of these types is True."""
    return any(
        text_at(condition, "type") in types and text_at(condition, "status") == "True"
        for condition in objects_at(manifest, "status", "conditions")
    )
