"""What belongs to a resource, found through the Kubernetes API."""

from collections import Counter
from typing import Any

import pytest

from agent.context.source import MAX_CHILDREN
from agent.findings import analyze
from agent.objects.manifest import Manifest
from tests.context.asking import SHOP, WEB, WEB_POD, collect, gaps, log_lines, messages
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
from tests.fakes.argocd import FakeArgoCD
from tests.fakes.kubernetes import FakeKubernetes, status

NAMESPACED = "/api/v1/namespaces/shop"


def of(kind: str, name: str, api_version: str = "v1", **fields: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata(name), **fields}


def cluster_scoped(kind: str, name: str, api_version: str = "v1") -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "uid": f"uid-{name}"}}


def running(kubernetes: FakeKubernetes, **spec: Any) -> None:
    """The Pod `web-5d9-x1` with more in its spec."""
    kubernetes.replace(POD | {"spec": POD["spec"] | spec})


def around(**custom_inputs: Any) -> list[str]:
    context = collect(**custom_inputs)
    assert context.gaps == ()
    return [f"{each['kind']} {each['metadata']['name']}" for each in context.related]


def test_a_pod_comes_with_its_owners_the_nearest_first(kubernetes: FakeKubernetes):
    assert around(resource=WEB_POD) == ["ReplicaSet web-5d9", "Deployment web"]


def test_services_that_select_it_come_with_their_endpoints(kubernetes: FakeKubernetes):
    slices = of("EndpointSlice", "front-x", "discovery.k8s.io/v1")
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": "front"}
    kubernetes.add(
        of("Service", "front", spec={"selector": {"app": "web"}}), of("Service", "db", spec={"selector": {"app": "db"}})
    )
    backend = {"backend": {"service": {"name": "front"}}}
    ingress = of("Ingress", "edge", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [backend]}}]})
    kubernetes.add(slices, ingress, of("Ingress", "other", "networking.k8s.io/v1", spec={}))
    assert around(resource=WEB) == ["Service front", "EndpointSlice front-x", "Ingress edge"]


def test_autoscalers_and_budgets_that_mean_it(kubernetes: FakeKubernetes):
    for name in ("web", "db"):
        scaled = {"scaleTargetRef": {"kind": "Deployment", "name": name}}
        kubernetes.add(of("HorizontalPodAutoscaler", f"scale-{name}", "autoscaling/v2", spec=scaled))
    kubernetes.add(of("PodDisruptionBudget", "b", "policy/v1", spec={"selector": {"matchLabels": {"app": "web"}}}))
    assert around(resource=WEB) == ["HorizontalPodAutoscaler scale-web", "PodDisruptionBudget b"]


def test_a_claim_comes_with_its_volume_and_class(kubernetes: FakeKubernetes):
    running(kubernetes, volumes=[{"persistentVolumeClaim": {"claimName": "data"}}])
    claim = of("PersistentVolumeClaim", "data", spec={"volumeName": "pv-1", "storageClassName": "fast"})
    kubernetes.add(claim, event(claim, "ProvisioningFailed", "no such class"))
    kubernetes.add(cluster_scoped("PersistentVolume", "pv-1"))
    kubernetes.add(cluster_scoped("StorageClass", "fast", "storage.k8s.io/v1"))
    assert around(resource=WEB)[-3:] == ["PersistentVolumeClaim data", "PersistentVolume pv-1", "StorageClass fast"]
    assert "ProvisioningFailed" in {each.reason for each in collect(resource=WEB).events}


def test_a_secret_is_read_without_its_values(kubernetes: FakeKubernetes):
    running(kubernetes, imagePullSecrets=[{"name": "registry"}])
    kubernetes.add(of("Secret", "registry", data={".dockerconfigjson": "c2VjcmV0LTViMWY="}, type="Opaque"))
    context = collect(resource=WEB_POD)
    assert context.related[-1]["data"] == {".dockerconfigjson": "++++++++"}
    assert "c2VjcmV0LTViMWY=" not in repr(context)


def test_a_secret_that_is_asked_about_has_no_values_either(kubernetes: FakeKubernetes):
    kubernetes.add(of("Secret", "db", data={"password": "c2VjcmV0LTViMWY="}, stringData={"a": "plain-5b1f"}))
    context = collect(resource={"version": "v1", "kind": "Secret", "namespace": "shop", "name": "db"})
    assert context.manifest is not None
    assert (context.manifest["data"], context.manifest["stringData"]) == ({"password": "++++++++"}, {"a": "++++++++"})
    assert "5b1f" not in repr(context)


def test_what_is_named_and_absent_is_a_gap_unless_it_is_optional(kubernetes: FakeKubernetes):
    optional = {"configMap": {"name": "extra", "optional": True}}
    running(kubernetes, volumes=[{"configMap": {"name": "settings"}}, optional])
    context = collect(resource=WEB_POD)
    assert gaps(context) == [("related", "kubernetes", "not_found")]
    assert "ConfigMap shop/settings" in messages(context)


