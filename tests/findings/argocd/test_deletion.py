"""Deletions that wait for a finalizer."""

from typing import Any

from agent.context.model import Event, TreeNode
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import context, running
from tests.findings.cluster import pod as cluster_pod
from tests.findings.drift.states import context_of

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
        f"Application argocd/shop cannot be deleted: it waits for its finalizer {FINALIZER}",
    ]
    assert "88 minutes ago" in findings[0].explanation
    assert "Remaining resources: Cluster shop-db." in findings[1].explanation
    assert "Argo CD deletes its resources first" in findings[1].explanation
    assert "Pending deletion" in [e.text for e in findings[1].evidence]
    assert """kubectl -n shop patch cluster.postgresql.cnpg.io shop-db --type merge""" in findings[0].next_steps[1]


def test_a_deletion_that_was_just_asked_for_is_no_fault() -> None:
    young = database(deletionTimestamp="2026-11-24T08:56:00Z")

    assert faults_of(context_of(application=application("2026-11-24T08:55:00Z"), related=(young,))) == ()


def test_a_resource_without_finalizers_is_not_held() -> None:
    assert (
        faults_of(context_of(application=application("2026-11-24T08:55:00Z"), related=(database(finalizers=[]),))) == ()
    )


def test_without_an_application_an_event_tells_how_late_it_is() -> None:
    event = Event(type="Normal", reason="Pulled", message="pulled", last_seen="2026-11-24T09:00:00Z")

    (finding,) = findings_of(context_of(related=(database(),), events=(event,)))

    assert "90 minutes ago" in finding.explanation


def test_what_holds_an_object_is_told_where_no_time_tells_how_long() -> None:
    (asked,) = findings_of(context(database()))
    (beside,) = findings_of(context(related=(database(),)))

    assert asked.title == (
        "Cluster shop-db has been in deletion since 2026-11-24T07:30:00Z, "
        "held by finalizer cleanup.example.com/snapshot"
    )
    assert (asked.severity, beside.severity) == ("warning", "info")
    assert "kubectl -n shop patch cluster.postgresql.cnpg.io shop-db" in asked.next_steps[1]


def test_the_objects_own_times_tell_how_long_it_lasts() -> None:
    written = database(managedFields=[{"manager": "operator", "time": "2026-11-26T07:30:00Z"}])

    (finding,) = findings_of(context(written))

    assert finding.title.startswith("Cluster shop-db cannot be deleted")
    assert "2 days ago" in finding.explanation


def terminating_pod() -> Manifest:
    pod: Manifest = cluster_pod(running())
    pod["metadata"] |= {"deletionTimestamp": "2026-11-20T08:00:00Z", "deletionGracePeriodSeconds": 30}
    return pod


def test_a_pod_whose_node_is_gone_does_not_end() -> None:
    ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}, "status": {"conditions": [ready]}}
    event = Event(type="Warning", reason="NodeNotReady", message="gone", last_seen="2026-11-20T11:00:00Z")

    lost, stuck = faults_of(context(terminating_pod(), related=(node,), events=(event,)))

    assert lost.title.startswith("Node worker-1 is not ready")
    assert stuck.title == (
        "Pod api-6c9d8f7b5d-x7k2p does not terminate: it still exists 3 hours after its grace period, and its node "
        "worker-1 is not ready"
    )
    assert "kubectl -n shop delete pod api-6c9d8f7b5d-x7k2p --grace-period=0 --force" in stuck.next_steps[1]


def test_a_pod_of_which_no_time_tells_how_long_it_ends_is_left_alone() -> None:
    assert findings_of(context(terminating_pod())) == ()


def test_an_application_whose_cluster_was_removed_says_how_to_go_on() -> None:
    gone = application()
    gone["spec"] = {"destination": {"name": "prod-eu", "namespace": "shop"}}
    message = 'error getting cluster by name "prod-eu": there are no clusters with this name: prod-eu'
    gone["status"]["conditions"] = [{"type": "DeletionError", "message": message}]

    findings = findings_of(context(application=gone))

    first = findings[0]
    assert first.title == (
        "Application argocd/shop cannot be deleted: its destination cluster is not registered in Argo CD"
    )
    assert "`argocd cluster add CONTEXT --name prod-eu`" in first.next_steps[0]
    assert "kubectl -n argocd patch application.argoproj.io shop --type merge" in first.next_steps[1]
    assert not any("DeletionError" in each.title for each in findings)


def test_a_deletion_under_way_names_what_it_waits_for() -> None:
    seeds = ResourceRef(group="", version="v1", kind="ConfigMap", namespace="shop", name="seeds")
    pending = TreeNode(resource=seeds, health="Progressing", message="Pending deletion")

    (finding,) = findings_of(context_of(application=application("2026-11-24T08:55:00Z"), tree=(pending,)))

    assert finding.severity == "info"
    assert finding.title == "Application argocd/shop has been in deletion for 3 minutes: it waits for ConfigMap seeds"
