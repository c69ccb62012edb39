"""What stands around a resource in Argo CD's tree, and is read with it."""

from typing import Any

import pytest

from agent.context.argocd.application import MAX_QUERIES
from agent.context.log_choice import MAX_LOGS
from agent.context.selection import MAX_CHILD_APPLICATIONS, MAX_REVISIONS
from agent.context.source import MAX_CHILDREN, MAX_RELATED
from agent.objects.manifest import Manifest
from tests.context.asking import SHOP, WEB, WEB_POD, collect, gaps, messages
from tests.context.manifests import DEPLOYMENT, POD, application, event, metadata, pod, workload
from tests.fakes.argocd import FakeArgoCD


def of(kind: str, name: str, api_version: str = "v1", **fields: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata(name), **fields}


def around(**custom_inputs: Any) -> list[str]:
    context = collect(application=SHOP, **custom_inputs)
    return [f"{each['kind']} {each['metadata']['name']}" for each in context.related]


def deploy(argocd: FakeArgoCD, **spec: Any) -> None:
    """The Deployment `web` with more in its Pods' spec."""
    template = DEPLOYMENT["spec"]["template"]
    changed = template | {"spec": template["spec"] | spec}
    argocd.set_live(DEPLOYMENT | {"spec": DEPLOYMENT["spec"] | {"template": changed}})


def test_a_pod_comes_with_its_owners(argocd: FakeArgoCD):
    assert around(resource=WEB_POD) == ["ReplicaSet web-5d9", "Deployment web"]


def test_what_its_pods_use_is_read_where_it_is_in_the_tree(argocd: FakeArgoCD):
    deploy(
        argocd,
        volumes=[{"configMap": {"name": "settings"}}, {"persistentVolumeClaim": {"claimName": "data"}}],
        imagePullSecrets=[{"name": "elsewhere"}],
    )
    argocd.add_resource("shop", of("ConfigMap", "settings", data={"a": "1"}), health="")
    argocd.add_resource("shop", of("PersistentVolumeClaim", "data"), health="Progressing")
    argocd.add_resource("shop", of("ConfigMap", "unused"), health="")
    argocd.add_events("uid-data", [event(of("PersistentVolumeClaim", "data"), "ProvisioningFailed", "no class")])
    context = collect(application=SHOP, resource=WEB)
    assert [each["metadata"]["name"] for each in context.related] == ["data", "settings"]
    assert "ProvisioningFailed" in {each.reason for each in context.events}
    assert context.gaps == ()


def test_of_a_secret_only_the_keys_are_kept(argocd: FakeArgoCD):
    deploy(argocd, volumes=[{"secret": {"secretName": "db"}}])
    argocd.add_resource("shop", of("Secret", "db", data={"password": "aHVudGVyMg==", "user": "++++++++"}), health="")
    (secret,) = collect(application=SHOP, resource=WEB).related
    assert secret["data"] == {"password": "++++++++", "user": "++++++++"}


def test_services_with_endpoints_and_what_leads_to_them(argocd: FakeArgoCD):
    service = of("Service", "front")
    to_web = {"targetRefs": [{"kind": "Service", "namespace": "shop", "name": "front"}]}
    argocd.add_resource("shop", service, networking={"targetLabels": {"app": "web"}})
    argocd.add_resource("shop", of("EndpointSlice", "front-x", "discovery.k8s.io/v1"), parent=service, health="")
    argocd.add_resource("shop", of("Service", "db"), networking={"targetLabels": {"app": "db"}})
    argocd.add_resource("shop", of("Ingress", "edge", "networking.k8s.io/v1"), networking=to_web)
    assert around(resource=WEB) == ["Service front", "EndpointSlice front-x", "Ingress edge"]


