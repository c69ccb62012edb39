"""Nodes: not ready, under pressure, cordoned; and those that are well."""

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, pod, resource, running

FINE = (
    condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def worker(*conditions: Manifest, **spec: object) -> Manifest:
    found = resource("v1", "Node", "worker-1", spec=spec, status={"conditions": [*conditions]})
    del found["metadata"]["namespace"]
    return found


def test_a_node_whose_kubelet_is_silent_is_an_error() -> None:
    lost = worker(condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))

    (finding,) = findings_of(context(lost))

    assert finding.title == "Node worker-1 is not ready: its kubelet no longer reports"
    assert finding.evidence[0].text == "Kubelet stopped posting node status."


def test_a_node_that_is_not_ready_quotes_its_kubelet() -> None:
    broken = worker(condition("Ready", "False", "KubeletNotReady", "container runtime network not ready: cni"))

    assert findings_of(context(broken))[0].title.startswith("Node worker-1 is not ready: ")


@pytest.mark.parametrize(
    ("kind", "severity"), [("MemoryPressure", "warning"), ("DiskPressure", "warning"), ("NetworkUnavailable", "error")]
)
def test_pressure_is_told(kind: str, severity: str) -> None:
    (finding,) = findings_of(context(worker(condition(kind, "True", "Kubelet", "short of it"), *FINE)))

    assert (finding.title, finding.severity) == (f"Node worker-1 has {kind}", severity)


def test_a_cordoned_node_is_information_where_it_is_asked_about() -> None:
    cordoned = worker(*FINE, unschedulable=True)

    assert [f.severity for f in findings_of(context(cordoned))] == ["info"]
    assert findings_of(context(pod(running()), related=(cordoned,))) == ()


def test_a_node_whose_bad_conditions_are_false_is_well() -> None:
    assert findings_of(context(worker(*FINE))) == ()


@pytest.mark.parametrize(
    ("message", "step"),
    [
        ("PLEG is not healthy: pleg was last seen active 9m0s ago; threshold is 3m0s", "container runtime of node"),
        (
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
            "message:Network plugin returns error: cni plugin not initialized",
            "pods of the network plugin on node worker-1",
        ),
    ],
)
def test_the_kubelets_reason_decides_the_step(message: str, step: str) -> None:
    (finding,) = findings_of(context(worker(condition("Ready", "False", "KubeletNotReady", message))))

    assert step in finding.next_steps[0]
