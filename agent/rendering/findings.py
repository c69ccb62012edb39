"""Findings with their evidence, and gaps, as text. Owns their form on the page."""

from collections.abc import Sequence

from agent.context.model import Gap
from agent.findings.model import Finding
from agent.rendering.rendered import Rendered, whole_items


def render_findings(findings: Sequence[Finding], limit: int) -> Rendered:
    """The findings with their evidence, in their order."""
    return whole_items([_finding(finding) for finding in findings], limit, "findings")


def render_gaps(gaps: Sequence[Gap], limit: int) -> Rendered:
    """What could not be read, a line each."""
    return whole_items([f"- {gap.part} from {gap.source}: {gap.message} ({gap.reason})" for gap in gaps], limit, "gaps")


def _finding(finding: Finding) -> str:
    lines = [f"- [{finding.severity}] {finding.title}"]
    if finding.resource:
        lines.append(f"  resource: {finding.resource}")
    lines.append(f"  meaning: {finding.explanation}")
    for evidence in finding.evidence:
        place = f"{evidence.source} {evidence.path}" + (f" of {evidence.resource}" if evidence.resource else "")
        lines.append(f"  evidence ({place}): {evidence.text}")
    lines += [f"  next step: {step}" for step in finding.next_steps]
    return "\n".join(lines)
