"""All Applications that may be read, from one list with only the fields that show their state.

Owns that request and which Applications count as troubled; `agent.turn.triage` examines those one by one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent.context.argocd.api import ArgoCDAPI, ArgoCDRequest
from agent.context.clean import cleaned_application
from agent.context.model import Fleet, FleetApplication
from agent.objects.health import WORST_FIRST
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ApplicationRef

# Undocumented, but understood by every Argo CD since 1.2: without it a thousand Applications are tens of megabytes.
_FIELDS = ",".join(
    f"items.{path}"
    for path in (
        "metadata.name",
        "metadata.namespace",
        "spec.project",
        "spec.destination",
        "spec.syncPolicy",
        "status.health",
        "status.sync.status",
        "status.conditions",
        "status.operationState.phase",
        "status.operationState.message",
    )
)
_BAD = WORST_FIRST[:2]  # troubled, whatever the sync status and the operation are
_FAILED = ("Failed", "Error")


def read_fleet(api: ArgoCDAPI, *, projects: Sequence[str] = (), selector: str = "") -> Fleet:
    """Return the fleet from Argo CD's list, of `projects` and `selector` only if given. Raises SourceError."""
    params: dict[str, str | tuple[str, ...]] = {"fields": _FIELDS}
    if projects:
        params["projects"] = tuple(projects)
    if selector:
        params["selector"] = selector
    request = ArgoCDRequest(path=(), params=params, what="the list of Applications", right="applications, get")
    return fleet_of(objects_at(api.read_json(request).value, "items"))


def fleet_of(items: Sequence[Manifest]) -> Fleet:
    """Return the fleet for the items of the list, the troubled Applications worst first."""
    applications = [_application(item) for item in items]
    troubled = [each for each in applications if _is_troubled(each)]
    troubled.sort(key=lambda each: (_grade(each), each.name))
    return Fleet(
        total=len(applications),
        health=Counter(each.health or "Unknown" for each in applications),
        sync=Counter(each.sync or "Unknown" for each in applications),
        troubled=tuple(troubled),
    )


def _application(item: Manifest) -> FleetApplication:
    # Not validated: the reference only serves for names and look-ups.
    reference = ApplicationRef.model_construct(
        name=text_at(item, "metadata", "name"),
        namespace=text_at(item, "metadata", "namespace"),
        project=text_at(item, "spec", "project"),
    )
    manifest: dict[str, Any] = cleaned_application(item)
    return FleetApplication(
        reference=reference,
        health=text_at(item, "status", "health", "status"),
        sync=text_at(item, "status", "sync", "status"),
        operation=text_at(item, "status", "operationState", "phase"),
        manifest=manifest,
    )


def _is_troubled(application: FleetApplication) -> bool:
    return (
        application.health in (*_BAD, "Unknown")
        or application.sync in ("OutOfSync", "Unknown")
        or application.operation in _FAILED
        or any(text_at(each, "type").endswith("Error") for each in _conditions(application))
    )


def _conditions(application: FleetApplication) -> list[Manifest]:
    return objects_at(object_at(application.manifest, "status"), "conditions")


def _grade(application: FleetApplication) -> int:
    """The rank of a troubled Application, 0 the worst."""
    if application.health in _BAD:
        return _BAD.index(application.health)
    if application.operation in _FAILED:
        return 2
    return 3 if application.health == "Unknown" or application.sync == "Unknown" else 4
