"""Workloads that do not have the pods they want."""

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import condition, context, crash_loop, event, node, pod, resource, running, waiting

PROGRESSED = condition(
    "Progressing", "True", "NewReplicaSetAvailable", 'ReplicaSet "api-1" has successfully progressed.'
)
SHORT = condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
QUOTA = (
    'pods "api-6c9d8f7b5d-abcde" is forbidden: exceeded quota: compute, requested: limits.memory=1Gi, '
    "used: limits.memory=8Gi, limited: limits.memory=8Gi"
)


def deployment(*conditions: Manifest, available: int = 1, observed: int = 3) -> Manifest:
    return resource(
        "apps/v1",
        "Deployment",
        spec={"replicas": 3, "selector": {"matchLabels": {"app": "api"}}},
        status={
            "observedGeneration": observed,
            "replicas": 3,
            "availableReplicas": available,
            "readyReplicas": available,
            "unavailableReplicas": 3 - available,
            "conditions": list(conditions),
        },
    )


def test_a_rollout_past_its_deadline_is_an_error_with_the_pods_counted() -> None:
    message = 'ReplicaSet "api-6c9d8f7b5d" has timed out progressing.'
    stuck = deployment(condition("Progressing", "False", "ProgressDeadlineExceeded", message))

    (finding,) = findings_of(context(stuck))

    assert finding.title == (
        "Deployment api did not finish its rollout in time (1 of 3 pods available, 0 of 3 of the new revision)"
    )
    assert finding.evidence[0].text == message
    assert any("get pods -l app=api" in step for step in finding.next_steps)


def test_pods_lost_after_the_rollout_are_an_error() -> None:
    (finding,) = findings_of(context(deployment(PROGRESSED, SHORT)))

    assert finding.title == "Deployment api has 1 of 3 wanted pods available"
    assert finding.level == "symptom"


def test_a_rollout_under_way_is_not_broken() -> None:
    rolling = condition("Progressing", "True", "ReplicaSetUpdated", 'ReplicaSet "api-2" is progressing.')

    assert faults_of(context(deployment(rolling, SHORT))) == ()


@pytest.mark.parametrize(
    "well",
    [
        deployment(PROGRESSED, condition("Available", "True"), available=3),
        deployment(PROGRESSED, SHORT, observed=2),
        resource("apps/v1", "Deployment", spec={"replicas": 0}, status={"observedGeneration": 3, "conditions": None}),
        resource("apps/v1", "Deployment", spec={"replicas": 3}),
    ],
    ids=["available", "newest spec not yet seen", "scaled to zero", "not from a cluster"],
)
def test_a_deployment_that_is_well_or_unknown_yields_nothing(well: Manifest) -> None:
    assert faults_of(context(well)) == ()


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (QUOTA, "ResourceQuota compute is used up (limits.memory: requested 1Gi, used 8Gi of 8Gi)"),
        (
            'pods "api" is forbidden: failed quota: compute: must specify limits.memory for: api',
            "ResourceQuota compute requires limits.memory",
        ),
        (
            'pods "api" is forbidden: maximum memory usage per Container is 512Mi, but limit is 1Gi',
            "a LimitRange forbids it (maximum memory per Container is 512Mi, the limit is 1Gi)",
        ),
        (
            'pods "api" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            "Pod Security level restricted of the namespace forbids it (runAsNonRoot != true)",
        ),
        (
            'pods "api" is forbidden: error looking up service account shop/api: serviceaccount "api" not found',
            "its ServiceAccount does not exist",
        ),
        (
            'Internal error occurred: failed calling webhook "inject.example.com": connection refused',
            "the admission webhook inject.example.com did not answer: connections to it are refused "
            "(its pods are down, or listen on another port)",
        ),
        (
            'admission webhook "validate.kyverno.svc" denied the request: policy Deployment/shop/api for resource',
            "an admission policy denied it: policy Deployment/shop/api for resource",
        ),
    ],
)
def test_refused_pods_are_told_with_the_reason(message: str, cause: str) -> None:
    refused = deployment(condition("ReplicaFailure", "True", "FailedCreate", message), PROGRESSED, available=0)

    finding = findings_of(context(refused))[0]

    assert finding.title == f"Deployment api: its pods are refused: {cause}"
    assert (finding.level, finding.evidence[0].text) == ("cause", message)


def test_the_refusal_of_deployment_and_replica_set_is_one_finding() -> None:
    refused = deployment(condition("ReplicaFailure", "True", "FailedCreate", QUOTA), PROGRESSED, available=0)
    replica_set = resource("apps/v1", "ReplicaSet", "api-6c9d8f7b5d", spec={"replicas": 3}, status={"replicas": 0})
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "u", "controller": True}
    replica_set["metadata"]["ownerReferences"] = [owner]
    failed = event(replica_set, "FailedCreate", "Error creating: " + QUOTA.replace("abcde", "fghij"))

    findings = findings_of(context(refused, replica_set, events=(failed,)))

    assert [f.title for f in findings if "refused" in f.title] == [
        "Deployment api: its pods are refused: ResourceQuota compute is used up "
        "(limits.memory: requested 1Gi, used 8Gi of 8Gi)"
    ]
    assert "`kubectl -n shop describe resourcequota`" in findings[0].next_steps[0]


def test_a_stateful_set_whose_pods_are_refused_is_told_by_its_events() -> None:
    database = resource("apps/v1", "StatefulSet", "db", spec={"replicas": 1}, status={"replicas": 0})
    failed = event(database, "FailedCreate", f"create Pod db-0 in StatefulSet db failed error: {QUOTA}")

    findings = findings_of(context(database, events=(failed,)))

    assert [f.title for f in findings] == [
        "StatefulSet db: its pods are refused: ResourceQuota compute is used up "
        "(limits.memory: requested 1Gi, used 8Gi of 8Gi)",
        "StatefulSet db has 0 of 1 pods ready",
    ]


