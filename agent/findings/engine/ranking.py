"""The order of findings: one finding for one fault, errors first, a cause above what it causes in whichever resource.

Owns the merging (the same title in many pods of a workload, the same cause in several workloads) and the ranking.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import Inventory, Key, controller_of, key_of
from agent.findings.model import Evidence, Finding, Level, Severity
from agent.objects.target import ResourceRef

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
LEVELS: tuple[Level, ...] = ("cause", "effect", "symptom", "summary")

# How many pods are named, and how many beside the first are quoted.
_NAMED = 5
_QUOTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A finding and every object that it is about."""

    finding: Finding
    about: tuple[ResourceRef, ...]


def grade(finding: Finding) -> tuple[int, int]:
    """How far down a finding stands for itself: by severity, then by how near the cause it is."""
    return SEVERITIES.index(finding.severity), LEVELS.index(finding.level)


def merged(inventory: Inventory, findings: Sequence[Finding]) -> list[Merged]:
    """The findings, those of one fault as one."""
    workloads = _workloads(inventory)
    groups: dict[object, list[Finding]] = defaultdict(list)
    for place, finding in enumerate(findings):
        workload = workloads.get(finding.resource) if finding.resource else None
        if finding.cause:
            groups["cause", finding.cause].append(finding)
        elif workload:
            groups[finding.title, finding.severity, workload].append(finding)
        else:
            groups[place].append(finding)
    return [_merged(group, workloads) for group in groups.values()]


def _workloads(inventory: Inventory) -> dict[ResourceRef, ResourceRef]:
    """The workload of each Pod that has one."""
    found: dict[ResourceRef, ResourceRef] = {}
    for pod in inventory.of(("", "Pod")):
        reference, owner = ResourceRef.of(pod), controller_of(pod)
        if reference and owner:
            found[reference] = owner
    return found


def _merged(group: list[Finding], workloads: dict[ResourceRef, ResourceRef]) -> Merged:
    """The gravest finding, told of all the objects: its whole evidence, and the first quotation of a few others."""
    group = sorted(group, key=grade)
    first = group[0]
    about = tuple(dict.fromkeys(finding.resource for finding in group if finding.resource))
    if len(about) < 2:
        return Merged(finding=first, about=about)
    owners = list({key_of(owner): owner for owner in (workloads.get(each, each) for each in about)}.values())
    pods = sum(each.kind == "Pod" for each in about)
    if pods < 2 and len(owners) < 2:  # a Pod and its own workload tell the same
        return Merged(finding=replace(first, evidence=_evidence(group)), about=(*about, *owners))
    names = ", ".join(one_line(each.name, 80) for each in about[:_NAMED])
    more = f" and {len(about) - _NAMED} more" if len(about) > _NAMED else ""
    whose = ", ".join(f"{owner.kind} {one_line(owner.name, 80)}" for owner in owners[:_NAMED])
    counted = f"{pods} pods of {whose}" if pods > 1 else whose
    finding = replace(
        first,
        title=f"{first.title} ({counted})",
        explanation=f"{first.explanation} {'The pods are' if pods == len(about) else 'It concerns'} {names}{more}.",
        evidence=_evidence(group),
        resource=owners[0] if pods > 1 else first.resource,
        blames=tuple(dict.fromkeys(each for finding in group for each in finding.blames)),
    )
    return Merged(finding=finding, about=(*about, *owners))


def _evidence(group: list[Finding]) -> tuple[Evidence, ...]:
    others = (evidence for finding in group[1 : 1 + _QUOTED] for evidence in finding.evidence[:1])
    return tuple(dict.fromkeys((*group[0].evidence, *others)))


def ranked(inventory: Inventory, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, those of one fault merged, most important first.

    By severity, among equals by level; but whatever explains a finding stands above it, if it is but a warning: what
    the finding blames, and what is wrong with the objects that its resource owns. Mere information explains nothing.
    """
    if len(findings) < 2:
        return tuple(findings)
    found = sorted(merged(inventory, findings), key=lambda each: grade(each.finding))
    if len(found) < 2:
        return tuple(each.finding for each in found)
    return tuple(found[place].finding for place in _causes_first(_explanations(inventory, found)))


def _explanations(inventory: Inventory, found: list[Merged]) -> list[list[int]]:
    """For each finding the places of those that explain it, the best first."""
    about: dict[Key, list[int]] = defaultdict(list)
    for place, each in enumerate(found):
        for key in dict.fromkeys(map(key_of, each.about)):
            about[key].append(place)
    explained: list[set[int]] = [set() for _ in found]
    for place, each in enumerate(found):
        for blamed in each.finding.blames:
            explained[place].update(other for other in about.get(key_of(blamed), ()) if _may_explain(found[other]))
        if _may_explain(each):
            owners = {key_of(owner) for resource in each.about for owner in (resource, *inventory.owners(resource))}
            for other in (other for owner in sorted(owners) for other in about.get(owner, ())):
                if _is_above(each, found[other]):
                    explained[other].add(place)
    return [sorted(others - {place}) for place, others in enumerate(explained)]


def _may_explain(each: Merged) -> bool:
    return each.finding.severity != "info" and each.finding.level != "summary"


def _is_above(below: Merged, owner: Merged) -> bool:
    """Whether the finding about an owner follows from one about what it owns (or about itself)."""
    level = LEVELS.index(owner.finding.level)
    if below.about[:1] == owner.about[:1]:
        return level > LEVELS.index(below.finding.level)
    return owner.finding.level != "cause" and level >= LEVELS.index(below.finding.level)


def _causes_first(explained_by: list[list[int]]) -> list[int]:
    """The places in order, each after what explains it. A circle is opened at its best finding."""
    order: list[int] = []
    seen: set[int] = set()
    for start in range(len(explained_by)):
        stack = [(start, False)]
        while stack:
            place, is_done = stack.pop()
            if is_done:
                order.append(place)
            elif place not in seen:
                seen.add(place)
                stack.append((place, True))
                stack.extend((other, False) for other in reversed(explained_by[place]) if other not in seen)
    return order
