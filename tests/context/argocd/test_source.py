"""The Argo CD API as a source: what is asked of it, and what becomes of its answers."""

import json
import os
from collections import Counter

import pytest
from starlette.responses import JSONResponse, Response

from agent.context.log_lines import KEPT_LINES
from agent.context.source import MAX_CHILDREN
from tests.context.asking import ARGOCD_TOKEN, SHOP, WEB, WEB_POD, collect, gaps, log_lines, messages
from tests.context.conftest import LAST_WORDS
from tests.context.manifests import POD, REPLICA_SET, application, crashing, healthy, pod, workload
from tests.fakes.argocd import FakeArgoCD

BASE = "/api/v1/applications/shop"


def test_a_workload_is_read_whole(argocd: FakeArgoCD):
    context = collect(application=SHOP, resource=WEB)
    assert context.gaps == ()
    assert set(context.origins.values()) == {"argocd"}
    assert context.application is not None
    assert (context.application["kind"], context.application["metadata"]["name"]) == ("Application", "shop")
    assert context.manifest is not None
    assert context.manifest["metadata"]["annotations"] == {"team": "shop"}
    assert [child["metadata"]["name"] for child in context.children] == ["web-5d9-x1"]
    assert "managedFields" not in context.children[0]["metadata"]
    assert [(each.reason, each.involved and each.involved.name) for each in context.events] == [
        ("BackOff", "web-5d9-x1")
    ]
    assert [(log.container, log.pod, log.previous) for log in context.logs] == [("api", "web-5d9-x1", True)]
    assert log_lines(context) == LAST_WORDS


def test_nothing_is_asked_twice_and_every_request_names_application_and_project(argocd: FakeArgoCD):
    collect(application=SHOP, resource=WEB)
    assert max(Counter(map(str, argocd.requests)).values()) == 1
    assert Counter(argocd.paths()) == {
        BASE: 1,
        f"{BASE}/resource": 2,
        f"{BASE}/resource-tree": 1,
        f"{BASE}/managed-resources": 1,
        f"{BASE}/syncwindows": 1,
        f"{BASE}/events": 2,
        f"{BASE}/logs": 1,
    }
    for seen in argocd.requests:
        assert seen.method == "GET"
        assert (seen.query["appNamespace"], seen.query["project"]) == ("argocd", "web")
        assert seen.headers["authorization"] == f"Bearer {ARGOCD_TOKEN}"
        assert "cookie" not in seen.headers
        assert "refresh" not in seen.query


def test_the_project_is_learned_from_the_application(argocd: FakeArgoCD):
    context = collect(application="argocd/shop", resource=WEB)
    assert context.gaps == ()
    assert argocd.requests[0].path == BASE
    assert {seen.query["project"] for seen in argocd.requests[1:]} == {"web"}
    assert context.target.application is not None
    assert context.target.application.project == "web"


def test_a_supplied_application_tells_the_project_and_is_not_read(argocd: FakeArgoCD):
    context = collect(application_manifest=application(), resource=WEB)
    assert (context.gaps, context.origins["application"], context.origins["manifest"]) == ((), "supplied", "argocd")
    assert BASE not in argocd.paths()
    assert {seen.query["project"] for seen in argocd.requests} == {"web"}


def test_an_application_is_asked_for_its_own_events_without_naming_anything(argocd: FakeArgoCD):
    context = collect(application=SHOP)
    assert "OperationCompleted" in [each.reason for each in context.events]
    assert (context.manifest, context.gaps) == (None, ())
    assert {"appNamespace", "project"} in [set(asked.query) for asked in argocd.seen("/events")]


def test_the_group_is_sent_even_when_it_is_empty(argocd: FakeArgoCD):
    collect(application=SHOP, resource=WEB_POD)
    asked = next(seen for seen in argocd.seen("/resource") if seen.query["kind"] == "Pod")
    assert asked.query["group"] == ""


def test_events_are_asked_for_by_all_three_of_namespace_name_and_uid(argocd: FakeArgoCD):
    collect(application=SHOP, resource=WEB_POD)
    assert {
        "resourceNamespace": "shop",
        "resourceName": "web-5d9-x1",
        "resourceUID": "uid-web-5d9-x1",
        "appNamespace": "argocd",
        "project": "web",
    } in [asked.query for asked in argocd.seen("/events")]