def test_a_pod_comes_with_its_node(kubernetes: FakeKubernetes):
    running(kubernetes, nodeName="node-1")
    kubernetes.add(cluster_scoped("Node", "node-1"))
    assert "Node node-1" in around(resource=WEB_POD)
    assert "Node node-1" in around(resource=WEB)


def test_quotas_and_limits_are_read_where_pods_are_refused(kubernetes: FakeKubernetes):
    kubernetes.add(of("ResourceQuota", "compute"), of("LimitRange", "limits"))
    assert "ResourceQuota compute" not in around(resource=WEB)
    refused = {"replicas": 1, "conditions": [{"type": "ReplicaFailure", "status": "True"}]}
    kubernetes.replace(DEPLOYMENT | {"status": refused})
    assert around(resource=WEB) == ["ResourceQuota compute", "LimitRange limits"]


def test_a_replica_set_that_is_refused_its_pods_is_read_with_its_events_and_the_quota(kubernetes: FakeKubernetes):
    none: Manifest = {"status": {"replicas": 0}}
    blocked = workload("Deployment", "blocked") | none
    blocked["spec"]["selector"] = {"matchLabels": {"app": "blocked"}}
    replica_set = workload("ReplicaSet", "blocked-1", owner=blocked) | none
    replica_set["metadata"]["labels"] = {"app": "blocked"}
    kubernetes.add(blocked, replica_set, of("ResourceQuota", "compute"))
    kubernetes.add(event(replica_set, "FailedCreate", "exceeded quota: compute"))
    context = collect(resource=WEB | {"name": "blocked"})
    assert [each["metadata"]["name"] for each in context.related] == ["blocked-1", "compute"]
    assert "FailedCreate" in {each.reason for each in context.events}


def test_a_service_comes_with_the_pods_it_selects(kubernetes: FakeKubernetes):
    kubernetes.add(of("Service", "front", spec={"selector": {"app": "web"}}), pod("calm", healthy("api")))
    for number in range(MAX_CHILDREN):
        kubernetes.add(pod(f"bad-{number}", crashing("api")))
    found = around(resource={"version": "v1", "kind": "Service", "namespace": "shop", "name": "front"})
    assert (len(found), "Pod calm" in found) == (MAX_CHILDREN, False)


