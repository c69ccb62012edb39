"""A context from whatever sources there are: which goes first, what waits for what, and what is said of the rest."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from starlette.responses import JSONResponse, StreamingResponse

from agent.context import collect as collect_module
from agent.context.collect import Collector
from agent.context.context import Part
from agent.context.source import READS_AT_ONCE
from agent.context.supplied import read_supplied
from agent.errors import SettingsError
from agent.request.question import Question
from agent.settings import load_settings
from tests.context.asking import SHOP, WEB, WEB_POD, collect, gaps, log_lines, messages, question
from tests.context.conftest import LAST_WORDS
from tests.context.manifests import DEPLOYMENT, POD, application, crashing, event, pod, workload
from tests.fakes.argocd import FakeArgoCD
from tests.fakes.kubernetes import FakeKubernetes
from tests.fakes.server import PATIENCE, closed_port

# Seconds of a source that is held back, long enough for the others to answer on a busy machine.
SHORT = "2"


def test_a_general_question_has_an_empty_context_and_asks_nobody(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    context = collect()
    assert (context.gaps, context.origins, context.manifests, context.application) == ((), {}, (), None)
    assert argocd.requests + kubernetes.requests == []


def test_a_general_question_may_bring_a_log():
    context = collect(logs={"api": "out of memory"})
    assert (log_lines(context), context.gaps, context.origins) == (["out of memory"], (), {"logs": "supplied"})


def test_a_context_was_read_when_the_request_says_so():
    assert collect(manifest=POD, read_at="2026-12-01T11:30:00Z").read_at == "2026-12-01T11:30:00+00:00"


def test_what_was_supplied_is_asked_of_nobody(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    context = collect(
        application_manifest=application(),
        manifest=DEPLOYMENT,
        children=[POD],
        related=[],
        resource_tree={"nodes": []},
        managed_resources=[],
        revisions=[],
        sync_windows={"canSync": True},
        events=[event(POD, "BackOff", "again")],
        logs={"api": "out of memory"},
    )
    assert set(context.origins.values()) == {"supplied"}
    assert (len(context.origins), context.gaps) == (10, ())
    assert argocd.requests + kubernetes.requests == []


def test_parts_that_were_not_supplied_are_read(argocd: FakeArgoCD):
    context = collect(application=SHOP, manifest=POD, events=[])
    assert context.origins == {
        "application": "argocd",
        "manifest": "supplied",
        "related": "argocd",
        "tree": "argocd",
        "sync_windows": "argocd",
        "events": "supplied",
        "logs": "argocd",
    }
    assert (context.events, log_lines(context)) == ((), LAST_WORDS)


def test_with_nothing_configured_each_part_says_what_would_help():
    context = collect(application=SHOP, resource=WEB)
    assert [(gap.part, gap.reason) for gap in context.gaps] == [
        (part, "not_configured") for part in ("application", "manifest", "children", "events", "logs")
    ]
    assert "the live manifest of Deployment shop/web from: set ARGOCD_SERVER" in messages(context)
    assert "supply `application_manifest`" in messages(context)


def test_a_part_the_target_does_not_have_is_no_gap():
    resource = {"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "settings"}
    context = collect(resource=resource)
    assert gaps(context) == [("manifest", "kubernetes", "not_configured"), ("events", "kubernetes", "not_configured")]
    assert "KUBECONFIG" in messages(context)


def test_where_argo_cd_is_away_the_cluster_is_asked(kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARGOCD_SERVER", f"http://127.0.0.1:{closed_port()}")
    context = collect(application="argocd/shop", resource=WEB)
    assert set(context.origins.values()) == {"kubernetes"}
    assert log_lines(context) == LAST_WORDS
    assert gaps(context) == [
        (part, "argocd", "unreachable") for part in ("application", "manifest", "children", "events", "logs")
    ]


def test_only_what_argo_cd_fails_at_is_asked_of_the_cluster(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    argocd.fail("/logs", JSONResponse({"error": "upstream"}, status_code=502))
    context = collect(application=SHOP, resource=WEB_POD)
    assert (context.origins["manifest"], context.origins["logs"]) == ("argocd", "kubernetes")
    assert gaps(context) == [("logs", "argocd", "unavailable")]
    assert _objects_read(kubernetes) == ["/api/v1/namespaces/shop/pods/web-5d9-x1/log"]


def test_a_log_that_argo_cd_refuses_is_not_read_from_the_cluster(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    argocd.refuse_logs()
    context = collect(application=SHOP, resource=WEB_POD)
    assert (context.origins["manifest"], context.logs) == ("argocd", ())
    assert gaps(context) == [("logs", "argocd", "forbidden")]
    assert "the right `logs, get` is missing" in messages(context)
    assert "not read from Kubernetes instead: grant the right in Argo CD's RBAC" in messages(context)
    assert _objects_read(kubernetes) == []


def test_a_refusal_without_a_cluster_says_nothing_of_one(argocd: FakeArgoCD):
    argocd.refuse_logs()
    assert "Kubernetes" not in messages(collect(application=SHOP, resource=WEB_POD))


ELSEWHERE = [
    {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "vault-0"},
    {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "vault-0", "uid": "uid-vault-0"},
    {"kind": "Pod", "namespace": "shop", "name": "vault-0"},
    {"group": "apps", "version": "v1", "kind": "StatefulSet", "namespace": "shop", "name": "vault"},
]


def _beside(kubernetes: FakeKubernetes) -> None:
    """What the process may read in the cluster, and Argo CD holds in no Application of the caller's."""
    owner = workload("StatefulSet", "vault")
    member = pod("vault-0", crashing("vault"), owner=owner)
    kubernetes.add(owner, member, event(member, "BackOff", "Back-off restarting failed container"))
    kubernetes.add_log("vault-0", "vault", ["unsealed"], previous=True)


