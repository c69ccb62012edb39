"""A CSI driver whose DaemonSet does not run on the node of a waiting Pod."""

from typing import Any

from agent.findings.model import Finding
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, event, pod, resource, waiting

MESSAGE = (
    'MountVolume.SetUp failed for volume "data" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: '
    "driver name s3.csi.example.com not found in the list of registered CSI drivers"
)
TAINT = {"key": "example.com/gpu", "value": "present", "effect": "NoSchedule"}


def first(taints: list[Any], tolerations: list[Any]) -> Finding:
    stuck = pod(waiting("ContainerCreating"), phase="Pending")
    node = resource(
        "v1", "Node", "worker-1", spec={"taints": taints}, status={"conditions": [condition("Ready", "True")]}
    )
    node["metadata"].pop("namespace", None)
    template = {
        "containers": [{"name": "driver", "args": ["--endpoint=unix:///csi/s3.csi.example.com/csi.sock"]}],
        "tolerations": tolerations,
    }
    daemon_set = resource("apps/v1", "DaemonSet", "s3-node", spec={"template": {"spec": template}}, status={})
    return findings_of(context(stuck, daemon_set, node, events=(event(stuck, "FailedMount", MESSAGE),)))[0]


def test_the_taint_that_keeps_it_away_is_named() -> None:
    finding = first([TAINT], [{"key": "other", "operator": "Exists"}])

    assert "DaemonSet s3-node does not tolerate the taint example.com/gpu=present:NoSchedule" in finding.title
    assert "add a toleration for example.com/gpu" in finding.next_steps[0]


def test_a_tolerated_taint_is_not_the_reason() -> None:
    finding = first([TAINT], [{"key": "example.com/gpu", "operator": "Exists"}])

    assert "DaemonSet s3-node has no ready pod on node worker-1" in finding.title
    assert "taint" not in finding.title
