"""Pods of a StatefulSet's old revision that never become ready: the StatefulSet waits for them for good.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback. Owns that one rule.
"""

from agent.findings.engine.build import name_of, namespace_of
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import Inventory, controller_of
from agent.findings.model import Finding
from agent.findings.workloads.pod_finding import pod_finding
from agent.objects.manifest import Manifest, text_at

_REVISION = "controller-revision-hash"


def held_by_old_revision(inventory: Inventory, pod: Manifest) -> Finding | None:
    """The finding of a Pod of an older revision than its StatefulSet wants, None for any other. It is not ready."""
    owner = controller_of(pod)
    if owner is None or owner.kind != "StatefulSet":
        return None
    stateful_set = inventory.get(owner.kind, namespace_of(pod), owner.name)
    wanted = text_at(stateful_set, "status", "updateRevision")
    own = text_at(pod, "metadata", "labels", _REVISION)
    waits = text_at(stateful_set, "spec", "podManagementPolicy") in ("", "OrderedReady")
    if stateful_set is None or not wanted or not own or own == wanted or not waits:
        return None
    delete = kubectl("delete", "pod", name_of(pod), namespace=namespace_of(pod))
    manual = text_at(stateful_set, "spec", "updateStrategy", "type") == "OnDelete"
    return pod_finding(
        pod,
        f"is still of the old revision {one_line(own, 80)}: StatefulSet {one_line(owner.name, 80)} "
        + (
            "replaces a pod only when it is deleted (OnDelete)"
            if manual
            else f"waits until it is ready before it goes on to {one_line(wanted, 80)}"
        ),
        "The pod is not ready and has the template of before the last change. "
        + ("" if manual else "A StatefulSet with ordered pods does not replace a pod that never becomes ready."),
        quote(pod, "metadata", "labels", _REVISION)
        + quote(stateful_set, "status", "updateRevision")
        + quote(stateful_set, "status", "currentRevision"),
        f"Delete the pod, it comes back with the new template: {delete}.",
    )
