"""Services that lead nowhere, and those that are well."""

import pytest

from agent.context.context import Context
from agent.objects.manifest import Manifest
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import NAMESPACE, context, crash_loop, node, pod, resource, running, waiting

OWNER = ("ReplicaSet", "api-6c9d8f7b5d")


def service(selector: Manifest | None = None, *ports: Manifest, name: str = "api", **spec: object) -> Manifest:
    return resource(
        "v1",
        "Service",
        name,
        spec={
            "type": "ClusterIP",
            "clusterIP": "10.96.14.7",
            "selector": {"app": "api"} if selector is None else selector,
            "ports": list(ports) or [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
        }
        | spec,
        status={"loadBalancer": {}},
    )


def slice_of(*ready: bool, name: str = "api") -> Manifest:
    endpoints = [
        {
            "addresses": [f"10.244.1.{i}"],
            "conditions": {"ready": is_ready, "serving": is_ready, "terminating": False},
            "targetRef": {"kind": "Pod", "name": f"{name}-6c9d8f7b5d-{i}", "namespace": NAMESPACE, "uid": "u"},
        }
        for i, is_ready in enumerate(ready)
    ]
    found = resource(
        "discovery.k8s.io/v1", "EndpointSlice", f"{name}-x7k2p", addressType="IPv4", endpoints=endpoints or None
    )
    found["metadata"]["labels"] = {"kubernetes.io/service-name": name}
    return found


def deployment(labels: Manifest, replicas: int = 2, name: str = "api") -> Manifest:
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    status = {"observedGeneration": 3, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}
    return resource("apps/v1", "Deployment", name, spec=spec, status=status)


def test_a_selector_that_no_pod_matches_is_told_with_the_label_that_differs() -> None:
    known = context(service({"app": "shop-api"}), related=(slice_of(), deployment({"app": "api", "tier": "web"})))

    (finding,) = findings_of(known)

    assert finding.title == "Service api selects no pod: it wants app=shop-api, Deployment api has app=api"
    assert (finding.severity, finding.level) == ("error", "cause")
    assert [e.path for e in finding.evidence] == ["spec.selector", "spec.template.metadata.labels"]
    assert (
        """`kubectl -n shop patch service api --type=merge -p '{"spec": {"selector": {"app": "api"}}}'`"""
        in finding.next_steps[0]
    )


def test_a_label_that_the_pods_do_not_have_at_all_is_told_as_such() -> None:
    known = context(service({"app": "api", "track": "stable"}), related=(slice_of(), deployment({"app": "api"})))

    (finding,) = findings_of(known)

    assert finding.title.endswith("it wants track=stable, Deployment api has no label track")


def test_under_argo_cd_the_change_belongs_into_git() -> None:
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"syncPolicy": {"automated": {"selfHeal": True}}},
    }
    broken = service({"app": "shop-api"})

    (finding,) = findings_of(context(broken, related=(deployment({"app": "api"}),), application=application))

    step = finding.next_steps[0]
    assert step.startswith("In Git, change spec.selector of Service api (app: api)")
    assert "`argocd app sync argocd/shop`" in step
    assert "self-heal undoes it" in step


def test_the_tree_alone_tells_a_selector_that_misses_the_pods_of_the_workload_of_the_same_name() -> None:
    deployment_node = node("Deployment", group="apps", health="Healthy")
    replica_set = node("ReplicaSet", "api-6c9d8f7b5d", group="apps", parents=(deployment_node.resource,))
    tree = (
        node("Service", selects={"app": "api-v2"}, health="Healthy"),
        deployment_node,
        replica_set,
        node("Pod", "api-6c9d8f7b5d-1", labels={"app": "api"}, health="Healthy", parents=(replica_set.resource,)),
    )

    (finding,) = findings_of(context(tree=tree))

    assert finding.title == "Service api selects no pod: it wants app=api-v2, Pod api-6c9d8f7b5d-1 has app=api"
    assert [e.path for e in finding.evidence] == ["target_labels[app]", "labels[app]"]


