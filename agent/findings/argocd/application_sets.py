"""ApplicationSets that cannot create, update or delete their Applications, according to their conditions.

Source of types and reasons: Argo CD's pkg/apis/application/v1alpha1/applicationset_types.go.
"""

from collections.abc import Iterator

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, list_at, text_at

APPLICATION_SET: GroupKind = ("argoproj.io", "ApplicationSet")

# By the reason of the condition: its meaning, and what to do.
_REASONS: dict[str, tuple[str, str]] = {
    "ApplicationParamsGenerationError": (
        "a generator yields no parameters",
        "Repair the generator that the message names: its repository, path, selector, URL or credentials.",
    ),
    "RenderTemplateParamsError": (
        "its template cannot be rendered with a generator's parameters",
        "Correct the template, or give every element of the generators the parameter; with "
        "`goTemplateOptions: [missingkey=error]` a missing one is an error.",
    ),
    "ApplicationValidationError": (
        "an Application that it generates is not valid",
        "Correct what the message names in the template: project, destination, source, or a duplicate name.",
    ),
    "CreateApplicationError": (
        "an Application cannot be created",
        "The message has the API server's reason.",
    ),
    "UpdateApplicationError": (
        "an Application cannot be updated",
        "The message has the API server's reason.",
    ),
    "DeleteApplicationError": (
        "an Application cannot be deleted",
        "The message has the reason; a finalizer may hold the Application.",
    ),
    "RefreshApplicationError": (
        "an Application cannot be refreshed",
        "The message has the reason.",
    ),
}
# A condition of this type is bad with this status.
_BAD = {"ErrorOccurred": "True", "ParametersGenerated": "False", "ResourcesUpToDate": "False"}
_ROLLING = "RolloutProgressing"


def application_sets(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each ApplicationSet with a bad condition; a step-by-step rollout in progress is not bad."""
    for manifest in inventory.of(APPLICATION_SET):
        bad = sorted(_bad(manifest), key=lambda index: _rank(manifest, index))
        if bad:
            yield _finding(manifest, bad)


def _bad(manifest: Manifest) -> list[int]:
    conditions = list_at(manifest, "status", "conditions")
    rolling = any(text_at(c, "type") == _ROLLING and text_at(c, "status") == "True" for c in conditions)
    return [
        index
        for index, condition in enumerate(conditions)
        if _BAD.get(text_at(condition, "type"), "?") == text_at(condition, "status")
        and not (rolling and text_at(condition, "type") == "ResourcesUpToDate")
    ]


def _rank(manifest: Manifest, index: int) -> int:
    return list(_BAD).index(text_at(manifest, "status", "conditions", index, "type"))


def _finding(manifest: Manifest, bad: list[int]) -> Finding:
    place = ("status", "conditions", bad[0])
    kind, reason = text_at(manifest, *place, "type"), text_at(manifest, *place, "reason")
    meaning, step = _REASONS.get(reason, ("its controller reports an error", "Repair what the message names."))
    return object_finding(
        manifest,
        f"{named(manifest)} fails: {meaning} ({one_line(kind, 40)}, {one_line(reason, 60)})",
        "Until this is repaired it neither creates new Applications nor changes existing ones; they stay as they are.",
        _quotations(manifest, bad),
        step,
        "Read the controller's log: `kubectl -n argocd logs deployment/argocd-applicationset-controller`.",
    )


def _quotations(manifest: Manifest, bad: list[int]) -> tuple[Evidence, ...]:
    found: dict[str, Evidence] = {}
    for index in bad:
        for field in ("message", "reason"):
            for quoted in quote(manifest, "status", "conditions", index, field):
                found.setdefault(quoted.text, quoted)
    return tuple(found.values()) or quote(manifest, "status", "conditions", bad[0], "type")