@pytest.mark.parametrize("resource", ELSEWHERE)
def test_a_resource_of_no_place_in_the_application_is_not_read_from_the_cluster(
    argocd: FakeArgoCD, kubernetes: FakeKubernetes, resource: dict[str, str]
):
    _beside(kubernetes)
    context = collect(application=SHOP, resource=resource, log_request={"container": "vault"})
    assert (context.manifest, context.children, context.related, context.events, context.logs) == (None, (), (), (), ())
    assert _objects_read(kubernetes) == []
    assert "not read from Kubernetes instead: name the Application that it is part of" in messages(context)


@pytest.mark.parametrize("suffix", ["/resource-tree", "/events", "/logs"])
def test_what_fails_of_a_refused_resource_is_not_read_from_the_cluster(
    argocd: FakeArgoCD, kubernetes: FakeKubernetes, suffix: str
):
    _beside(kubernetes)
    argocd.fail(suffix, JSONResponse({"error": "upstream"}, status_code=502))
    for resource in (each for each in ELSEWHERE if "version" in each):
        context = collect(application=SHOP, resource=resource, log_request={"container": "vault"})
        assert (context.manifest, context.events, context.logs, _objects_read(kubernetes)) == (None, (), (), [])


@pytest.mark.parametrize("application", ["argocd/other", {"name": "other", "namespace": "argocd", "project": "web"}])
@pytest.mark.parametrize("resource", [None, WEB])
def test_nothing_of_an_application_that_argo_cd_refuses_is_read_from_the_cluster(
    argocd: FakeArgoCD, kubernetes: FakeKubernetes, application: object, resource: dict[str, str] | None
):
    """Another Application than the fake knows: Argo CD answers 403, or 404 where the project is named."""
    target = {"application": application} | ({"resource": resource} if resource else {})
    context = collect(**target)
    assert (context.origins, _objects_read(kubernetes)) == ({}, [])
    assert "not read from Kubernetes instead" in messages(context)


def _objects_read(kubernetes: FakeKubernetes) -> list[str]:
    return [seen.path for seen in kubernetes.requests if "/namespaces/" in seen.path]


