"""Volumes that are not there: PersistentVolumeClaims that stay pending or lost their volume, PersistentVolumes that
failed or are left over. A claim that waits for its first pod is not broken."""

from collections.abc import Iterator

from agent.context.model import Event
from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.build import named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.references import missing_in
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, list_at, text_at

CLAIM: GroupKind = ("", "PersistentVolumeClaim")
VOLUME: GroupKind = ("", "PersistentVolume")


def claims(inventory: Inventory) -> Iterator[Finding]:
    """Claims without a volume, claims that lost theirs, and claims that cannot grow."""
    for claim in inventory.of(CLAIM):
        match text_at(claim, "status", "phase"):
            case "Pending":
                yield from _pending(claim, inventory.events.of(claim))
            case "Lost":
                yield object_finding(
                    claim,
                    f"{named(claim)} lost its volume",
                    "The PersistentVolume it was bound to is gone, or bound to another claim; its data may be lost.",
                    quote(claim, "status", "phase") + quote(claim, "spec", "volumeName"),
                    "Restore the PersistentVolume (or the data from a backup into a new claim).",
                    f"See what volumes there are: {kubectl('get', 'persistentvolumes')}.",
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
    waiting = [event for event in events if event.reason in ("ExternalProvisioning", "Provisioning")]
    yield object_finding(
        claim,
        f"{named(claim)} is not bound to a volume yet",
        "It waits for its provisioner." if waiting else "Why is not in its events: it may wait for its first pod.",
        quote(claim, "status", "phase")
        + tuple(quoted for event in waiting[:1] for quoted in quote_event(event))
        + quote(claim, "spec", "storageClassName"),
        "Check that the pods of the storage class's provisioner run, and read their logs.",
        severity="warning",
        level="effect",
    )


def _unprovisioned(claim: Manifest, event: Event) -> Finding:
    evidence = quote_event(event) + quote(claim, "spec", "storageClassName")
    classes = f"See which there are: {kubectl('get', 'storageclasses')}."
    missing = missing_in(event.message)
    if missing and missing.kind == "StorageClass":
        return object_finding(
            claim,
            f"{named(claim)} cannot get a volume: StorageClass {one_line(missing.name)} does not exist",
            "Nothing provisions volumes for a class that is not there.",
            evidence,
            f"Correct storageClassName, or create the class. {classes}",
        )
    if "no storage class is set" in event.message:
        return object_finding(
            claim,
            f"{named(claim)} cannot get a volume: it names no storage class and the cluster has no default",
            "Without a class only an existing PersistentVolume that fits can be bound, and there is none.",
            evidence,
            f"Set storageClassName in Git, or mark a class as the default. {classes}",
        )
    refusal = refusal_in(event.message, namespace_of(claim))
    return object_finding(
        claim,
        f"{named(claim)} cannot get a volume" + (f": {refusal.name}" if refusal else ""),
        "The provisioner of the storage class failed; the event has its reason.",
        evidence + quote(claim, "spec", "resources", "requests") + quote(claim, "spec", "accessModes"),
        *([refusal.step] if refusal else []),
        f"Repair what the message names (quota, zone, access mode, credentials of the storage driver). {classes}",
    )


def _cannot_grow(claim: Manifest) -> Iterator[Finding]:
    for index, condition in enumerate(list_at(claim, "status", "conditions")):
        if text_at(condition, "type").endswith("ResizeError") and text_at(condition, "status") == "True":
            yield object_finding(
                claim,
                f"{named(claim)} cannot grow",
                "The storage driver failed to enlarge the volume.",
                quote(claim, "status", "conditions", index, "message")
                + quote(claim, "status", "conditions", index, "type")
                + quote(claim, "spec", "resources", "requests", "storage")
                + quote(claim, "status", "capacity", "storage"),
                "Check that the storage class allows expansion, and what the driver says.",
            )


def volumes(inventory: Inventory) -> Iterator[Finding]:
    """PersistentVolumes that failed, and (the one asked about) that are released."""
    for volume in inventory.of(VOLUME):
        phase = text_at(volume, "status", "phase")
        if phase == "Failed":
            yield object_finding(
                volume,
                f"{named(volume)} failed",
                "It could not be reclaimed after its claim was deleted.",
                quote(volume, "status", "message")
                + quote(volume, "status", "reason")
                + quote(volume, "status", "phase"),
                "Free the storage behind it by hand, then delete the PersistentVolume.",
            )
        elif phase == "Released" and inventory.is_asked_about(volume):
            yield object_finding(
                volume,
                f"{named(volume)} is released: its claim is gone, its data is kept",
                "It is not bound to a new claim by itself as long as claimRef names the old one.",
                quote(volume, "status", "phase") + quote(volume, "spec", "claimRef", "name"),
                "Remove spec.claimRef to make it available again, or delete it with its data.",
                severity="info",
            )
