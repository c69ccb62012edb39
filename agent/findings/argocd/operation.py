"""The last operation of an Application: its failure, and the hooks and resources that failed with their messages.

Owns `status.operationState` and its `syncResult`; sync status and conditions are in `application`. Source of phases and
status codes: Argo CD's gitops-engine/pkg/sync/common/types.go.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from agent.context.context import Context
from agent.findings.admission.refusals import NAMESPACE_MISSING, Refusal, refusal_in
from agent.findings.argocd.hook_logs import last_words
from agent.findings.argocd.immutable import immutable_field, is_immutable, ways_out
from agent.findings.argocd.missing_namespaces import creating_namespace, missing_namespace
from agent.findings.argocd.operation_state import OPERATION, RESULTS
from agent.findings.argocd.projects import MOVING, denying, permitting
from agent.findings.engine.applications import Application, applications_of, names_of, resource_of
from agent.findings.engine.commands import kubectl
from agent.findings.engine.deployments import Deployments
from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding
from agent.findings.workloads.crash_reasons import reason_in
from agent.objects.error_message import parse
from agent.objects.manifest import Manifest, integer_at, list_at, object_at, objects_at, text_at

# Of many results so many are quoted.
_QUOTED = 5


def failed_hooks(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each failed hook of the last operation, with the message in its result."""
    for application in applications_of(inventory):
        for index, entry in _results(application):
            if _is_failed_hook(entry):
                yield _failed_hook(inventory, application, index, entry)


def failed_resources(inventory: Inventory) -> Iterator[Finding]:
    """The findings of resources that the last operation could not sync, one for those with the same message."""
    for application in applications_of(inventory):
        groups: dict[str, list[tuple[int, Manifest]]] = defaultdict(list)
        for index, entry in _results(application):
            failed = text_at(entry, "status") == "SyncFailed" or text_at(entry, "hookPhase") in ("Failed", "Error")
            if failed and not _is_failed_hook(entry):
                groups[text_at(entry, "message")].append((index, entry))
        for entries in groups.values():
            yield _unsynced(inventory, application, entries)


def skipped_prunes(inventory: Inventory) -> Iterator[Finding]:
    """The finding of resources that are no longer in Git and were not pruned, while the Application is not Synced."""
    for application in applications_of(inventory):
        if application.text("status", "sync", "status") == "Synced":
            continue
        skipped = [(i, e) for i, e in _results(application) if text_at(e, "status") == "PruneSkipped"]
        if not skipped:
            continue
        yield application.finding(
            f"{_count(skipped)} not pruned: {names_of([entry for _, entry in skipped])}",
            "They are no longer in Git, and the sync did not delete them: pruning is off, or disabled for them by the "
            "annotation `argocd.argoproj.io/sync-options: Prune=false`.",
            _quoted(application, skipped, "message", "status"),
            f"To delete them: {application.command('sync', '--prune')}, or set spec.syncPolicy.automated.prune.",
            level="cause",
            severity="info",
            resource=resource_of(skipped[0][1]) if len(skipped) == 1 else None,
        )


