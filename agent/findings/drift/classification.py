"""The category of each difference of a resource: real change, default, mutation, or without meaning."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.findings.drift.comparison import RawDifference, same_entries
from agent.findings.drift.defaults import is_default, is_empty
from agent.findings.drift.managers import Owners, is_argocd, is_controller, is_person, mutation
from agent.findings.drift.model import ABSENT, SAME_VALUE, Category, Difference, Item, Owner, Step
from agent.objects.manifest import Manifest, lookup
from agent.objects.quantities import same_quantity

# Written by the API server (k8s.io/apimachinery, pkg/apis/meta/v1/types.go, ObjectMeta).
_BOOKKEEPING = frozenset(
    {"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"}
    | {"resourceVersion", "selfLink", "uid"}
)
_COPIED_ANNOTATIONS = re.compile(
    r"kubectl\.kubernetes\.io/last-applied-configuration|deployment\.kubernetes\.io/revision"
)
# Where values are quantities.
_QUANTITIES = frozenset(
    {"resources", "limits", "requests", "capacity", "storage", "hard", "max", "min", "default", "defaultRequest"}
    | {"sizeLimit", "averageValue", "divisor", "overhead", "cpu", "memory"}
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Booleans that are no pointers and are left out when false, so that a stored object never has `false`
# (pkg/apis/application/v1alpha1/types.go of Argo CD; PodSpec, Container and VolumeMount of k8s.io/api/core/v1).
_DROPPED_WHEN_FALSE = frozenset(
    {("automated", "prune"), ("automated", "selfHeal"), ("automated", "allowEmpty")}
    | {("spec", "hostNetwork"), ("spec", "hostPID"), ("spec", "hostIPC")}
)
# Lists whose order matters, though their entries have names.
_ORDERED = frozenset({"initContainers", "env", "rules", "matches", "filters", "steps", "paths", "routes"})


@dataclass(frozen=True, kw_only=True)
class ComparedResource:
    """The resource whose differences are classified.

    `target` is its manifest in Git, `owners` the managers of its live fields, `autoscaler` what scales it, `resizer`
    what sets its requests ("" for nothing); of a `secret` no value may be shown.
    """

    target: Manifest | None
    owners: Owners
    autoscaler: str = ""
    resizer: str = ""
    secret: bool = False


def classified(raw: RawDifference, resource: ComparedResource) -> Difference:
    """The difference with its category and the reason for it."""
    owner = resource.owners.of(raw.steps) if raw.live is not ABSENT else None
    category, reason = _category_of(raw, resource, owner)
    hidden = resource.secret and raw.steps[:1] in (("data",), ("stringData",))
    return Difference(
        category=category,
        steps=raw.steps,
        reason="the value differs; it is a Secret's" if hidden and category == "change" else reason,
        live=ABSENT if hidden else raw.live,
        git=ABSENT if hidden else raw.git,
        live_path=raw.live_path,
        git_path=raw.git_path,
        owner=owner,
        hidden=hidden,
    )


def _category_of(raw: RawDifference, resource: ComparedResource, owner: Owner | None) -> tuple[Category, str]:
    return (
        _as_ignorable(raw)
        or _as_reordered(raw)
        or _as_scaled(raw, resource, owner)
        or _as_mutated(raw, owner)
        or _as_admitted(raw, resource, owner)
        or _as_defaulted(raw, resource, owner)
        or ("change", _change_reason(raw, owner))
    )


def _as_ignorable(raw: RawDifference) -> tuple[Category, str] | None:
    match raw.steps:
        case ("status", *_):
            return "ignorable", "the status is the controller's, not Git's"
        case ("metadata", str(name), *_) if name in _BOOKKEEPING:
            return "ignorable", "the API server's bookkeeping"
        case (*_, "metadata", "creationTimestamp"):
            return "ignorable", "an empty creation time, written by a generator"
        case (*_, "annotations", str(name)) if _COPIED_ANNOTATIONS.fullmatch(name):
            return "ignorable", "bookkeeping in an annotation"
        case _:
            return None


def _as_reordered(raw: RawDifference) -> tuple[Category, str] | None:
    if not raw.reordered and not same_entries(raw.live, raw.git):
        return None
    name = raw.steps[-1] if raw.steps else ""
    plain = isinstance(raw.live, tuple) and not raw.reordered and name in ("args", "command")
    if plain or name in _ORDERED:
        return "change", "the same entries in another order, and their order matters"
    return "ignorable", "the same entries in another order, which does not matter here"


def _as_scaled(raw: RawDifference, resource: ComparedResource, owner: Owner | None) -> tuple[Category, str] | None:
    if raw.steps == ("spec", "replicas"):
        if resource.autoscaler:
            return "mutated", f"{resource.autoscaler} sets the replicas"
        if owner and (is_controller(owner) or owner.manager == "horizontal-pod-autoscaler"):
            return "mutated", f"{owner.manager} sets the replicas"
    if resource.resizer and "resources" in raw.steps and "containers" in raw.steps:
        return "mutated", f"{resource.resizer} sets requests and limits"
    return None


def _as_mutated(raw: RawDifference, owner: Owner | None) -> tuple[Category, str] | None:
    if _same_in_other_form(raw):
        return "mutated", SAME_VALUE
    reason = mutation(raw.steps, raw.live, raw.git)
    if reason:
        return "mutated", reason
    if owner and is_controller(owner):
        return "mutated", f"{owner.manager} set it"
    return None


def _as_admitted(raw: RawDifference, resource: ComparedResource, owner: Owner | None) -> tuple[Category, str] | None:
    """A field that Argo CD applied with Git's value, and that has another value all the same: admission changed it in
    that request, so its owner is Argo CD."""
    if not is_argocd(owner) or raw.git_path is None or raw.live is ABSENT or raw.git is ABSENT:
        return None
    text = lookup(resource.owners.manifest, "metadata", "annotations", _LAST_APPLIED)
    if not isinstance(text, str) or isinstance(raw.git, Mapping | tuple):
        return None
    try:
        applied = lookup(json.loads(text), *raw.git_path)
    except (ValueError, RecursionError):
        return None
    if applied is None or applied != raw.git:
        return None
    return "mutated", "Argo CD applied Git's value, and an admission webhook or policy changed it"


def _same_in_other_form(raw: RawDifference) -> bool:
    live, git = raw.live, raw.git
    if isinstance(live, Mapping | tuple) or isinstance(git, Mapping | tuple) or ABSENT in (live, git):
        return False
    if _QUANTITIES.intersection(step for step in raw.steps if isinstance(step, str)) and same_quantity(live, git):
        return True
    return type(live) is not type(git) and live is not None and git is not None and _written(live) == _written(git)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_defaulted(raw: RawDifference, resource: ComparedResource, owner: Owner | None) -> tuple[Category, str] | None:
    if raw.live is ABSENT and raw.git is False and raw.steps[-2:] in _DROPPED_WHEN_FALSE:
        return "defaulted", "Git spells out the default `false`, which is dropped when the object is stored"
    if raw.live is ABSENT:
        return ("defaulted", "Git states an empty value, which the API server drops") if is_empty(raw.git) else None
    if is_empty(raw.live) and is_empty(raw.git):
        return "defaulted", "empty on both sides, in another form"
    if not is_empty(raw.git) or not is_empty(_in_git(raw.steps, resource.target)):
        return None
    if is_default(raw.steps, raw.live):
        return "defaulted", "the API server filled it in"
    if owner is None and resource.owners.manifest and not isinstance(raw.live, Mapping | tuple):
        return "defaulted", "no manager set it, so the API server filled it in"
    return None


def _in_git(steps: tuple[Step, ...], target: Manifest | None) -> Any:
    """The value in the manifest in Git, None for a path through a list."""
    if any(isinstance(step, Item) for step in steps):
        return None
    return lookup(target, *(step for step in steps if not isinstance(step, Item)))


def _change_reason(raw: RawDifference, owner: Owner | None) -> str:
    when = f" at {owner.time}" if owner and owner.time else ""
    if is_person(owner) and owner:
        return f"edited in the cluster by {owner.manager}{when}"
    if is_argocd(owner):
        return f"Git has moved on since Argo CD applied it{when}"
    if owner:
        return f"last set by {owner.manager}{when}"
    if raw.live is ABSENT:
        return "only Git has it: a sync adds it"
    if raw.git is ABSENT:
        return "only the cluster has it: a sync removes it"
    return "the values differ"
