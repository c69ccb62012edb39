"""Whatever an API or a caller hands over: no rule raises, no quotation strays, nothing is endless."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.cli.demo.scenarios import load_scenarios
from agent.context.context import Context
from agent.context.model import Event
from agent.findings import analyze
from agent.findings.as_json import finding_as_json
from agent.findings.engine.evidence import QUOTE_LIMIT, walk
from agent.objects.manifest import Manifest, lookup
from agent.objects.target import ResourceRef
from tests.findings.citations import check_citation, findings_of
from tests.findings.cluster import condition, context, crash_loop, log, node, pod, resource, running, waiting

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2.5,
    "",
    " ",
    "x",
    "`](http://x)\x1b[31m\u202e",
    "Failed",
    [],
    {},
    [None],
    [[]],
    {"": {}},
]
WELL_FORMED: list[Manifest] = [
    pod(crash_loop(137, "OOMKilled"), spec={"resources": {"limits": {"memory": "256Mi"}}}),
    pod(crash_loop(1), init=waiting("CrashLoopBackOff"), owner=("ReplicaSet", "api-6c9d8f7b5d")),
    pod(waiting("ImagePullBackOff", "not found"), pod_spec={"imagePullSecrets": [{"name": "registry"}]}),
    pod(
        waiting("CreateContainerConfigError", "couldn't find key K in Secret shop/a"),
        spec={"env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "a", "key": "K"}}}]},
    ),
    pod(running(ready=False), spec={"readinessProbe": {"httpGet": {"path": "/", "port": 80}}}),
    pod(waiting("ContainerCreating"), pod_spec={"volumes": [{"name": "v", "secret": {"secretName": "a"}}]}),
    pod(phase="Pending", conditions=[condition("PodScheduled", "False", "Unschedulable", "3 Insufficient cpu.")]),
    pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
    *(child for scenario in load_scenarios() for child in scenario.body["custom_inputs"]["children"]),
    *(scenario.body["custom_inputs"]["application_manifest"] for scenario in load_scenarios()),
    load_scenarios()[0].body["custom_inputs"]["manifest"],
    resource("apps/v1", "StatefulSet", spec={"replicas": 3}, status={"readyReplicas": 1, "observedGeneration": 3}),
    resource("apps/v1", "DaemonSet", status={"desiredNumberScheduled": 3, "numberReady": 1}),
    resource("batch/v1", "CronJob", spec={"suspend": True, "startingDeadlineSeconds": -1}, status={}),
    resource("v1", "PersistentVolumeClaim", status={"phase": "Pending"}, spec={"storageClassName": "fast"}),
    resource("v1", "PersistentVolume", status={"phase": "Failed", "message": "gone"}),
    resource(
        "v1", "Node", "worker-1", spec={"unschedulable": True}, status={"conditions": [condition("Ready", "Unknown")]}
    ),
    resource(
        "v1",
        "Service",
        spec={"clusterIP": "10.0.0.5", "selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]},
    ),
    resource(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        endpoints=[{"conditions": {"ready": False}, "targetRef": {"kind": "Pod", "name": "api-6c9d8f7b5d-x7k2p"}}],
    )
    | {"metadata": {"name": "api-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "api"}}},
    resource(
        "networking.k8s.io/v1",
        "Ingress",
        spec={
            "ingressClassName": "nginx",
            "tls": [{"secretName": "tls"}],
            "defaultBackend": {"service": {"name": "api", "port": {"number": 81}}},
        },
    ),
    resource(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}, "maxReplicas": 3},
        status={
            "conditions": [
                condition(
                    "ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu in container api"
                ),
                condition("ScalingLimited", "True", "TooManyReplicas"),
            ]
        },
    ),
    resource(
        "policy/v1",
        "PodDisruptionBudget",
        spec={"selector": {"matchLabels": {"app": "api"}}},
        status={"expectedPods": 2, "currentHealthy": 0, "desiredHealthy": 1, "disruptionsAllowed": 0},
    ),
    resource(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        webhooks=[{"name": "v", "clientConfig": {"service": {"namespace": "shop", "name": "api"}}}],
    ),
    resource(
        "apps/v1",
        "Deployment",
        spec={
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "api",
                            "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
                            "envFrom": [{"configMapRef": {"name": "conf"}}],
                        }
                    ],
                    "volumes": [{"name": "v", "secret": {"secretName": "db", "items": [{"key": "x", "path": "x"}]}}],
                },
            },
        },
        status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: a, requested: ")]},
    ),
    resource("v1", "Secret", "db", data={"user": "eA=="}),
    resource("external-secrets.io/v1", "ExternalSecret", "db", spec={"target": {"name": "a"}}),
    resource(
        "example.com/v1",
        "Widget",
        status={
            "conditions": [condition("Ready", "False", "Failed", "it failed"), condition("Degraded", "True")],
            "phase": "Error",
            "nested": {"state": "failed", "message": "so it is", "errorMessage": "no"},
        },
    ),
]
EVENTS = (
    "FailedToRetrieveImagePullSecret",
    "Evicted",
    "FailedGetScale",
    "BackOff",
    "FailedMount",
    "FailedCreate",
    "Unhealthy",
    "Failed",
    "ProvisioningFailed",
    "FailedScheduling",
)
MESSAGES = (
    'secret "a" not found',
    'MountVolume.SetUp failed for volume "v" : references non-existent secret key: K',
    "Back-off restarting failed container api in pod x",
    "Liveness probe failed: HTTP probe failed with statuscode: 500",
    'Failed to pull image "x": 401 Unauthorized',
    'pods "x" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=2, limited: cpu=2',
    'failed calling webhook "v": Post "https://api.shop.svc:443/v": service "api" not found',
    "Unable to retrieve some image pull secrets (a); attempting to pull the image may not succeed.",
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector.",
    "",
)


LOGS = (
    (),
    (log("panic: x", "Traceback (most recent call last):", "ValueError: y"),),
    (log("dial tcp 10.0.0.5:81: connect: connection refused"),),
    (log("lookup api.shop.svc on 10.0.0.1:53: no such host"),),
)
TREES = (
    (),
    (
        node("Service", selects={"app": "api"}),
        node("Pod", "api-6c9d8f7b5d-x7k2p", labels={"app": "api"}, health="Degraded", message="back-off"),
        node("Deployment", group="apps", health="Missing"),
    ),
)


@st.composite
def damaged(draw: st.DrawFn) -> Manifest:
    """A well-formed object in which up to three parts are replaced by something else, or gone."""
    manifest = deepcopy(draw(st.sampled_from(WELL_FORMED)))
    for _ in range(draw(st.integers(0, 3))):
        *parent, last = draw(st.sampled_from([path for path, _ in walk(manifest, depth=30) if path]))
        holder = lookup(manifest, *parent)
        if draw(st.booleans()):
            holder[last] = deepcopy(draw(st.sampled_from(ODD)))
        else:
            del holder[last]
    return manifest


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """Damaged objects with events about them and logs of their containers."""
    objects = draw(st.lists(damaged(), min_size=1, max_size=3))
    kinds = [reference for manifest in objects if (reference := ResourceRef.of(manifest))]
    events = st.builds(
        Event,
        type=st.just("Warning"),
        reason=st.sampled_from(EVENTS),
        message=st.sampled_from(MESSAGES),
        involved=st.sampled_from([None, *kinds]),
    )
    return context(
        objects[0] if draw(st.booleans()) else None,
        *objects,
        events=tuple(draw(st.lists(events, max_size=4))),
        logs=draw(st.sampled_from(LOGS)),
        application=draw(st.sampled_from([None, objects[-1]])),
        related=tuple(draw(st.lists(damaged(), max_size=3))),
        tree=draw(st.sampled_from(TREES)),
    )


@given(known=contexts())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_object_however_odd_makes_a_rule_raise_or_misquote(known: Context) -> None:
    for finding in analyze(known):
        finding_as_json(finding)
        assert "\n" not in finding.title
        for evidence in finding.evidence:
            check_citation(evidence, known)


@pytest.mark.parametrize(
    "broken",
    [
        resource("v1", "Pod", status=None),
        resource("v1", "Pod", status="Failed", spec=[]),
        pod(crash_loop(1)) | {"spec": None},
        pod(waiting("CreateContainerConfigError", 'secret "" not found')),
        pod(status=None, containerStatuses=[None, 5, {"state": "waiting"}, {"state": {"waiting": "CrashLoopBackOff"}}]),
        resource("apps/v1", "Deployment", spec={"replicas": "3"}, status={"conditions": {"type": "Available"}}),
        resource(
            "argoproj.io/v1alpha1", "Application", status={"operationState": {"syncResult": {"resources": [None]}}}
        ),
        {"apiVersion": ["v1"], "kind": {"Pod": 1}, "metadata": "name"},
        {},
    ],
)
def test_objects_with_wrong_types_yield_no_error(broken: Manifest) -> None:
    findings_of(context(broken))


def test_evidence_is_bounded_and_still_both_ends_of_what_was_read() -> None:
    message = "it begins " + "x" * 5_000 + " it ends"

    (finding,) = findings_of(context(pod(waiting("CreateContainerError", message))))

    text = finding.evidence[0].text
    start, _, end = text.partition(" … ")
    assert len(text) <= QUOTE_LIMIT
    assert message.startswith(start)
    assert message.endswith(end)
    assert end.endswith("it ends")


def test_titles_and_evidence_stay_short_whatever_the_names() -> None:
    name = "n" * 100_000
    crowd = resource(
        "example.com/v1", name, name, status={"conditions": [condition(name + "Failed", "True", name, name)]}
    )
    crash = pod(crash_loop(1) | {"name": name})

    for finding in findings_of(context(crowd)) + findings_of(context(crash)):
        assert len(finding.title) < 500


def test_a_status_nested_without_end_is_read_to_a_depth() -> None:
    nested: Any = {"phase": "Failed"}
    for _ in range(5_000):
        nested = {"state": nested, "conditions": [nested]}

    assert analyze(context(resource("example.com/v1", "Widget", status=nested))) == ()


def test_thousands_of_pods_are_analyzed_in_linear_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    original = ResourceRef.of

    def counting(manifest: Manifest) -> ResourceRef | None:
        nonlocal compared
        compared += 1
        return original(manifest)

    def steps(count: int) -> int:
        nonlocal compared
        compared = 0
        analyze(context(None, *(pod(crash_loop(1), name=f"api-{i}") for i in range(count))))
        return compared

    monkeypatch.setattr(ResourceRef, "of", staticmethod(counting))

    few, many = steps(50), steps(500)
    assert few > 0
    assert many <= 11 * few