def test_refusals_that_have_passed_are_not_told() -> None:
    database = resource(
        "apps/v1", "StatefulSet", "db", spec={"replicas": 1}, status={"replicas": 1, "readyReplicas": 1}
    )
    failed = event(database, "FailedCreate", QUOTA)

    assert faults_of(context(database, events=(failed,))) == ()


def test_a_stateful_set_in_an_update_is_left_to_its_pods() -> None:
    status = {"replicas": 3, "readyReplicas": 2, "currentRevision": "db-1", "updateRevision": "db-2"}
    database = resource("apps/v1", "StatefulSet", "db", spec={"replicas": 3}, status=status)

    assert findings_of(context(database)) == ()


def test_a_daemon_set_that_misses_pods_is_a_warning() -> None:
    status = {"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberReady": 3}

    (finding,) = findings_of(context(resource("apps/v1", "DaemonSet", "agent", status=status)))

    assert (finding.title, finding.severity) == ("DaemonSet agent has 3 of 5 pods ready", "warning")


def test_a_replica_set_speaks_only_when_it_is_asked_about() -> None:
    replica_set = resource("apps/v1", "ReplicaSet", spec={"replicas": 2}, status={"replicas": 2, "readyReplicas": 0})

    assert [f.title for f in findings_of(context(replica_set))] == ["ReplicaSet api has 0 of 2 pods ready"]
    assert findings_of(context(deployment(available=3), replica_set)) == ()


def test_the_pod_s_fault_stands_above_its_deployment_s() -> None:
    crashing = pod(crash_loop(137, "OOMKilled"), owner=("ReplicaSet", "api-6c9d8f7b5d"))

    findings = findings_of(context(deployment(PROGRESSED, SHORT), crashing))

    assert [f.level for f in findings] == ["cause", "symptom"]


def test_one_quota_that_refuses_the_pods_of_two_workloads_is_one_finding() -> None:
    api = deployment(condition("ReplicaFailure", "True", "FailedCreate", QUOTA), PROGRESSED, available=0)
    worker = deployment(condition("ReplicaFailure", "True", "FailedCreate", QUOTA), PROGRESSED, available=0)
    worker["metadata"] |= {"name": "worker", "uid": "uid-of-worker"}

    refused = [f for f in findings_of(context(api, related=(worker,))) if "refused" in f.title]

    assert len(refused) == 1
    assert "(Deployment api, Deployment worker)" in refused[0].title


def stateful_set(ready: int, **spec: object) -> Manifest:
    return resource(
        "apps/v1",
        "StatefulSet",
        "db",
        spec={"replicas": 3, "serviceName": "db-headless"} | spec,
        status={"replicas": 2, "readyReplicas": ready, "currentRevision": "db-1", "updateRevision": "db-1"},
    )


def test_a_stateful_set_whose_next_pod_is_starting_is_coming_up() -> None:
    first = pod(running(), name="db-0", owner=("StatefulSet", "db"))
    second = pod(waiting("ContainerCreating"), name="db-1", phase="Pending", owner=("StatefulSet", "db"))

    assert faults_of(context(stateful_set(1), first, second)) == ()


@pytest.mark.parametrize(("failures", "found"), [(10, 0), (30, 1)])
def test_a_stateful_set_waits_for_its_pod_as_long_as_the_pod_s_own_probe_does(failures: int, found: int) -> None:
    slow = pod(running(ready=False), owner=("StatefulSet", "db"))
    slow["spec"]["containers"][0]["startupProbe"] = {"failureThreshold": 30, "tcpSocket": {"port": 5432}}
    failing = event(slow, "Unhealthy", "Startup probe failed: dial tcp: connection refused", count=failures)

    short = [f for f in findings_of(context(stateful_set(1), slow, events=(failing,))) if f.level == "symptom"]

    assert len(short) == found


def test_a_stateful_set_whose_pod_crashes_is_not() -> None:
    crashing = pod(crash_loop(1), name="db-0", owner=("StatefulSet", "db"))

    assert [f.level for f in findings_of(context(stateful_set(0), crashing))] == ["effect", "symptom"]


def test_a_governing_service_that_is_not_among_the_application_s_is_a_warning() -> None:
    (finding,) = findings_of(context(stateful_set(3), tree=(node("Service", "db"),)))

    assert finding.title == "StatefulSet db: its governing Service db-headless does not exist"
    assert "There is db." in finding.explanation


def test_a_governing_service_that_is_there_or_unknown_yields_nothing() -> None:
    assert findings_of(context(stateful_set(3), tree=(node("Service", "db-headless"),))) == ()
    assert findings_of(context(stateful_set(3))) == ()


def test_a_first_start_within_a_rollout_is_left_alone() -> None:
    rolling = condition("Progressing", "True", "ReplicaSetUpdated", 'ReplicaSet "api-2" is progressing.')
    young = pod(running(ready=False), owner=("ReplicaSet", "api-6c9d8f7b5d"))

    assert faults_of(context(deployment(rolling, SHORT), young)) == ()


def test_a_paused_deployment_is_information_however_long() -> None:
    paused = deployment(
        condition("Available", "True", "MinimumReplicasAvailable"),
        condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"),
        available=2,
    )

    assert {finding.severity for finding in findings_of(context(paused))} <= {"info"}
