"""The order of findings, and many pods as one finding."""

from agent.findings.as_json import finding_as_json
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, crash_loop, event, pod, resource, waiting

OWNER = ("ReplicaSet", "api-6c9d8f7b5d")
LIMIT = {"resources": {"limits": {"memory": "256Mi"}}}


def test_the_same_fault_of_many_pods_is_one_finding_that_counts_them() -> None:
    deployment = resource("apps/v1", "Deployment", spec={"replicas": 7}, status={"replicas": 7})
    pods = [pod(crash_loop(137, "OOMKilled"), name=f"api-6c9d8f7b5d-{i}", owner=OWNER, spec=LIMIT) for i in range(7)]

    (finding,) = findings_of(context(deployment, *pods))

    assert finding.title == (
        "Container api is OOMKilled (exit code 137) at its memory limit of 256Mi (7 pods of Deployment api)"
    )
    assert "api-6c9d8f7b5d-4 and 2 more" in finding.explanation
    assert finding.resource is not None
    assert str(finding.resource) == "Deployment shop/api"
    quoted = {e.resource.name for e in finding.evidence if e.resource}
    assert {"api-6c9d8f7b5d-0", "api-6c9d8f7b5d-1", "api-6c9d8f7b5d-2"} <= quoted


def test_different_faults_and_pods_that_stand_alone_stay_apart() -> None:
    oom = pod(crash_loop(137, "OOMKilled"), name="api-6c9d8f7b5d-1", owner=OWNER)
    exits = pod(crash_loop(1), name="api-6c9d8f7b5d-2", owner=OWNER)
    alone = pod(crash_loop(1), name="debug")
    other = pod(crash_loop(1), name="debug-2")

    assert len(findings_of(context(oom, exits, alone, other))) == 4


def test_a_pod_given_twice_has_one_finding() -> None:
    broken = pod(crash_loop(1))

    assert len(findings_of(context(broken, broken))) == 1


def test_errors_come_first_and_causes_before_their_symptoms() -> None:
    deployment = resource(
        "apps/v1",
        "Deployment",
        spec={"replicas": 3},
        status={"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out")]},
    )
    no_secret = pod(
        waiting("CreateContainerConfigError", 'secret "db" not found'), name="api-6c9d8f7b5d-1", owner=OWNER
    )
    exits = pod(crash_loop(1), name="api-6c9d8f7b5d-2", owner=OWNER)
    claim = resource("v1", "PersistentVolumeClaim", "data", status={"phase": "Pending"})
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "status": {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}},
    }

    findings = findings_of(context(deployment, exits, no_secret, claim, application=application))

    assert [(f.severity, f.level) for f in findings] == [
        ("error", "cause"),
        ("error", "effect"),
        ("error", "symptom"),
        ("warning", "effect"),
        ("warning", "summary"),
    ]
    assert findings[0].title == "Secret db that container api needs does not exist"


def test_a_finding_as_json_keeps_every_pointer() -> None:
    broken = pod(crash_loop(1), name="api-0")
    backoff = event(broken, "BackOff", "Back-off restarting failed container api in pod api-0_shop(1)")

    (finding,) = findings_of(context(broken, events=(backoff,)))
    values = finding_as_json(finding)

    assert list(values) == ["title", "severity", "explanation", "evidence", "resource", "next_steps"]
    assert values["resource"] == {
        "group": "",
        "version": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "api-0",
        "uid": "uid-of-api-0",
    }
    assert values["evidence"][-1] == {
        "source": "event",
        "path": "BackOff",
        "text": backoff.message,
        "resource": values["resource"],
    }
    assert values["next_steps"] == list(finding.next_steps)


def test_a_pending_claim_comes_before_the_pod_that_waits_for_it_though_only_a_warning() -> None:
    claim = resource("v1", "PersistentVolumeClaim", "data", status={"phase": "Pending"})
    waits = pod(
        phase="Pending",
        conditions=[condition("PodScheduled", "False", "Unschedulable", "unbound immediate PersistentVolumeClaims")],
        pod_spec={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
    )

    findings = findings_of(context(waits, claim))

    assert [f.severity for f in findings] == ["warning", "error"]
    assert "PersistentVolumeClaim data" in findings[0].title


def test_an_owned_object_comes_before_its_owner_however_many_owners_are_between() -> None:
    owned = resource("example.com/v1", "Shard", "db-0", status={"conditions": [condition("Ready", "False", "Failed")]})
    owner = {"apiVersion": "example.com/v1", "kind": "Database", "name": "db", "uid": "u", "controller": True}
    owned["metadata"]["ownerReferences"] = [owner]
    database = resource("example.com/v1", "Database", "db", status={"conditions": [condition("Degraded", "True")]})

    findings = findings_of(context(database, owned))

    assert [str(f.resource) for f in findings] == ["Shard shop/db-0", "Database shop/db"]
