"""Argo CD's answers beside the Application, as values."""

import json

from agent.context.argocd.answers import managed_resources, revision_of, tree_nodes, windows_of


def test_a_node_carries_health_parents_notes_and_labels():
    (deployment, pod, orphan) = tree_nodes(
        {
            "nodes": [
                {
                    "group": "apps",
                    "version": "v1",
                    "kind": "Deployment",
                    "namespace": "shop",
                    "name": "web",
                    "uid": "d1",
                },
                {
                    "version": "v1",
                    "kind": "Pod",
                    "namespace": "shop",
                    "name": "web-1",
                    "parentRefs": [
                        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "d1"}
                    ],
                    "info": [{"name": "Status Reason", "value": "CrashLoopBackOff"}, {"name": "", "value": "odd"}],
                    "networkingInfo": {"labels": {"app": "web"}},
                    "images": ["web:1"],
                    "health": {"status": "Degraded", "message": "back-off 5m0s"},
                    "createdAt": "2026-11-01T10:00:00Z",
                },
                {"kind": "Service"},
            ],
            "orphanedNodes": [{"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "left"}],
        }
    )
    assert (deployment.health, deployment.parents) == ("", ())
    assert [parent.uid for parent in pod.parents] == ["d1"]
    assert (pod.health, pod.message, pod.info) == ("Degraded", "back-off 5m0s", {"Status Reason": "CrashLoopBackOff"})
    assert (pod.labels, pod.images, pod.created_at) == ({"app": "web"}, ("web:1",), "2026-11-01T10:00:00Z")
    assert (orphan.resource.name, orphan.orphaned) == ("left", True)


def test_a_tree_of_nulls_is_empty():
    assert tree_nodes({"nodes": None, "orphanedNodes": None}) == tree_nodes(None) == ()


def test_the_states_of_a_managed_resource_are_parsed_out_of_their_strings():
    (managed,) = managed_resources(
        {
            "items": [
                {
                    "kind": "Service",
                    "namespace": "shop",
                    "name": "web",
                    "targetState": "null",
                    "liveState": json.dumps({"kind": "Service"}),
                    "normalizedLiveState": "{not json",
                }
            ]
        }
    )
    assert managed.resource.name == "web"
    assert (managed.target, managed.live) == (None, {"kind": "Service"})
    assert (managed.normalized_live, managed.predicted_live) == (None, None)
    assert managed_resources({}) == ()


def test_a_revision_keeps_the_name_it_was_asked_by():
    found = revision_of({"author": "Ada <ada@example.com>", "message": "Raise the limit", "tags": None}, "9f1c")
    assert (found.revision, found.author, found.message, found.tags) == (
        "9f1c",
        "Ada <ada@example.com>",
        "Raise the limit",
        (),
    )


def test_sync_windows_tell_whether_a_sync_is_allowed_now():
    closed = windows_of(
        {
            "activeWindows": [{"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "manualSync": True}],
            "canSync": False,
        }
    )
    assert not closed.can_sync
    assert (closed.active[0].kind, closed.active[0].manual_sync, closed.assigned) == ("deny", True, ())
    assert windows_of({"canSync": True}).can_sync
