"""What manifests name, select and point to."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.objects.manifest import Manifest
from agent.objects.references import MAX_REFERENCES, pod_labels, points_to, references, selects_pods
from agent.objects.target import ResourceRef
from tests.context.manifests import metadata, workload

POD_SPEC: Manifest = {
    "nodeName": "node-1",
    "serviceAccountName": "web",
    "imagePullSecrets": [{"name": "registry"}],
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "config", "configMap": {"name": "settings"}},
        {"name": "tls", "secret": {"secretName": "tls", "optional": True}},
        {"name": "all", "projected": {"sources": [{"configMap": {"name": "ca"}}, {"secret": {"name": "token"}}]}},
    ],
    "initContainers": [{"name": "migrate", "envFrom": [{"secretRef": {"name": "db"}}]}],
    "containers": [
        {
            "name": "api",
            "env": [
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a", "optional": True}}},
                {"name": "P", "valueFrom": {"secretKeyRef": {"name": "tls", "key": "p"}}},
            ],
        }
    ],
}


def named(manifest: Manifest) -> dict[str, bool]:
    """`Kind namespace/name` of each reference, and whether it is optional."""
    return {str(each.resource): each.optional for each in references(manifest)}


def of(kind: str, spec: Any, **fields: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata("web"), "spec": spec} | fields


def test_a_pod_names_what_its_containers_and_volumes_use():
    assert named(of("Pod", POD_SPEC)) == {
        "Node node-1": False,
        "PersistentVolumeClaim shop/data": False,
        "ConfigMap shop/settings": False,
        "Secret shop/tls": False,  # the environment needs it, though the volume does not
        "ConfigMap shop/ca": False,
        "Secret shop/token": False,
        "Secret shop/db": False,
        "Secret shop/registry": False,
        "ServiceAccount shop/web": False,
    }


@pytest.mark.parametrize(
    "spec", [{"template": {"spec": POD_SPEC}}, {"jobTemplate": {"spec": {"template": {"spec": POD_SPEC}}}}]
)
def test_a_workload_names_what_its_pods_use(spec: Manifest):
    assert named(of("Workload", spec)) == named(of("Pod", POD_SPEC))


def test_a_reference_is_optional_while_nothing_needs_it():
    volume = {"configMap": {"name": "extra", "optional": True}}
    assert named(of("Pod", {"containers": [{"name": "a"}], "volumes": [volume]})) == {"ConfigMap shop/extra": True}


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (
            "Ingress",
            {
                "ingressClassName": "nginx",
                "tls": [{"secretName": "tls"}],
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}],
            },
            {"Service shop/web", "Secret shop/tls", "IngressClass nginx"},
        ),
        (
            "PersistentVolumeClaim",
            {"volumeName": "pv-1", "storageClassName": "fast"},
            {"PersistentVolume pv-1", "StorageClass fast"},
        ),
        (
            "StatefulSet",
            {"serviceName": "db", "volumeClaimTemplates": [{"spec": {"storageClassName": "fast"}}]},
            {"Service shop/db", "StorageClass fast"},
        ),
        (
            "HorizontalPodAutoscaler",
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
            {"Deployment shop/web"},
        ),
        (
            "Certificate",
            {"issuerRef": {"kind": "ClusterIssuer", "name": "ca", "group": "cert-manager.io"}},
            {"ClusterIssuer shop/ca"},
        ),
        (
            "HTTPRoute",
            {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
            {"Gateway shop/edge", "Service shop/web"},
        ),
        ("ConfigMap", None, set[str]()),
    ],
)
def test_each_kind_names_its_own(kind: str, spec: Any, expected: set[str]):
    assert set(named(of(kind, spec))) == expected


def test_a_webhook_names_its_service():
    service = {"namespace": "security", "name": "policy"}
    configuration = of("ValidatingWebhookConfiguration", None, webhooks=[{"clientConfig": {"service": service}}])
    assert set(named(configuration)) == {"Service security/policy"}


def test_selectors_take_the_pods_they_mean():
    labels = pod_labels(workload("Deployment", "web"))
    assert labels == {"app": "web"}
    assert selects_pods(of("Service", {"selector": {"app": "web"}}), labels)
    assert not selects_pods(of("Service", {"selector": {"app": "web", "tier": "db"}}), labels)
    assert not selects_pods(of("Service", {"selector": None}), labels)
    assert selects_pods(of("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "web"}}}), labels)
    expression = {"key": "app", "operator": "NotIn", "values": ["web"]}
    assert not selects_pods(of("PodDisruptionBudget", {"selector": {"matchExpressions": [expression]}}), labels)
    assert not selects_pods(of("ConfigMap", {}), labels)


def test_an_autoscaler_points_to_its_target_only():
    scaler = of("HorizontalPodAutoscaler", {"scaleTargetRef": {"kind": "Deployment", "name": "web"}})
    assert points_to(scaler, ResourceRef(kind="Deployment", namespace="shop", name="web"))
    assert not points_to(scaler, ResourceRef(kind="Deployment", namespace="shop", name="db"))
    assert not points_to(scaler, ResourceRef(kind="Deployment", namespace="stage", name="web"))


_KEYS = st.sampled_from([*POD_SPEC, "secretRef", "backendRefs"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*POD_SPEC, "aRef"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(["Pod", "Ingress", "StatefulSet", "PersistentVolumeClaim", "Thing"]), _JSON)
def test_no_spec_is_too_odd(kind: str, spec: Any):
    references(of(kind, spec))
    selects_pods(of(kind, spec), {"app": "web"})


def test_of_very_many_references_a_bounded_number_is_looked_at():
    spec = {f"r{number}": {"secretRef": {"name": f"s{number}"}} for number in range(50_000)}
    assert len(references(of("Thing", spec))) <= MAX_REFERENCES