def test_a_service_known_to_be_empty_names_the_labels_it_expects() -> None:
    (finding,) = findings_of(context(service(), related=(slice_of(),)))

    assert finding.title == "Service api has no endpoints: no pod has the labels app=api"
    assert any("--show-labels" in step for step in finding.next_steps)


def test_old_endpoints_tell_as_well_as_slices() -> None:
    endpoints = resource(
        "v1",
        "Endpoints",
        subsets=[{"notReadyAddresses": [{"ip": "10.244.1.1", "targetRef": {"kind": "Pod", "name": "api-1"}}]}],
    )

    (finding,) = findings_of(context(service(), related=(endpoints,)))

    assert finding.title == "Service api has no ready endpoints: its only pod is not ready"


def test_the_crashing_pods_stand_above_the_service_they_leave_without_endpoints() -> None:
    pods = tuple(pod(crash_loop(1), name=f"api-6c9d8f7b5d-{i}", owner=OWNER) for i in range(2))

    findings = findings_of(context(service(), related=(slice_of(False, False), *pods)))

    assert [f.title for f in findings] == [
        "Container api keeps crashing (exit code 1) (2 pods of Deployment api)",
        "Service api has no ready endpoints: its 2 pods are not ready",
    ]


def test_a_target_port_by_a_name_that_no_container_has_is_an_error() -> None:
    web = service(None, {"name": "http", "port": 80, "targetPort": "http"})
    behind = pod(running(), spec={"ports": [{"name": "web", "containerPort": 8080}]})

    (finding,) = findings_of(context(web, related=(behind,)))

    assert finding.title == "Service api sends to port http, which its pods do not have (they have web)"
    assert [e.text for e in finding.evidence][1] == '[{"name": "web", "containerPort": 8080}]'


def test_target_ports_that_no_container_declares_are_a_warning() -> None:
    behind = pod(running(), spec={"ports": [{"containerPort": 3000}]})

    (finding,) = findings_of(context(service(), related=(behind,)))

    assert (finding.severity, "declare (they have 3000)" in finding.title) == ("warning", True)


@pytest.mark.parametrize(
    "known",
    [
        context(service(), related=(slice_of(True, False),)),
        context(service(), related=(slice_of(), deployment({"app": "api"}, replicas=0))),
        context(service(), related=(pod(running()),)),
        context(service(), related=(pod(waiting("ContainerCreating"), phase="Pending"), slice_of(False))),
        context(service({}), related=(slice_of(),)),
        context(service(None, type="ExternalName", externalName="db.example.com"), related=(slice_of(),)),
        context(service()),
        context(
            service(None, {"port": 80, "targetPort": "http"}),
            related=(pod(running(), spec={"ports": [{"name": "http", "containerPort": 8080}]}),),
        ),
        context(
            tree=(
                node("Service", selects={"app": "api"}, health="Healthy"),
                node("Pod", "worker-1", labels={"app": "worker"}, health="Healthy"),
            )
        ),
    ],
    ids=[
        "some are ready",
        "scaled to zero",
        "pods ready",
        "pods starting",
        "no selector",
        "external name",
        "nothing known",
        "named port",
        "another workload's pods",
    ],
)
def test_a_service_that_is_well_or_of_which_too_little_is_known_yields_nothing(known: Context) -> None:
    assert faults_of(known) == ()


def test_a_node_that_is_only_in_the_tree_is_named_as_the_resource() -> None:
    tree = (
        node("Service", selects={"app": "api"}),
        node("Pod", "api-1", labels={"app": "api"}, health="Degraded", message="back-off restarting failed container"),
    )

    cause, finding = findings_of(context(tree=tree))

    assert cause.resource == tree[1].resource
    assert finding.resource == tree[0].resource
    assert finding.evidence[0].text == "back-off restarting failed container"
