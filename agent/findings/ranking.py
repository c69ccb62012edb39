"""The order of findings, and one finding for what many pods of a workload have in common. Finds nothing itself."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from agent.context.model import Context
from agent.findings.evidence import one_line
from agent.findings.model import Finding, Level, Severity
from agent.findings.objects import controller_of, objects_of
from agent.target import ResourceRef

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_LEVELS: tuple[Level, ...] = ("cause", "effect", "symptom", "summary")

# How many pods are named, and how many beside the first are quoted.
_NAMED = 5
_QUOTED = 3


def ranked(context: Context, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Pods of one workload with the same fault as one finding; errors first, among equals causes before symptoms."""
    together = _together(context, findings)
    together.sort(key=lambda finding: (_SEVERITIES.index(finding.severity), _LEVELS.index(finding.level)))
    return tuple(together)


def _together(context: Context, findings: Sequence[Finding]) -> list[Finding]:
    owners = _owners(context)
    groups: dict[object, list[Finding]] = defaultdict(list)
    for place, finding in enumerate(findings):
        owner = owners.get(finding.resource) if finding.resource else None
        groups[(finding.title, finding.severity, owner) if owner else place].append(finding)
    return [_merged(group, owners) if len(group) > 1 else group[0] for group in groups.values()]


def _owners(context: Context) -> dict[ResourceRef, ResourceRef]:
    """The workload of each Pod that has one."""
    owners: dict[ResourceRef, ResourceRef] = {}
    for pod in objects_of(context, ("", "Pod")):
        reference, owner = ResourceRef.of(pod), controller_of(pod)
        if reference and owner:
            owners[reference] = owner
    return owners


def _merged(group: list[Finding], owners: dict[ResourceRef, ResourceRef]) -> Finding:
    """The first finding, told of all the pods: its whole evidence, and the first quotation of a few others."""
    first = group[0]
    pods = [finding.resource for finding in group if finding.resource]
    owner = owners[pods[0]]
    names = ", ".join(one_line(pod.name, 80) for pod in pods[:_NAMED])
    more = f" and {len(pods) - _NAMED} more" if len(pods) > _NAMED else ""
    others = tuple(evidence for finding in group[1 : 1 + _QUOTED] for evidence in finding.evidence[:1])
    return replace(
        first,
        title=f"{first.title} ({len(group)} pods of {owner.kind} {one_line(owner.name, 80)})",
        explanation=f"{first.explanation} The pods are {names}{more}.",
        evidence=first.evidence + others,
        resource=owner,
    )
