"""PodDisruptionBudgets that block or protect nothing."""

import pytest

from agent.findings import analyze
from agent.findings.engine.inventory import Inventory
from agent.findings.network.backends import Backends
from agent.findings.workloads import disruption_budgets
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, crash_loop, pod, resource, running


def budget(expected: int, healthy: int, wanted: int, allowed: int, *conditions: Manifest) -> Manifest:
    return resource(
        "policy/v1",
        "PodDisruptionBudget",
        spec={"minAvailable": wanted, "selector": {"matchLabels": {"app": "api"}}},
        status={
            "expectedPods": expected,
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": allowed,
            "conditions": [*conditions],
        },
    )


def test_unhealthy_pods_that_block_every_disruption_stand_above_the_budget() -> None:
    blocked = budget(3, 1, 2, 0, condition("DisruptionAllowed", "False", "InsufficientPods"))

    findings = findings_of(context(blocked, related=(pod(crash_loop(1)),)))

    assert [f.title for f in findings] == [
        "Container api keeps crashing (exit code 1)",
        "PodDisruptionBudget api allows no disruption: 1 of the 2 wanted pods are healthy",
    ]


def test_many_budgets_share_one_index_of_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Backends] = []

    def counted(known: Inventory) -> Backends:
        made.append(Backends(known))
        return made[-1]

    monkeypatch.setattr(disruption_budgets, "Backends", counted)
    blocked = budget(3, 1, 2, 0)
    others = [blocked | {"metadata": {"name": f"other-{number}", "namespace": "shop"}} for number in range(9)]

    findings = analyze(context(blocked, related=tuple(others)))

    assert (len(findings), len(made)) == (10, 1)


def test_a_budget_that_cannot_be_computed_is_an_error() -> None:
    failed = budget(0, 0, 0, 0, condition("DisruptionAllowed", "False", "SyncFailed", "found no controllers for pod"))

    (finding,) = findings_of(context(failed))

    assert "(SyncFailed)" in finding.title
    assert finding.evidence[0].text == "found no controllers for pod"


def test_a_budget_that_matches_nothing_or_never_allows_anything_is_told_where_it_is_asked_about() -> None:
    nothing, never = budget(0, 0, 2, 0), budget(2, 2, 2, 0)

    assert findings_of(context(nothing))[0].title == "PodDisruptionBudget api matches no pod"
    assert [f.severity for f in findings_of(context(never))] == ["info"]
    assert findings_of(context(pod(running()), related=(nothing, never))) == ()


def test_a_budget_that_allows_a_disruption_is_well() -> None:
    assert findings_of(context(budget(3, 3, 2, 1, condition("DisruptionAllowed", "True", "SufficientPods")))) == ()
