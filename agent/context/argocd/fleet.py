"""All Applications that may be read: a list with only the fields that show their state, then their conditions.

Owns those requests and which Applications count as troubled; `agent.turn.triage` examines those one by one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from agent.context.argocd.api import ArgoCDAPI, ArgoCDRequest
from agent.context.clean import cleaned_application
from agent.context.model import Fleet, FleetApplication, Gap
from agent.errors import SourceError
from agent.objects.health import WORST_FIRST
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ApplicationRef

# Undocumented, but understood by every Argo CD since 1.2: without it a thousand Applications are tens of megabytes.
# The server has a fixed table of paths and drops all others in silence
# (pkg/apiclient/application/forwarder_overwrite.go): conditions, the message of an operation and most of the spec are
# not in it.
_FIELDS = ",".join(
    f"items.{path}"
    for path in (
        "metadata.name",
        "metadata.namespace",
        "metadata.deletionTimestamp",
        "spec.project",
        "status.health",
        "status.sync.status",
        "status.operationState.phase",
    )
)
_SPEC = ("project", "destination", "syncPolicy", "source", "sources")

MAX_WITH_CONDITIONS = 2_000
"""Applications up to which the whole list is read for their conditions: some 30 kB each."""

MAX_LIST_BYTES = 100_000_000
"""Most that is read of the whole list, of which one Application is held at a time."""

_BAD = WORST_FIRST[:2]  # troubled, whatever the sync status and the operation are
_FAILED = ("Failed", "Error")


def read_fleet(api: ArgoCDAPI, *, projects: Sequence[str] = (), selector: str = "") -> Fleet:
    """Return the fleet from Argo CD's list, of `projects` and `selector` only if given.

    Raises SourceError if the list cannot be read; without the conditions the fleet has a gap.
    """
    params: dict[str, str | tuple[str, ...]] = {}
    if projects:
        params["projects"] = tuple(projects)
    if selector:
        params["selector"] = selector
    items = objects_at(api.read_json(_request({"fields": _FIELDS} | params)).value, "items")
    if len(items) > MAX_WITH_CONDITIONS:
        message = f"The conditions of {len(items)} Applications were not read: up to {MAX_WITH_CONDITIONS} are"
        return fleet_of(items, gaps=(_gap("left_out", message),))
    try:
        told = _conditions_by_name(api, _request(params))
    except SourceError as error:
        message = f"The conditions of healthy Applications could not be read: {error.public_message}"
        return fleet_of(items, gaps=(_gap(error.code, message),))
    return fleet_of([_with_conditions(item, told.get(_key(item), {})) for item in items])


def _request(params: Mapping[str, str | tuple[str, ...]]) -> ArgoCDRequest:
    return ArgoCDRequest(path=(), params=params, what="the list of Applications", right="applications, get")


def _gap(reason: str, message: str) -> Gap:
    return Gap(part="fleet", source="argocd", reason=reason, message=message)


def _conditions_by_name(api: ArgoCDAPI, request: ArgoCDRequest) -> dict[tuple[str, str], Manifest]:
    """The spec of each Application, its conditions and the message of its operation. Raises SourceError."""
    import ijson

    items: list[object] = ijson.sendable_list()
    parser = ijson.items_coro(items, "items.item", use_float=True)
    found: dict[tuple[str, str], Manifest] = {}
    with closing(api.read_chunks(request, limit=MAX_LIST_BYTES)) as chunks:
        try:
            for chunk in chunks:
                parser.send(chunk)
                found.update((_key(item), _told(item)) for item in map(object_at, items))
                items.clear()
            parser.close()
        except ijson.JSONError:
            raise api.no_json(request) from None
    return found


def _key(item: object) -> tuple[str, str]:
    return text_at(item, "metadata", "namespace"), text_at(item, "metadata", "name")


def _told(item: object) -> Manifest:
    spec = object_at(item, "spec")
    return {
        "spec": {key: spec[key] for key in _SPEC if key in spec},
        "conditions": objects_at(item, "status", "conditions"),
        "message": text_at(item, "status", "operationState", "message"),
    }


def _with_conditions(item: Manifest, told: Manifest) -> Manifest:
    status: dict[str, Any] = dict(object_at(item, "status"))
    if conditions := objects_at(told, "conditions"):
        status["conditions"] = conditions
    if message := text_at(told, "message"):
        status["operationState"] = object_at(status, "operationState") | {"message": message}
    return item | {"spec": object_at(item, "spec") | object_at(told, "spec"), "status": status}


def fleet_of(items: Sequence[Manifest], *, gaps: tuple[Gap, ...] = ()) -> Fleet:
    """Return the fleet for the items of the list, the troubled Applications worst first."""
    applications = [_application(item) for item in items]
    troubled = [each for each in applications if _is_troubled(each)]
    troubled.sort(key=lambda each: (_grade(each), each.name))
    return Fleet(
        total=len(applications),
        health=Counter(each.health or "Unknown" for each in applications),
        sync=Counter(each.sync or "Unknown" for each in applications),
        troubled=tuple(troubled),
        gaps=gaps,
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
    """Whether it is to be examined. One whose Pods crash is Progressing, for good with a StatefulSet or once its
    Deployment was available (gitops-engine/pkg/health)."""
    return (
        application.health in (*_BAD, "Progressing", "Unknown")
        or application.sync in ("OutOfSync", "Unknown")
        or application.operation in _FAILED
        or bool(text_at(application.manifest, "metadata", "deletionTimestamp"))
        or any(_is_trouble(text_at(each, "type")) for each in _conditions(application))
    )


def _is_trouble(condition: str) -> bool:
    return condition.endswith(("Error", "Warning")) and condition != "OrphanedResourceWarning"


def _conditions(application: FleetApplication) -> list[Manifest]:
    return objects_at(object_at(application.manifest, "status"), "conditions")


def _grade(application: FleetApplication) -> int:
    """The rank of a troubled Application, 0 the worst."""
    if application.health in _BAD:
        return _BAD.index(application.health)
    if application.operation in _FAILED:
        return 2
    return 3 if application.health in ("Progressing", "Unknown") or application.sync == "Unknown" else 4
