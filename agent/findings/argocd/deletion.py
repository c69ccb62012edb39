"""Deletion that does not end: an Application, or one of its resources, held by a finalizer; a Pod that its node keeps.

The deletion of a Namespace is in `namespaces`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.context.context import Context
from agent.findings.argocd.comparison_causes import CLUSTER_UNKNOWN, comparison_cause
from agent.findings.engine.applications import APPLICATION, Application, applications_of
from agent.findings.engine.build import name_of, named, namespace_of, object_finding
from agent.findings.engine.commands import argocd, kubectl
from agent.findings.engine.durations import PATIENCE, elapsed, lasted_beyond, latest, minutes_text
from agent.findings.engine.evidence import one_line, quote, quote_node
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding
from agent.findings.nodes.namespaces import NAMESPACE
from agent.findings.nodes.nodes import NODE, quote_readiness
from agent.objects.manifest import Manifest, list_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

_QUOTED = 4
# Argo CD's message of a resource that is being deleted (gitops-engine/pkg/health/health.go).
_PENDING = "Pending deletion"
_DELETED = ("metadata", "deletionTimestamp")
# Finalizers of Kubernetes and of Argo CD, and what each waits for:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
# https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/
_FINALIZERS: dict[str, str] = {
    "foregroundDeletion": "the objects it owns are deleted first",
    "orphan": "the objects it owns are orphaned first",
    "kubernetes": "everything in the namespace is deleted first",
    "kubernetes.io/pvc-protection": "a pod still uses the claim",
    "kubernetes.io/pv-protection": "a claim is still bound to the volume",
    "resources-finalizer.argocd.argoproj.io": "Argo CD deletes its resources first",
    "resources-finalizer.argocd.argoproj.io/background": "Argo CD deletes its resources first",
    "resources-finalizer.argocd.argoproj.io/foreground": "Argo CD deletes its resources first",
    "post-delete-finalizer.argocd.argoproj.io": "its PostDelete hooks run first",
    "pre-delete-finalizer.argocd.argoproj.io": "its PreDelete hooks run first",
}


def stuck_deletions(inventory: Inventory) -> Iterator[Finding]:
    """The findings of resources, then of Applications, whose deletion has waited for longer than PATIENCE."""
    context, applications = inventory.context, applications_of(inventory)
    stuck = list(
        _stuck_resources(inventory, inventory.now or latest(context, applications[0] if applications else None))
    )
    yield from stuck
    for application in applications:
        lasted = elapsed(context, application, application.text(*_DELETED))
        if lost := cluster_lost(application):
            yield _without_cluster(application, lost)
        elif application.is_being_deleted and _finalizers(application.manifest) and lasted >= PATIENCE:
            blamed = tuple(finding.resource for finding in stuck if finding.resource)
            yield _application(context, application, lasted, blamed)
        elif application.is_being_deleted and _finalizers(application.manifest):
            yield _under_way(context, application, lasted)


def _under_way(context: Context, application: Application, lasted: timedelta) -> Finding:
    """A deletion that has not lasted for long, with what Argo CD's tree says is still to go."""
    pending = [node for node in context.tree if node.message == _PENDING]
    left = ", ".join(one_line(f"{node.resource.kind} {node.resource.name}", 100) for node in pending[:_QUOTED])
    more = f" and {len(pending) - _QUOTED} more" if len(pending) > _QUOTED else ""
    waits = f": it waits for {left}{more}" if left else ""
    return application.finding(
        f"{application.title} has been in deletion for {minutes_text(lasted)}{waits}",
        "Argo CD deletes the resources first, and then the Application; for a few minutes that is normal.",
        application.quote(*_DELETED) + tuple(quote for node in pending[:_QUOTED] for quote in quote_node(node)),
        f"See what is left: {application.command('get', '-o', 'tree=detailed')}.",
        level="effect",
        severity="info",
    )


def _stuck_resources(inventory: Inventory, now: datetime | None) -> Iterator[Finding]:
    for kind, manifest in inventory.being_deleted:
        deleted = text_at(manifest, *_DELETED)
        if moment(deleted) is None or kind in (APPLICATION, NAMESPACE):
            continue
        lasted, finalizers = lasted_beyond(now, manifest, deleted), _finalizers(manifest)
        if lasted is None and finalizers:
            yield _being_deleted(inventory.context, manifest, deleted)
        elif lasted is not None and lasted >= PATIENCE:
            if finalizers:
                yield _held(manifest, lasted)
            elif kind == ("", "Pod"):
                yield _left_behind(inventory, manifest, lasted)


def _being_deleted(context: Context, manifest: Manifest, deleted: str) -> Finding:
    """A deletion of unknown duration."""
    finalizers = _finalizers(manifest)
    return object_finding(
        manifest,
        f"{named(manifest)} has been in deletion since {one_line(deleted, 40)}, held by finalizer {_named(finalizers)}",
        "Kubernetes keeps an object until each finalizer is removed by whoever set it"
        f"{_reasons(finalizers)}. After a few minutes that is normal; after more it is stuck.",
        quote(manifest, "metadata", "finalizers", 0) + quote(manifest, *_DELETED),
        *_ways_out(manifest),
        severity="warning" if manifest is context.manifest else "info",
        level="effect",
    )


