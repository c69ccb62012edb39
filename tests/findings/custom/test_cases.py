"""Statuses of many controllers, broken and not, read without knowing any of their kinds.

`cases/broken.yaml` and `cases/other.yaml` hold them; a condition is written there as [type, status, reason, message].
"""

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, resource

FOLDER = Path(__file__).parent / "cases"
_OURS = frozenset({"kind", "says", "severity", "verdict", "health"})


def load(name: str) -> list[Any]:
    """The cases of a file as pytest parameters: each a manifest and what is expected of it."""
    cases: list[Manifest] = yaml.safe_load((FOLDER / name).read_text())
    return [pytest.param(manifest_of(case), case, id=f"{n}-{case['kind']}") for n, case in enumerate(cases)]


def manifest_of(case: Manifest) -> Manifest:
    """The manifest of a case: `kind` is Kind.group/version, the rest but our own words are its parts."""
    kind, _, api_version = case["kind"].partition(".")
    parts = {key: expanded(value) for key, value in case.items() if key not in _OURS}
    return resource(api_version, kind, "x", **parts)


def expanded(value: Any) -> Any:
    """`value` with every short condition written out."""
    if isinstance(value, dict):
        return {key: expanded(item) for key, item in cast("Manifest", value).items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if items and all(isinstance(item, list) and len(cast("list[Any]", item)) == 4 for item in items):
            return [condition(*map(str, item)) for item in items]
        return [expanded(item) for item in items]
    return value


def text_of(findings: tuple[Finding, ...]) -> str:
    """The whole text of the findings, blanks folded."""
    texts = [text for f in findings for text in (f.title, f.explanation, *(e.text for e in f.evidence))]
    return " ".join(" | ".join(texts).split())


@pytest.mark.parametrize(("manifest", "case"), load("broken.yaml"))
def test_what_is_broken_is_found_with_its_message(manifest: Manifest, case: Manifest) -> None:
    findings = findings_of(context(manifest))

    assert " ".join(str(case["says"]).split()) in text_of(findings)
    assert findings[0].severity == case.get("severity", "error")


@pytest.mark.parametrize(("manifest", "case"), load("other.yaml"))
def test_what_is_well_on_its_way_or_halted_is_no_error(manifest: Manifest, case: Manifest) -> None:
    findings = findings_of(context(manifest))

    assert not any(finding.severity == "error" for finding in findings), text_of(findings)
    if case["verdict"] == "well":
        assert not any(finding.severity == "warning" for finding in findings), text_of(findings)
