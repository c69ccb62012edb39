"""Findings as JSON: the shape that callers get. Owns its keys."""

from typing import Any

from agent.findings.model import Finding


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values, as `custom_outputs` and `--json` contain it."""
    return {
        "title": finding.title,
        "severity": finding.severity,
        "explanation": finding.explanation,
        "evidence": [
            {
                "source": evidence.source,
                "path": evidence.path,
                "text": evidence.text,
                "resource": evidence.resource.model_dump() if evidence.resource else None,
            }
            for evidence in finding.evidence
        ],
        "resource": finding.resource.model_dump() if finding.resource else None,
        "next_steps": list(finding.next_steps),
    }