def _left_behind(inventory: Inventory, pod: Manifest, lasted: timedelta) -> Finding:
    """A Pod without finalizers, which only its kubelet can hold: it has to report that the containers are gone."""
    node_name = text_at(pod, "spec", "nodeName")
    nodes = (node for node in inventory.of(NODE) if text_at(node, "metadata", "name") == node_name)
    node = next(nodes, None)
    not_ready = quote_readiness(node) if node else ()
    on = f" on node {one_line(node_name, 80)}" if node_name else ""
    words = ("delete", "pod", name_of(pod), "--grace-period=0", "--force")
    force = kubectl(*words, namespace=namespace_of(pod))
    return object_finding(
        pod,
        f"{named(pod)} does not terminate: it still exists {minutes_text(lasted)} after its grace period"
        + (f", and its node {one_line(node_name, 80)} is not ready" if not_ready else ""),
        f"A Pod is removed once the kubelet{on} reports that its containers have ended; that report is missing.",
        quote(pod, *_DELETED) + quote(pod, "metadata", "deletionGracePeriodSeconds") + not_ready,
        f"Look at the node: {kubectl('describe', 'node', node_name)}; does its kubelet run?" if node_name else "",
        f"If the node is gone for good, remove the Pod without its kubelet: {force} (on a node that still runs, its "
        "containers may continue; of a StatefulSet there are then two of the same name).",
        blames=(ref,) if node and not_ready and (ref := ResourceRef.of(node)) else (),
    )


def _ways_out(manifest: Manifest) -> tuple[str, str]:
    return (
        "Look at the controller that owns the finalizer: does it run, and which errors does it log?",
        "Only if that controller is gone for good, and what it would clean up may remain, remove the finalizer: "
        f"{_removal(manifest)}.",
    )


def _held(manifest: Manifest, lasted: timedelta) -> Finding:
    finalizers = _finalizers(manifest)
    return object_finding(
        manifest,
        f"{named(manifest)} cannot be deleted: it waits for its finalizer {_named(finalizers)}",
        f"Its deletion was requested {minutes_text(lasted)} ago. Kubernetes keeps an object until each finalizer is "
        f"removed by whoever set it{_reasons(finalizers)}.",
        quote(manifest, "metadata", "finalizers", 0) + quote(manifest, *_DELETED),
        *_ways_out(manifest),
    )


def _application(
    context: Context, application: Application, lasted: timedelta, blamed: tuple[ResourceRef, ...]
) -> Finding:
    finalizers = _finalizers(application.manifest)
    left = [node for node in context.tree if not node.parents and not node.orphaned]
    names = ", ".join(one_line(f"{node.resource.kind} {node.resource.name}", 80) for node in left[:_QUOTED])
    remaining = f" Remaining resources: {names}{' and others' if len(left) > _QUOTED else ''}." if left else ""
    node_quotes: tuple[Evidence, ...] = tuple(q for node in left[:_QUOTED] for q in quote_node(node))
    return application.finding(
        f"{application.title} cannot be deleted: it waits for its finalizer {_named(finalizers)}",
        f"Its deletion was requested {minutes_text(lasted)} ago{_reasons(finalizers)}.{remaining}",
        application.quote("metadata", "finalizers", 0) + application.quote(*_DELETED) + node_quotes,
        "See which resources are left, and which finalizer each has: "
        f"{application.command('get', '-o', 'tree=detailed')}.",
        "To delete the Application and keep its resources, remove the finalizer from it "
        f"({_removal(application.manifest)}).",
        level="effect",
        blames=blamed,
    )


def cluster_lost(application: Application) -> tuple[str | int, ...]:
    """The path of the condition that blocks the deletion since the destination cluster is not registered, else ()."""
    if not application.is_being_deleted or not _finalizers(application.manifest):
        return ()
    for index, condition in enumerate(list_at(application.manifest, "status", "conditions")):
        cause = comparison_cause(text_at(condition, "message"))
        if cause and cause.name == CLUSTER_UNKNOWN:
            return ("status", "conditions", index)
    return ()


def _without_cluster(application: Application, condition: tuple[str | int, ...]) -> Finding:
    name, server = (application.text("spec", "destination", key) for key in ("name", "server"))
    add = argocd("cluster", "add", "CONTEXT", *(("--name", name) if name else ()))
    return application.finding(
        f"{application.title} cannot be deleted: {CLUSTER_UNKNOWN}",
        f"Argo CD first deletes its resources in {one_line(name or server, 120) or 'the destination cluster'}"
        f", and that cluster was removed from Argo CD. Its finalizer {_named(_finalizers(application.manifest))} keeps "
        "it until then.",
        application.quote(*condition, "message")
        + application.quote("metadata", "finalizers", 0)
        + application.quote(*_DELETED)
        + application.quote("spec", "destination"),
        "If the cluster still exists, register it again, and the deletion goes on: "
        f"{add} (CONTEXT is its context in your kubeconfig).",
        f"If the cluster is gone, or its resources may stay, remove the finalizer: {_removal(application.manifest)}.",
        level="cause",
    )


def _finalizers(manifest: Manifest) -> list[str]:
    return [text for text in list_at(manifest, "metadata", "finalizers") if isinstance(text, str) and text]


def _named(finalizers: list[str]) -> str:
    more = f" and {len(finalizers) - 1} more" if len(finalizers) > 1 else ""
    return one_line(finalizers[0], 80) + more


def _reasons(finalizers: list[str]) -> str:
    reasons = list(dict.fromkeys(_FINALIZERS[name] for name in finalizers if name in _FINALIZERS))
    return f" ({', '.join(reasons)})" if reasons else ""


def _removal(manifest: Manifest) -> str:
    resource = ResourceRef.of(manifest)
    if resource is None:
        return "`kubectl patch`"
    kind = f"{resource.kind}.{resource.group}".lower() if resource.group else resource.kind.lower()
    patch = '{"metadata":{"finalizers":null}}'
    return kubectl("patch", kind, resource.name, "--type", "merge", "-p", patch, namespace=resource.namespace)
