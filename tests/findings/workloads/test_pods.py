"""What holds a whole Pod back, and Pods that are well."""

from typing import Any

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import condition, context, ended, event, pod, resource, running, waiting

CREATING = waiting("ContainerCreating")


def unscheduled(message: str, reason: str = "Unschedulable", **more: Any) -> Manifest:
    return pod(phase="Pending", conditions=[condition("PodScheduled", "False", reason, message)], **more)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            "4 Insufficient memory. preemption: 0/5 nodes are available.",
            "no node has enough memory left",
        ),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "no node has enough nvidia.com/gpu left"),
        ("0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: db}.", "taints it does not tolerate"),
        ("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", "no node matches its node"),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "Claim is not bound"),
        ('0/3 nodes are available: persistentvolumeclaim "data" not found.', "Claim data does not exist"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", "its volume is bound to a node"),
        ("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.", "its spreading rules"),
    ],
)
def test_a_pod_without_a_node_is_told_with_the_scheduler_s_reason(message: str, cause: str) -> None:
    (finding,) = findings_of(context(unscheduled(message)))

    assert finding.title.startswith("Pod api-6c9d8f7b5d-x7k2p cannot be scheduled: ")
    assert cause in finding.title
    assert finding.evidence[0].text == message


def test_what_the_pod_requests_is_quoted_where_it_does_not_fit() -> None:
    greedy = unscheduled(
        "0/3 nodes are available: 3 Insufficient cpu.", spec={"resources": {"requests": {"cpu": "64"}}}
    )

    (finding,) = findings_of(context(greedy))

    assert '{"cpu": "64"}' in [e.text for e in finding.evidence]


def test_scheduling_gates_are_a_warning() -> None:
    gated = unscheduled(
        "Scheduling is blocked due to non-empty scheduling gates",
        "SchedulingGated",
        pod_spec={"schedulingGates": [{"name": "example.com/quota"}]},
    )

    (finding,) = findings_of(context(gated))

    assert finding.severity == "warning"
    assert finding.title.startswith("Pod api-6c9d8f7b5d-x7k2p waits for its scheduling gates (example.com/quota)")


def test_an_evicted_pod_tells_what_the_node_was_short_of() -> None:
    message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."

    (finding,) = findings_of(context(pod(phase="Failed", reason="Evicted", message=message)))

    assert finding.title == "Pod api-6c9d8f7b5d-x7k2p was evicted from its node: the node was low on memory"
    assert finding.evidence[0].text == message
    assert any("describe node worker-1" in step for step in finding.next_steps)