@pytest.mark.parametrize(
    "resource",
    [
        {"kind": "deployment", "name": "web"},
        {"kind": "Deployment", "name": "web", "version": "v1"},
        {"kind": "Deployment", "name": "web", "version": "v1", "namespace": "shop"},
    ],
)
def test_what_was_left_out_of_the_resource_is_found_in_the_tree(argocd: FakeArgoCD, resource: dict[str, str]):
    context = collect(application=SHOP, resource=resource)
    assert context.gaps == ()
    assert context.target.resource is not None
    assert context.target.resource.model_dump() == WEB | {"uid": "uid-web"}
    assert len(argocd.seen("/resource-tree")) == 1


def test_of_many_pods_the_unhealthiest_are_read_and_the_rest_is_told(argocd: FakeArgoCD):
    for number in range(6):
        argocd.add_resource("shop", pod(f"fine-{number}", healthy("api"), owner=REPLICA_SET), parent=REPLICA_SET)
    worse = pod("worse", crashing("api"), owner=REPLICA_SET)
    argocd.add_resource("shop", worse, parent=REPLICA_SET, health="Degraded", restarts=9)
    argocd.add_log("worse", "api", ["out of memory"], previous=True)
    context = collect(application=SHOP, resource=WEB)
    names = [child["metadata"]["name"] for child in context.children]
    assert (names[:2], len(names)) == (["worse", "web-5d9-x1"], MAX_CHILDREN)
    assert log_lines(context) == ["out of memory", *LAST_WORDS]
    assert gaps(context) == [("children", "argocd", "left_out")]
    assert "5 of 8 Pods" in messages(context)


def test_a_pod_that_is_gone_meanwhile_is_a_gap_beside_the_others(argocd: FakeArgoCD):
    argocd.add_resource("shop", pod("gone", crashing("api"), owner=REPLICA_SET), parent=REPLICA_SET, live=False)
    context = collect(application=SHOP, resource=WEB)
    assert [child["metadata"]["name"] for child in context.children] == ["web-5d9-x1"]
    assert gaps(context) == [("children", "argocd", "not_found")]


def test_a_resource_of_another_application_is_said_to_be_none_of_this_one(argocd: FakeArgoCD):
    context = collect(application=SHOP, resource=WEB | {"name": "db"})
    assert ("manifest", "argocd", "not_found") in gaps(context)
    assert "Deployment shop/db is not part of the Application's resource tree" in messages(context)


def test_a_resource_that_is_missing_in_the_cluster_is_a_gap(argocd: FakeArgoCD):
    argocd.add_resource("shop", workload("Deployment", "missing"), live=False, health="Missing")
    context = collect(application=SHOP, resource=WEB | {"name": "missing"})
    assert ("manifest", "argocd", "not_found") in gaps(context)


@pytest.mark.parametrize("answer", [{"manifest": "null"}, {"manifest": ""}, {}])
def test_a_manifest_of_null_is_a_gap(argocd: FakeArgoCD, answer: dict[str, str]):
    argocd.fail("/resource", JSONResponse(answer))
    assert ("manifest", "argocd", "not_found") in gaps(collect(application=SHOP, resource=WEB_POD))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response("<html>sign in</html>", media_type="text/html"), "invalid"),
        (Response(b"\xff\xfe"), "invalid"),
        (Response("[" * 100_000), "invalid"),
        (JSONResponse([1, 2]), "invalid"),
        (JSONResponse({"manifest": "{"}), "invalid"),
        (JSONResponse({"error": "x"}, status_code=500), "unavailable"),
        (JSONResponse({"error": "x"}, status_code=429), "unavailable"),
        (Response(status_code=307, headers={"location": "https://sso.example.com/login?state=1"}), "unavailable"),
        (Response(b"x" * 20_000_001), "unavailable"),
    ],
)
def test_an_answer_that_is_no_application_is_a_gap(argocd: FakeArgoCD, answer: Response, reason: str):
    argocd.fail("/shop", answer)
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", reason)
    assert context.application is None


def test_a_redirect_is_not_followed_but_said(argocd: FakeArgoCD):
    argocd.fail("/shop", Response(status_code=307, headers={"location": "https://sso.example.com/login?state=1"}))
    assert "redirects to https://sso.example.com when asked" in messages(collect(application=SHOP))