def test_the_targets_blanks_are_filled_in_from_what_was_read(argocd: FakeArgoCD):
    target = collect(application="argocd/shop", resource={"kind": "deployment", "name": "web"}).target
    assert target.application is not None
    assert target.resource is not None
    assert (target.application.project, target.resource.uid) == ("web", "uid-web")
    assert str(target) == "Deployment shop/web of Application argocd/shop"


@pytest.mark.parametrize("inputs", [{}, {"application": "argocd/shop"}, {"application": "shop"}])
def test_an_application_named_as_a_resource_is_the_application(argocd: FakeArgoCD, inputs: dict[str, str]):
    itself = {
        "group": "argoproj.io",
        "version": "v1alpha1",
        "kind": "Application",
        "namespace": "argocd",
        "name": "shop",
    }
    context = collect(resource=itself, **inputs)
    assert (context.gaps, context.target.resource, context.manifest) == ((), None, None)
    assert "OperationCompleted" in [each.reason for each in context.events]


def test_an_application_below_another_one_is_a_resource(argocd: FakeArgoCD):
    child = application("child")
    argocd.add_resource("shop", child)
    resource = {
        "group": "argoproj.io",
        "version": "v1alpha1",
        "kind": "Application",
        "namespace": "argocd",
        "name": "child",
    }
    context = collect(application=SHOP, resource=resource)
    assert context.gaps == ()
    assert context.manifest is not None
    assert context.manifest["metadata"]["name"] == "child"


def test_application_manifest_and_tree_are_read_at_once(argocd: FakeArgoCD):
    for suffix in ("/shop", "/resource", "/resource-tree"):
        argocd.hold(suffix)

    async def turn() -> None:
        collector = Collector(load_settings())
        collecting = asyncio.create_task(collector.collect(question(application=SHOP, resource=WEB)))
        for suffix in ("/shop", "/resource", "/resource-tree"):
            await asyncio.to_thread(argocd.wait_for, suffix)
        argocd.release()
        assert (await collecting).gaps == ()
        await collector.aclose()

    asyncio.run(turn())


def test_events_and_log_are_read_at_once(argocd: FakeArgoCD):
    for suffix in ("/events", "/logs"):
        argocd.hold(suffix)

    async def turn() -> None:
        collector = Collector(load_settings())
        collecting = asyncio.create_task(collector.collect(question(application=SHOP, resource=WEB)))
        for suffix in ("/events", "/logs"):
            await asyncio.to_thread(argocd.wait_for, suffix)
        argocd.release()
        assert (await collecting).gaps == ()
        await collector.aclose()

    asyncio.run(turn())