def test_of_autoscalers_and_budgets_those_that_concern_it_are_kept(argocd: FakeArgoCD):
    for name in ("web", "db"):
        scaler = of("HorizontalPodAutoscaler", f"scale-{name}", "autoscaling/v2")
        argocd.add_resource("shop", scaler | {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": name}}})
    budget = of("PodDisruptionBudget", "budget", "policy/v1", spec={"selector": {"matchLabels": {"app": "web"}}})
    argocd.add_resource("shop", budget, health="")
    assert around(resource=WEB) == ["HorizontalPodAutoscaler scale-web", "PodDisruptionBudget budget"]
    assert "HorizontalPodAutoscaler scale-web" in around(resource=WEB_POD)


def test_a_service_comes_with_the_pods_it_selects_the_unhealthiest_first(argocd: FakeArgoCD):
    service = of("Service", "front", spec={"selector": {"app": "front"}})
    argocd.add_resource("shop", service, networking={"targetLabels": {"app": "front"}})
    for name, health in (("good", "Healthy"), ("bad", "Degraded")):
        argocd.add_resource("shop", pod(name), health=health, networking={"labels": {"app": "front"}})
    assert around(resource={"version": "v1", "kind": "Service", "namespace": "shop", "name": "front"}) == [
        "Pod bad",
        "Pod good",
    ]


def test_a_replica_set_without_pods_is_read_with_its_events(argocd: FakeArgoCD):
    blocked = workload("Deployment", "blocked")
    replica_set = workload("ReplicaSet", "blocked-1", owner=blocked)
    argocd.add_resource("shop", blocked, health="Progressing")
    argocd.add_resource("shop", replica_set, parent=blocked, health="Healthy")
    argocd.add_events("uid-blocked-1", [event(replica_set, "FailedCreate", "exceeded quota: compute")])
    context = collect(application=SHOP, resource=WEB | {"name": "blocked"})
    assert [each["metadata"]["name"] for each in context.related] == ["blocked-1"]
    assert "FailedCreate" in {each.reason for each in context.events}


def test_more_than_is_read_is_told(argocd: FakeArgoCD):
    names = [f"c{number}" for number in range(20)]
    for name in names:
        argocd.add_resource("shop", of("Service", name), networking={"targetLabels": {"app": "other"}}, health="")
    backends = [{"backend": {"service": {"name": name}}} for name in names]
    argocd.add_resource(
        "shop", of("Ingress", "wide", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": backends}}]})
    )
    ingress = {
        "group": "networking.k8s.io",
        "version": "v1",
        "kind": "Ingress",
        "namespace": "shop",
        "name": "wide",
    }
    context = collect(application=SHOP, resource=ingress)
    assert len(context.related) <= MAX_RELATED


def test_something_around_it_that_is_gone_is_a_gap_beside_the_rest(argocd: FakeArgoCD):
    deploy(argocd, volumes=[{"configMap": {"name": "settings"}}, {"configMap": {"name": "more"}}])
    argocd.add_resource("shop", of("ConfigMap", "settings"), live=False, health="")
    argocd.add_resource("shop", of("ConfigMap", "more"), health="")
    context = collect(application=SHOP, resource=WEB)
    assert [each["metadata"]["name"] for each in context.related] == ["more"]
    assert gaps(context) == [("related", "argocd", "not_found")]
    assert "the live manifest of ConfigMap shop/settings" in messages(context)


MOST_REQUESTS = 5 + MAX_QUERIES + MAX_REVISIONS + MAX_CHILDREN + MAX_RELATED + (1 + 2 * MAX_CHILDREN) + 2 * MAX_LOGS
"""Application, tree, sync windows and the live manifest (twice where its group was left out); each read that has a
bound of its own; events of the resource, its Pods and what is related; logs with a previous run that may be gone.
`docs/request.md` states this number."""


@pytest.mark.parametrize("healthy", [True, False])
def test_a_resource_in_a_tree_of_two_thousand_costs_as_much_as_in_one_of_twenty(argocd: FakeArgoCD, healthy: bool):
    def requests(resources: int) -> int:
        large = FakeArgoCD()
        large.add_application(application())
        large.add_resource("shop", DEPLOYMENT, health="Healthy" if healthy else "Degraded")
        large.add_resource("shop", POD, parent=DEPLOYMENT, health="Healthy" if healthy else "Degraded")
        for number in range(resources):
            selecting = {"targetLabels": {"app": "web"}}
            large.add_resource("shop", of("Service", f"s{number}"), networking=selecting)
        argocd.become(large)
        collect(application=SHOP, resource=WEB)
        return len(argocd.requests)

    assert requests(20) == requests(2_000) <= MOST_REQUESTS


def test_child_applications_are_read_since_argo_cd_tells_no_health_of_them(argocd: FakeArgoCD):
    for name in ("billing", "search"):
        child = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata(name)}
        argocd.add_resource("shop", child, health="")

    assert {"Application billing", "Application search"} <= set(around())


def test_of_many_child_applications_some_are_read_and_the_rest_is_told(argocd: FakeArgoCD):
    for number in range(MAX_CHILD_APPLICATIONS + 3):
        child = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata(f"child-{number}")}
        argocd.add_resource("shop", child, health="")

    context = collect(application=SHOP)
    assert sum(each["kind"] == "Application" for each in context.related) == MAX_CHILD_APPLICATIONS
    assert "20 of 23 Applications among the resources were read" in messages(context)


REFUSED = "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project web"


def test_the_project_is_read_where_it_refuses_something(argocd: FakeArgoCD):
    argocd.set_status("shop", {"operationState": {"phase": "Failed", "message": REFUSED}})
    project = {"kind": "AppProject", "metadata": {"name": "web", "namespace": "argocd"}, "spec": {"sourceRepos": ["*"]}}
    argocd.add_project(project)

    (found,) = [each for each in collect(application=SHOP).related if each["kind"] == "AppProject"]
    assert found["spec"] == {"sourceRepos": ["*"]}


def test_a_project_that_may_not_be_read_is_told(argocd: FakeArgoCD):
    argocd.set_status("shop", {"operationState": {"phase": "Failed", "message": REFUSED}})

    assert "The rules of project web were not read, so its deny rules are unknown" in messages(
        collect(application=SHOP)
    )


def test_a_project_that_refuses_nothing_is_not_read(argocd: FakeArgoCD):
    collect(application=SHOP)

    assert not argocd.seen("/projects/web")
