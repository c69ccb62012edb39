"""The DaemonSet that should serve a node (a CSI driver), and the taint of the node that it does not tolerate."""

import re
from dataclasses import dataclass

from agent.findings.engine.build import name_of
from agent.findings.engine.evidence import one_line, walk
from agent.findings.engine.inventory import Inventory
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.target import ResourceRef

# k8s.io/kubernetes/pkg/volume/csi/csi_plugin.go
_UNREGISTERED = re.compile(r"driver name (\S{1,200}) not found in the list of registered CSI drivers")
_VALUES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPlugin:
    """A DaemonSet without a Pod on a node. `taint` is the one of the node that it does not tolerate, "" where none is
    known."""

    driver: str
    daemon_set: Manifest
    node: str
    taint: str

    def __str__(self) -> str:
        name = one_line(name_of(self.daemon_set), 80)
        if not self.taint:
            return f"DaemonSet {name} has no ready pod on node {one_line(self.node, 80)}"
        return f"DaemonSet {name} does not tolerate the taint {self.taint} of node {one_line(self.node, 80)}"

    @property
    def step(self) -> str:
        """What to do about it."""
        name = one_line(name_of(self.daemon_set), 80)
        if not self.taint:
            return f"Look at DaemonSet {name} and its pod on node {one_line(self.node, 80)}."
        key = one_line(self.taint.partition("=")[0].partition(":")[0], 80)
        return (
            f"In Git, add a toleration for {key} (operator: Exists) to the pod template of DaemonSet {name}, so that "
            "it "
            f"runs on node {one_line(self.node, 80)} too."
        )


def missing_plugin(inventory: Inventory, pod: Manifest, message: str) -> MissingPlugin | None:
    """The DaemonSet of the CSI driver that a message calls not registered, None where the context does not have it."""
    match = _UNREGISTERED.search(message[:4_000])
    node = text_at(pod, "spec", "nodeName")
    if match is None or not node:
        return None
    for daemon_set in inventory.of(("apps", "DaemonSet")):
        if not _names(daemon_set, match[1]):
            continue
        resource = ResourceRef.of(daemon_set)
        pods = inventory.pods_of(resource) if resource else []
        if any(text_at(each, "spec", "nodeName") == node for each in pods):
            continue
        return MissingPlugin(
            driver=match[1], daemon_set=daemon_set, node=node, taint=_taint(inventory, daemon_set, node)
        )
    return None


def _names(daemon_set: Manifest, driver: str) -> bool:
    """Whether it is the driver's: the Pod template names it (a socket's path, an argument, a variable), or its own name
    has the driver's first word and `csi`."""
    if {"csi", driver.partition(".")[0]} <= set(re.split(r"[-.]", name_of(daemon_set))):
        return True
    for count, (_, value) in enumerate(walk(daemon_set.get("spec"), "spec")):
        if count > _VALUES:
            return False
        if isinstance(value, str) and driver in value:
            return True
    return False


def _taint(inventory: Inventory, daemon_set: Manifest, node: str) -> str:
    """The first taint of the node that keeps the DaemonSet's Pods away."""
    tolerations = objects_at(daemon_set, "spec", "template", "spec", "tolerations")
    for taint in objects_at(inventory.get("Node", "", node), "spec", "taints"):
        effect = text_at(taint, "effect")
        if effect in ("NoSchedule", "NoExecute") and not any(_tolerates(each, taint) for each in tolerations):
            value = text_at(taint, "value")
            return one_line(f"{text_at(taint, 'key')}{f'={value}' if value else ''}:{effect}", 120)
    return ""


def _tolerates(toleration: Manifest, taint: Manifest) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    key, effect = text_at(toleration, "key"), text_at(toleration, "effect")
    if effect not in ("", text_at(taint, "effect")):
        return False
    if text_at(toleration, "operator") == "Exists":
        return key in ("", text_at(taint, "key"))
    return key == text_at(taint, "key") and text_at(toleration, "value") == text_at(taint, "value")
