"""What is read of a whole Application: its state, what is unhealthy in it, and how many requests that takes."""

import json
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from agent.context.argocd.application import MAX_MANAGED, MAX_QUERIES
from agent.context.log_choice import MAX_LOGS
from agent.context.selection import MAX_CHILD_APPLICATIONS, MAX_REVISIONS, MAX_UNHEALTHY
from agent.context.source import MAX_CHILDREN
from agent.objects.manifest import Manifest
from tests.context.asking import SHOP, WEB, collect, gaps, log_lines, messages
from tests.context.manifests import (
    DEPLOYMENT,
    application,
    container_status,
    crashing,
    event,
    healthy,
    metadata,
    pod,
    workload,
)
from tests.fakes.argocd import FakeArgoCD

_READ = MAX_UNHEALTHY + MAX_CHILD_APPLICATIONS + MAX_CHILDREN
MOST_REQUESTS = 4 + MAX_REVISIONS + MAX_QUERIES + _READ + (1 + 2 * MAX_CHILDREN) + 2 * MAX_LOGS
"""Application, tree, sync windows and project; each read that has a bound of its own; events of the Application,
its Pods and what is related; logs, each with a previous run that may be gone. `docs/request.md` states it."""

COMMITS = [character * 40 for character in "abcdef"]


def config_map(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name), "data": data}


def give(argocd: FakeArgoCD, **status: Any) -> None:
    """The Application `shop` with more status, its resources and events as they were."""
    argocd.set_status("shop", application()["status"] | status)


