"""A namespace that a sync needs and that does not exist: whether Argo CD would create it, or the name is misspelled.

Source: `CreateNamespace=true` creates spec.destination.namespace alone
(https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#create-namespace).
"""

import difflib
import re

from agent.findings.engine.applications import Application
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line
from agent.objects.manifest import list_at

_OPTION = "CreateNamespace=true"
_MISSING = re.compile(r'namespaces? "([a-z0-9-]{1,63})" not found')
_READ_LIMIT = 4_000


def missing_namespace(message: str) -> str:
    """Return the namespace that the API server did not find, "" where the message names none."""
    found = _MISSING.search(message[:_READ_LIMIT])
    return found[1] if found else ""


def creating_namespace(application: Application, namespace: str) -> str:
    """Return the step that gives the resource its namespace; `namespace` "" is taken for that of the destination."""
    destination = application.text("spec", "destination", "namespace")
    is_set = _OPTION in list_at(application.manifest, "spec", "syncPolicy", "syncOptions")
    if namespace and destination and namespace != destination:
        return _elsewhere(namespace, destination)
    if is_set:
        return (
            f"Create the namespace: {kubectl('create', 'namespace', namespace or destination)}; `{_OPTION}` is set and "
            "did not, so look whether Argo CD's account may create namespaces."
        )
    option = application.command_after("set", "--sync-option", _OPTION)
    return (
        f"Let Argo CD create the namespace: in Git, add `{_OPTION}` to spec.syncPolicy.syncOptions of the Application; "
        f"at once: {option}."
    )


def _elsewhere(namespace: str, destination: str) -> str:
    """The namespace is not the destination's, so no sync option creates it."""
    if difflib.get_close_matches(namespace, [destination], cutoff=0.75):
        return (
            f"In Git, correct metadata.namespace of the resource: `{one_line(namespace, 63)}` is likely a misspelling "
            f"of `{destination}`, the Application's destination."
        )
    return (
        f"Create the namespace in Git, as a Namespace {one_line(namespace, 63)} in an earlier sync wave, or correct "
        f"metadata.namespace of the resource; Argo CD's option creates only the destination's, {destination}."
    )
