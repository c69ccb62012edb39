"""A manifest reduced to what a diagnosis needs: without empty values, managed fields, defaults of the API server, and
fields that change without anything having changed.

Owns the lists of what is dropped; cuts only what is deeper or longer than any page.
"""

from collections.abc import Iterator
from typing import Any, cast

from agent.objects.manifest import Manifest
from agent.prompt.rendering.rendered import well_formed

_LONGEST_STRING = 2_000
_LARGEST_INTEGER = 2**63 - 1
_DEEPEST = 40

# Dropped at any depth. Bookkeeping of the API server, digests and ids that no person reads, and times that
# controllers write without a change (they would break the server's prefix cache in every turn).
_NOISE = frozenset(
    {
        "managedFields",
        "selfLink",
        "uid",
        "resourceVersion",
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "kubernetes.io/config.hash",
        "kubernetes.io/config.seen",
        "containerID",
        "imageID",
        "podIPs",
        "hostIPs",
        "clusterIPs",
        "blockOwnerDeletion",
        "lastHeartbeatTime",
        "lastProbeTime",
        "lastUpdateTime",
        "renewTime",
        "reconciledAt",
        "observedAt",
    }
)
# What the API server fills in (Kubernetes' API reference, "Defaults to"). Settings of probes, of image pulls and of
# rollouts stay: they are what a diagnosis needs.
_DEFAULTS: dict[str, object] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "podManagementPolicy": "OrderedReady",
    "sessionAffinity": "None",
    "ipFamilyPolicy": "SingleStack",
    "internalTrafficPolicy": "Cluster",
    "defaultMode": 420,
    "successThreshold": 1,
    "scheme": "HTTP",
    "protocol": "TCP",
    "completionMode": "NonIndexed",
}
# Empty objects that mean the same as their absence; elsewhere (`emptyDir: {}`, `podSelector: {}`) they mean something.
_EMPTY = frozenset(
    {
        "annotations",
        "labels",
        "lastState",
        "loadBalancer",
        "nodeSelector",
        "affinity",
        "resources",
        "securityContext",
        "status",
        "strategy",
    }
)
# Before all others, in this order, at any depth: what is cut is cut at the end.
_FIRST = (
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "phase",
    "state",
    "health",
    "reason",
    "message",
    "conditions",
    "containerStatuses",
    "initContainerStatuses",
    "status",
    "spec",
)
_RANK = {key: index for index, key in enumerate(_FIRST)}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def distilled(manifest: Manifest, leaves: int) -> tuple[Manifest, int]:
    """`manifest` with at most `leaves` values, and how many were dropped for lack of room (those of objects that were
    not even looked into count as one)."""
    walk = _Walk(leaves)
    return walk.object(manifest, 0), walk.dropped


class _Walk:
    """Counts leaves while copying, so that a manifest of megabytes is not written out only to be cut."""

    def __init__(self, leaves: int) -> None:
        self._left = leaves
        self.dropped = 0

    def value(self, value: Any, depth: int) -> Any:
        """A copy; None for what is to be left out."""
        if isinstance(value, dict | list) and depth > _DEEPEST:
            self.dropped += 1
            return "... nested too deeply"
        if isinstance(value, dict):
            return self.object(cast("Manifest", value), depth)
        if isinstance(value, list):
            return list(self._items(cast("list[Any]", value), depth)) or None
        self._left -= 1
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            return str(value)  # YAML's 64 bits
        return value if isinstance(value, int | float | None) else str(value)

    def object(self, entries: Manifest, depth: int) -> Manifest:
        """The entries that are kept, the important ones first."""
        kept: Manifest = {}
        for index, key in enumerate(sorted(entries, key=_rank)):
            if self._left <= 0:
                self.dropped += len(entries) - index
                break
            value = entries[key]
            if _is_noise(key, value):
                continue
            copied = self.value(value, depth + 1)
            if copied is not None and (copied != {} or key not in _EMPTY):
                kept[well_formed(str(key))] = copied
        return kept

    def _items(self, items: list[Any], depth: int) -> Iterator[Any]:
        for index, item in enumerate(items):
            if self._left <= 0:
                self.dropped += len(items) - index
                return
            if _is_injected(item):
                continue
            copied = self.value(item, depth + 1)
            if copied is not None:
                yield copied

    def _text(self, text: str) -> str:
        if len(text) > _LONGEST_STRING:
            self.dropped += 1
            text = f"{text[:_LONGEST_STRING]} ... ({len(text) - _LONGEST_STRING} more characters)"
        return well_formed(text)


def _rank(key: object) -> int:
    return _RANK.get(key, len(_RANK)) if isinstance(key, str) else len(_RANK)


def _is_noise(key: object, value: object) -> bool:
    if value is None or value in ("", []):
        return True
    if not isinstance(key, str):
        return False
    return key in _NOISE or (key in _DEFAULTS and _DEFAULTS[key] == value)


def _is_injected(item: object) -> bool:
    """What every Pod is given: the volume of its service account's token and two tolerations."""
    if not isinstance(item, dict):
        return False
    entry = cast("dict[object, object]", item)
    name = entry.get("name")
    if isinstance(name, str) and name.startswith("kube-api-access-"):
        return True
    return entry.get("key") in _TOLERATED and entry.get("tolerationSeconds") == 300
