"""What each difference is called, and why."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.context.model import ManagedResource, TreeNode
from agent.findings.drift import drifts_of
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.drift.states import (
    CONTAINERS,
    DEPLOYMENT,
    container,
    context_of,
    drift,
    edited,
    managed,
    put,
    set_by,
    sorted_as,
)

API = "spec.template.spec.containers[name=api]"


def test_what_is_as_git_wants_it_has_no_drift() -> None:
    assert drifts_of(context_of(managed(DEPLOYMENT, edited(lambda m: m)))) == ()
    assert drifts_of(context_of(ManagedResource(resource=managed(DEPLOYMENT, None).resource))) == ()


def test_a_changed_value_has_both_sides() -> None:
    live = edited(lambda m: container(m).update(image="registry.example.com/shop/api:2.13.9"))

    (difference,) = drift(DEPLOYMENT, live).differences

    assert (difference.category, difference.path) == ("change", f"{API}.image")
    assert (difference.live, difference.git) == (
        "registry.example.com/shop/api:2.13.9",
        "registry.example.com/shop/api:2.14.0",
    )
    assert difference.live_path == ("spec", "template", "spec", "containers", 0, "image")


def test_entries_of_a_list_meet_by_name_wherever_they_stand() -> None:
    def rearranged(manifest: Manifest) -> None:
        container(manifest)["env"] = [
            {"name": "ZONE", "value": "a"},
            {"name": "LEVEL", "value": "debug"},
            {"name": "PORT", "value": "8080"},
        ]

    found = drift(DEPLOYMENT, edited(rearranged))

    assert sorted_as(found) == {f"{API}.env[name=LEVEL].value": "change", f"{API}.env[name=ZONE]": "change"}
    level = next(d for d in found.differences if d.path.endswith("value"))
    assert level.live_path
    assert level.git_path
    assert (level.live_path[-2], level.git_path[-2]) == (1, 0)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put("spec", "revisionHistoryLimit", value=10), "spec.revisionHistoryLimit"),
        (put("spec", "progressDeadlineSeconds", value=600), "spec.progressDeadlineSeconds"),
        (
            put("spec", "strategy", value={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}),
            "spec.strategy",
        ),
        (put("spec", "template", "spec", "dnsPolicy", value="ClusterFirst"), "spec.template.spec.dnsPolicy"),
        (put("spec", "template", "spec", "securityContext", value={}), "spec.template.spec.securityContext"),
        (put(*CONTAINERS, 0, "ports", 0, "protocol", value="TCP"), f"{API}.ports[containerPort=8080].protocol"),
        (put(*CONTAINERS, 0, "imagePullPolicy", value="IfNotPresent"), f"{API}.imagePullPolicy"),
        (put(*CONTAINERS, 0, "stdin", value=False), f"{API}.stdin"),
        (
            put(
                *CONTAINERS,
                0,
                "livenessProbe",
                value={"httpGet": {"path": "/", "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1},
            ),
            f"{API}.livenessProbe",
        ),
    ],
)
def test_what_the_api_server_fills_in_is_a_default(change: Callable[[Manifest], None], path: str) -> None:
    assert sorted_as(drift(DEPLOYMENT, edited(change))) == {path: "defaulted"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put("spec", "revisionHistoryLimit", value=3), "spec.revisionHistoryLimit"),
        (put("spec", "paused", value=True), "spec.paused"),
        (put(*CONTAINERS, 0, "livenessProbe", value={"periodSeconds": 5}), f"{API}.livenessProbe"),
        (put("spec", "replicas", value=0), "spec.replicas"),
    ],
)
def test_what_is_no_default_is_a_change(change: Callable[[Manifest], None], path: str) -> None:
    assert sorted_as(drift(DEPLOYMENT, edited(change))) == {path: "change"}


def test_replicas_scaled_to_zero_by_hand_are_no_default() -> None:
    git = edited(lambda m: m["spec"].pop("replicas"))

    assert sorted_as(drift(git, edited(lambda m: m["spec"].update(replicas=0)))) == {"spec.replicas": "change"}


def test_an_empty_value_that_only_git_states_is_a_default() -> None:
    git = edited(lambda m: m["spec"]["template"]["spec"].update(nodeSelector={}, affinity=None))

    assert set(sorted_as(drift(git, DEPLOYMENT)).values()) == {"defaulted"}


def test_defaults_inside_lists_of_custom_resources_are_defaults() -> None:
    git = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"data": [{"secretKey": "password", "remoteRef": {"key": "shop/db", "property": "password"}}]},
    }

    def filled(manifest: Manifest) -> None:
        manifest["spec"]["data"][0]["remoteRef"].update(conversionStrategy="Default", decodingStrategy="None")

    found = drift(git, edited(filled, git))

    assert found.is_noise
    assert set(sorted_as(found).values()) == {"defaulted"}


AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "scale-api", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}, "maxReplicas": 9},
}
SCALED = edited(lambda m: m["spec"].update(replicas=5))


def test_replicas_under_an_autoscaler_are_its_business() -> None:
    (difference,) = drift(DEPLOYMENT, SCALED, related=(AUTOSCALER,)).differences

    assert (difference.category, difference.reason) == (
        "mutated",
        "HorizontalPodAutoscaler scale-api sets the replicas",
    )


def test_an_autoscaler_may_be_another_managed_resource_or_only_stand_in_the_tree() -> None:
    found = drifts_of(context_of(managed(DEPLOYMENT, SCALED), managed(AUTOSCALER, AUTOSCALER)))
    assert found[0].categories == ("mutated",)

    reference = ResourceRef(
        group="autoscaling", version="v2", kind="HorizontalPodAutoscaler", namespace="shop", name="api"
    )
    assert drift(DEPLOYMENT, SCALED, tree=(TreeNode(resource=reference),)).categories == ("mutated",)


def test_replicas_without_an_autoscaler_are_a_change() -> None:
    elsewhere = edited(lambda m: m["metadata"].update(namespace="other"), AUTOSCALER)

    assert drift(DEPLOYMENT, SCALED, related=(elsewhere,)).categories == ("change",)


@pytest.mark.parametrize(
    ("manager", "category", "reason"),
    [
        ("kubectl-edit", "change", "edited in the cluster by kubectl-edit at 2026-11-20T07:41:00Z"),
        ("k9s", "change", "edited in the cluster by k9s at 2026-11-20T07:41:00Z"),
        ("argocd-controller", "change", "Git has moved on since Argo CD applied it at 2026-11-20T07:41:00Z"),
        ("keda-operator", "mutated", "keda-operator set it"),
        ("vpa-admission-controller", "mutated", "vpa-admission-controller set it"),
        ("backstage", "change", "last set by backstage at 2026-11-20T07:41:00Z"),
    ],
)
def test_the_manager_of_the_field_decides_the_category(manager: str, category: str, reason: str) -> None:
    image: Manifest = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"api"}': {".": {}, "f:image": {}}}}}}
    }
    everything: Manifest = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"api"}': {"f:name": {}}}}}}
    }

    def change(manifest: Manifest) -> None:
        container(manifest)["image"] = "registry.example.com/shop/api:debug"
        manifest["metadata"]["managedFields"] = [
            set_by("helm", everything, "2026-11-27T00:00:00Z"),
            set_by(manager, image),
        ]

    found = drift(DEPLOYMENT, edited(change))
    (difference,) = found.of("change", "mutated")

    assert (difference.path, difference.category, difference.reason) == (f"{API}.image", category, reason)
    assert found.of("ignorable")[0].path == "metadata.managedFields"


@pytest.mark.parametrize(
    ("live", "git"), [("1", "1000m"), ("500m", "0.5"), ("1Gi", "1024Mi"), ("2", 2), ("128974848", "128974848000m")]
)
def test_one_quantity_in_two_forms_is_the_same_value(live: Any, git: Any) -> None:
    found = drift(
        edited(lambda m: container(m)["resources"]["requests"].update(cpu=git)),
        edited(lambda m: container(m)["resources"]["requests"].update(cpu=live)),
    )

    assert [(d.category, d.is_same_value) for d in found.differences] == [("mutated", True)]


def test_two_quantities_are_a_change() -> None:
    live = edited(lambda m: container(m)["resources"]["requests"].update(cpu="1100m"))

    assert drift(DEPLOYMENT, live).categories == ("change",)


@pytest.mark.parametrize(
    "change",
    [
        put(*CONTAINERS, -1, value={"name": "istio-proxy", "image": "proxyv2"}),
        put("spec", "template", "spec", "initContainers", value=[{"name": "istio-init"}, {"name": "vault-agent-init"}]),
        put("spec", "template", "spec", "volumes", value=[{"name": "istio-envoy", "emptyDir": {"medium": "Memory"}}]),
        put("spec", "template", "metadata", "annotations", value={"sidecar.istio.io/status": "{...}"}),
        put(
            "spec",
            "template",
            "metadata",
            "annotations",
            value={"kubectl.kubernetes.io/restartedAt": "2026-11-20T07:41:00Z"},
        ),
        put(*CONTAINERS, 0, "env", -1, value={"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::1:role/api"}),
    ],
    ids=["sidecar", "init containers", "volume", "status annotation", "restart", "pod identity"],
)
def test_what_webhooks_and_controllers_add_is_a_mutation(change: Callable[[Manifest], None]) -> None:
    assert drift(DEPLOYMENT, edited(change)).categories == ("mutated",)


def test_a_container_that_somebody_added_is_a_change() -> None:
    live = edited(lambda m: m["spec"]["template"]["spec"]["containers"].append({"name": "debug", "image": "busybox"}))

    assert drift(DEPLOYMENT, live).categories == ("change",)


def test_a_ca_bundle_and_a_node_port_are_mutations() -> None:
    webhook: Manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "policy"},
        "webhooks": [{"name": "a.example.com", "clientConfig": {"service": {"name": "policy"}}}],
    }
    bundled = edited(lambda m: m["webhooks"][0]["clientConfig"].update(caBundle="LS0t"), webhook)
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"type": "NodePort", "ports": [{"port": 80}]},
    }
    exposed = edited(lambda m: m["spec"]["ports"][0].update(nodePort=30123), service)

    assert drift(webhook, bundled).categories == ("mutated",)
    assert drift(service, exposed).categories == ("mutated",)


def test_status_and_bookkeeping_are_ignorable() -> None:
    def lived(manifest: Manifest) -> None:
        manifest["status"] = {"replicas": 2}
        manifest["metadata"].update(
            uid="3e9d", resourceVersion="7", generation=4, creationTimestamp="2026-11-20T07:41:00Z"
        )
        manifest["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "4"}

    found = drift(DEPLOYMENT, edited(lived))

    assert found.categories == ("ignorable",)
    assert found.is_noise


def test_another_order_of_a_set_is_ignorable_and_of_arguments_a_change() -> None:
    git: Manifest = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"hosts": ["a", "b"]}}
    (difference,) = drift(git, edited(lambda m: m["spec"].update(hosts=["b", "a"]), git)).differences
    assert (difference.category, "another order" in difference.reason) == ("ignorable", True)

    ordered = edited(lambda m: container(m).update(args=["--a", "--b"]))
    swapped = edited(lambda m: container(m).update(args=["--b", "--a"]))
    assert drift(ordered, swapped).categories == ("change",)

    def with_debug(manifest: Manifest, *, first: bool) -> None:
        manifest["spec"]["template"]["spec"]["containers"].insert(0 if first else 1, {"name": "log", "image": "log:1"})

    moved = drift(edited(lambda m: with_debug(m, first=False)), edited(lambda m: with_debug(m, first=True)))
    assert sorted_as(moved) == {"spec.template.spec.containers": "ignorable"}


def test_a_resource_is_missing_or_to_be_pruned_as_a_whole() -> None:
    assert [d.category for d in drift(DEPLOYMENT, None).differences] == ["missing"]
    assert [d.category for d in drift(None, DEPLOYMENT).differences] == ["prune"]


def test_the_values_of_a_secret_are_hidden() -> None:
    git: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "++++++++"}}
    live = edited(lambda m: m["data"].update(password="+++++++++", extra="++++++++++"), git)

    found = drift(git, live)

    assert {d.path for d in found.differences} == {"data.password", "data.extra"}
    assert "+" not in repr([(d.live, d.git, d.reason) for d in found.differences])


def test_a_field_that_argo_cd_applied_and_admission_changed_is_a_mutation() -> None:
    git = edited(lambda m: container(m).update(imagePullPolicy="IfNotPresent"))
    fields: Manifest = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"api"}': {"f:imagePullPolicy": {}}}}}}
    }

    def admitted(manifest: Manifest) -> None:
        applied = json.dumps(git)
        manifest["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": applied}
        manifest["metadata"]["managedFields"] = [
            {"manager": "argocd-controller", "operation": "Update", "fieldsV1": fields}
        ]
        container(manifest)["imagePullPolicy"] = "Always"

    (difference,) = [d for d in drift(git, edited(admitted)).differences if d.path.endswith("imagePullPolicy")]

    assert difference.category == "mutated"
    assert difference.reason == "Argo CD applied Git's value, and an admission webhook or policy changed it"


def test_a_default_that_git_spells_out_and_the_cluster_drops_is_no_change() -> None:
    def child(**automated: bool) -> Manifest:
        spec = {"project": "default", "syncPolicy": {"automated": automated}}
        metadata = {"name": "child", "namespace": "argocd"}
        return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}

    assert sorted_as(drift(child(prune=True, selfHeal=False), child(prune=True))) == {
        "spec.syncPolicy.automated.selfHeal": "defaulted"
    }