def result(manifest: Manifest, **fields: str) -> dict[str, str]:
    """A resource's entry in `status.operationState.syncResult.resources`."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    names = {"group": group, "version": version, "kind": manifest["kind"], "namespace": "shop"}
    return names | {"name": manifest["metadata"]["name"]} | fields


def names(manifests: tuple[Manifest, ...]) -> list[str]:
    return [each["metadata"]["name"] for each in manifests]


def test_tree_and_unhealthy_resources_are_read_with_their_pods_events_and_logs(argocd: FakeArgoCD):
    context = collect(application=SHOP)
    assert [node.resource.name for node in context.tree] == ["web", "web-5d9", "web-5d9-x1"]
    assert (names(context.related), names(context.children)) == (["web"], ["web-5d9-x1"])
    assert {each.reason for each in context.events} == {"OperationCompleted", "BackOff"}
    assert [(log.container, log.previous) for log in context.logs] == [("api", True)]
    assert context.gaps == ()


def test_a_healthy_synced_application_costs_four_requests(argocd: FakeArgoCD):
    calm = FakeArgoCD()
    calm.add_application(application())
    argocd.become(calm)
    argocd.set_status("shop", {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}})
    argocd.add_resource("shop", DEPLOYMENT)
    context = collect(application=SHOP)
    assert (context.gaps, context.related, context.children, context.logs) == ((), (), (), ())
    assert sorted(path.rpartition("/")[2] for path in argocd.paths()) == [
        "events",
        "resource-tree",
        "shop",
        "syncwindows",
    ]


def test_only_what_differs_is_kept_of_the_managed_resources(argocd: FakeArgoCD):
    argocd.add_managed("shop", config_map("same", a="1"), target=config_map("same"), live=config_map("same"))
    argocd.add_managed(
        "shop", DEPLOYMENT, target=DEPLOYMENT, live=DEPLOYMENT, predicted=DEPLOYMENT | {"spec": {"replicas": 3}}
    )
    argocd.add_managed("shop", config_map("missing"), target=config_map("missing"))
    argocd.add_managed("shop", config_map("to-prune"), live=config_map("to-prune"))
    managed = {each.resource.name: each for each in collect(application=SHOP).managed}
    assert sorted(managed) == ["missing", "to-prune", "web"]
    assert managed["web"].predicted_live is not None
    assert managed["web"].predicted_live["spec"] == {"replicas": 3}
    assert (managed["missing"].live, managed["to-prune"].target) == (None, None)


def test_few_resources_out_of_sync_are_asked_for_one_by_one(argocd: FakeArgoCD):
    give(argocd, resources=[result(DEPLOYMENT, status="OutOfSync"), result(config_map("same"), status="Synced")])
    argocd.add_managed("shop", DEPLOYMENT, target=DEPLOYMENT)
    argocd.add_managed("shop", config_map("same"), target=config_map("same"))
    context = collect(application=SHOP)
    (asked,) = argocd.seen("/managed-resources")
    assert (asked.query["kind"], asked.query["name"], asked.query["group"]) == ("Deployment", "web", "apps")
    assert "items.predictedLiveState" in asked.query["fields"]
    assert [each.resource.name for each in context.managed] == ["web"]


def test_of_a_pod_the_difference_of_its_deployment_is_read(argocd: FakeArgoCD):
    give(argocd, resources=[result(DEPLOYMENT, status="OutOfSync")])
    argocd.add_managed("shop", DEPLOYMENT, target=DEPLOYMENT)
    resource = {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "web-5d9-x1"}
    assert [each.resource.name for each in collect(application=SHOP, resource=resource).managed] == ["web"]


def test_a_synced_resource_of_an_application_out_of_sync_has_no_difference_to_ask_for(argocd: FakeArgoCD):
    give(argocd, resources=[result(config_map("other"), status="OutOfSync"), result(DEPLOYMENT, status="Synced")])
    context = collect(application=SHOP, resource=WEB)
    assert (context.managed, context.gaps, argocd.seen("/managed-resources")) == ((), (), [])


def test_what_is_not_compared_for_its_spec_is_not_asked_for_its_differences(argocd: FakeArgoCD):
    argocd.set_status("shop", {"conditions": [{"type": "InvalidSpecError", "message": "no such cluster"}]})
    context = collect(application=SHOP)

    assert not argocd.seen("/managed-resources")
    assert not any(gap.part == "managed" for gap in context.gaps)


def test_more_differences_than_are_kept_are_told(argocd: FakeArgoCD):
    for number in range(MAX_MANAGED + 5):
        argocd.add_managed("shop", config_map(f"c{number}"), target=config_map(f"c{number}"))
    context = collect(application=SHOP)
    assert (len(context.managed), gaps(context)) == (MAX_MANAGED, [("managed", "argocd", "left_out")])
    assert f"{MAX_MANAGED} of {MAX_MANAGED + 5} resources that differ" in messages(context)


@pytest.mark.parametrize("answer", [Response("<html>"), Response('{"items": [{"kind"'), Response(b"\xff")])
def test_a_difference_that_is_no_json_is_a_gap(argocd: FakeArgoCD, answer: Response):
    argocd.fail("/managed-resources", answer)
    assert gaps(collect(application=SHOP)) == [("managed", "argocd", "invalid")]


@pytest.mark.parametrize("answer", [{}, {"items": None}, {"items": [None, 3, {"targetState": 3}]}, [], None])
def test_an_odd_or_empty_difference_is_none(argocd: FakeArgoCD, answer: object):
    argocd.fail("/managed-resources", JSONResponse(answer))
    context = collect(application=SHOP)
    assert (context.managed, context.gaps) == ((), ())


def test_revisions_are_those_compared_to_synced_and_deployed_before(argocd: FakeArgoCD):
    history = [{"id": number, "revision": COMMITS[number]} for number in (3, 2, 1)]
    give(argocd, sync={"status": "OutOfSync", "revision": COMMITS[0]}, history=history)
    for commit in COMMITS:
        argocd.add_revision("shop", commit, author="Ada <ada@example.com>", message=f"Change {commit[0]}")
    context = collect(application=SHOP)
    assert [(each.revision[0], each.message) for each in context.revisions] == [
        ("a", "Change a"),
        ("d", "Change d"),
        ("c", "Change c"),
    ]
    assert {seen.query.get("versionId") for seen in argocd.seen("/metadata")} == {None, "3", "2"}


def test_of_several_sources_each_is_asked_by_its_index_and_charts_are_left_out(argocd: FakeArgoCD):
    sources = [{"repoURL": "https://git.example.com/a"}, {"chart": "redis"}, {"repoURL": "https://git.example.com/b"}]
    argocd.set_spec("shop", application()["spec"] | {"sources": sources})
    give(argocd, sync={"status": "Synced", "revisions": [COMMITS[0], "18.1.2", COMMITS[1]]})
    argocd.add_revision("shop", COMMITS[0], source_index="0", message="first")
    argocd.add_revision("shop", COMMITS[1], source_index="2", message="second")
    assert [each.message for each in collect(application=SHOP).revisions] == ["first", "second"]


def test_a_source_without_commits_has_no_metadata_to_ask_for(argocd: FakeArgoCD):
    argocd.set_spec("shop", application()["spec"] | {"source": {"repoURL": "oci://registry.example.com/shop"}})
    give(argocd, sync={"status": "Synced", "revision": f"sha256:{COMMITS[0]}"})
    context = collect(application=SHOP)
    assert (context.revisions, context.gaps, argocd.seen("/metadata")) == ((), (), [])


def test_sync_windows_tell_whether_it_may_be_synced(argocd: FakeArgoCD):
    window = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h"}
    argocd.set_sync_windows("shop", activeWindows=[window], assignedWindows=[window], canSync=False)
    windows = collect(application=SHOP).sync_windows
    assert windows is not None
    assert (windows.can_sync, windows.active[0].kind) == (False, "deny")


@pytest.mark.parametrize(
    ("suffix", "part"),
    [
        ("/syncwindows", "sync_windows"),
        ("/managed-resources", "managed"),
        ("/metadata", "revisions"),
        ("/resource-tree", "tree"),
    ],
)
def test_a_right_that_is_missing_costs_its_own_part_only(argocd: FakeArgoCD, suffix: str, part: str):
    give(argocd, sync={"status": "OutOfSync", "revision": COMMITS[0]})
    argocd.add_revision("shop", COMMITS[0], message="Change")
    argocd.fail(suffix, JSONResponse({"message": "permission denied"}, status_code=403))
    context = collect(application=SHOP)
    assert gaps(context) == [(part, "argocd", "forbidden")]
    assert context.application is not None
    assert "OperationCompleted" in {each.reason for each in context.events}


def test_a_failed_hook_is_read_with_its_pods_events_and_logs(argocd: FakeArgoCD):
    hook = workload("Job", "migrate", api_version="batch/v1")
    failed = pod("migrate-x", container_status("main", {"terminated": {"exitCode": 1}}), owner=hook, phase="Failed")
    argocd.add_resource("shop", hook, health="Degraded")
    argocd.add_resource("shop", failed, parent=hook, health="Degraded")
    argocd.add_events("uid-migrate", [event(hook, "BackoffLimitExceeded", "Job has reached the backoff limit")])
    argocd.add_log("migrate-x", "main", ["relation orders exists"])
    resources = [result(hook, hookPhase="Failed", hookType="PreSync"), result(DEPLOYMENT, hookPhase="Running")]
    give(argocd, operationState={"phase": "Failed", "syncResult": {"resources": resources}})
    context = collect(application=SHOP)
    assert names(context.related)[0] == "migrate"
    assert names(context.children)[0] == "migrate-x"
    assert "BackoffLimitExceeded" in {each.reason for each in context.events}
    assert "relation orders exists" in log_lines(context)


def test_a_failed_hook_that_was_deleted_is_said_to_be_gone(argocd: FakeArgoCD):
    hook = workload("Job", "migrate", api_version="batch/v1")
    resources = [result(hook, hookPhase="Failed", hookType="PreSync")]
    give(argocd, operationState={"phase": "Failed", "syncResult": {"resources": resources}})
    context = collect(application=SHOP)
    assert gaps(context) == [("related", "argocd", "not_found")]
    assert "The hook Job shop/migrate failed in the last sync and is gone" in messages(context)


def test_a_resource_whose_creation_failed_is_no_gap(argocd: FakeArgoCD):
    refused, missing = config_map("refused"), config_map("missing")
    argocd.add_resource("shop", missing, health="Missing", live=False)
    resources = [result(each, status="SyncFailed", hookPhase="Failed") for each in (refused, missing)]
    give(argocd, operationState={"phase": "Failed", "syncResult": {"resources": resources}})
    context = collect(application=SHOP)
    assert (context.gaps, names(context.related)) == ((), ["web"])


def test_pods_and_logs_are_taken_from_every_failing_workload_before_a_second_of_one(argocd: FakeArgoCD):
    for name in ("aa", "bb"):
        owner = workload("StatefulSet", name)
        argocd.add_resource("shop", owner, health="Degraded")
        for number in range(4):
            member = pod(f"{name}-{number}", crashing("api"), owner=owner)
            argocd.add_resource("shop", member, parent=owner, health="Degraded", restarts=9)
            argocd.add_log(f"{name}-{number}", "api", [f"{name} {number}"], previous=True)
    context = collect(application=SHOP)
    assert {name[:2] for name in names(context.children)[:3]} == {"aa", "bb", "we"}
    assert {log.pod[:2] for log in context.logs[:3]} == {"aa", "bb", "we"}
    assert (len(context.children), len(context.logs)) == (MAX_CHILDREN, MAX_LOGS)
    assert ("children", "argocd", "left_out") in gaps(context)


def test_a_replica_set_that_creates_no_pods_is_read_after_its_deployment(argocd: FakeArgoCD):
    deployment = workload("Deployment", "blocked")
    replica_set = workload("ReplicaSet", "blocked-1", owner=deployment)
    argocd.add_resource("shop", deployment, health="Degraded")
    argocd.add_resource("shop", replica_set, parent=deployment, health="Degraded")
    argocd.add_events("uid-blocked-1", [event(replica_set, "FailedCreate", "exceeded quota: compute")])
    context = collect(application=SHOP)
    assert {"blocked", "blocked-1"} <= set(names(context.related))
    assert "FailedCreate" in {each.reason for each in context.events}


@pytest.mark.parametrize("unhealthy", [True, False])
def test_two_thousand_resources_cost_no_more_requests_than_twenty(argocd: FakeArgoCD, unhealthy: bool):
    def requests(resources: int) -> int:
        large = FakeArgoCD()
        large.add_application(application())
        statuses: list[dict[str, str]] = []
        for number in range(resources // 2):
            owner = workload("StatefulSet", f"s{number}")
            member = pod(f"s{number}-0", crashing("api") if unhealthy else healthy("api"), owner=owner)
            health = "Degraded" if unhealthy else "Healthy"
            large.add_resource("shop", owner, health=health)
            large.add_resource("shop", member, parent=owner, health=health)
            large.add_log(f"s{number}-0", "api", ["last words"], previous=True)
            large.add_managed("shop", owner, target=owner, live=owner, predicted=owner | {"spec": {}})
            statuses.append(result(owner, status="OutOfSync", hookPhase="Failed"))
        history = [{"id": number, "revision": commit} for number, commit in enumerate(COMMITS)]
        for commit in COMMITS:
            large.add_revision("shop", commit, message="Change")
        argocd.become(large)
        operation = {"phase": "Failed", "syncResult": {"revision": COMMITS[0], "resources": statuses}}
        give(argocd, resources=statuses, history=history, operationState=operation if unhealthy else {})
        context = collect(application=SHOP)
        assert {reason for _, _, reason in gaps(context)} <= {"left_out"}
        assert len(context.tree) == resources // 2 * 2
        return len(argocd.requests)

    assert requests(20) == requests(2_000) <= MOST_REQUESTS


def test_a_large_difference_is_parsed_without_holding_it(argocd: FakeArgoCD):
    same = json.dumps({"kind": "ConfigMap", "data": {"a": "x" * 20_000}})
    item = {"kind": "ConfigMap", "namespace": "shop", "name": "c", "group": ""}
    states = dict.fromkeys(("targetState", "liveState", "normalizedLiveState", "predictedLiveState"), same)
    differing = item | {"name": "odd"} | states | {"predictedLiveState": '{"kind": "ConfigMap"}'}
    argocd.fail("/managed-resources", JSONResponse({"items": [item | states] * 300 + [differing]}))
    context = collect(application=SHOP)
    assert ([each.resource.name for each in context.managed], context.gaps) == (["odd"], ())
