"""AppProject restrictions: the step that permits what a project refuses, and projects that permit nothing."""

import re
from collections.abc import Iterator

from agent.findings.argocd.project_rules import Denial, Wanted, denied
from agent.findings.engine.build import named, object_finding
from agent.findings.engine.commands import argocd
from agent.findings.engine.evidence import quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Finding
from agent.objects.manifest import list_at, text_at

APP_PROJECT: GroupKind = ("argoproj.io", "AppProject")

# Argo CD's wording (util/argo/argo.go, controller/sync.go).
_SOURCE = re.compile(r"application repo (\S+) is not permitted in project '?([^'\s]+)'?")
_DESTINATION = re.compile(
    r"application destination server '([^']*)' and namespace '([^']*)' do not match any of the allowed destinations "
    r"in project '([^']+)'"
)
_KIND = re.compile(r"resource ([^:\s]*):(\S+) is not permitted in project '?([^'\s]+)'?")
_NAMESPACE = re.compile(r"namespace ([\w.-]{1,253}) is not permitted in project '?([^'\s]+?)'?(?:$|[\s,.;])")
_APPLICATION = re.compile(
    r"application '?\S{1,253}'? in namespace '?([\w.-]{1,253}?)'? is not permitted to use project '?([\w.-]{1,253})"
)
_READ_LIMIT = 4_000

# Field of the spec: what it lists, the subcommand of `argocd proj` that adds an entry, and the arguments of that.
_FIELDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "sourceRepos": ("source repositories", "add-source", ("REPOSITORY",)),
    "destinations": ("destinations", "add-destination", ("SERVER", "NAMESPACE")),
}


def permitting(message: str, *, namespaced: bool = False, server: str = "") -> str:
    """Return the next step that permits what `message` reports as refused, or "" if it is no refusal by a project.

    `namespaced` is the scope of the refused kind, `server` the URL or name of the destination.
    """
    text = message[:_READ_LIMIT]
    if match := _SOURCE.search(text):
        command = argocd("proj", "add-source", match[2], match[1])
    elif match := _DESTINATION.search(text):
        command = argocd("proj", "add-destination", match[3], match[1], match[2])
    elif (match := _NAMESPACE.search(text)) and server:
        command = argocd("proj", "add-destination", match[2], server, match[1])
    elif match := _KIND.search(text):
        scope = "namespace" if namespaced else "cluster"
        command = argocd("proj", f"allow-{scope}-resource", match[3], match[1], match[2])
    else:
        return ""
    return f"To permit it in the project: {command}."


def denying(inventory: Inventory, message: str, *, namespaced: bool = False, server: str = "") -> Denial | None:
    """Return the deny rule that `message` reports, where the project was read and has one."""
    asked = _wanted(message[:_READ_LIMIT], namespaced=namespaced, server=server)
    if asked is None:
        return None
    name, wanted = asked
    for project in inventory.of(APP_PROJECT):
        if text_at(project, "metadata", "name") == name:
            return denied(project, wanted)
    return None


def _wanted(text: str, *, namespaced: bool, server: str) -> tuple[str, Wanted] | None:
    """The project of a refusal, and what it was asked to permit."""
    if match := _SOURCE.search(text):
        return match[2], Wanted(repository=match[1])
    if match := _DESTINATION.search(text):
        return match[3], Wanted(server=match[1], namespace=match[2])
    if match := _NAMESPACE.search(text):
        return match[2], Wanted(server=server, namespace=match[1])
    if match := _KIND.search(text):
        return match[3], Wanted(kind=(match[1], match[2]), is_namespaced=namespaced)
    if match := _APPLICATION.search(text):
        return match[2], Wanted(application_namespace=match[1])
    return None


MOVING = "Or move the Application to a project that permits it (spec.project)."


def projects(inventory: Inventory) -> Iterator[Finding]:
    """Yield a finding for each AppProject without source repositories or destinations, which blocks all its syncs."""
    for project in inventory.of(APP_PROJECT):
        missing = [field for field in _FIELDS if not list_at(project, "spec", field)]
        evidence = quote(project, "metadata", "name")
        if missing and evidence:
            name = text_at(project, "metadata", "name")
            yield object_finding(
                project,
                f"{named(project)} permits no {' and no '.join(_FIELDS[field][0] for field in missing)}",
                f"Its spec has no {' and no '.join(missing)}, so Argo CD refuses every Application in it.",
                evidence,
                *(f"Permit some: {argocd('proj', _FIELDS[field][1], name, *_FIELDS[field][2])}." for field in missing),
                severity="warning",
            )
