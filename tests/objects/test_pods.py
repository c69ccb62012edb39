"""Which Pod is worst, which workloads lack Pods."""

from typing import Any

import pytest

from agent.objects.manifest import Manifest
from agent.objects.pods import is_refused_pods, is_short_of_pods, is_workload, unhealthiest_first
from tests.context.manifests import (
    COMPLETED,
    CRASH_LOOP,
    DEPLOYMENT,
    NO_IMAGE,
    OOM_KILLED,
    RUNNING,
    container_status,
    crashing,
    healthy,
    pod,
)


def test_failing_pods_come_before_starting_and_healthy_ones():
    pods = [
        pod("healthy", healthy("api")),
        pod("done", container_status("api", COMPLETED), phase="Succeeded"),
        pod("no-image", container_status("api", NO_IMAGE)),
        pod("crashing", crashing("api")),
        pod("not-ready", container_status("api", RUNNING)),
        pod("restarted", container_status("api", RUNNING, ready=True, last=OOM_KILLED, restarts=1)),
        pod("unschedulable", phase="Pending"),
    ]
    names = [each["metadata"]["name"] for each in unhealthiest_first(pods)]
    assert names[0] == "crashing"
    assert set(names[1:3]) == {"no-image", "unschedulable"}
    assert names[3:] == ["not-ready", "restarted", "healthy", "done"]


def test_equals_are_ordered_by_restarts_then_the_newest_first():
    often = pod("often", container_status("api", CRASH_LOOP, last=OOM_KILLED, restarts=9))
    older = pod("older", crashing("api"), created="2026-11-20T00:00:00Z")
    newer = pod("newer", crashing("api"), created="2026-11-21T00:00:00Z")
    assert [each["metadata"]["name"] for each in unhealthiest_first([older, newer, often])] == [
        "often",
        "newer",
        "older",
    ]


def test_workloads_are_known_by_kind_or_by_their_pod_template():
    assert is_workload("deployment")
    assert is_workload("CloneSet", DEPLOYMENT)
    cron = {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}}}
    assert is_workload("Backup", cron)
    assert not is_workload("ConfigMap", {"data": {}})


# --- several logs ---------------------------------------------------------------------------------------------------


def of(kind: str, status: dict[str, Any], **spec: Any) -> Manifest:
    return {"kind": kind, "metadata": {"name": "x"}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("manifest", "short", "refused"),
    [
        (of("Deployment", {"replicas": 3, "readyReplicas": 3}, replicas=3), False, False),
        (of("Deployment", {"replicas": 3, "readyReplicas": 1}, replicas=3), True, False),
        (of("Deployment", {"replicas": 1, "readyReplicas": 1}, replicas=3), True, True),
        (of("Deployment", {"observedGeneration": 1}, replicas=0), False, False),
        (of("ReplicaSet", {"replicas": 0}), True, True),
        (of("StatefulSet", {"replicas": 1, "conditions": [{"type": "ReplicaFailure", "status": "True"}]}), True, True),
        (of("DaemonSet", {"desiredNumberScheduled": 3, "numberReady": 2, "currentNumberScheduled": 3}), True, False),
        (of("DaemonSet", {"desiredNumberScheduled": 3, "numberReady": 2, "currentNumberScheduled": 2}), True, True),
        (of("Job", {"failed": 2}), True, False),
        (of("Job", {"failed": 1, "succeeded": 1}), False, False),
        (of("Job", {"startTime": "2026-11-21T08:00:00Z"}), False, True),
        (of("CronJob", {}), False, False),
    ],
)
def test_workloads_that_lack_pods(manifest: Manifest, short: bool, refused: bool):
    assert (is_short_of_pods(manifest), is_refused_pods(manifest)) == (short, refused)


def test_a_workload_that_no_controller_has_seen_is_refused_nothing():
    assert not is_refused_pods(DEPLOYMENT)