def test_a_slow_part_is_a_gap_beside_the_others(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSISTANT_SOURCE_TIMEOUT", SHORT)
    argocd.hold("/logs")
    context = collect(application=SHOP, resource=WEB_POD)
    assert gaps(context) == [("logs", "argocd", "timeout")]
    assert [each.reason for each in context.events] == ["BackOff"]


def test_a_source_that_was_too_slow_is_not_asked_again_in_the_turn(
    argocd: FakeArgoCD, kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ASSISTANT_SOURCE_TIMEOUT", SHORT)
    argocd.hold("/shop")
    context = collect(application="argocd/shop", resource=WEB_POD)
    assert argocd.paths() == ["/api/v1/applications/shop"]
    assert {reason for _, _, reason in gaps(context)} == {"timeout"}
    assert set(context.origins.values()) == {"kubernetes"}


def test_a_slow_cluster_is_a_gap(kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSISTANT_SOURCE_TIMEOUT", SHORT)
    kubernetes.hold("/apis")
    context = collect(resource=WEB_POD)
    assert ("manifest", "kubernetes", "timeout") in gaps(context)


@pytest.mark.parametrize("suffix", ["/shop", "/resource"])
def test_a_body_that_never_ends_is_a_gap(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch, suffix: str):
    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)

    monkeypatch.setenv("ASSISTANT_SOURCE_TIMEOUT", SHORT)
    argocd.fail(suffix, StreamingResponse(endless()))
    reasons = {part: reason for part, _, reason in gaps(collect(application=SHOP, resource=WEB_POD))}
    assert reasons["application" if suffix == "/shop" else "manifest"] in {"timeout", "unavailable"}


def test_reads_of_one_turn_run_side_by_side_within_a_bound(argocd: FakeArgoCD):
    for number in range(12):
        owner = workload("StatefulSet", f"s{number}")
        member = pod(f"s{number}-0", crashing("api"), owner=owner)
        argocd.add_resource("shop", owner, health="Degraded")
        argocd.add_resource("shop", member, parent=owner, health="Degraded")
    argocd.hold("/resource")

    async def turn() -> None:
        collector = Collector(load_settings())
        collecting = asyncio.create_task(collector.collect(question(application=SHOP)))
        async with asyncio.timeout(PATIENCE):
            while argocd.most_at_once < READS_AT_ONCE:
                await asyncio.to_thread(argocd.wait_for, "/resource")
        argocd.release()
        await collecting
        await collector.aclose()

    asyncio.run(turn())
    assert argocd.most_at_once == READS_AT_ONCE


def test_a_slow_difference_costs_nothing_else(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSISTANT_SOURCE_TIMEOUT", SHORT)
    argocd.hold("/managed-resources")
    context = collect(application=SHOP)
    assert gaps(context) == [("managed", "argocd", "timeout")]
    assert log_lines(context) == LAST_WORDS


def test_a_supplied_tree_is_not_read_and_leads_to_the_unhealthy_resources(argocd: FakeArgoCD):
    node = {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "web-5d9-x1", "uid": "uid-web-5d9-x1"}
    context = collect(application=SHOP, resource_tree={"nodes": [node | {"health": {"status": "Degraded"}}]})
    assert [child["metadata"]["name"] for child in context.children] == ["web-5d9-x1"]
    assert (argocd.seen("/resource-tree"), context.origins["tree"]) == ([], "supplied")


def test_a_turn_that_is_cancelled_leaves_at_once_and_the_next_one_works(argocd: FakeArgoCD):
    held = argocd.hold("/resource")

    async def turns() -> None:
        collector = Collector(load_settings())
        collecting = asyncio.create_task(collector.collect(question(application=SHOP, resource=WEB)))
        await asyncio.to_thread(argocd.wait_for, "/resource")
        collecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await collecting
        assert not held.is_set()  # its read still hangs
        context = await collector.collect(question(application=SHOP, resource_tree={"nodes": []}))
        assert context.gaps == ()
        held.set()
        await collector.aclose()

    asyncio.run(turns())


def test_closing_waits_for_nobody(argocd: FakeArgoCD):
    held = argocd.hold("/shop")

    async def leave() -> None:
        collector = Collector(load_settings())
        collecting = asyncio.create_task(collector.collect(question(application=SHOP)))
        await asyncio.to_thread(argocd.wait_for, "/shop")
        collecting.cancel()
        await collector.aclose()
        assert not held.is_set()

    asyncio.run(leave())
    held.set()


def test_connections_are_kept_between_turns(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    async def turns() -> None:
        collector = Collector(load_settings())
        for _ in range(3):
            await collector.collect(question(application="argocd/shop"))
            await collector.collect(question(resource={"kind": "Service", "namespace": "shop", "name": "none"}))
        await collector.aclose()

    asyncio.run(turns())
    for fake in (argocd, kubernetes):
        assert len({seen.connection for seen in fake.requests}) <= READS_AT_ONCE < len(fake.requests)


def test_many_turns_at_once_keep_apart(argocd: FakeArgoCD):
    for number in range(20):
        argocd.add_application(application(f"app-{number}"))

    async def turns() -> list[str]:
        collector = Collector(load_settings())
        asked = [collector.collect(question(application=f"argocd/app-{number}")) for number in range(20)]
        contexts = await asyncio.gather(*asked)
        await collector.aclose()
        assert [context.gaps for context in contexts] == [()] * 20
        return [(context.application or {})["metadata"]["name"] for context in contexts]

    assert asyncio.run(turns()) == [f"app-{number}" for number in range(20)]


def test_a_heavy_supplied_context_is_parsed_away_from_the_event_loop(monkeypatch: pytest.MonkeyPatch):
    threads: list[threading.Thread] = []

    def noted(question: Question, parts: Sequence[Part[Any]]) -> object:
        threads.append(threading.current_thread())
        return read_supplied(question, parts)

    monkeypatch.setattr(collect_module, "read_supplied", noted)
    assert len(collect(manifest=POD, logs={"api": "a line\n" * 1_500_000}).logs[0].lines) <= 1_000
    collect(manifest=POD, logs={"api": "a line"})
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


def test_a_failure_that_is_none_of_a_source_is_not_hidden(argocd: FakeArgoCD, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("agent.context.collecting.merge_events", broken)
    with pytest.raises(ZeroDivisionError):
        collect(application=SHOP)


@pytest.mark.parametrize(
    "server", ["ftp://argocd", "https://", "https://argocd:port", "https://a/?x=1", "https://me:secret-5a@argocd"]
)
def test_an_address_that_is_none_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, server: str):
    monkeypatch.setenv("ARGOCD_SERVER", server)
    with pytest.raises(SettingsError, match="ARGOCD_SERVER") as raised:
        Collector(load_settings())
    assert "secret-5a" not in raised.value.public_message


def test_a_collector_costs_no_heavy_import_until_it_is_used():
    code = (
        "import sys; from agent.context.collect import Collector; from agent.settings import load_settings;"
        "Collector(load_settings());"
        "print(sorted({'requests', 'urllib3', 'kubernetes', 'yaml'} & set(sys.modules)))"
    )
    environment = {"ARGOCD_SERVER": "argocd.example.com", "KUBECONFIG": "/nowhere"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.strip() == "[]"


def test_an_application_that_answers_no_object_harms_no_other_part(argocd: FakeArgoCD):
    argocd.fail("/resource", JSONResponse("text"))
    context = collect(application=SHOP, resource=WEB)
    assert context.application is not None
    assert ("manifest", "argocd", "not_found") in gaps(context)
    assert [child["metadata"]["name"] for child in context.children] == []


def test_a_pod_that_never_started_has_no_logs_to_miss():
    pending = {**POD, "status": {"phase": "Pending"}}
    waiting = {"name": "api", "state": {"waiting": {"reason": "ErrImagePull"}}}
    pulling = {**POD, "status": {"phase": "Pending", "containerStatuses": [waiting]}}
    unknown = {key: value for key, value in POD.items() if key != "status"}

    assert [part for part, *_ in gaps(collect(manifest=pending))] == ["events"]
    assert [part for part, *_ in gaps(collect(manifest=pulling))] == ["events"]
    assert [part for part, *_ in gaps(collect(manifest=unknown))] == ["events", "logs"]
    assert [part for part, *_ in gaps(collect(manifest=POD))] == ["events", "logs"]


def test_what_is_missing_is_named_as_a_request_and_as_the_command_line_take_it():
    events, logs = (gap.message for gap in collect(manifest=POD).gaps)

    assert events.endswith("or supply `events` (on the command line `--events FILE`)")
    assert logs.endswith("or supply `logs` (on the command line `--logs FILE`)")


def test_an_object_that_the_cluster_refuses_costs_nothing_that_argo_cd_gave(
    argocd: FakeArgoCD, kubernetes: FakeKubernetes
):
    kubernetes.fail("/nodes/node-1", JSONResponse({"message": "nodes is forbidden"}, status_code=403))
    scheduled = POD | {"spec": POD["spec"] | {"nodeName": "node-1"}}
    context = collect(application=SHOP, resource=WEB_POD, manifest=scheduled)
    assert {manifest["kind"] for manifest in context.related} == {"ReplicaSet", "Deployment"}
    assert context.origins["related"] == "argocd"
    assert gaps(context) == [("related", "kubernetes", "forbidden")]
