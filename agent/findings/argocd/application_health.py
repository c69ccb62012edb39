"""The health of an Application and of its resources as Argo CD assesses it, where no finding has the reason yet."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.context.context import Context
from agent.findings.argocd.status_entries import entries_where, quoted_entries
from agent.findings.engine.applications import Application, applications_of, names_of, resource_of
from agent.findings.engine.commands import describe
from agent.findings.engine.deployments import Deployments
from agent.findings.engine.inventory import Inventory, Key, key_of
from agent.findings.engine.ranking import grade
from agent.findings.model import Finding
from agent.objects.manifest import text_at


def with_resource_health(inventory: Inventory, found: list[Finding]) -> list[Finding]:
    """Return the findings, with each resource that Argo CD calls Degraded with a message of its own.

    Where a finding is about the resource, or about what it owns, the message becomes evidence of that finding.
    """
    result, places = list(found), _places(inventory, found)
    for degraded in resource_health(inventory):
        about = places.get(key_of(degraded.resource), []) if degraded.resource else []
        if not about:
            result.append(degraded)
            continue
        place = min(about, key=lambda place: grade(result[place]))
        quoted = {evidence.text for other in about for evidence in result[other].evidence}
        message = degraded.evidence[:1]
        if message and message[0].text not in quoted:
            result[place] = replace(result[place], evidence=result[place].evidence + message)
    return result


def with_health(inventory: Inventory, found: list[Finding]) -> list[Finding]:
    """Return the findings, with the health of each Application that is not healthy.

    Degraded is left out where other findings cover all the degraded resources, and no deployment shortly before is to
    be named.
    """
    places = _places(inventory, found)
    has_error = any(finding.severity == "error" and finding.level != "summary" for finding in found)
    result = list(found)
    for summary in health(inventory):
        # A missing resource is a fact of its own; so is a quoted deployment.
        is_health_only = all("health" in evidence.path and evidence.text != "Missing" for evidence in summary.evidence)
        is_covered = has_error and all(key_of(each) in places for each in summary.blames)
        if summary.severity != "error" or not is_health_only or not is_covered:
            result.append(summary)
    return result


def _places(inventory: Inventory, found: Iterable[Finding]) -> dict[Key, list[int]]:
    """The places of the findings about a resource and about what it owns, without those of severity info."""
    places: dict[Key, list[int]] = defaultdict(list)
    for place, finding in enumerate(found):
        if finding.resource and finding.severity != "info" and finding.level != "summary":
            for key in {key_of(each) for each in (finding.resource, *inventory.owners(finding.resource))}:
                places[key].append(place)
    return dict(places)


def health(inventory: Inventory) -> Iterator[Finding]:
    """The findings of Applications that are Degraded or Missing (with those resources), or whose health is Unknown."""
    for application in applications_of(inventory):
        status = application.text("status", "health", "status")
        if status in ("Degraded", "Missing"):
            yield _unhealthy(inventory.context, application, status)
        elif status == "Unknown":
            yield application.finding(
                f"{application.title}: health Unknown",
                "Argo CD could not assess its resources.",
                application.quote("status", "health", "message") + application.quote("status", "health", "status"),
                f"See it with its conditions: {application.command('get')}.",
                level="summary",
                severity="warning",
            )


def resource_health(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each resource that Argo CD calls Degraded with a message of its own."""
    for application in applications_of(inventory):
        for index, entry in entries_where(application, lambda e: text_at(e, "health", "status") == "Degraded"):
            if not text_at(entry, "health", "message"):
                continue
            yield application.finding(
                f"{names_of([entry])} is Degraded",
                "Argo CD's health check of its status failed; the quoted message has the reason.",
                application.quote("status", "resources", index, "health", "message")
                + application.quote("status", "resources", index, "health", "status"),
                f"{describe(resource_of(entry))} shows it with its events." if resource_of(entry) else "",
                f"See it in the resource tree: {application.command('get', '-o', 'tree=detailed')}.",
                level="symptom",
                resource=resource_of(entry),
            )


def _unhealthy(context: Context, application: Application, status: str) -> Finding:
    bad = entries_where(application, lambda entry: text_at(entry, "health", "status") in ("Degraded", "Missing"))
    bad.sort(key=lambda item: text_at(item[1], "health", "status") != status)
    if status == "Degraded":
        meaning = "At least one of its resources is unhealthy"
    else:
        meaning = "At least one of its resources is not in the cluster"
    since = Deployments(context=context, application=application).suspect_before(
        application.text("status", "health", "lastTransitionTime")
    )
    meaning += f": {names_of([entry for _, entry in bad])}." if bad else "; the resource tree shows which."
    return application.finding(
        f"{application.title} is {status}",
        meaning + since.text,
        application.quote("status", "health", "message")
        + application.quote("status", "health", "status")
        + quoted_entries(application, bad, "health")
        + since.evidence,
        f"See the health of each resource: {application.command('get', '-o', 'tree=detailed')}.",
        since.rollback_step,
        level="summary",
        blames=tuple(resource for _, entry in bad if (resource := resource_of(entry))),
    )