def test_of_a_custom_resource_its_references_are_read(kubernetes: FakeKubernetes):
    kubernetes.add_kind("cert-manager.io/v1", "Certificate", "certificates")
    kubernetes.add_kind("cert-manager.io/v1", "ClusterIssuer", "clusterissuers", namespaced=False)
    issuer = {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    kubernetes.add(of("Certificate", "tls", "cert-manager.io/v1", spec={"issuerRef": issuer}))
    kubernetes.add(cluster_scoped("ClusterIssuer", "ca", "cert-manager.io/v1"))
    resource = {"group": "cert-manager.io", "kind": "Certificate", "namespace": "shop", "name": "tls"}
    assert around(resource=resource) == ["ClusterIssuer ca"]


def test_what_a_manifest_names_in_another_namespace_is_left_to_those_who_may_read_it(kubernetes: FakeKubernetes):
    kubernetes.add_kind("example.com/v1", "Mirror", "mirrors")
    references = {"configMapRef": {"name": "own"}, "sourceRef": {"kind": "ConfigMap", "name": "x", "namespace": "bank"}}
    kubernetes.add(of("Mirror", "m", "example.com/v1", spec=references), of("ConfigMap", "own"))
    foreign: Manifest = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x", "namespace": "bank"}}
    kubernetes.add(foreign | {"data": {"iban": "planted"}})
    found = around(resource={"group": "example.com", "kind": "Mirror", "namespace": "shop", "name": "m"})
    assert found == ["ConfigMap own"]
    assert not [seen.path for seen in kubernetes.requests if "/bank/" in seen.path]


def test_a_right_that_is_missing_is_one_gap_beside_the_rest(kubernetes: FakeKubernetes):
    running(kubernetes, volumes=[{"configMap": {"name": "a"}}, {"configMap": {"name": "b"}}], nodeName="node-1")
    kubernetes.add(cluster_scoped("Node", "node-1"))
    for suffix in ("/configmaps/a", "/configmaps/b"):
        kubernetes.fail(suffix, status(403, "Forbidden", "no"))
    context = collect(resource=WEB_POD)
    assert gaps(context) == [("related", "kubernetes", "forbidden")]
    assert "get configmaps" in messages(context)
    assert "Node" in {each["kind"] for each in context.related}


def test_secrets_that_may_not_be_read_are_no_gap(kubernetes: FakeKubernetes):
    running(kubernetes, imagePullSecrets=[{"name": "registry"}])
    kubernetes.fail("/secrets/registry", status(403, "Forbidden", "no"))
    assert "Secret registry" not in around(resource=WEB_POD)


def test_beside_argo_cd_only_what_it_cannot_know_is_read(argocd: FakeArgoCD, kubernetes: FakeKubernetes):
    placed = POD | {"spec": POD["spec"] | {"nodeName": "node-1"}}
    argocd.set_live(placed)
    kubernetes.add(cluster_scoped("Node", "node-1"))
    context = collect(application=SHOP, resource=WEB_POD)
    assert context.gaps == ()
    assert [each["kind"] for each in context.related] == ["ReplicaSet", "Deployment", "Node"]
    assert [path for path in kubernetes.paths() if path.startswith("/api/")] == ["/api/v1/nodes/node-1"]


def test_lists_are_bounded_and_of_the_namespace_alone(kubernetes: FakeKubernetes):
    collect(resource=WEB)
    lists = [seen for seen in kubernetes.requests if "limit" in seen.query]
    assert lists
    assert all("/namespaces/shop/" in seen.path for seen in lists)


def test_a_large_namespace_costs_as_many_requests_as_a_small_one(kubernetes: FakeKubernetes):
    def requests(pods: int) -> int:
        for number in range(pods):
            kubernetes.add(pod(f"p{pods}-{number}", crashing("api"), owner=REPLICA_SET))
            kubernetes.add_log(f"p{pods}-{number}", "api", ["last words"], previous=True)
            kubernetes.add(of("Service", f"s{pods}-{number}", spec={"selector": {"app": "web"}}))
        kubernetes.requests.clear()
        collect(resource=WEB)
        assert max(Counter(map(str, kubernetes.requests)).values()) == 1
        return len(kubernetes.requests)

    assert requests(20) == requests(400)


# --- an Application that only the cluster tells of -----------------------------------------------------------------


def listed(*workloads: Manifest, **fields: Any) -> Manifest:
    """The Application `shop` with these workloads among its resources."""
    resources = [
        {"group": "apps", "version": "v1", "kind": each["kind"], "namespace": "shop", "name": each["metadata"]["name"]}
        for each in workloads
    ]
    status = application()["status"] | {"resources": [{"version": "v1", "kind": "ConfigMap", "name": "c"}, *resources]}
    return application() | {"status": status} | fields


def test_its_workloads_that_are_short_of_pods_are_read_with_pods_events_and_logs(kubernetes: FakeKubernetes):
    calm = workload("StatefulSet", "calm") | {"status": {"readyReplicas": 1}}
    kubernetes.add(calm)
    kubernetes.replace(listed(DEPLOYMENT, calm))
    context = collect(application="argocd/shop")
    assert gaps(context) == [("managed", "argocd", "not_configured")]
    assert "the difference to Git of Application argocd/shop from: set ARGOCD_SERVER" in messages(context)
    assert [each["metadata"]["name"] for each in context.related] == ["web"]
    assert [each["metadata"]["name"] for each in context.children] == ["web-5d9-x1"]
    assert "BackOff" in {each.reason for each in context.events}
    assert log_lines(context) == LAST_WORDS


def test_of_an_application_in_another_cluster_no_resource_is_read(
    kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
):
    elsewhere = application(destination={"server": "https://other.example.com"})["spec"]
    kubernetes.replace(listed(DEPLOYMENT, spec=elsewhere))
    context = collect(application="argocd/shop")
    assert (context.related, context.children) == ((), ())
    assert ("children", "kubernetes", "unavailable") in gaps(context)


INGRESS = {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress", "namespace": "shop", "name": "edge"}


def test_a_service_that_the_cluster_does_not_have_is_a_finding_behind_an_ingress(kubernetes: FakeKubernetes):
    backend = {"backend": {"service": {"name": "front-typo", "port": {"number": 80}}}}
    kubernetes.add(of("Ingress", "edge", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [backend]}}]}))

    titles = [finding.title for finding in analyze(collect(resource=INGRESS))]
    assert titles[0] == "Ingress edge sends to Service front-typo, which does not exist"


def test_a_governing_service_that_the_cluster_does_not_have_is_a_finding(kubernetes: FakeKubernetes):
    kubernetes.add(of("StatefulSet", "kafka", "apps/v1", spec={"serviceName": "kafka-headless", "replicas": 0}))
    kafka = {"group": "apps", "version": "v1", "kind": "StatefulSet", "namespace": "shop", "name": "kafka"}

    titles = [finding.title for finding in analyze(collect(resource=kafka))]
    assert "StatefulSet kafka: its governing Service kafka-headless does not exist" in titles


def test_what_could_not_be_asked_for_is_not_absent(kubernetes: FakeKubernetes):
    kubernetes.fail("/services/front", status(403, "Forbidden", "services is forbidden"))
    backend = {"backend": {"service": {"name": "front", "port": {"number": 80}}}}
    kubernetes.add(of("Ingress", "edge", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [backend]}}]}))

    assert not any("does not exist" in finding.title for finding in analyze(collect(resource=INGRESS)))
