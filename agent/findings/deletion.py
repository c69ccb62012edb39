"""Deletion that does not come to an end: an Application, or one of its resources, held by a finalizer.

Pods that end slowly are `pods`' business.
"""

from collections.abc import Iterator
from datetime import timedelta

from agent.context.model import Context
from agent.findings.about import finding_about, named
from agent.findings.applications import APPLICATION, Application, applications_of
from agent.findings.commands import kubectl
from agent.findings.evidence import one_line, quote, quote_node
from agent.findings.model import Evidence, Finding
from agent.findings.moments import elapsed, latest, minutes_text, moment
from agent.findings.objects import group_kind, objects_of
from agent.manifest import Manifest, list_at, text_at
from agent.target import ResourceRef

# Controllers clean up in less; cloud load balancers and volumes take a few minutes.
PATIENCE = timedelta(minutes=10)

_QUOTED = 4
_DELETED = ("metadata", "deletionTimestamp")
# Kubernetes' and Argo CD's own finalizers, and what each waits for.
_KNOWN: dict[str, str] = {
    "foregroundDeletion": "the objects it owns are deleted first",
    "orphan": "the objects it owns are set free first",
    "kubernetes": "everything in the namespace is deleted first",
    "kubernetes.io/pvc-protection": "a pod still uses the claim",
    "kubernetes.io/pv-protection": "a claim is still bound to the volume",
    "resources-finalizer.argocd.argoproj.io": "Argo CD deletes its resources first",
    "resources-finalizer.argocd.argoproj.io/background": "Argo CD deletes its resources first",
    "resources-finalizer.argocd.argoproj.io/foreground": "Argo CD deletes its resources first",
    "post-delete-finalizer.argocd.argoproj.io": "its PostDelete hooks run first",
    "pre-delete-finalizer.argocd.argoproj.io": "its PreDelete hooks run first",
}


def stuck_deletions(context: Context) -> Iterator[Finding]:
    """Resources, then Applications, whose deletion has waited for a finalizer longer than PATIENCE."""
    applications = list(applications_of(context))
    held = list(_held_resources(context, applications[0] if applications else None))
    yield from held
    for application in applications:
        lasted = elapsed(context, application, application.text(*_DELETED))
        if application.is_going and _finalizers(application.manifest) and lasted >= PATIENCE:
            blamed = tuple(finding.resource for finding in held if finding.resource)
            yield _application(context, application, lasted, blamed)


def _held_resources(context: Context, application: Application | None) -> Iterator[Finding]:
    now = latest(context, application)
    for manifest in objects_of(context):
        since = moment(text_at(manifest, *_DELETED))
        if since is None or now is None or now - since < PATIENCE or group_kind(manifest) in (APPLICATION, ("", "Pod")):
            continue
        if _finalizers(manifest):
            yield _held(manifest, now - since)


def _held(manifest: Manifest, lasted: timedelta) -> Finding:
    finalizers = _finalizers(manifest)
    return finding_about(
        manifest,
        f"{named(manifest)} cannot be deleted: it waits for its finalizer {_named(finalizers)}",
        f"Its deletion was asked for {minutes_text(lasted)} ago. Kubernetes keeps an object until each finalizer is "
        f"removed by whoever set it{_reasons(finalizers)}.",
        quote(manifest, "metadata", "finalizers", 0) + quote(manifest, *_DELETED),
        "Look at the controller that owns the finalizer: is it running, and what does its log say?",
        "Only if that controller is gone for good, and what it would clean up may stay behind, remove the finalizer: "
        f"{_removal(manifest)}.",
    )


def _application(
    context: Context, application: Application, lasted: timedelta, blamed: tuple[ResourceRef, ...]
) -> Finding:
    finalizers = _finalizers(application.manifest)
    left = [node for node in context.tree if not node.parents and not node.orphaned]
    names = ", ".join(one_line(f"{node.resource.kind} {node.resource.name}", 80) for node in left[:_QUOTED])
    still = f" Still there: {names}{' and others' if len(left) > _QUOTED else ''}." if left else ""
    said: tuple[Evidence, ...] = tuple(q for node in left[:_QUOTED] for q in quote_node(node))
    return application.finding(
        f"The deletion of {application.title} does not end: it waits for its finalizer {_named(finalizers)}",
        f"It was asked for {minutes_text(lasted)} ago{_reasons(finalizers)}.{still}",
        application.quote("metadata", "finalizers", 0) + application.quote(*_DELETED) + said,
        "See which resources are left, and which finalizer each has: "
        f"{application.command('get', '-o', 'tree=detailed')}.",
        "To delete the Application and leave its resources: remove the finalizer from it "
        f"({_removal(application.manifest)}).",
        level="effect",
        blames=blamed,
    )


def _finalizers(manifest: Manifest) -> list[str]:
    return [text for text in list_at(manifest, "metadata", "finalizers") if isinstance(text, str) and text]


def _named(finalizers: list[str]) -> str:
    more = f" and {len(finalizers) - 1} more" if len(finalizers) > 1 else ""
    return one_line(finalizers[0], 80) + more


def _reasons(finalizers: list[str]) -> str:
    reasons = list(dict.fromkeys(_KNOWN[name] for name in finalizers if name in _KNOWN))
    return f" ({', '.join(reasons)})" if reasons else ""


def _removal(manifest: Manifest) -> str:
    resource = ResourceRef.of(manifest)
    if resource is None:
        return "`kubectl patch`"
    kind = f"{resource.kind}.{resource.group}".lower() if resource.group else resource.kind.lower()
    patch = '{"metadata":{"finalizers":null}}'
    return kubectl("patch", kind, resource.name, "--type", "merge", "-p", patch, namespace=resource.namespace)
