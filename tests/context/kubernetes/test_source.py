"""The Kubernetes API as a source: any kind, a workload's Pods, events, logs, and where the configuration comes from."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from agent.context.collect import Collector
from agent.context.kubernetes import client as kubernetes_client
from agent.context.kubernetes.api import PAGE
from agent.context.source import MAX_CHILDREN
from agent.objects.manifest import Manifest
from agent.settings import load_settings
from tests.context.asking import (
    KUBERNETES_TOKEN,
    WEB,
    WEB_POD,
    collect,
    gaps,
    log_lines,
    messages,
    question,
)
from tests.context.conftest import LAST_WORDS
from tests.context.manifests import (
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    application,
    crashing,
    event,
    healthy,
    metadata,
    pod,
    workload,
)
from tests.fakes.certificates import self_signed
from tests.fakes.kubernetes import FakeKubernetes, status, write_kubeconfig

PODS = "/api/v1/namespaces/shop/pods"
LOG = f"{PODS}/web-5d9-x1/log"


def pod_names(children: tuple[Manifest, ...]) -> list[str]:
    return [child["metadata"]["name"] for child in children]


def test_a_workload_is_read_whole(kubernetes: FakeKubernetes):
    context = collect(resource=WEB)
    assert context.gaps == ()
    assert set(context.origins.values()) == {"kubernetes"}
    assert context.manifest is not None
    assert "managedFields" not in context.manifest["metadata"]
    assert pod_names(context.children) == ["web-5d9-x1"]
    assert [(each.reason, each.involved and each.involved.name) for each in context.events] == [
        ("BackOff", "web-5d9-x1")
    ]
    assert log_lines(context) == LAST_WORDS
    assert context.logs[0].lines[0].timestamp == "2026-11-21T08:00:00.000000001Z"


def test_nothing_is_asked_twice_and_only_read(kubernetes: FakeKubernetes):
    collect(resource=WEB)
    assert max(Counter(map(str, kubernetes.requests)).values()) == 1
    assert {seen.method for seen in kubernetes.requests} == {"GET"}
    assert {seen.headers["authorization"] for seen in kubernetes.requests} == {f"Bearer {KUBERNETES_TOKEN}"}


def test_discovery_is_kept_between_turns(kubernetes: FakeKubernetes):
    async def two_turns() -> None:
        collector = Collector(load_settings())
        await collector.collect(question(resource=WEB))
        kubernetes.requests.clear()
        await collector.collect(question(resource=WEB))
        await collector.aclose()

    asyncio.run(two_turns())
    assert not {"/version", "/apis", "/apis/apps/v1"} & set(kubernetes.paths())


def test_the_discovery_cache_is_a_file_of_its_own_and_gone_at_the_end(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    collect(resource=WEB)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_application_is_read_as_a_custom_resource(kubernetes: FakeKubernetes):
    context = collect(application="argocd/shop")
    assert gaps(context) == [("managed", "argocd", "not_configured")]
    assert context.application is not None
    assert context.application["status"] == application()["status"]
    assert [each.reason for each in context.events] == ["OperationCompleted"]
    assert context.target.application is not None
    assert context.target.application.project == "web"


def test_an_application_without_a_namespace_is_looked_for_in_all(kubernetes: FakeKubernetes):
    context = collect(application="shop")
    assert context.application is not None
    twin = application() | {"metadata": application()["metadata"] | {"namespace": "team-a"}}
    kubernetes.add(twin)
    context = collect(application="shop")
    assert gaps(context)[0] == ("application", "kubernetes", "invalid")
    assert "argocd, team-a" in messages(context)


@pytest.mark.parametrize("kind", ["certificate", "Certificates", "cert-manager"])
def test_a_custom_resource_is_read_by_any_of_its_kinds_names(kubernetes: FakeKubernetes, kind: str):
    kubernetes.add_kind("cert-manager.io/v1", "Certificate", "certificates")
    kubernetes.add({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata("tls")})
    context = collect(resource={"group": "cert-manager.io", "kind": kind, "namespace": "shop", "name": "tls"})
    if kind == "cert-manager":
        assert gaps(context)[0] == ("manifest", "kubernetes", "not_found")
        assert "serves no kind 'cert-manager' in group 'cert-manager.io'" in messages(context)
    else:
        assert (context.gaps, context.children, context.logs) == ((), (), ())
        assert context.target.resource is not None
        assert (context.target.resource.version, context.target.resource.uid) == ("v1", "uid-tls")


def test_a_kind_that_came_after_the_first_turn_is_found(kubernetes: FakeKubernetes):
    async def two_turns() -> tuple[int, int]:
        collector = Collector(load_settings())
        asked = question(resource={"group": "example.com", "kind": "Widget", "namespace": "shop", "name": "w"})
        before = await collector.collect(asked)
        kubernetes.add_kind("example.com/v1", "Widget", "widgets")
        kubernetes.add({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata("w")})
        after = await collector.collect(asked)
        await collector.aclose()
        return len(before.gaps), len(after.gaps)

    assert asyncio.run(two_turns()) == (1, 0)


@pytest.mark.parametrize(("version", "asked"), [("", "v2"), ("v1", "v1"), ("v2beta2", "v2")])
def test_the_preferred_version_is_taken_where_none_is_named_or_served(
    kubernetes: FakeKubernetes, version: str, asked: str
):
    resource = {"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "namespace": "shop", "name": "web"}
    kubernetes.add({"apiVersion": f"autoscaling/{asked}", "kind": resource["kind"], "metadata": metadata("web")})
    assert collect(resource=resource | {"version": version}).gaps == ()


def test_a_built_in_kind_needs_no_group(kubernetes: FakeKubernetes):
    assert collect(resource={"kind": "Deployment", "namespace": "shop", "name": "web"}).gaps == ()


def test_a_cluster_scoped_object_is_read_with_its_events(kubernetes: FakeKubernetes):
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "n1"}}
    # The kubelet gives its Node's name for the uid.
    not_ready = event(node | {"metadata": {"name": "node-1", "uid": "node-1"}}, "NodeNotReady", "not ready")
    not_ready["metadata"]["namespace"] = "default"
    kubernetes.add(node, not_ready)
    context = collect(resource={"kind": "Node", "name": "node-1"})
    assert ([each.reason for each in context.events], context.gaps) == (["NodeNotReady"], ())


def test_the_namespace_of_the_kubeconfigs_context_holds_where_none_is_named(
    kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kubernetes_url: str
):
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "mine", kubernetes_url, namespace="shop")))
    context = collect(resource={"kind": "Deployment", "name": "web"})
    assert context.gaps == ()
    assert context.target.resource is not None
    assert context.target.resource.namespace == "shop"


def test_pods_of_another_owner_with_the_same_labels_are_not_its_pods(kubernetes: FakeKubernetes):
    other = workload("ReplicaSet", "canary-1", owner=workload("Deployment", "canary"))
    kubernetes.add(other, pod("canary-1-x", crashing("api"), owner=other), pod("bare", crashing("api")))
    assert pod_names(collect(resource=WEB).children) == ["web-5d9-x1"]


def test_pods_of_a_stateful_set_are_its_own(kubernetes: FakeKubernetes):
    stateful = workload("StatefulSet", "db")
    stateful["spec"]["selector"]["matchExpressions"] = [
        {"key": "app", "operator": "In", "values": ["web", "db"]},
        {"key": "tier", "operator": "DoesNotExist"},
        {"key": "app", "operator": "Exists"},
        {"key": "app", "operator": "NotIn", "values": ["cache"]},
    ]
    kubernetes.add(stateful, pod("db-0", healthy("postgres"), owner=stateful))
    context = collect(resource=WEB | {"kind": "StatefulSet", "name": "db"}, log_request={"previous": False})
    assert pod_names(context.children) == ["db-0"]
    (listed,) = [seen for seen in kubernetes.requests if seen.path == PODS]
    assert listed.query["labelSelector"] == "app=web,app in (web,db),!tier,app,app notin (cache)"


def test_pods_of_a_cron_job_are_found_through_its_jobs(kubernetes: FakeKubernetes):
    cron = workload("CronJob", "backup", api_version="batch/v1")
    del cron["spec"]["selector"]
    job = workload("Job", "backup-1", api_version="batch/v1", owner=cron)
    failed = pod("backup-1-x", crashing("main"), owner=job)
    failed["metadata"]["labels"]["job-name"] = "backup-1"
    kubernetes.add(cron, job, failed)
    kubernetes.add_log("backup-1-x", "main", ["disk full"], previous=True)
    for asked in (cron, job):
        resource = WEB | {"group": "batch", "kind": asked["kind"], "name": asked["metadata"]["name"]}
        context = collect(resource=resource)
        assert (pod_names(context.children), log_lines(context)) == (["backup-1-x"], ["disk full"])


def test_pods_of_a_supplied_manifest_without_a_uid_are_found_by_its_name(kubernetes: FakeKubernetes):
    from_git = {**DEPLOYMENT, "metadata": {"name": "web", "namespace": "shop"}}
    context = collect(manifest=from_git)
    assert pod_names(context.children) == ["web-5d9-x1"]
    assert (context.origins["manifest"], context.origins["children"]) == ("supplied", "kubernetes")


def test_a_workload_without_pods_has_no_log(kubernetes: FakeKubernetes):
    kubernetes.add(workload("Deployment", "idle"))
    context = collect(resource=WEB | {"name": "idle"})
    assert (context.children, gaps(context)) == ((), [("logs", "kubernetes", "not_found")])


def test_of_many_pods_the_unhealthiest_are_read_and_the_rest_is_told(kubernetes: FakeKubernetes):
    kubernetes.add(*(pod(f"fine-{number}", healthy("api"), owner=REPLICA_SET) for number in range(6)))
    context = collect(resource=WEB)
    assert (context.children[0]["metadata"]["name"], len(context.children)) == ("web-5d9-x1", MAX_CHILDREN)
    assert gaps(context) == [("children", "kubernetes", "left_out")]
    assert "5 of 7 Pods of Deployment shop/web" in messages(context)


def test_a_list_that_goes_on_is_said_to_be_read_in_part(kubernetes: FakeKubernetes):
    kubernetes.add(*(pod(f"fine-{number}", healthy("api"), owner=REPLICA_SET) for number in range(PAGE)))
    kubernetes.add(*(event(POD, "BackOff", f"message {number}") for number in range(PAGE)))
    context = collect(resource=WEB)
    assert {("children", "kubernetes", "left_out"), ("events", "kubernetes", "left_out")} <= set(gaps(context))
    assert f"of more than {PAGE} Pods" in messages(context)


def test_the_log_is_asked_for_as_the_request_says(kubernetes: FakeKubernetes):
    kubernetes.add_log("web-5d9-x1", "api", [f"line {number}" for number in range(100)])
    request = {"container": "api", "tail_lines": 2, "previous": False, "since_seconds": 60}
    context = collect(resource=WEB_POD, log_request=request)
    (asked,) = kubernetes.seen("/log")
    limit = asked.query.pop("limitBytes")
    assert int(limit) > 1_000_000
    assert asked.query == {
        "container": "api",
        "tailLines": "2",
        "previous": "false",
        "sinceSeconds": "60",
        "timestamps": "true",
    }
    assert log_lines(context) == ["line 98", "line 99"]


def test_a_waiting_container_is_a_gap(kubernetes: FakeKubernetes):
    waiting = 'container "api" in pod "web-5d9-x1" is waiting to start: trying and failing to pull image'
    kubernetes.add_refused_log("web-5d9-x1", "api", waiting)
    context = collect(resource=WEB_POD, log_request={"previous": False})
    assert (context.logs, gaps(context)) == ((), [("logs", "kubernetes", "waiting")])
    assert waiting in messages(context)


def test_an_error_as_content_is_a_gap(kubernetes: FakeKubernetes):
    kubernetes.fail("/log", PlainTextResponse("unable to retrieve container logs for containerd://5f3a"))
    assert gaps(collect(resource=WEB_POD)) == [("logs", "kubernetes", "unavailable")]


def test_where_the_previous_run_is_gone_the_current_one_is_read(kubernetes: FakeKubernetes):
    kubernetes.add_refused_log(
        "web-5d9-x1", "api", 'previous terminated container "api" in pod "web-5d9-x1" not found', previous=True
    )
    kubernetes.add_log("web-5d9-x1", "api", ["started again"])
    context = collect(resource=WEB_POD)
    assert (log_lines(context), gaps(context)) == (["started again"], [("logs", "kubernetes", "not_found")])


def test_a_log_of_no_utf8_is_read_all_the_same(kubernetes: FakeKubernetes):
    kubernetes.fail("/log", Response(b"2026-11-21T08:00:00Z caf\xe9\r\n"))
    assert log_lines(collect(resource=WEB_POD)) == ["caf\ufffd"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(403, "Forbidden", "pods is forbidden: token-in-body"), "forbidden"),
        (status(404, "NotFound", "token-in-body"), "not_found"),
        (status(400, "BadRequest", "token-in-body"), "invalid"),
        (status(500, "InternalError", "token-in-body"), "unavailable"),
        (status(504, "Timeout", "token-in-body"), "timeout"),
        (PlainTextResponse("token-in-body"), "invalid"),
        (JSONResponse({"kind": "Pod"}), "invalid"),
        (JSONResponse(None), "invalid"),
        (Response(b"x" * 20_000_001), "unavailable"),
    ],
)
def test_an_answer_that_is_no_manifest_is_a_gap_without_its_body(
    kubernetes: FakeKubernetes, answer: Response, reason: str
):
    kubernetes.fail("/web-5d9-x1", answer)
    context = collect(resource=WEB_POD)
    assert gaps(context)[0] == ("manifest", "kubernetes", reason)
    assert "token-in-body" not in repr(context)


def test_a_missing_right_is_named(kubernetes: FakeKubernetes):
    kubernetes.fail("/log", status(403, "Forbidden", "no"))
    kubernetes.fail("/events", status(403, "Forbidden", "no"))
    context = collect(resource=WEB_POD)
    assert gaps(context) == [("events", "kubernetes", "forbidden"), ("logs", "kubernetes", "forbidden")]
    assert "the right to get pods/log is missing" in messages(context)
    assert "the right to list events is missing" in messages(context)


def test_refused_credentials_are_read_anew_by_the_next_turn(kubernetes: FakeKubernetes, kubernetes_url: str):
    config = Path(kubernetes_client.kubeconfig())

    async def two_turns() -> None:
        collector = Collector(load_settings())
        write_kubeconfig(config, kubernetes_url, token="expired-4e1f")
        refused = await collector.collect(question(resource=WEB_POD))
        assert gaps(refused)[0] == ("manifest", "kubernetes", "unauthorized")
        assert "expired-4e1f" not in repr(refused)
        write_kubeconfig(config, kubernetes_url)
        assert (await collector.collect(question(resource=WEB_POD))).gaps == ()
        await collector.aclose()

    asyncio.run(two_turns())


@pytest.mark.parametrize("answer", [PlainTextResponse("<html>"), JSONResponse({"groups": None}), JSONResponse({})])
def test_a_server_that_is_no_kubernetes_is_a_gap(kubernetes: FakeKubernetes, answer: Response):
    kubernetes.fail("/apis", answer)
    assert gaps(collect(resource=WEB_POD))[0] == ("manifest", "kubernetes", "invalid")


@pytest.mark.parametrize("content", ["{", "apiVersion: v1", "a: b: c", ""])
def test_a_broken_kubeconfig_is_a_gap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str):
    (tmp_path / "kubeconfig").write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("ASSISTANT_KUBERNETES", "kubeconfig")
    context = collect(resource=WEB_POD)
    assert gaps(context)[0] == ("manifest", "kubernetes", "unavailable")
    assert "check KUBECONFIG" in messages(context)


def test_an_unsafe_name_stays_one_step_of_the_path(kubernetes: FakeKubernetes):
    odd = pod("web-5d9-x1", crashing("api"))
    odd["metadata"]["name"] = "../../../../api/v1/secrets"
    collect(resource=WEB, children=[odd])
    asked = {seen.path for seen in kubernetes.requests if "log" in seen.path}
    assert asked == {f"{PODS}/..%2F..%2F..%2F..%2Fapi%2Fv1%2Fsecrets/log"}


class TestInCluster:
    """In a Pod: a service account's files instead of a kubeconfig."""

    @pytest.fixture
    def in_cluster(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeKubernetes:
        certificate = self_signed(tmp_path)
        (tmp_path / "ca.crt").write_bytes(certificate.path.read_bytes())
        (tmp_path / "token").write_text(KUBERNETES_TOKEN)
        fake = FakeKubernetes()
        fake.add(application(), DEPLOYMENT, REPLICA_SET, POD)
        monkeypatch.setattr(kubernetes_client, "SERVICE_ACCOUNT", tmp_path)
        monkeypatch.setenv("ASSISTANT_KUBERNETES", "auto")
        return fake

    def collect(self, fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **inputs: object):
        files = {"ssl_certfile": str(tmp_path / "certificate.pem"), "ssl_keyfile": str(tmp_path / "key.pem")}
        with fake.serving(**files) as url:
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", url.rpartition(":")[2])
            return collect(**inputs)

    def test_the_service_account_reads(
        self, in_cluster: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        context = self.collect(in_cluster, monkeypatch, tmp_path, application="argocd/shop", resource=WEB)
        assert pod_names(context.children) == ["web-5d9-x1"]
        assert {seen.headers["authorization"] for seen in in_cluster.requests} == {f"bearer {KUBERNETES_TOKEN}"}

    @pytest.mark.parametrize("destination", [{"server": "https://eu-west.example.com"}, {"name": "eu-west"}])
    def test_a_resource_in_another_cluster_is_not_mistaken_for_one_in_this(
        self,
        in_cluster: FakeKubernetes,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        destination: dict[str, str],
    ):
        elsewhere = application(destination=destination)
        context = self.collect(in_cluster, monkeypatch, tmp_path, application_manifest=elsewhere, resource=WEB)
        assert context.manifest is None
        assert gaps(context)[0] == ("manifest", "kubernetes", "unavailable")
        assert "deploys to another cluster" in messages(context)
        assert in_cluster.requests == []

    def test_a_namespaced_resource_must_name_its_namespace(
        self, in_cluster: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        context = self.collect(in_cluster, monkeypatch, tmp_path, resource={"kind": "Pod", "name": "web-5d9-x1"})
        assert gaps(context)[0] == ("manifest", "kubernetes", "invalid")
        assert "Pod web-5d9-x1 is in a namespace: name it" in messages(context)

    def test_a_kubeconfig_that_is_named_goes_first(
        self, in_cluster: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, kubernetes: FakeKubernetes, tmp_path: Path
    ):
        assert self.collect(in_cluster, monkeypatch, tmp_path, resource=WEB).gaps == ()
        assert (in_cluster.requests, kubernetes.requests != []) == ([], True)

    def test_without_its_token_there_is_no_source(
        self, in_cluster: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        (tmp_path / "token").unlink()
        context = self.collect(in_cluster, monkeypatch, tmp_path, resource=WEB_POD)
        assert {reason for _, _, reason in gaps(context)} == {"not_configured"}
