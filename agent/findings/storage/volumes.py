"""PersistentVolumeClaims that stay pending or lost their volume, PersistentVolumes that failed or are released.

A claim that waits for its first pod is healthy. Sources of phases and events:
https://kubernetes.io/docs/concepts/storage/persistent-volumes/ and Kubernetes' pkg/controller/volume/persistentvolume.
"""

from collections.abc import Iterator

from agent.context.model import Event
from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.build import name_of, named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.references import missing_in
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, list_at, object_at, text_at

CLAIM: GroupKind = ("", "PersistentVolumeClaim")
VOLUME: GroupKind = ("", "PersistentVolume")


def claims(inventory: Inventory) -> Iterator[Finding]:
    """The findings of claims without a volume, claims that lost theirs, and claims that cannot be resized."""
    for claim in inventory.of(CLAIM):
        match text_at(claim, "status", "phase"):
            case "Pending":
                yield from _pending(claim, inventory.events.of(claim))
            case "Lost":
                yield object_finding(
                    claim,
                    f"{named(claim)} lost its volume",
                    "Its PersistentVolume was deleted or is bound to another claim; the data may be lost.",
                    quote(claim, "status", "phase") + quote(claim, "spec", "volumeName"),
                    "Restore the PersistentVolume (or the data from a backup into a new claim).",
                    f"List the volumes: {kubectl('get', 'persistentvolumes')}.",
                )
            case _:
                yield from _cannot_grow(claim)


def _pending(claim: Manifest, events: tuple[Event, ...]) -> Iterator[Finding]:
    failures = [event for event in events if event.reason in ("ProvisioningFailed", "FailedBinding")]
    if failures:
        yield _unprovisioned(claim, failures[0])
        return
    if any(event.reason == "WaitForFirstConsumer" for event in events):
        return
    provisioning = [event for event in events if event.reason in ("ExternalProvisioning", "Provisioning")]
    yield object_finding(
        claim,
        f"{named(claim)} is not bound to a volume yet",
        "It waits for its provisioner."
        if provisioning
        else "Its events do not have the reason; it may wait for its first pod.",
        quote(claim, "status", "phase")
        + tuple(quoted for event in provisioning[:1] for quoted in quote_event(event))
        + quote(claim, "spec", "storageClassName"),
        "Check that the provisioner of the storage class runs, and read the log of its pods.",
        severity="warning",
        level="effect",
    )


def _unprovisioned(claim: Manifest, event: Event) -> Finding:
    evidence = quote_event(event) + quote(claim, "spec", "storageClassName")
    classes = f"List the classes: {kubectl('get', 'storageclasses')}."
    missing = missing_in(event.message)
    if missing and missing.kind == "StorageClass":
        return object_finding(
            claim,
            f"{named(claim)} cannot get a volume: StorageClass {one_line(missing.name)} does not exist",
            "No provisioner creates volumes for a class that does not exist.",
            evidence,
            f"Correct storageClassName {one_line(missing.name)}, or create the class. {classes}",
        )
    if "no storage class is set" in event.message:
        return object_finding(
            claim,
            f"{named(claim)} cannot get a volume: it names no storage class and the cluster has no default",
            "Without a class the claim can only bind an existing PersistentVolume, and none matches.",
            evidence,
            f"Set storageClassName in Git, or mark a class as the default. {classes}",
        )
    refusal = refusal_in(event.message, namespace_of(claim))
    return object_finding(
        claim,
        f"{named(claim)} cannot get a volume" + (f": {refusal.name}" if refusal else ""),
        "The provisioner of the storage class failed; the event has the reason.",
        evidence + quote(claim, "spec", "resources", "requests") + quote(claim, "spec", "accessModes"),
        *([refusal.step] if refusal else []),
        f"Repair what the message names (quota, zone, access mode, credentials of the storage driver). {classes}",
    )


def _cannot_grow(claim: Manifest) -> Iterator[Finding]:
    for index, condition in enumerate(list_at(claim, "status", "conditions")):
        if text_at(condition, "type").endswith("ResizeError") and text_at(condition, "status") == "True":
            yield object_finding(
                claim,
                f"{named(claim)} cannot be resized",
                "The storage driver failed to enlarge the volume.",
                quote(claim, "status", "conditions", index, "message")
                + quote(claim, "status", "conditions", index, "type")
                + quote(claim, "spec", "resources", "requests", "storage")
                + quote(claim, "status", "capacity", "storage"),
                "Check that the storage class allows expansion, and what the driver says.",
            )


STORAGE_CLASS: GroupKind = ("storage.k8s.io", "StorageClass")
# https://kubernetes.io/docs/tasks/administer-cluster/change-default-storage-class/, and the name before Kubernetes 1.6
_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def storage_classes(inventory: Inventory) -> Iterator[Finding]:
    """The finding that more than one StorageClass is the default."""
    defaults = [each for each in inventory.of(STORAGE_CLASS) if _default_mark(each)]
    if len(defaults) < 2:
        return
    asked = any(inventory.is_asked_about(each) for each in defaults)
    names = ", ".join(one_line(name_of(each), 80) for each in defaults[:4])
    yield object_finding(
        next((each for each in defaults if inventory.is_asked_about(each)), defaults[0]),
        f"{len(defaults)} StorageClasses are the default: {names}",
        "A claim that names no class gets the default that was created last (before Kubernetes 1.26 it was refused); "
        "which one that is differs between clusters.",
        tuple(
            quoted for each in defaults[:4] for quoted in quote(each, "metadata", "annotations", _default_mark(each))
        ),
        f'In Git, set the annotation {_DEFAULT[0]} to "false" on all but one of them.',
        severity="warning" if asked else "info",
    )


def _default_mark(storage_class: Manifest) -> str:
    """The annotation that makes the class the default, "" where it is not."""
    annotations = object_at(storage_class, "metadata", "annotations")
    return next((key for key in _DEFAULT if text_at(annotations, key) == "true"), "")


def volumes(inventory: Inventory) -> Iterator[Finding]:
    """The findings of PersistentVolumes that failed, and of a released one in question."""
    for volume in inventory.of(VOLUME):
        phase = text_at(volume, "status", "phase")
        if phase == "Failed":
            yield object_finding(
                volume,
                f"{named(volume)} failed to be reclaimed",
                "Reclaiming it after the deletion of its claim failed.",
                quote(volume, "status", "message")
                + quote(volume, "status", "reason")
                + quote(volume, "status", "phase"),
                "Delete its storage asset by hand, then delete the PersistentVolume.",
            )
        elif phase == "Released" and inventory.is_asked_about(volume):
            yield object_finding(
                volume,
                f"{named(volume)} is released: its claim was deleted, its data is kept",
                "No new claim can bind it while claimRef names the old one.",
                quote(volume, "status", "phase") + quote(volume, "spec", "claimRef", "name"),
                "Remove spec.claimRef to make it available again, or delete it with its data.",
                severity="info",
            )
