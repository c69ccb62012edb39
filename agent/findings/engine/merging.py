"""One finding for what is one fault: the same title in many pods of a workload, the same cause in several workloads.

Finds nothing itself and keeps the order of what it is given.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import Inventory, key_of
from agent.findings.engine.objects import controller_of
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
