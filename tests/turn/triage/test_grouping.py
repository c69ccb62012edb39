"""Which faults count as the same, and what a group tells."""

from dataclasses import replace

import pytest

from agent.findings.model import Evidence, Finding, Severity
from agent.turn.triage.examined import Examined
from agent.turn.triage.grouping import as_findings, grouped, kind_of_fault


def examined(name: str, title: str, text: str = "it is so", *, severity: Severity = "error") -> Examined:
    finding = Finding(
        title=title,
        severity=severity,
        explanation="It is broken.",
        evidence=(Evidence(source="event", path="Failed", text=text),),
        resource=None,
        next_steps=("Mend it.",),
    )
    return Examined(application=f"argocd/{name}", project="web", health="Degraded", sync="Synced", findings=(finding,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Container api is OOMKilled (exit code 137) at its memory limit of 256Mi (2 pods of Deployment shop-api)",
            "Container web is OOMKilled (exit code 137) at its memory limit of 1Gi",
        ),
        (
            "Image registry.example.com/api:2.0 of container api cannot be pulled: it does not exist",
            "Image docker.io/library/nginx:9 of container web cannot be pulled: it does not exist",
        ),
        (
            "Application argocd/shop has the condition ComparisonError: the repository refuses Argo CD",
            "Application argocd/ledger has the condition ComparisonError: the repository refuses Argo CD",
        ),
        (
            "Secret db-password that container api needs does not exist",
            "Secret s3-key that container job needs does not exist",
        ),
    ],
)
def test_the_same_fault_elsewhere_is_of_the_same_kind(one: str, other: str) -> None:
    assert kind_of_fault(one) == kind_of_fault(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Container api is OOMKilled (exit code 137)", "Container api crashes (exit code 137)"),
        (
            "Image a/b:1 of container api cannot be pulled: it does not exist",
            "Image a/b:1 of container api cannot be pulled: the registry refuses the credentials",
        ),
        (
            "Secret db-password that container api needs does not exist",
            "ConfigMap db-conf that container api needs does not exist",
        ),
    ],
)
def test_another_fault_is_of_another_kind(one: str, other: str) -> None:
    assert kind_of_fault(one) != kind_of_fault(other)


def test_a_group_names_its_applications_and_what_their_evidence_shares() -> None:
    pulls = [
        examined(
            name,
            f"Image docker.io/{name}:1 of container api cannot be pulled: too many requests",
            f"{name}: 429 from registry-1.docker.io",
        )
        for name in ("shop", "ledger", "search")
    ]
    other = examined("single", "Container api is OOMKilled (exit code 137)")

    first, second = grouped([*pulls, other])

    assert first.applications == ("argocd/ledger", "argocd/search", "argocd/shop")
    assert first.shared == ("registry-1.docker.io",)
    assert first.title == "Image … of container api cannot be pulled: too many requests"
    assert (second.title, second.applications) == ("Container api is OOMKilled (exit code 137)", ("argocd/single",))


def test_errors_come_before_warnings_and_large_groups_before_small_ones() -> None:
    groups = grouped(
        [
            examined("a", "Application argocd/a is OutOfSync", severity="warning"),
            examined("b", "Application argocd/b is OutOfSync", severity="warning"),
            examined("c", "Container api is OOMKilled (exit code 137)"),
            examined("d", "Job d-1 failed"),
            examined("e", "Job e-1 failed"),
        ]
    )
    assert [len(group.applications) for group in groups] == [2, 1, 2]
    assert [group.severity for group in groups] == ["error", "error", "warning"]


def test_an_application_without_a_finding_is_in_no_group() -> None:
    assert grouped([Examined(application="a", project="", health="", sync="", findings=())]) == ()


def test_groups_become_findings_that_name_how_many() -> None:
    two = [examined(name, f"Job {name}-1 failed", "exit 1") for name in ("d", "e")]
    several, single = as_findings(grouped([*two, examined("c", "Container api is OOMKilled (exit code 137)")]))

    assert several.title == "2 Applications: Job … failed"
    assert "argocd/d, argocd/e" in several.explanation
    assert single.title == "argocd/c: Container api is OOMKilled (exit code 137)"


def test_a_title_keeps_what_its_members_share() -> None:
    title = "Container {} keeps crashing (exit code 1): lookup db.shop.svc on 10.96.0.10:53: no such host{}"
    crashing = [
        examined("shop", title.format("api", " (2 pods of Deployment api)")),
        examined("ledger", title.format("web", "")),
    ]

    (group,) = grouped(crashing)

    assert group.title == title.format("…", "")


def test_where_the_steps_differ_each_is_told_with_its_application() -> None:
    titles = ["Service db that container api connects to does not exist"] * 2
    members = [examined(name, title) for name, title in zip(("shop", "ledger"), titles, strict=True)]
    members = [
        replace(each, findings=(replace(each.findings[0], next_steps=(f"In Git (`{each.application}`), mend it.",)),))
        for each in members
    ]

    (group,) = grouped(members)

    assert group.next_steps == (
        "argocd/ledger: In Git (`argocd/ledger`), mend it.",
        "argocd/shop: In Git (`argocd/shop`), mend it.",
    )
    assert as_findings([group])[0].next_steps == group.next_steps
