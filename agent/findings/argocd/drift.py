"""Resources that are OutOfSync: the kind of drift, the values of both sides, and what to do about it.

Owns the finding for each drifted resource; the comparison is in `agent.findings.drift`, the steps in `drift_remedies`.
"""

from collections.abc import Iterator

from agent.context.context import Context
from agent.findings.argocd.drift_remedies import remedies
from agent.findings.argocd.held_back import Held, held_back
from agent.findings.drift import Category, Difference, Drift, drifts_of
from agent.findings.drift.managers import is_argocd, is_person
from agent.findings.drift.wording import difference_text
from agent.findings.engine.applications import Application, StatusResources, first_application, status_key
from agent.findings.engine.deployments import Deployments
from agent.findings.engine.evidence import one_line, quote_difference
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding, Level, Severity

# Resources with a finding each; the others share one finding for each category.
_RESOURCES = 8
# Differences of a resource that are named and quoted.
_NAMED = 4

_NAMES: dict[Category, tuple[str, str]] = {
    "change": ("real change", "real changes"),
    "missing": ("resource that is missing", "resources that are missing"),
    "prune": ("resource to prune", "resources to prune"),
    "mutated": ("change by a controller or webhook", "changes by controllers or webhooks"),
    "defaulted": ("default of the API server", "defaults of the API server"),
    "ignorable": ("difference without effect", "differences without effect"),
}