def failed_operations(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each last operation that failed, or that Argo CD retries after a failure."""
    for application in applications_of(inventory):
        phase = application.text(*OPERATION, "phase")
        retries = _retries(application)
        if phase in ("Failed", "Error"):
            yield _failed_operation(inventory.context, application, phase, retries)
        elif phase == "Running" and retries > 0:
            yield application.finding(
                f"{application.title}: sync is being retried (retry {retries})",
                "Each attempt so far failed; Argo CD retries it up to the retry limit of the sync policy.",
                application.quote(*OPERATION, "message")
                + application.quote(*OPERATION, "retryCount")
                + application.quote("spec", "syncPolicy", "retry", "limit"),
                f"See what fails: {application.command('get', '--show-operation')}.",
                f"To stop it: {application.command('terminate-op')}.",
                level="symptom",
                severity="warning",
            )


def _retries(application: Application) -> int:
    """The number of retries: the counter, or that in the message (`(retried 5 times)`)."""
    counted = integer_at(application.manifest, *OPERATION, "retryCount") or 0
    match = re.search(r"\(retried (\d{1,4}) times?\)", application.text(*OPERATION, "message")[-2_000:])
    return max(counted, int(match[1]) if match else 0)


def _results(application: Application) -> list[tuple[int, Manifest]]:
    """The results of the last operation that are objects, each with its place in the list."""
    count = len(list_at(application.manifest, *RESULTS))
    entries = [(index, object_at(application.manifest, *RESULTS, index)) for index in range(count)]
    return [(index, entry) for index, entry in entries if entry]


def _is_failed_hook(entry: Manifest) -> bool:
    return bool(text_at(entry, "hookType")) and text_at(entry, "hookPhase") in ("Failed", "Error")


def _failed_hook(inventory: Inventory, application: Application, index: int, entry: Manifest) -> Finding:
    hook, kind, name = (one_line(text_at(entry, key), 100) for key in ("hookType", "kind", "name"))
    namespace = text_at(entry, "namespace")
    log_lines = last_words(inventory, entry)
    reason = reason_in((quoted.text for quoted in log_lines), only_faults=True)
    evidence = _quoted(application, [(index, entry)], "message", "hookPhase") + log_lines
    refusal = refusal_in(text_at(entry, "message"), namespace)
    if kind == "Job":
        logs = kubectl("logs", f"job/{text_at(entry, 'name')}", "--all-containers", namespace=namespace)
        look = f"Read the log of its pods, while its hook-delete-policy keeps them: {logs}."
        if inventory.context.tree and not inventory.node("Job", namespace, text_at(entry, "name")):
            # Before a retry Argo CD deletes the hooks of the last try, whatever their policy.
            look = f"Its Job and pods are gone, and their log with them: sync again, and read it meanwhile: {logs}."
    else:
        look = f"Look at it: {kubectl('describe', kind.lower(), text_at(entry, 'name'), namespace=namespace)}."
    consequence = {
        "PreSync": "PreSync hooks run before anything else is applied, so the sync stopped there.",
        "PostSync": "The resources were applied and became healthy; then this hook failed, and with it the sync.",
        "SyncFail": "A SyncFail hook runs after a failed sync, so something else failed first.",
    }.get(hook, "A sync stops at a failed hook.")
    return application.finding(
        f"{hook} hook {kind} {name} failed" + (f": {reason.substance}" if reason else ""),
        " ".join(part for part in (consequence, refusal and refusal.meaning, reason and reason.meaning) if part),
        evidence,
        refusal.step if refusal else "",
        reason.step if reason else look,
        f"Repair it in Git, then sync again: {application.command('sync')}.",
        level="effect",
        resource=resource_of(entry),
    )


def _unsynced(inventory: Inventory, application: Application, entries: list[tuple[int, Manifest]]) -> Finding:
    _, first = entries[0]
    namespace = text_at(first, "namespace")
    refusal = refusal_in(text_at(first, "message"), namespace)
    what = names_of([entry for _, entry in entries], limit=3)
    if text_at(first, "status") == "Synced":
        return application.finding(
            f"{what} was applied and did not become healthy",
            "A sync waits until each wave is healthy, so it stopped there.",
            _quoted(application, entries, "message", "hookPhase"),
            f"Ask about that resource; {application.command('get', '-o', 'tree=detailed')} shows its health.",
            level="effect",
            resource=resource_of(first),
        )
    field = immutable_field(text_at(first, "message"))
    name = f": {refusal.name}" + (f" ({field})" if field else "") if refusal else ""
    if refusal and refusal.name == NAMESPACE_MISSING and (missing := missing_namespace(text_at(first, "message"))):
        name = f": its namespace {missing} does not exist"
    namespaced, server = _is_namespaced(application, first), _server(application)
    denial = denying(inventory, text_at(first, "message"), namespaced=namespaced, server=server)
    again = f"Then sync again: {application.command('sync')}."
    return application.finding(
        f"{what} could not be synced{name}",
        refusal.meaning if refusal else "Argo CD could not apply it; the message comes from the API server.",
        _quoted(application, entries, "message", "status") + (denial.evidence if denial else ()),
        *((denial.step, MOVING, again) if denial else _ways_to_sync(application, first, refusal)),
        level="cause",
        resource=resource_of(first),
        blames=refusal.blames if refusal else (),
    )


def _ways_to_sync(application: Application, entry: Manifest, refusal: Refusal | None) -> tuple[str, ...]:
    """What to do about a resource that was refused, and the command that syncs again."""
    message = text_at(entry, "message")
    if refusal and is_immutable(message):
        return ways_out(application, entry)
    again = f"Then sync again: {application.command('sync')}."
    if refusal and refusal.name == NAMESPACE_MISSING:
        return (creating_namespace(application, missing_namespace(message)), again)
    step = refusal.step if refusal else f"Compare with what is in the cluster: {application.command('diff')}."
    permit = permitting(message, namespaced=_is_namespaced(application, entry), server=_server(application))
    return (permit, step, again)


def _is_namespaced(application: Application, entry: Manifest) -> bool:
    """Whether its kind is namespaced. The result of a sync names the destination's namespace for cluster-scoped
    resources too; the status does not."""
    wanted = tuple(text_at(entry, key) for key in ("group", "kind", "name"))
    for listed in objects_at(application.manifest, "status", "resources"):
        if tuple(text_at(listed, key) for key in ("group", "kind", "name")) == wanted:
            return bool(text_at(listed, "namespace"))
    return bool(text_at(entry, "namespace"))


def _server(application: Application) -> str:
    destination = ("spec", "destination")
    return application.text(*destination, "server") or application.text(*destination, "name")


def _failed_operation(context: Context, application: Application, phase: str, retries: int) -> Finding:
    conditions = list_at(application.manifest, "status", "conditions")
    sync_errors = [i for i, c in enumerate(conditions) if text_at(c, "type") == "SyncError"]
    # The findings of failed resources name their refusals.
    has_failed_resource = any(text_at(entry, "status") == "SyncFailed" for _, entry in _results(application))
    refusal = None if has_failed_resource else refusal_in(application.text(*OPERATION, "message"))
    reason = "" if has_failed_resource else _reason(application.text(*OPERATION, "message"), refusal)
    deployments = Deployments(context=context, application=application)
    revision = application.text(*OPERATION, "syncResult", "revision")
    tries = f" after {retries} retries" if retries else ""
    return application.finding(
        f"The last sync of {application.title} {'failed' if phase == 'Failed' else 'ended in an error'}{tries}{reason}",
        "The operation ended, and its changes are not or only partly in the cluster."
        + (f" {refusal.meaning}" if refusal else "")
        + _started(application)
        + (f" It synced revision {deployments.describe(revision)}." if revision else ""),
        application.quote(*OPERATION, "message")
        + application.quote(*OPERATION, "phase")
        + application.quote(*OPERATION, "syncResult", "revision")
        + deployments.quote(revision)
        + tuple(q for index in sync_errors[:1] for q in application.quote("status", "conditions", index, "message")),
        refusal.step if refusal else "",
        f"See every resource's result: {application.command('get', '--show-operation')}.",
        deployments.rollback_step(revision) if revision else "",
        level="symptom",
    )


def _reason(message: str, refusal: Refusal | None) -> str:
    """The reason of a failed operation for its title: the known one, else the innermost clause of the message."""
    error = parse(message)
    name = refusal.name if refusal else "" if _SUMMARY.match(error.cause) else one_line(error.statement, 200)
    return f": {name}" if name else ""


# The message of an operation that failed for no reason of its own: gitops-engine/pkg/sync/sync_context.go.
_SUMMARY = re.compile(r"one or more (synchronization tasks|objects) ")


def _started(application: Application) -> str:
    by = application.text(*OPERATION, "operation", "initiatedBy", "username")
    automated = application.text(*OPERATION, "operation", "initiatedBy", "automated") == "true"
    return f" {one_line(by, 80)} started it." if by else " Automated sync started it." if automated else ""


def _quoted(application: Application, entries: list[tuple[int, Manifest]], *fields: str) -> tuple[Evidence, ...]:
    """The fields of the first results; the later fields only of the first one."""
    quotes: list[Evidence] = []
    for place, (index, _) in enumerate(entries[:_QUOTED]):
        for field in fields if place == 0 else fields[:1]:
            quotes += application.quote(*RESULTS, index, field)
    return tuple(quotes)


def _count(entries: list[tuple[int, Manifest]]) -> str:
    return "One resource was" if len(entries) == 1 else f"{len(entries)} resources were"
