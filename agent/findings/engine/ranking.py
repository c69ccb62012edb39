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

# Most pods that are named, and most that are quoted after the first.
_NAMED = 5
_QUOTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A finding and every object that it is about."""

    finding: Finding
    about: tuple[ResourceRef, ...]


def grade(finding: Finding) -> tuple[int, int]:
    """The sort key of a finding by itself: severity, then how near the cause it is."""
    return SEVERITIES.index(finding.severity), LEVELS.index(finding.level)


def merged(inventory: Inventory, findings: Sequence[Finding]) -> list[Merged]:
    """The findings, those of one fault merged into one."""
    workloads = _workloads(inventory)
    groups: dict[object, list[Finding]] = defaultdict(list)
    for position, finding in enumerate(findings):
        workload = workloads.get(finding.resource) if finding.resource else None
        if finding.cause:
            groups["cause", finding.cause].append(finding)
        elif workload:
            groups[finding.title, finding.severity, workload].append(finding)
        else:
            groups[position].append(finding)
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
    """The most severe finding, about all the objects: its whole evidence, and the first quotation of a few others."""
    group = sorted(group, key=grade)
    first = group[0]
    about = tuple(dict.fromkeys(finding.resource for finding in group if finding.resource))
    if len(about) < 2:
        return Merged(finding=first, about=about)
    owners = list({key_of(owner): owner for owner in (workloads.get(each, each) for each in about)}.values())
    pods = sum(each.kind == "Pod" for each in about)
    if pods < 2 and len(owners) < 2:  # a Pod and its own workload report the same fault
        return Merged(finding=replace(first, evidence=_evidence(group)), about=(*about, *owners))
    names = ", ".join(one_line(each.name, 80) for each in about[:_NAMED])
    more = f" and {len(about) - _NAMED} more" if len(about) > _NAMED else ""
    owned_by = ", ".join(f"{owner.kind} {one_line(owner.name, 80)}" for owner in owners[:_NAMED])
    counted = f"{pods} pods of {owned_by}" if pods > 1 else owned_by
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

    By severity, then by level; but a finding that explains another comes before it, even a warning before an error: one
    about what the other blames, or about an object that its resource owns. Information explains nothing.
    """
    if len(findings) < 2:
        return tuple(findings)
    found = sorted(merged(inventory, findings), key=lambda each: grade(each.finding))
    if len(found) < 2:
        return tuple(each.finding for each in found)
    return tuple(found[position].finding for position in _causes_first(_explanations(inventory, found)))


def _explanations(inventory: Inventory, found: list[Merged]) -> list[list[int]]:
    """For each finding the positions of those that explain it, the best first."""
    about: dict[Key, list[int]] = defaultdict(list)
    for position, each in enumerate(found):
        for key in dict.fromkeys(map(key_of, each.about)):
            about[key].append(position)
    explained: list[set[int]] = [set() for _ in found]
    for position, each in enumerate(found):
        for blamed in each.finding.blames:
            explained[position].update(other for other in about.get(key_of(blamed), ()) if _may_explain(found[other]))
        if _may_explain(each):
            owners = {key_of(owner) for resource in each.about for owner in (resource, *inventory.owners(resource))}
            for other in (other for owner in sorted(owners) for other in about.get(owner, ())):
                if _is_above(each, found[other]):
                    explained[other].add(position)
    return [sorted(others - {position}) for position, others in enumerate(explained)]


def _may_explain(each: Merged) -> bool:
    bare = each.finding.level == "symptom" and each.finding.severity == "warning"
    return each.finding.severity != "info" and each.finding.level != "summary" and not bare


def _is_above(below: Merged, owner: Merged) -> bool:
    """Whether the finding about an owner follows from the one about an object that it owns (or about itself)."""
    level = LEVELS.index(owner.finding.level)
    if below.about[:1] == owner.about[:1]:
        return level > LEVELS.index(below.finding.level)
    return owner.finding.level != "cause" and level >= LEVELS.index(below.finding.level)


def _causes_first(explained_by: list[list[int]]) -> list[int]:
    """The positions in order, each after those that explain it. A cycle is broken at its best finding."""
    order: list[int] = []
    seen: set[int] = set()
    for start in range(len(explained_by)):
        stack = [(start, False)]
        while stack:
            position, is_done = stack.pop()
            if is_done:
                order.append(position)
            elif position not in seen:
                seen.add(position)
                stack.append((position, True))
                stack.extend((other, False) for other in reversed(explained_by[position]) if other not in seen)
    return order
