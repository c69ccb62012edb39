"""PersistentVolumeClaims and PersistentVolumes."""

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, event, pod, resource


def claim(phase: str = "Pending", **status: object) -> Manifest:
    return resource(
        "v1",
        "PersistentVolumeClaim",
        "data",
        spec={
            "storageClassName": "fast",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "9Gi"}},
        },
        status={"phase": phase, **status},
    )


@pytest.mark.parametrize(
    ("reason", "message", "title"),
    [
        (
            "ProvisioningFailed",
            'storageclass.storage.k8s.io "fast" not found',
            "PersistentVolumeClaim data cannot get a volume: StorageClass fast does not exist",
        ),
        (
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
            "PersistentVolumeClaim data cannot get a volume: it names no storage class and the cluster has no default",
        ),
        (
            "ProvisioningFailed",
            'failed to provision volume with StorageClass "fast": rpc error: code = ResourceExhausted',
            "PersistentVolumeClaim data cannot get a volume",
        ),
    ],
)
def test_a_claim_without_a_volume_is_told_by_its_event(reason: str, message: str, title: str) -> None:
    pending = claim()

    (finding,) = findings_of(context(pending, events=(event(pending, reason, message),)))

    assert (finding.title, finding.severity) == (title, "error")
    assert finding.evidence[0].text == message


def test_the_claim_stands_above_the_pod_that_waits_for_it() -> None:
    pending = claim()
    failed = event(pending, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    waits = pod(
        phase="Pending",
        conditions=[
            condition("PodScheduled", "False", "Unschedulable", "pod has unbound immediate PersistentVolumeClaims.")
        ],
    )

    findings = findings_of(context(waits, pending, events=(failed,)))

    assert [f.level for f in findings] == ["cause", "effect"]
    assert "StorageClass fast" in findings[0].title


def test_a_claim_that_waits_for_its_first_pod_is_not_broken() -> None:
    pending = claim()
    waits = event(
        pending, "WaitForFirstConsumer", "waiting for first consumer to be created before binding", kind="Normal"
    )

    assert findings_of(context(pending, events=(waits,))) == ()


def test_a_claim_that_waits_for_its_provisioner_is_a_warning() -> None:
    pending = claim()
    waits = event(
        pending, "ExternalProvisioning", "Waiting for a volume to be created by ebs.csi.aws.com", kind="Normal"
    )

    (finding,) = findings_of(context(pending, events=(waits,)))

    assert (finding.severity, finding.explanation) == ("warning", "It waits for its provisioner.")


def test_a_lost_claim_is_an_error() -> None:
    (finding,) = findings_of(context(claim("Lost")))

    assert finding.title == "PersistentVolumeClaim data lost its volume"


def test_a_bound_claim_yields_nothing_unless_it_cannot_grow() -> None:
    resize = condition("ControllerResizeError", "True", "", "driver does not support expansion")

    assert findings_of(context(claim("Bound"))) == ()
    assert (
        findings_of(context(claim("Bound", conditions=[resize])))[0].title
        == "PersistentVolumeClaim data cannot be resized: driver does not support expansion"
    )


def test_volumes_that_failed_or_are_left_over_are_told() -> None:
    failed = resource("v1", "PersistentVolume", status={"phase": "Failed", "message": "error deleting volume"})
    released = resource("v1", "PersistentVolume", status={"phase": "Released"}, spec={"claimRef": {"name": "data"}})

    assert findings_of(context(failed))[0].severity == "error"
    assert findings_of(context(released))[0].severity == "info"
    assert findings_of(context(claim("Bound"), released)) == ()


def storage_class(name: str, default: str = "true") -> Manifest:
    found = resource("storage.k8s.io/v1", "StorageClass", name, provisioner="disk.csi.example.com")
    found["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": default}
    del found["metadata"]["namespace"]
    return found


def test_two_default_classes_are_named() -> None:
    (finding,) = findings_of(context(storage_class("slow"), related=(storage_class("fast"),)))

    assert finding.title == "2 StorageClasses are the default: slow, fast"
    assert finding.severity == "warning"
    assert findings_of(context(storage_class("slow"), related=(storage_class("fast", "false"),))) == ()
