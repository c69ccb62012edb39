"""HorizontalPodAutoscalers that cannot scale, and those that rest."""

import json

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, event, resource

ABLE = condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
ACTIVE = condition("ScalingActive", "True", "ValidMetricFound", "the HPA was able to compute the replica count")
UNLIMITED = condition("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the range")
METRICS = "the HPA was unable to compute the replica count: failed to get cpu utilization: "


def autoscaler(*conditions: Manifest) -> Manifest:
    return resource(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 6,
        },
        status={"currentReplicas": 6, "desiredReplicas": 6, "conditions": [*conditions]},
    )


@pytest.mark.parametrize(
    ("kind", "reason", "message", "cause"),
    [
        (
            "ScalingActive",
            "FailedGetResourceMetric",
            METRICS + "missing request for cpu in container api of Pod api-6c9d8f7b5d-x7k2p",
            "its pods request no cpu",
        ),
        (
            "ScalingActive",
            "FailedGetResourceMetric",
            METRICS + "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the "
            "server could not find the requested resource (get pods.metrics.k8s.io)",
            "the metrics API does not answer (is metrics-server installed and running?)",
        ),
        (
            "ScalingActive",
            "FailedGetPodsMetric",
            "the HPA was unable to compute the replica count: unable to get metric http_requests: unable to fetch "
            "metrics from custom metrics API: the server could not find the metric http_requests for pods",
            "the custom or external metrics API has no such metric",
        ),
        (
            "AbleToScale",
            "FailedGetScale",
            'the HPA controller was unable to get the target\'s current scale: deployments.apps "api" not found',
            "its target does not exist or cannot be scaled",
        ),
        (
            "ScalingActive",
            "FailedGetResourceMetric",
            METRICS + "did not receive metrics for targeted pods (pods might be unready)",
            "there are no metrics of its pods",
        ),
    ],
)
def test_an_autoscaler_that_cannot_scale_is_told_with_the_reason(
    kind: str, reason: str, message: str, cause: str
) -> None:
    (finding,) = findings_of(context(autoscaler(condition(kind, "False", reason, message))))

    assert finding.title == f"HorizontalPodAutoscaler api cannot scale: {cause}"
    assert finding.evidence[0].text == message


def test_a_missing_request_names_the_command_that_sets_it_and_the_container() -> None:
    target = resource(
        "apps/v1", "Deployment", spec={"template": {"spec": {"containers": [{"name": "api", "image": "api:1"}]}}}
    )
    message = METRICS + "missing request for cpu in container api of Pod api-1"

    (finding,) = findings_of(
        context(autoscaler(condition("ScalingActive", "False", "FailedGetResourceMetric", message)), related=(target,))
    )

    assert "`kubectl -n shop set resources deployment/api --requests=cpu=100m`" in finding.next_steps[0]
    assert finding.evidence[-1].path == "spec.template.spec.containers[0].name"


def test_the_first_version_of_the_api_is_told_by_its_events() -> None:
    old = resource("autoscaling/v1", "HorizontalPodAutoscaler", spec={}, status={"currentReplicas": 1})
    failed = event(old, "FailedGetScale", 'deployments.apps "api" not found')

    assert "its target does not exist" in findings_of(context(old, events=(failed,)))[0].title


def test_an_autoscaler_that_wants_more_than_its_maximum_is_a_warning() -> None:
    limited = condition("ScalingLimited", "True", "TooManyReplicas", "the desired count is more than the maximum")

    (finding,) = findings_of(context(autoscaler(ABLE, ACTIVE, limited)))

    assert finding.severity == "warning"
    assert finding.title == "HorizontalPodAutoscaler api is at its maximum of 6 replicas and wants more"


@pytest.mark.parametrize(
    "condition_of_rest",
    [
        condition("ScalingLimited", "True", "TooFewReplicas", "the desired count is less than the minimum"),
        condition("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count is zero"),
        UNLIMITED,
    ],
    ids=["at its minimum", "target scaled to zero", "within its range"],
)
def test_an_autoscaler_at_rest_yields_nothing(condition_of_rest: Manifest) -> None:
    assert findings_of(context(autoscaler(ABLE, condition_of_rest))) == ()


def test_conditions_in_an_annotation_are_read() -> None:
    conditions = [
        {"type": "AbleToScale", "status": "True", "reason": "SucceededGetScale"},
        {
            "type": "ScalingActive",
            "status": "False",
            "reason": "FailedGetExternalMetric",
            "message": "unable to get external metric shop/queue: no external metrics API",
        },
    ]
    first = autoscaler()
    first["apiVersion"] = "autoscaling/v1"
    first["metadata"]["annotations"] = {"autoscaling.alpha.kubernetes.io/conditions": json.dumps(conditions)}

    (finding,) = findings_of(context(first))

    assert finding.title.startswith("HorizontalPodAutoscaler api cannot scale: the cluster has no external metrics API")


def test_a_gap_of_metrics_that_is_over_is_history() -> None:
    well = autoscaler(ABLE, ACTIVE, UNLIMITED)
    gap = event(well, "FailedGetResourceMetric", "did not receive metrics for targeted pods")

    assert {finding.severity for finding in findings_of(context(well, events=(gap,)))} <= {"info"}
