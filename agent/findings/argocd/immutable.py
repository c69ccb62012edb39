"""What to do when a sync fails because a field of an existing object cannot change."""

import re

from agent.findings.engine.applications import Application
from agent.findings.engine.evidence import one_line
from agent.objects.manifest import Manifest, text_at

# The API server's wording (field.ErrorList of apimachinery): the path, the kind of error, the value, the reason.
_FIELD = re.compile(r"(?:^|[\s:\[])((?:spec|data|metadata|roleRef|provisioner|parameters)[\w.\[\]-]{0,120}): ")
_REASON = re.compile(r"is immutable|may not change once set|updates to statefulset spec|cannot change roleRef")
_READ_LIMIT = 4_000

REPLACED = "argocd.argoproj.io/sync-options: Force=true,Replace=true"
"""The annotation with which Argo CD deletes and recreates a resource that cannot be updated:
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#replace-resource-instead-of-applying-changes"""

# What is lost when an object is deleted and recreated, apart from the object itself.
_LOSSES = {
    "PersistentVolumeClaim": "the data of its volume is lost unless the volume's reclaim policy is Retain",
    "Deployment": "its pods stop until the new ones are ready",
    "StatefulSet": "its pods stop until the new ones are ready; its claims stay",
    "DaemonSet": "its pods stop until the new ones are ready",
    "Job": "its pods are deleted, and the Job runs again",
    "Service": "its cluster IP and load balancer may change",
}


def immutable_field(message: str) -> str:
    """The field that the API server calls immutable (`spec.selector`), "" where the message names none.

    Of several errors it is the last one named before the reason.
    """
    text = message[:_READ_LIMIT]
    reason = _REASON.search(text)
    if reason is None:
        return ""
    if "roleRef" in reason[0]:
        return "roleRef"
    named = _FIELD.findall(text[: reason.start()])
    return one_line(named[-1], 100) if named else ""


def is_immutable(message: str) -> bool:
    """Whether a message reports a field that cannot change."""
    return _REASON.search(message[:_READ_LIMIT]) is not None


def ways_out(application: Application, entry: Manifest) -> tuple[str, ...]:
    """The steps for a resource (an entry of a sync result) whose immutable field was changed in Git."""
    group, kind, namespace, name = (text_at(entry, key) for key in ("group", "kind", "namespace", "name"))
    resource = f"{group}:{kind}:{namespace}/{name}" if namespace else f"{group}:{kind}:{name}"
    command = application.command_after("sync", "--force", "--replace", "--resource", resource)
    field = immutable_field(text_at(entry, "message")) or "the field"
    loss = f": {_LOSSES[kind]}" if kind in _LOSSES else ""
    replaced = (
        f"If the change is intended, delete and recreate it{loss}: {command}.",
        f"The same from Git, for automated syncs: set the annotation `{REPLACED}` on it (remove it afterwards; "
        "`Replace=true` alone does not delete it and fails again).",
    )
    undone = f"If it is not intended, change {field} back in Git; or give the new object another name."
    return (undone, *replaced) if kind == "PersistentVolumeClaim" else (*replaced, undone)