def test_a_volume_of_a_missing_secret_names_the_secret() -> None:
    stuck = pod(
        CREATING,
        phase="Pending",
        pod_spec={"volumes": [{"name": "tls", "secret": {"secretName": "api-tls", "defaultMode": 420}}]},
    )
    events = (
        event(stuck, "FailedMount", "Unable to attach or mount volumes: timed out waiting for the condition"),
        event(stuck, "FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "api-tls" not found'),
    )

    (finding,) = findings_of(context(stuck, events=events))

    assert finding.title == "Pod api-6c9d8f7b5d-x7k2p cannot mount volume tls: Secret api-tls does not exist"
    assert "spec.volumes[0].secret.secretName" in [e.path for e in finding.evidence]


def test_a_volume_attached_elsewhere_and_a_missing_key_are_told() -> None:
    stuck = pod(CREATING, phase="Pending")
    attach = event(
        stuck, "FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a'
    )
    key = event(
        stuck,
        "FailedMount",
        'MountVolume.SetUp failed for volume "conf" : references non-existent config key: app.yaml',
    )

    (attached,) = findings_of(context(stuck, events=(attach,)))
    (keyless,) = findings_of(context(stuck, events=(key,)))

    assert (
        attached.title == "Pod api-6c9d8f7b5d-x7k2p waits for volume pvc-1, which cannot be attached: "
        'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a'
    )
    assert keyless.title == "Pod api-6c9d8f7b5d-x7k2p cannot mount volume conf: ConfigMap has no key app.yaml"


def test_a_sandbox_that_fails_points_at_the_network_plugin() -> None:
    stuck = pod(CREATING, phase="Pending")
    failed = event(stuck, "FailedCreatePodSandBox", "plugin type=calico failed (add): no addresses available")

    (finding,) = findings_of(context(stuck, events=(failed,)))

    assert (
        finding.title == "Pod api-6c9d8f7b5d-x7k2p cannot start: its sandbox cannot be created: "
        "plugin type=calico failed (add): no addresses available"
    )


def test_a_mount_that_failed_before_the_pod_ran_is_the_past() -> None:
    well = pod(running())
    once = event(well, "FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "api-tls" not found')

    assert faults_of(context(well, events=(once,))) == ()


def test_an_event_of_an_earlier_pod_of_the_same_name_is_not_about_this_one() -> None:
    earlier = pod(CREATING, phase="Pending")
    earlier["metadata"]["uid"] = "uid-of-an-earlier-one"
    stale = event(earlier, "FailedCreatePodSandBox", "no addresses available")

    assert faults_of(context(pod(CREATING, phase="Pending"), events=(stale,))) == ()


def test_a_failing_readiness_probe_is_quoted_with_its_settings() -> None:
    probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5, "failureThreshold": 3}
    slow = pod(running(ready=False), spec={"readinessProbe": probe})
    failed = event(slow, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")

    (finding,) = findings_of(context(slow, events=(failed,)))

    assert finding.title == (
        "Container api is running but not ready: its readiness probe (GET /ready on port 8080) fails: HTTP status 503"
    )
    assert [e.path for e in finding.evidence][:2] == ["Unhealthy", "spec.containers[0].readinessProbe"]


def test_a_container_that_is_not_ready_for_no_known_reason_is_a_warning() -> None:
    (finding,) = findings_of(context(pod(running(ready=False))))

    assert (finding.title, finding.severity) == ("Container api is running but not ready", "warning")


def test_readiness_gates_are_told() -> None:
    gated = pod(
        running(),
        conditions=[
            condition("Ready", "False", "ReadinessGatesNotReady", "corresponding condition of pod readiness gate")
        ],
    )

    (finding,) = findings_of(context(gated))

    assert finding.title == "Pod api-6c9d8f7b5d-x7k2p waits for its readiness gates"


@pytest.mark.parametrize(
    "well",
    [
        pod(running()),
        pod({"state": ended(1), "lastState": {}, "ready": False}, phase="Succeeded"),
        pod({"state": ended(0, "Completed"), "lastState": {}, "ready": False}, phase="Succeeded"),
    ],
    ids=["running", "sidecar failed after success", "succeeded"],
)
def test_a_pod_that_runs_or_succeeded_yields_nothing(well: Manifest) -> None:
    assert findings_of(context(well)) == ()


def test_a_pod_that_is_being_deleted_yields_nothing() -> None:
    going = pod({"state": ended(143), "lastState": {}, "ready": False})
    going["metadata"]["deletionTimestamp"] = "2026-11-20T07:45:00Z"

    assert findings_of(context(going)) == ()


def test_an_evicted_pod_that_was_replaced_no_longer_matters() -> None:
    deployment = resource(
        "apps/v1",
        "Deployment",
        spec={"replicas": 2},
        status={"replicas": 2, "availableReplicas": 2, "readyReplicas": 2},
    )
    evicted = pod(phase="Failed", reason="Evicted", owner=("ReplicaSet", "api-6c9d8f7b5d"))

    assert findings_of(context(deployment, evicted)) == ()
    assert findings_of(context(evicted)) != ()


def test_the_reason_that_keeps_the_most_nodes_away_is_named_and_the_control_plane_s_taint_is_none() -> None:
    picky = unscheduled(
        "0/6 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 4 node(s) "
        "didn't match Pod's node affinity/selector, 1 Insufficient cpu. preemption: 0/6 nodes are available: 6 "
        "Preemption is not helpful for scheduling.",
        pod_spec={"nodeSelector": {"pool": "gpu"}},
    )

    (finding,) = findings_of(context(picky))

    assert finding.title == "Pod api-6c9d8f7b5d-x7k2p cannot be scheduled: no node matches its nodeSelector or affinity"
    assert "no node has enough cpu left" in finding.explanation
    assert finding.evidence[-1].text == '{"pool": "gpu"}'


def test_an_eviction_quotes_the_pressure_of_its_node_and_stands_below_it() -> None:
    evicted = pod(phase="Failed", reason="Evicted", message="The node had condition: [DiskPressure]. ")
    status = {"conditions": [condition("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")]}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}, "status": status}

    findings = findings_of(context(evicted, related=(node,)))

    assert [f.title for f in findings] == [
        "Node worker-1 has DiskPressure",
        "Pod api-6c9d8f7b5d-x7k2p was evicted from its node: the node had DiskPressure",
    ]
    assert "kubelet has disk pressure" in [e.text for e in findings[1].evidence]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ", "its limit of 1Gi"),
        ('Usage of EmptyDir volume "cache" exceeds the limit "512Mi". ', "emptyDir volume cache exceeded its limit"),
        ('Container api exceeded its local ephemeral storage limit "1Gi". ', "container api exceeded its"),
    ],
)
def test_an_eviction_for_a_limit_of_the_pod_s_own_names_the_limit(message: str, why: str) -> None:
    (finding,) = findings_of(context(pod(phase="Failed", reason="Evicted", message=message)))

    assert why in finding.title
    assert "limit" in finding.next_steps[0]