def test_without_a_token_every_part_says_what_to_set(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ARGOCD_AUTH_TOKEN")
    context = collect(application="argocd/shop", resource=WEB)
    assert gaps(context) == [
        ("application", "argocd", "unauthorized"),
        ("manifest", "argocd", "unauthorized"),
        ("children", "argocd", "unauthorized"),
        ("events", "argocd", "unauthorized"),
        ("logs", "argocd", "not_found"),
    ]
    assert "set an API token in ARGOCD_AUTH_TOKEN" in messages(context)
    assert argocd.paths() == [BASE]


def test_a_refused_token_is_not_repeated_to_anybody(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "old-token-1b7d")
    argocd.fail("/shop", JSONResponse({"message": "invalid session: old-token-1b7d"}, status_code=401))
    context = collect(application=SHOP)
    assert gaps(context)[0] == ("application", "argocd", "unauthorized")
    assert "replace the API token" in messages(context)
    assert "old-token-1b7d" not in repr(context)


def test_a_token_with_a_line_break_from_its_file_works(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", f"{ARGOCD_TOKEN}\n")
    assert collect(application=SHOP).gaps == ()


def test_a_forbidden_application_names_the_right_that_is_missing(argocd: FakeArgoCD):
    context = collect(application=SHOP | {"project": "other"}, resource=WEB)
    assert gaps(context)[0] == ("application", "argocd", "forbidden")
    assert "`applications, get`" in messages(context)


def test_an_absent_application_is_not_found(argocd: FakeArgoCD):
    context = collect(application=SHOP | {"name": "absent"})
    assert gaps(context) == [("application", "argocd", "not_found"), ("events", "argocd", "not_found")]


def test_an_application_that_fails_is_not_asked_about_again(argocd: FakeArgoCD):
    context = collect(application="argocd/absent", resource=WEB)
    assert argocd.paths() == ["/api/v1/applications/absent"]
    assert gaps(context)[:2] == [("application", "argocd", "forbidden"), ("manifest", "argocd", "forbidden")]


def test_the_right_to_read_logs_is_a_right_of_its_own(argocd: FakeArgoCD):
    argocd.refuse_logs()
    context = collect(application=SHOP, resource=WEB_POD)
    assert gaps(context) == [("logs", "argocd", "forbidden")]
    assert "`logs, get`" in messages(context)


def test_without_a_number_of_lines_many_are_read_and_distilled(argocd: FakeArgoCD):
    lines = [f"GET /orders/{number} 200" for number in range(3_000)]
    lines[1_500] = "ERROR cannot reach orders-db"
    argocd.add_log("web-5d9-x1", "api", lines)
    context = collect(application=SHOP, resource=WEB_POD, log_request={"container": "api", "previous": False})
    (asked,) = argocd.seen("/logs")
    assert asked.query["tailLines"] == "5000"
    assert len(context.logs[0].lines) <= KEPT_LINES
    assert lines[1_500] in log_lines(context)
    assert sum(line.repeats + line.left_out_before for line in context.logs[0].lines) == 3_000


def test_the_log_is_asked_for_as_the_request_says(argocd: FakeArgoCD):
    argocd.add_log("web-5d9-x1", "api", [f"line {number}" for number in range(100)])
    request = {"container": "api", "tail_lines": 3, "previous": False, "since_seconds": 600}
    context = collect(application=SHOP, resource=WEB_POD, log_request=request)
    (asked,) = argocd.seen("/logs")
    expected = {"podName": "web-5d9-x1", "namespace": "shop", "container": "api", "tailLines": "3"}
    assert asked.query == expected | {
        "previous": "false",
        "sinceSeconds": "600",
        "appNamespace": "argocd",
        "project": "web",
    }
    assert log_lines(context) == ["line 97", "line 98", "line 99"]
    assert context.logs[0].lines[0].timestamp.startswith("2026-11-21T08:")


def test_a_waiting_container_is_a_gap_and_no_log(argocd: FakeArgoCD):
    argocd.add_refused_log("web-5d9-x1", "api", 'container "api" in pod "web-5d9-x1" is waiting to start: ErrImagePull')
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": False})
    assert (context.logs, gaps(context)) == ((), [("logs", "argocd", "waiting")])
    assert "ErrImagePull" in messages(context)


def test_where_the_previous_run_is_gone_the_current_one_is_read(argocd: FakeArgoCD):
    argocd.add_refused_log(
        "web-5d9-x1", "api", 'previous terminated container "api" in pod "x" not found', previous=True
    )
    argocd.add_log("web-5d9-x1", "api", ["started again"])
    context = collect(application=SHOP, resource=WEB_POD)
    assert (log_lines(context), context.logs[0].previous) == (["started again"], False)
    assert gaps(context) == [("logs", "argocd", "not_found")]


def test_a_previous_run_that_was_asked_for_is_not_replaced(argocd: FakeArgoCD):
    argocd.add_refused_log(
        "web-5d9-x1", "api", 'previous terminated container "api" in pod "x" not found', previous=True
    )
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": True})
    assert (context.logs, len(argocd.seen("/logs"))) == ((), 1)


@pytest.mark.parametrize("error", ["", "transport is closing"])
def test_a_log_that_breaks_off_is_kept_and_said_to_be_cut(argocd: FakeArgoCD, error: str):
    argocd.add_broken_log("web-5d9-x1", "api", ["one", "two"], error=error)
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": False})
    assert (log_lines(context), gaps(context)) == (["one", "two"], [("logs", "argocd", "left_out")])


def test_a_log_that_breaks_before_its_first_line_is_a_gap(argocd: FakeArgoCD):
    argocd.add_broken_log("web-5d9-x1", "api", [], error="transport is closing")
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": False})
    assert (context.logs, gaps(context)) == ((), [("logs", "argocd", "unavailable")])


def test_an_empty_log_is_a_log(argocd: FakeArgoCD):
    argocd.add_log("web-5d9-x1", "api", [])
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": False})
    assert (context.gaps, [log.lines for log in context.logs]) == ((), [()])


def test_an_empty_body_says_that_no_pod_was_found(argocd: FakeArgoCD):
    argocd.fail("/logs", Response(b""))
    context = collect(application=SHOP, resource=WEB_POD, log_request={"previous": False})
    assert gaps(context) == [("logs", "argocd", "not_found")]


def test_an_unknown_container_is_not_asked_for(argocd: FakeArgoCD):
    context = collect(application=SHOP, resource=WEB, log_request={"container": "apo"})
    assert gaps(context) == [("logs", "argocd", "not_found")]
    assert "there are: api" in messages(context)
    assert argocd.seen("/logs") == []


def test_events_of_null_are_none_at_all(argocd: FakeArgoCD):
    argocd.add_events("uid-web-5d9-x1", None)
    context = collect(application=SHOP, resource=WEB_POD)
    assert (context.events, context.gaps, context.origins["events"]) == ((), (), "argocd")


def test_odd_events_do_no_harm(argocd: FakeArgoCD):
    argocd.add_events("uid-web-5d9-x1", [None, "event", {}, {"involvedObject": 3, "count": "x", "series": []}])
    assert collect(application=SHOP, resource=WEB_POD).gaps == ()


def test_a_tree_of_null_has_no_pods(argocd: FakeArgoCD):
    argocd.fail("/resource-tree", JSONResponse({"nodes": None, "orphanedNodes": None}))
    assert ("children", "argocd", "not_found") in gaps(collect(application=SHOP, resource=WEB))


def test_a_name_is_quoted_in_the_path(argocd: FakeArgoCD):
    context = collect(application={"name": "shop;v=1&x:y", "namespace": "argocd", "project": "web"})
    assert "/api/v1/applications/shop%3Bv%3D1%26x%3Ay" in argocd.paths()
    assert gaps(context)[0] == ("application", "argocd", "not_found")


def test_a_server_below_a_path_is_asked_there(monkeypatch: pytest.MonkeyPatch):
    fake = FakeArgoCD(root="/argocd")
    fake.add_application(application())
    with fake.serving() as url:
        monkeypatch.setenv("ARGOCD_SERVER", f"{url}/argocd/")
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", ARGOCD_TOKEN)
        assert collect(application=SHOP).gaps == ()
    assert f"/argocd{BASE}" in fake.paths()


def test_the_manifest_is_json_in_a_string(argocd: FakeArgoCD):
    argocd.fail("/resource", JSONResponse({"manifest": json.dumps(POD)}))
    context = collect(application=SHOP, resource=WEB_POD)
    assert context.manifest is not None
    assert context.manifest["status"] == POD["status"]


def test_a_project_that_does_not_exist_is_named(argocd: FakeArgoCD):
    argocd.lose_project("shop")

    context = collect(application=SHOP)
    assert "project web does not exist, or does not admit the Application" in messages(context)
    assert context.application is not None  # the list tells of it all the same
    assert context.application["spec"]["project"] == "web"


def test_a_log_that_the_node_no_longer_has_is_gone(argocd: FakeArgoCD):
    argocd.lose_logs("web-5d9-x1")
    context = collect(application=SHOP, resource=WEB)

    assert ("logs", "argocd", "not_found") in gaps(context)
    assert "The log is gone" in messages(context)


def test_a_root_path_that_was_left_out_is_named(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARGOCD_SERVER", f"{os.environ['ARGOCD_SERVER']}/nowhere")

    assert "if Argo CD has a root path, add it to ARGOCD_SERVER" in messages(collect(application=SHOP))


def test_no_metadata_is_requested_for_a_branch(argocd: FakeArgoCD):
    argocd.set_status("shop", {"sync": {"status": "Unknown", "revision": "main"}})
    collect(application=SHOP)

    assert not [path for path in argocd.paths() if "/revisions/" in path]
