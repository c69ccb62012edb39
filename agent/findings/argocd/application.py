"""An Application's conditions and its sync status.

Its health is in `application_health`, its last operation in `operation`.
"""

from collections.abc import Iterator

from agent.findings.admission.refusals import NAMESPACE_MISSING, refusal_in
from agent.findings.argocd.comparison_causes import comparison_cause
from agent.findings.argocd.contention import settling
from agent.findings.argocd.deletion import cluster_lost
from agent.findings.argocd.drift import explained
from agent.findings.argocd.operation_state import operation_failed
from agent.findings.argocd.projects import MOVING, denying, permitting
from agent.findings.argocd.status_entries import entries_where, quoted_entries
from agent.findings.engine.applications import Application, applications_of, names_of
from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Finding, Level, Severity
from agent.objects.error_message import parse
from agent.objects.manifest import list_at, text_at

# Argo CD's condition types (pkg/apis/application/v1alpha1/types.go): what each means.
_CONDITIONS: dict[str, tuple[str, Severity]] = {
    "ComparisonError": (
        "Argo CD cannot compare Git with the cluster, so the sync status is unknown and no sync is possible.",
        "error",
    ),
    "InvalidSpecError": ("The Application's own spec is not valid, so Argo CD does not process it.", "error"),
    "SyncError": ("An automated sync failed; Argo CD does not retry it for the same revision.", "error"),
    "DeletionError": ("The Application is being deleted, and some of its resources cannot be deleted.", "error"),
    "UnknownError": ("Argo CD's controller hit an error that it does not classify.", "error"),
    "SharedResourceWarning": (
        "Another Application manages the same resources: each sync of one undoes the other.",
        "warning",
    ),
    "RepeatedResourceWarning": (
        "The manifests contain the same resource more than once; only one of them is applied.",
        "warning",
    ),
    "ExcludedResourceWarning": ("Argo CD is configured to exclude this kind, so it is not synced.", "warning"),
    "OrphanedResourceWarning": ("Resources in the namespace belong to no Application.", "info"),
}


# Characters of an unknown cause in a title.
_STATEMENT_LIMIT = 200

_NAMESPACE_OF_A_DELETION = (
    "Create the namespace for as long as the deletion takes, so that its hooks can run, or remove the finalizer of the "
    "hooks; no sync happens during a deletion, so no sync option helps."
)

# Warnings that explain why an Application does not stay in sync.
_CONTENDED = ("SharedResourceWarning", "RepeatedResourceWarning")


def conditions(inventory: Inventory) -> Iterator[Finding]:
    """The findings of each Application's conditions: errors, warnings, and orphans for information."""
    for application in applications_of(inventory):
        lost = cluster_lost(application)
        for index, condition in enumerate(list_at(application.manifest, "status", "conditions")):
            kind = text_at(condition, "type")
            if not kind or (kind == "SyncError" and operation_failed(application)):
                continue  # the operation's own findings report it, with the resource
            if lost and kind.endswith("Error") and comparison_cause(text_at(condition, "message")):
                continue  # the finding about the deletion reports it
            yield _condition(inventory, application, index, kind, text_at(condition, "message"))


def _condition(inventory: Inventory, application: Application, index: int, kind: str, message: str) -> Finding:
    fallback: Severity = "error" if kind.endswith("Error") else "warning"
    meaning, severity = _CONDITIONS.get(kind, ("Argo CD reports this condition of the Application.", fallback))
    cause, step = _cause(kind, message) if severity == "error" else ("", "")
    level: Level = "cause" if severity == "error" or kind in _CONTENDED else "summary"
    denial = denying(inventory, message)
    ways = (denial.step, MOVING) if denial else (permitting(message), step or settling(message))
    return application.finding(
        f"{application.title} has the condition {one_line(kind, 60)}" + (f": {cause}" if cause else ""),
        meaning,
        application.quote("status", "conditions", index, "message")
        + application.quote("status", "conditions", index, "type")
        + (denial.evidence if denial else ()),
        *ways,
        f"See it with its sources: {application.command('get')}.",
        level=level,
        severity=severity,
    )


def _cause(kind: str, message: str) -> tuple[str, str]:
    """The name of the cause and what to do; of an unknown cause its own words, and no step."""
    compared, refusal = comparison_cause(message), refusal_in(message)
    first = (compared, refusal) if kind in ("ComparisonError", "UnknownError") else (refusal, compared)
    found = next((each for each in first if each), None)
    if found is None:
        return one_line(parse(message).statement, _STATEMENT_LIMIT), ""
    if kind == "DeletionError" and found.name == NAMESPACE_MISSING:
        return found.name, _NAMESPACE_OF_A_DELETION
    return found.name, found.step


def sync_status(inventory: Inventory) -> Iterator[Finding]:
    """The findings of Applications that are OutOfSync (with their resources) or whose sync status is unknown."""
    for application in applications_of(inventory):
        match application.text("status", "sync", "status"):
            case "OutOfSync":
                if not (application.is_syncing or application.is_being_deleted or explained(inventory, application)):
                    yield _out_of_sync(application)
            case "Unknown" if _lacks_project(inventory, application):
                project = one_line(application.text("spec", "project"), 100)
                yield application.finding(
                    f"{application.title}: its project {project} does not exist, or does not admit it",
                    "Argo CD gives nothing about an Application without a project, and does not sync it.",
                    application.quote("spec", "project") + application.quote("status", "sync", "status"),
                    f"Create AppProject {project}, or correct spec.project of the Application; `argocd proj list` "
                    "shows the existing ones.",
                    level="cause",
                )
            case "Unknown" if not _has_condition(application, "ComparisonError", "InvalidSpecError"):
                yield application.finding(
                    f"{application.title}: sync status Unknown",
                    "Argo CD could not compare it, and no condition has the reason.",
                    application.quote("status", "sync", "status"),
                    f"Compare it again: {application.command('get', '--refresh')}.",
                    level="symptom",
                    severity="warning",
                )
            case _:
                pass


def _lacks_project(inventory: Inventory, application: Application) -> bool:
    """Whether Argo CD refused to give the Application because of its project (`agent.context.argocd.api`)."""
    project = application.text("spec", "project")
    wanted = f"project {project} does not exist, or does not admit the Application"
    return bool(project) and any(gap.part == "application" and wanted in gap.message for gap in inventory.context.gaps)


def _out_of_sync(application: Application) -> Finding:
    differing = entries_where(application, lambda entry: text_at(entry, "status") == "OutOfSync")
    pruning = sum(1 for _, entry in differing if entry.get("requiresPruning") is True)
    explanation = "The cluster differs from Git" + (
        f": {names_of([entry for _, entry in differing])}."
        if differing
        else "; its status does not list the resources."
    )
    if pruning:
        explanation += f" {pruning} of them {'is' if pruning == 1 else 'are'} no longer in Git."
    if not application.is_automated:
        explanation += " Automated sync is off, so this stays until a manual sync."
    return application.finding(
        f"{application.title} is OutOfSync",
        explanation,
        application.quote("status", "sync", "status") + quoted_entries(application, differing, "status"),
        f"See the difference: {application.command('diff')}.",
        f"If Git is right: {application.command('sync')}.",
        level="summary",
        severity="info" if differing and pruning == len(differing) else "warning",
    )


def _has_condition(application: Application, *types: str) -> bool:
    return any(text_at(c, "type") in types for c in list_at(application.manifest, "status", "conditions"))