def test_a_probe_of_a_port_that_the_container_does_not_declare_says_so() -> None:
    spec = {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8081}}, "ports": [{"containerPort": 8080}]}
    wrong = pod(running(ready=False), spec=spec)
    refused = 'Readiness probe failed: Get "http://10.1.2.3:8081/ready": dial tcp 10.1.2.3:8081: connection refused'

    (finding,) = findings_of(context(wrong, events=(event(wrong, "Unhealthy", refused, count=40),)))

    assert finding.title.endswith("(GET /ready on port 8081) fails: connection refused")
    assert "The container declares port 8080, not 8081." in finding.explanation
    assert finding.next_steps[0] == (
        "Set readinessProbe.httpGet.port of container api to 8080. (The container declares no 8081.)"
    )
    assert "spec.containers[0].ports" in [e.path for e in finding.evidence]


def test_a_container_that_had_no_time_to_become_ready_is_starting() -> None:
    young = pod(
        running(ready=False, state={"running": {"startedAt": "2026-11-20T07:44:25Z"}}),
        spec={"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10}},
    )
    refused = event(young, "Unhealthy", "Readiness probe failed: dial tcp 10.1.2.3:8080: connect: connection refused")
    often = event(young, "Unhealthy", refused.message, count=12)

    assert faults_of(context(young, events=(refused,))) == ()
    assert len(findings_of(context(young, events=(often,)))) == 1


def test_a_failed_pod_of_a_job_that_completed_no_longer_matters() -> None:
    job = resource("batch/v1", "Job", "report", status={"conditions": [condition("Complete", "True")], "failed": 1})
    failed = pod({"state": ended(1), "lastState": {}, "ready": False}, phase="Failed", owner=("Job", "report"))

    assert findings_of(context(failed, related=(job,))) == ()


def test_pods_of_one_workload_that_cannot_be_scheduled_are_one_finding() -> None:
    message = "0/3 nodes are available: 3 Insufficient memory."
    unscheduled = condition("PodScheduled", "False", "Unschedulable", message)
    names = ("api-6c9d8f7b5d-x7k2p", "api-6c9d8f7b5d-q9w4z")
    owner = ("ReplicaSet", "api-6c9d8f7b5d")
    pods = [pod(name=name, phase="Pending", owner=owner, conditions=[unscheduled]) for name in names]

    (finding,) = findings_of(context(None, *pods))

    assert finding.title == (
        f"Pod {names[0]} cannot be scheduled: no node has enough memory left (2 pods of Deployment api)"
    )


def test_a_spread_constraint_that_counts_tainted_nodes_is_named() -> None:
    held = unscheduled(
        "0/9 nodes are available: 3 node(s) had untolerated taint {team: b}, 6 node(s) didn't match pod topology "
        "spread constraints.",
    )
    held["spec"]["topologySpreadConstraints"] = [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]

    finding = findings_of(context(held))[0]

    assert "topology spread constraint on zone also counts the tainted nodes" in finding.title
    assert "nodeTaintsPolicy: Honor" in finding.next_steps[0]


def test_a_volume_and_a_node_selector_without_a_common_node_are_named_together() -> None:
    held = unscheduled(
        "0/5 nodes are available: 1 node(s) had volume node affinity conflict, 4 node(s) didn't match Pod's node "
        "affinity/selector.",
    )
    held["spec"]["nodeSelector"] = {"disk": "fast"}

    finding = findings_of(context(held))[0]

    assert "its nodeSelector or node affinity (disk=fast) and the node affinity of its volume" in finding.title


def test_a_pod_of_the_old_revision_is_deleted_and_its_image_not_repaired() -> None:
    waiting_pod = pod(waiting("ImagePullBackOff", 'Back-off pulling image "a:1"'), owner=("StatefulSet", "db"))
    waiting_pod["metadata"]["labels"]["controller-revision-hash"] = "db-1"
    revisions = {"currentRevision": "db-1", "updateRevision": "db-2"}
    stateful_set = resource("apps/v1", "StatefulSet", "db", spec={"replicas": 1}, status=revisions)

    finding = findings_of(context(stateful_set, waiting_pod))[0]

    assert "is still of the old revision db-1: StatefulSet db waits until it is ready" in finding.title
    assert "`kubectl -n shop delete pod" in finding.next_steps[0]
    revisions["updateRevision"] = "db-1"
    assert "old revision" not in findings_of(context(stateful_set, waiting_pod))[0].title


def test_an_attacher_that_does_not_answer_is_named_with_its_driver() -> None:
    held = pod(waiting("ContainerCreating"), phase="Pending")
    late = event(
        held,
        "FailedAttachVolume",
        'AttachVolume.Attach failed for volume "pv-1" : timed out waiting for external-attacher of disk.example.com '
        "CSI driver to attach volume pv-1",
    )

    assert (
        "controller pods of CSI driver disk.example.com" in findings_of(context(held, events=(late,)))[0].next_steps[0]
    )
