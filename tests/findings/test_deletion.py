"""Deletions that wait for a finalizer."""

from typing import Any

from agent.context.model import Event, TreeNode
from agent.manifest import Manifest
from agent.target import ResourceRef
from tests.drift.states import context_of
from tests.findings.citations import findings_of

FINALIZER = "resources-finalizer.argocd.argoproj.io"


def application(deleted: str | None = "2026-11-24T07:28:00Z", *finalizers: str) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "shop",
            "namespace": "argocd",
            "deletionTimestamp": deleted,
            "finalizers": list(finalizers or (FINALIZER,)),
        },
        "status": {
            "sync": {"status": "OutOfSync"},
            "health": {"status": "Progressing"},
            "reconciledAt": "2026-11-24T08:58:00Z",
        },
    }


def database(**metadata: Any) -> Manifest:
    held: Manifest = {"deletionTimestamp": "2026-11-24T07:30:00Z", "finalizers": ["cleanup.example.com/snapshot"]}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": "shop-db", "namespace": "shop"} | held | metadata,
    }


def test_the_resource_that_is_held_stands_above_the_application_that_waits_for_it() -> None:
    reference = ResourceRef(group="postgresql.cnpg.io", version="v1", kind="Cluster", namespace="shop", name="shop-db")
    left = TreeNode(resource=reference, health="Progressing", message="Pending deletion")

    findings = findings_of(context_of(application=application(), related=(database(),), tree=(left,)))

    assert [finding.title for finding in findings[:2]] == [
        "Cluster shop-db cannot be deleted: it waits for its finalizer cleanup.example.com/snapshot",
        f"The deletion of Application argocd/shop does not end: it waits for its finalizer {FINALIZER}",
    ]
    assert "88 minutes ago" in findings[0].explanation
    assert "Still there: Cluster shop-db." in findings[1].explanation
    assert "Argo CD deletes its resources first" in findings[1].explanation
    assert "Pending deletion" in [e.text for e in findings[1].evidence]
    assert """kubectl -n shop patch cluster.postgresql.cnpg.io shop-db --type merge""" in findings[0].next_steps[1]


def test_a_deletion_that_was_just_asked_for_is_nothing() -> None:
    young = database(deletionTimestamp="2026-11-24T08:56:00Z")

    assert findings_of(context_of(application=application("2026-11-24T08:55:00Z"), related=(young,))) == ()


def test_a_resource_without_finalizers_is_not_held() -> None:
    assert (
        findings_of(context_of(application=application("2026-11-24T08:55:00Z"), related=(database(finalizers=[]),)))
        == ()
    )


def test_without_an_application_an_event_tells_how_late_it_is() -> None:
    event = Event(type="Normal", reason="Pulled", message="pulled", last_seen="2026-11-24T09:00:00Z")

    (finding,) = findings_of(context_of(related=(database(),), events=(event,)))

    assert "90 minutes ago" in finding.explanation
