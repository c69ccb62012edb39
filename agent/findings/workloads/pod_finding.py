"""The form of a finding about a whole Pod."""

from collections.abc import Iterable

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.inventory import controller_of
from agent.findings.model import Evidence, Finding, Level, Severity
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef


def pod_finding(
    pod: Manifest,
    fault: str,
    explanation: str,
    evidence: tuple[Evidence, ...],
    *steps: str,
    level: Level = "cause",
    severity: Severity = "error",
    blames: Iterable[ResourceRef] = (),
    cause: str = "",
) -> Finding:
    """A finding whose title is the Pod's kind and name, and `fault`.

    Pods of one owner with the same fault have the same cause, so that they become one finding.
    """
    owner = controller_of(pod)
    return object_finding(
        pod,
        f"{named(pod)} {fault}",
        explanation,
        evidence,
        *steps,
        level=level,
        severity=severity,
        blames=blames,
        cause=cause or (f"pod of {owner.namespace} {owner} {fault}" if owner else ""),
    )
