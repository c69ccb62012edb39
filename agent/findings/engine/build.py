"""The form of a finding about one object: its name, its reference, the command that shows it."""

from collections.abc import Iterable

from agent.findings.engine.commands import describe
from agent.findings.engine.evidence import one_line
from agent.findings.model import Evidence, Finding, Level, Severity
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ResourceRef


def object_finding(
    manifest: Manifest,
    title: str,
    explanation: str,
    evidence: tuple[Evidence, ...],
    *steps: str,
    level: Level = "cause",
    severity: Severity = "error",
    blames: Iterable[ResourceRef] = (),
    cause: str = "",
) -> Finding:
    """A finding about an object; its last step shows the object. Empty steps are left out."""
    return container_finding(
        ResourceRef.of(manifest),
        title,
        explanation,
        evidence,
        *steps,
        level=level,
        severity=severity,
        blames=blames,
        cause=cause,
    )


def container_finding(
    resource: ResourceRef | None,
    title: str,
    explanation: str,
    evidence: tuple[Evidence, ...],
    *steps: str,
    level: Level = "cause",
    severity: Severity = "error",
    blames: Iterable[ResourceRef] = (),
    cause: str = "",
) -> Finding:
    """Like `object_finding`, for an object without a manifest."""
    look = f"{describe(resource)} shows it with its events." if resource else ""
    return Finding(
        title=title,
        severity=severity,
        level=level,
        explanation=explanation,
        evidence=evidence,
        resource=resource,
        next_steps=tuple(step for step in (*steps, look) if step),
        blames=tuple(blames),
        cause=cause,
    )


def name_of(manifest: Manifest) -> str:
    """The object's name, "" where it has none."""
    return text_at(manifest, "metadata", "name")


def namespace_of(manifest: Manifest) -> str:
    """The object's namespace, "" where it has none."""
    return text_at(manifest, "metadata", "namespace")


def named(manifest: Manifest) -> str:
    """Kind and name for a title."""
    return one_line(f"{text_at(manifest, 'kind')} {name_of(manifest)}")
