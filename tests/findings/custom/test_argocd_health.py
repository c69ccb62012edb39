"""The reading of a status beside Argo CD's own health checks."""

import pytest

from agent.findings.model import Finding, Severity
from tests.findings.custom.argocd_judge import figures, judge, load_health


@pytest.mark.parametrize("name", ["argocd_development.yaml", "argocd_held_out.yaml"])
def test_what_argo_cd_calls_degraded_is_found_in_its_words_and_little_else(name: str) -> None:
    found = figures(load_health(name))

    assert found.found >= 0.95, found.faults
    assert found.false_alarms <= 0.015, found.faults
    assert found.errors_under_way == 0, found.faults
    assert found.told >= 0.9, found.faults


def test_no_kind_is_in_both_sets() -> None:
    development, held_out = (
        {(case.manifest["apiVersion"].partition("/")[0], case.manifest["kind"]) for case in load_health(name)}
        for name in ("argocd_development.yaml", "argocd_held_out.yaml")
    )

    assert development & held_out == set()


@pytest.mark.parametrize(
    ("health", "severity", "fault"),
    [
        ("Degraded", "info", "not found"),
        ("Degraded", "warning", ""),
        ("Healthy", "info", ""),
        ("Healthy", "warning", "found"),
        ("Progressing", "warning", ""),
        ("Progressing", "error", "an error"),
        ("Suspended", "error", "an error"),
        ("Unknown", "error", ""),
    ],
)
def test_the_judge_compares_severity_and_health(health: str, severity: Severity, fault: str) -> None:
    finding = Finding(title="a", severity=severity, explanation="b", evidence=(), resource=None)

    assert judge(health, "", [finding]).fault == fault


def test_a_message_is_told_by_most_of_its_content_words() -> None:
    def is_told(message: str) -> bool:
        title, explanation = "The quota is exceeded", "It is that of zone b1"
        finding = Finding(title=title, severity="error", explanation=explanation, evidence=(), resource=None)
        return judge("Degraded", message, [finding]).is_told

    assert is_told("quota exceeded in the zone b1")
    assert not is_told("quota exceeded by pods")
