"""A sync that runs and does not end: the wave or hook that it waits for, and the resources of later waves.

Owns operations in the phase Running; those that have ended are in `operation`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from agent.context.context import Context
from agent.context.model import TreeNode
from agent.findings.argocd.operation_state import OPERATION, RESULTS
from agent.findings.engine.applications import Application, applications_of, names_of
from agent.findings.engine.commands import describe
from agent.findings.engine.durations import elapsed, minutes_text
from agent.findings.engine.evidence import one_line, quote_node
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, integer_at, objects_at, text_at
from agent.objects.target import ResourceRef

# A sync of this duration is stuck rather than slow: images are pulled and databases migrated in less.
_PATIENCE = timedelta(minutes=10)

# Argo CD's gitops-engine/pkg/sync/sync_context.go, setRunningPhase.
_WAITING = re.compile(
    r"waiting for (completion of hook|healthy state of|deletion of) ([^/\s]*)/([^/\s]+)/(\S+?)(?: and (\d+) more|$|\s)"
)

# Kinds without a state of their own: a hook of them has completed once it is applied (gitops-engine/pkg/health).
_DONE_AT_ONCE = frozenset(
    {"ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaited:
    """The resource that a sync waits for: `verb` is Argo CD's wording of the wait, `more` the number of others."""

    verb: str
    resource: ResourceRef
    more: int


def stuck_syncs(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each running sync that waits for a failed resource, or for longer than _PATIENCE."""
    for application in applications_of(inventory):
        if not application.is_syncing:
            continue
        lasted = elapsed(inventory.context, application, application.text(*OPERATION, "startedAt"))
        awaited = _awaited(application)
        node = _node(inventory.context, awaited.resource) if awaited else None
        failed = awaited is not None and _has_failed(inventory.context, application, awaited.resource)
        if lasted >= _PATIENCE or failed:
            yield _stuck(application, awaited, node, lasted)


def _awaited(application: Application) -> _Awaited | None:
    match = _WAITING.search(application.text(*OPERATION, "message")[:2_000])
    if match is None:
        return None
    verb, group, kind, name, more = match.groups()
    namespace, version = _named_in(application, group, kind, name)
    resource = ResourceRef.unchecked(group=group, version=version, kind=kind, namespace=namespace, name=name)
    return _Awaited(verb=verb, resource=resource, more=int(more or 0))


def _named_in(application: Application, group: str, kind: str, name: str) -> tuple[str, str]:
    """Namespace and version of a resource that the message names without them."""
    for path in (RESULTS, ("status", "resources")):
        for entry in objects_at(application.manifest, *path):
            if (text_at(entry, "group"), text_at(entry, "kind"), text_at(entry, "name")) == (group, kind, name):
                return text_at(entry, "namespace"), text_at(entry, "version")
    return application.text("spec", "destination", "namespace"), ""


def _node(context: Context, resource: ResourceRef) -> TreeNode | None:
    wanted = (resource.kind, resource.namespace, resource.name)
    nodes = (node for node in context.tree if node.resource.name == resource.name)
    return next((n for n in nodes if (n.resource.kind, n.resource.namespace, n.resource.name) == wanted), None)


def _has_failed(context: Context, application: Application, resource: ResourceRef) -> bool:
    """Whether the awaited resource is Degraded, so that waiting does not help."""
    node = _node(context, resource)
    if node is not None:
        return node.health == "Degraded"
    return any(
        text_at(entry, "health", "status") == "Degraded"
        for entry in objects_at(application.manifest, "status", "resources")
        if (text_at(entry, "kind"), text_at(entry, "name")) == (resource.kind, resource.name)
    )


def _stuck(application: Application, awaited: _Awaited | None, node: TreeNode | None, lasted: timedelta) -> Finding:
    since = f" for {minutes_text(lasted)}" if lasted >= timedelta(minutes=1) else ""
    evidence = application.quote(*OPERATION, "message") + application.quote(*OPERATION, "startedAt")
    stop = f"To stop the sync: {application.command('terminate-op')}."
    if awaited is None:
        return application.finding(
            f"{application.title}: sync has been running{since}",
            "It has not ended, and its message does not name what it waits for.",
            evidence or application.quote(*OPERATION, "phase"),
            f"See its results so far: {application.command('get', '--show-operation')}.",
            stop,
            level="symptom",
            severity="warning",
        )
    if awaited.verb == "completion of hook" and node is None and awaited.resource.kind in _DONE_AT_ONCE:
        return _deleted_early(application, awaited, evidence, since)
    what = one_line(f"{awaited.resource.kind} {awaited.resource.name}", 100)
    more = f" and {awaited.more} more" if awaited.more else ""
    until = {
        "healthy state of": f"has been waiting{since} for {what}{more} to become healthy",
        "completion of hook": f"has been waiting{since} for hook {what}{more} to complete",
    }.get(awaited.verb, f"has been waiting{since} for {what}{more} to be deleted")
    return application.finding(
        f"{application.title}: sync {until}",
        _meaning(application, awaited),
        evidence + _quote_health(node),
        f"Ask about {what}, which blocks it: {describe(awaited.resource)}.",
        stop,
        level="symptom",
        blames=(awaited.resource,),
    )


def _deleted_early(application: Application, awaited: _Awaited, evidence: tuple[Evidence, ...], since: str) -> Finding:
    what = one_line(f"{awaited.resource.kind} {awaited.resource.name}", 100)
    return application.finding(
        f"{application.title}: sync has been waiting{since} for hook {what}, which was deleted before it was counted",
        f"A {awaited.resource.kind} is complete as soon as it is applied, so there is nothing to wait for: its "
        "hook-delete-policy removed it first, and the sync waits for something that is gone.",
        evidence,
        f"Stop the sync ({application.command('terminate-op')}), then sync again ({application.command('sync')}).",
        f"In Git, take `hook-succeeded` off the `argocd.argoproj.io/hook-delete-policy` of {what} "
        "(BeforeHookCreation is the default), or make it an ordinary resource in an earlier sync wave.",
        level="cause",
        blames=(awaited.resource,),
    )


def _meaning(application: Application, awaited: _Awaited) -> str:
    wave, later = _later_waves(application, awaited.resource)
    if awaited.verb == "deletion of":
        return "The sync continues only after this deletion; a finalizer may hold the resource."
    if awaited.verb == "completion of hook":
        return f"A sync continues only after its hooks have completed.{_waiting(later)}"
    return f"Sync wave {wave} must be healthy before the sync continues.{_waiting(later)}"


def _waiting(later: list[Manifest]) -> str:
    return f" Waiting in later waves: {names_of(later)}." if later else ""


def _later_waves(application: Application, resource: ResourceRef) -> tuple[int, list[Manifest]]:
    """The wave of the resource, and the resources of later waves that have not been applied in this sync."""
    entries = objects_at(application.manifest, "status", "resources")
    wave = next((integer_at(e, "syncWave") or 0 for e in entries if _identity(e) == _of(resource)), 0)
    applied = {_identity(e) for e in objects_at(application.manifest, *RESULTS)}
    later = [e for e in entries if (integer_at(e, "syncWave") or 0) > wave and _identity(e) not in applied]
    return wave, later


def _identity(entry: Manifest) -> tuple[str, str, str]:
    return text_at(entry, "kind"), text_at(entry, "namespace"), text_at(entry, "name")


def _of(resource: ResourceRef) -> tuple[str, str, str]:
    return resource.kind, resource.namespace, resource.name


def _quote_health(node: TreeNode | None) -> tuple[Evidence, ...]:
    return quote_node(node) + quote_node(node, "health.status") if node else ()
