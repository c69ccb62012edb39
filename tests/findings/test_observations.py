"""What is abnormal and in no finding becomes an observation."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.context.context import Context
from agent.objects.error_message import parse
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import condition, context, event, pod, resource

AT = "2026-11-20T07:44:31Z"
INGRESS = resource(
    "networking.k8s.io/v1", "Ingress", "web", spec={"ingressClassName": "alb"}, status={"loadBalancer": {}}
)


def deployment(*conditions: dict[str, Any]) -> dict[str, Any]:
    return resource("apps/v1", "Deployment", "web", spec={"replicas": 2}, status={"conditions": list(conditions)})


def test_a_warning_event_of_any_controller_is_reported_with_its_innermost_clause() -> None:
    failed = event(
        INGRESS, "FailedBuildModel", "Failed build model due to x: unable to discover at least one subnet", count=17
    )

    (finding,) = findings_of(context(INGRESS, events=(failed,)))

    assert finding.severity == "warning"
    assert finding.title == (
        "Ingress web: FailedBuildModel: Failed build model due to x: unable to discover at least one subnet"
    )
    assert "17 times" in finding.explanation


def test_an_event_of_an_object_whose_manifest_is_missing_is_reported_with_its_refusal() -> None:
    replica_set = resource("apps/v1", "ReplicaSet", "web-7f9")
    refused = event(
        replica_set,
        "FailedCreate",
        'Error creating: pods "web-7f9-" is forbidden: exceeded quota: team, requested: limits.cpu=1, used: '
        "limits.cpu=6, limited: limits.cpu=6",
    )
    short = deployment(condition("Available", "False", "MinimumReplicasUnavailable", "no minimum availability"))

    first = faults_of(context(short, events=(refused,)))[0]

    assert first.title.startswith("ReplicaSet web-7f9: FailedCreate: ")
    assert "quota" in first.title.lower()


def test_a_later_success_ends_an_event() -> None:
    job = resource("batch/v1", "Job", "nightly")
    refused = event(job, "FailedCreate", 'Error creating: serviceaccount "x" not found')
    created = replace(
        event(job, "SuccessfulCreate", "Created pod: nightly-1", kind="Normal"), last_seen="2026-11-20T07:50:00Z"
    )

    (history,) = findings_of(context(events=(created, refused)))

    assert history.severity == "info"
    assert history.title == "Job nightly: FailedCreate until 07:44:31, then SuccessfulCreate"


def test_a_cloud_s_refusal_is_not_taken_for_one_of_the_api_server() -> None:
    service = resource("v1", "Service", "web", spec={"type": "LoadBalancer"}, status={"loadBalancer": {}})
    message = "Error syncing load balancer: googleapi: Error 400: Invalid value for field 'resource.subnetwork': 'x'"

    finding = findings_of(context(service, events=(event(service, "SyncLoadBalancerFailed", message),)))[0]

    assert "resource.subnetwork" in finding.title
    assert "API server" not in finding.explanation
    assert "resource.subnetwork" in finding.next_steps[0]


def test_an_outage_of_unknown_age_is_not_called_a_start() -> None:
    away = deployment(
        condition("Available", "False", "MinimumReplicasUnavailable", "too few pods are available"),
        condition("Progressing", "True", "ReplicaSetUpdated", "it is progressing"),
    )

    (finding,) = findings_of(replace_time(context(away), AT))

    assert finding.severity == "warning"
    assert finding.title.startswith("Deployment web has 0 of 2 pods available")


def test_an_old_event_is_the_past() -> None:
    failed = event(INGRESS, "FailedBuildModel", "unable to discover at least one subnet")
    later = replace(event(INGRESS, "Sync", "Scheduled for sync", kind="Normal"), last_seen="2026-11-20T12:00:00Z")

    assert not any(
        "FailedBuildModel" in finding.title for finding in findings_of(context(INGRESS, events=(later, failed)))
    )


def test_a_pod_that_waits_for_long_names_what_it_needs() -> None:
    waiting = {
        "name": "api",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ContainerCreating"}},
    }
    not_ready = condition("Ready", "False", "ContainersNotReady", "containers with unready status: [api]")
    stuck = pod(waiting, phase="Pending")
    stuck["status"]["conditions"] = [not_ready | {"lastTransitionTime": AT}]
    stuck["spec"]["volumes"] = [{"name": "settings", "configMap": {"name": "portal-settings"}}]

    def asked(at: str) -> Any:
        (finding,) = findings_of(replace_time(context(stuck), at))
        return finding

    assert asked("2026-11-20T07:46:31Z").severity == "info"
    late = asked("2026-11-20T08:24:31Z")
    assert late.severity == "warning"
    assert late.title.endswith("it needs ConfigMap portal-settings (volume settings) for 40 minutes")


def replace_time(context: Context, at: str) -> Context:
    return Context(target=context.target, parts=context.parts, gaps=context.gaps, origins=context.origins, read_at=at)


def test_an_event_with_the_words_of_a_finding_about_its_object_is_evidence_of_it() -> None:
    cron_job = resource("batch/v1", "CronJob", "nightly", spec={"schedule": "61 * * * *"}, status={})
    complaint = event(cron_job, "UnparseableSchedule", "unparseable schedule: end of range (61) above maximum (59)")

    (finding,) = findings_of(context(cron_job, events=(complaint,)))

    assert any(evidence.source == "event" for evidence in finding.evidence)


@given(st.integers(min_value=0, max_value=5_000))
def test_a_message_of_any_length_keeps_its_innermost_cause_in_the_finding(filling: int) -> None:
    message = f"failed to reconcile: {'y' * filling}: the bucket orders is gone"
    (finding,) = findings_of(context(INGRESS, events=(event(INGRESS, "ReconcileFailed", message),)))

    assert parse(message).cause == "the bucket orders is gone"
    assert "the bucket orders is gone" in finding.title
    assert finding.evidence[0].text.endswith("the bucket orders is gone")


@pytest.mark.parametrize(("at", "severity"), [("2026-11-19T14:05:00Z", "info"), ("2026-11-19T16:02:29Z", "warning")])
def test_an_ingress_without_an_address_names_its_class_and_how_long(at: str, severity: str) -> None:
    waits = resource(
        "networking.k8s.io/v1", "Ingress", "web", spec={"ingressClassName": "edge"}, status={"loadBalancer": {}}
    )
    waits["metadata"]["creationTimestamp"] = "2026-11-19T14:02:29Z"

    (finding,) = findings_of(replace_time(context(waits), at))

    assert finding.severity == severity
    assert finding.title.startswith("Ingress web has had no address for ")
    assert "class edge" in finding.title


def test_a_load_balancer_without_an_address_is_explained_by_its_event() -> None:
    waits = resource("v1", "Service", "web", spec={"type": "LoadBalancer"}, status={"loadBalancer": {}})
    failed = event(waits, "SyncLoadBalancerFailed", "Error syncing load balancer: the subnet b-7 has no addresses left")

    (finding,) = faults_of(replace_time(context(waits, events=(failed,)), "2026-11-20T07:50:00Z"))

    assert "the subnet b-7 has no addresses left" in finding.title