def drifted_resources(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each resource that differs from Git and is OutOfSync (or of unknown sync status).

    None during a sync; of many resources the last ones share a finding.
    """
    context, application = inventory.context, first_application(inventory)
    if application and (application.is_syncing or application.is_being_deleted):
        return
    entries = StatusResources(application) if application else None
    drifts = [drift for drift in inventory.once(_drifts) if entries is None or entries.is_out_of_sync(drift.resource)]
    drifts.sort(key=lambda drift: drift.is_noise)
    for drift in drifts[:_RESOURCES]:
        yield from _finding(context, application, entries, drift)
    if rest := drifts[_RESOURCES:]:
        yield from _folded(application, rest)


def explained(inventory: Inventory, application: Application) -> bool:
    """Whether the findings about drift cover every resource that makes the Application OutOfSync."""
    if application.source != "application" or not inventory.context.managed:
        return False
    differing = set(StatusResources(application).out_of_sync())
    return bool(differing) and differing <= {status_key(drift.resource) for drift in inventory.once(_drifts)}


def _drifts(inventory: Inventory) -> tuple[Drift, ...]:
    return drifts_of(inventory.context)


def _finding(
    context: Context, application: Application | None, entries: StatusResources | None, drift: Drift
) -> Iterator[Finding]:
    named = drift.differences[:_NAMED]
    revisions, revision_quotes = _revisions(context, application, drift)
    entry = entries.quote(drift.resource) if entries else ()
    evidence = _quotations(drift, named) + revision_quotes + (() if drift.differences[0].path else entry) or entry
    if not evidence:
        return
    held = held_back(context, application) if drift.differences[0].category == "missing" else None
    sentences = [
        _counts(drift),
        "; ".join(difference_text(difference) for difference in named if difference.path) + ".",
        revisions,
        held.reason if held else _fight(application, drift),
    ]
    severity, level = _weight(application, drift, held)
    yield Finding(
        title=_title(drift, edited=_is_edited(context, application)),
        severity=severity,
        level=level,
        explanation=" ".join(sentence for sentence in sentences if sentence.strip(".")),
        evidence=evidence,
        resource=drift.resource,
        next_steps=(held.step,) if held else tuple(remedies(application, drift)),
    )


def _is_edited(context: Context, application: Application | None) -> bool:
    return application is not None and Deployments(context=context, application=application).is_git_unchanged


def _title(drift: Drift, *, edited: bool) -> str:
    name = one_line(f"{drift.resource.kind} {drift.resource.name}", 80)
    first = drift.differences[0]
    alike = len(drift.of(first.category)) - 1
    where = one_line(first.path, 120) + (f" and {alike} more" if alike else "")
    match first.category:
        case "missing":
            return f"{name} is missing: it is in Git and not in the cluster"
        case "prune":
            return f"{name} is no longer in Git and still in the cluster"
        case "change" if first.owner and is_person(first.owner):
            return f"{name} was edited in the cluster by {one_line(first.owner.manager, 40)}: {where}"
        case "change" if edited and first.live_path is not None and not is_argocd(first.owner):
            return f"{name} was edited in the cluster: {where}"
        case "change":
            return f"{name} differs from Git: {where}"
        case "mutated":
            return f"{name} is OutOfSync only because of changes by controllers and webhooks: {where}"
        case "defaulted":
            return f"{name} is OutOfSync only because of defaults of the API server: {where}"
        case "ignorable":
            return f"{name} is OutOfSync only because of differences without effect: {where}"


def _weight(application: Application | None, drift: Drift, held: Held | None) -> tuple[Severity, Level]:
    """A warning is drift that a sync resolves, and drift that self-heal fights without end."""
    match drift.differences[0].category:
        case "missing" if held is not None:
            return "warning", "effect"
        case "missing" if application and application.text("status", "health", "status") == "Missing":
            return "error", "cause"
        case "change" | "missing":
            return "warning", "cause"
        case "mutated" if application and application.heals_itself and _is_fought(drift):
            return "warning", "cause"
        case _:
            return "info", "effect"


def _is_fought(drift: Drift) -> bool:
    return any(not difference.is_same_value for difference in drift.of("mutated"))


def _counts(drift: Drift) -> str:
    if not drift.differences[0].path:
        return f"Argo CD's comparison: {drift.differences[0].reason}."
    counts: list[tuple[Category, int]] = [(category, len(drift.of(category))) for category in drift.categories]
    texts = [f"{count} {_NAMES[category][count > 1]}" for category, count in counts]
    more = " (and more that were not counted)" if drift.more else ""
    return f"Between Git and the cluster there {'is' if counts[0][1] == 1 else 'are'} {', '.join(texts)}{more}:"


def _fight(application: Application | None, drift: Drift) -> str:
    if application is None:
        return ""
    category = drift.differences[0].category
    if category == "mutated" and application.heals_itself:
        return "Self-heal is on, so Argo CD reverts the change and the controller makes it again: the two fight."
    if category in ("mutated", "defaulted", "ignorable"):
        return (
            "A sync does not resolve this: the difference returns until Git has the same value or Argo CD ignores it."
        )
    if not application.is_automated:
        return "Automated sync is off, so this stays until a manual sync."
    if category == "change" and not application.heals_itself:
        return "Automated sync does not undo edits in the cluster while selfHeal is off."
    if category == "prune" and application.text("spec", "syncPolicy", "automated", "prune") != "true":
        return "Automated sync deletes nothing while automated.prune is off."
    return ""


def _revisions(context: Context, application: Application | None, drift: Drift) -> tuple[str, tuple[Evidence, ...]]:
    """Whether Git has a newer revision than the deployed one (with its author), as a sentence and its evidence."""
    if application is None or not drift.of("change", "missing", "prune") or is_person(drift.differences[0].owner):
        return "", ()
    deployments = Deployments(context=context, application=application)
    newest, deployed = deployments.newest, deployments.deployed
    if newest and deployed and newest != deployed:
        text = f"The last sync deployed {deployed[:12]}; Git is now at {deployments.describe(newest)}."
        return text, deployments.quote(newest)
    is_edit = deployments.is_git_unchanged and drift.of("change")
    return ("Git has not changed since the last sync, so the cluster has." if is_edit else ""), ()


def _quotations(drift: Drift, differences: tuple[Difference, ...]) -> tuple[Evidence, ...]:
    quotes: list[Evidence] = []
    for difference in differences:
        if difference.hidden:
            continue
        if difference.live_path:
            quotes += quote_difference(drift.managed, *difference.live_path, live=True)
        if difference.git_path:
            quotes += quote_difference(drift.managed, *difference.git_path)
    if not quotes:  # the resource as a whole, a Secret, or values that are empty on both sides
        quotes += quote_difference(drift.managed, "metadata", "name", live=True)
        quotes = quotes or [*quote_difference(drift.managed, "metadata", "name")]
    return tuple(quotes)


def _folded(application: Application | None, drifts: list[Drift]) -> Iterator[Finding]:
    """The remaining resources, with one finding for each category."""
    groups: dict[Category, list[Drift]] = {}
    for drift in drifts:
        groups.setdefault(drift.differences[0].category, []).append(drift)
    for category, group in groups.items():
        evidence = tuple(q for drift in group[:_NAMED] for q in _quotations(drift, drift.differences[:1]))
        if not evidence:
            continue
        severity, level = _weight(application, group[0], None)
        names = ", ".join(one_line(f"{drift.resource.kind} {drift.resource.name}", 80) for drift in group[:_NAMED])
        yield Finding(
            title=f"{len(group)} more resources differ from Git: {_NAMES[category][1]}",
            severity=severity,
            level=level,
            explanation=f"They are {names}{' and others' if len(group) > _NAMED else ''}.",
            evidence=evidence,
            resource=application.reference if application else None,
            next_steps=(f"See the differences: {application.command('diff')}.",) if application else (),
        )
