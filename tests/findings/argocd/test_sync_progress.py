"""A sync that runs: what it waits for, and when that is worth a finding."""

from typing import Any

import pytest

from agent.context.model import TreeNode
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.drift.states import context_of

POSTGRES = ResourceRef(group="apps", version="v1", kind="StatefulSet", namespace="shop", name="postgres")
WAITING = "waiting for healthy state of apps/StatefulSet/postgres"


def application(message: str = WAITING, started: str = "2026-11-24T08:40:00Z", **more: Any) -> Manifest:
    entry = {"group": "apps", "version": "v1", "kind": "StatefulSet", "namespace": "shop", "name": "postgres"}
    later = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "api", "syncWave": 1}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"destination": {"namespace": "shop"}},
        "status": {
            "sync": {"status": "OutOfSync"},
            "health": {"status": "Progressing"},
            "reconciledAt": "2026-11-24T08:58:00Z",
            "resources": [entry | {"status": "Synced"}, later | {"status": "OutOfSync"}],
            "operationState": {
                "phase": "Running",
                "message": message,
                "startedAt": started,
                "syncResult": {"resources": [entry | {"status": "Synced", "hookPhase": "Running"}]},
            }
            | more,
        },
    }


def node(health: str, message: str = "") -> TreeNode:
    return TreeNode(resource=POSTGRES, health=health, message=message)


def test_a_wave_that_is_waited_for_too_long_is_named_with_what_waits_behind_it() -> None:
    waits = node("Progressing", "Waiting for 1 pods to be ready...")

    finding, *_ = findings_of(context_of(application=application(), tree=(waits,)))

    assert finding.title == (
        "Application argocd/shop: sync has been waiting for 18 minutes for StatefulSet postgres to become healthy"
    )
    assert finding.explanation == (
        "Sync wave 0 must be healthy before the sync continues. Waiting in later waves: Deployment api."
    )
    assert [e.text for e in finding.evidence][:2] == [WAITING, "2026-11-24T08:40:00Z"]
    assert finding.blames == (POSTGRES.model_copy(),)
    assert "`kubectl -n shop describe statefulset.apps postgres`" in finding.next_steps[0]


@pytest.mark.parametrize("health", ["Progressing", "Healthy", ""])
def test_a_sync_under_way_is_nothing(health: str) -> None:
    running = application(started="2026-11-24T08:57:00Z")

    assert findings_of(context_of(application=running, tree=(node(health),))) == ()


def test_waiting_for_what_has_failed_is_told_at_once() -> None:
    running = application(started="2026-11-24T08:57:00Z")

    titles = [f.title for f in findings_of(context_of(application=running, tree=(node("Degraded", "it crashed"),)))]

    assert any("waiting for a minute for StatefulSet postgres to become healthy" in title for title in titles)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("waiting for completion of hook batch/Job/migrate", "for hook Job migrate to complete"),
        (
            "waiting for completion of hook batch/Job/migrate and 2 more hooks",
            "for hook Job migrate and 2 more to complete",
        ),
        ("waiting for deletion of /Service/old", "for Service old to be deleted"),
        ("", "has been running for 18 minutes"),
    ],
)
def test_each_kind_of_waiting_is_told(message: str, told: str) -> None:
    finding, *_ = findings_of(context_of(application=application(message)))

    assert told in finding.title


def test_a_hook_that_is_done_at_once_and_gone_was_deleted_before_it_was_counted() -> None:
    waiting = application("waiting for completion of hook /ConfigMap/seed")

    finding, *_ = findings_of(context_of(application=waiting))

    assert finding.title.endswith("for hook ConfigMap seed, which was deleted before it was counted")
    assert "terminate-op" in finding.next_steps[0]
    assert "`hook-succeeded`" in finding.next_steps[1]
