"""The Pods of a workload in the cluster, found by its selector and their owner references.

Owns the kinds between a workload and its Pods.
"""

from collections.abc import Sequence

from agent.context.kubernetes.api import PAGE
from agent.context.kubernetes.reads import ClusterReads
from agent.context.model import Gap, Reading
from agent.context.source import MAX_CHILDREN
from agent.objects.manifest import Manifest, list_at, object_at, objects_at, text_at
from agent.objects.pods import unhealthiest_first
from agent.objects.selectors import labels_at, spelled
from agent.objects.target import ApplicationRef, ResourceRef

# The kind between a workload and its Pods.
_BETWEEN = {"Deployment": "ReplicaSet", "Rollout": "ReplicaSet", "CronJob": "Job"}


async def pods_below(reads: ClusterReads, owner: Manifest, *, namespace: str) -> Reading[tuple[Manifest, ...]]:
    """Return the Pods of a workload, the unhealthiest first, MAX_CHILDREN at most. Raises SourceError."""
    named, kind, selector = ResourceRef.of(owner), text_at(owner, "kind"), selector_of(owner)
    owners: Sequence[Manifest] = [owner]
    if kind in _BETWEEN:
        owners = await between(reads, owner, namespace=namespace)
    if kind in {"Job", "CronJob"}:
        names = sorted(text_at(each, "metadata", "name") for each in owners)
        selector = f"job-name in ({','.join(names)})"
    if not owners or not selector:
        return Reading(value=())
    pods = await reads.list("Pod", namespace, labels=selector)
    ranked = unhealthiest_first(pod for pod in pods.items if _owned_by(pod, owners))
    return taken(ranked, named, complete=pods.complete)


async def between(reads: ClusterReads, owner: Manifest, *, namespace: str) -> list[Manifest]:
    """Return the ReplicaSets or Jobs of a workload, the newest first; [] if it creates its Pods itself. Raises
    SourceError."""
    kind = _BETWEEN.get(text_at(owner, "kind"))
    if kind is None:
        return []
    listed = await reads.list(kind, namespace, labels=selector_of(owner))
    found = [each for each in listed.items if _owned_by(each, [owner])]
    return sorted(found, key=lambda each: text_at(each, "metadata", "creationTimestamp"), reverse=True)


def taken(
    pods: Sequence[Manifest], owner: ResourceRef | ApplicationRef | None, *, complete: bool
) -> Reading[tuple[Manifest, ...]]:
    """Return the first MAX_CHILDREN of `pods`, with a gap if there are more. `complete` False: not all were listed."""
    first = tuple(pods[:MAX_CHILDREN])
    if len(first) == len(pods) and complete:
        return Reading(value=first)
    of = f"{len(pods)}" if complete else f"more than {PAGE}"
    message = f"{len(first)} of {of} Pods of {owner} were read, the unhealthiest first"
    return Reading(value=first, gaps=(Gap(part="children", source="kubernetes", reason="left_out", message=message),))


def selector_of(workload: Manifest) -> str:
    """Return the label selector of a workload's Pods as the API takes it, "" if it has none."""
    spec = object_at(workload, "spec", "selector")
    labels = labels_at(spec, "matchLabels")
    if not labels and "matchExpressions" not in spec:  # the selector of a ReplicationController is a map of labels
        labels = labels_at(spec)
    terms = [spelled(labels), *map(_term, objects_at(spec, "matchExpressions"))]
    # A Rollout that refers to a Deployment has its selector in the status only (`labelSelectorPath` in
    # manifests/install.yaml of argoproj/argo-rollouts).
    return ",".join(filter(None, terms)) or text_at(workload, "status", "selector")


def _owned_by(child: Manifest, owners: Sequence[Manifest]) -> bool:
    """Whether one of `owners` is an owner of `child`: by uid, or by kind and name where the uid is not known."""
    uids = {text_at(owner, "metadata", "uid") for owner in owners} - {""}
    named = {
        (text_at(owner, "kind"), text_at(owner, "metadata", "name"))
        for owner in owners
        if not text_at(owner, "metadata", "uid")
    }
    return any(
        text_at(reference, "uid") in uids or (text_at(reference, "kind"), text_at(reference, "name")) in named
        for reference in objects_at(child, "metadata", "ownerReferences")
    )


def _term(expression: Manifest) -> str:
    key = text_at(expression, "key")
    among = f"({','.join(map(str, list_at(expression, 'values')))})"
    match text_at(expression, "operator"):
        case "In":
            return f"{key} in {among}"
        case "NotIn":
            return f"{key} notin {among}"
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return ""
