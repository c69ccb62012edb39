"""Manifests as YAML within a token limit: status and the rest apart, and many of them at once, the broken ones in full.

A manifest is shown without what no diagnosis needs: empty values, managed fields, defaults of the API server, and
fields that change without anything having changed. Owns the lists of what is dropped, and what is kept of a manifest
that does not fit.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import ryaml

from agent.objects.manifest import Manifest, integer_at, object_at, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.prompt.rendering.rendered import Rendered, cut, label, shortened, well_formed, whole_items
from agent.prompt.tokens import count_tokens

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
        return well_formed(shortened(text, _LONGEST_STRING))


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


# Every leaf of a manifest costs about 6 tokens with its key; more leaves than this many a token never fit.
_LEAVES_PER_TOKEN = 0.5
_LEAST_LEAVES = 20
# The least budget of a manifest that is rendered in full; the others get a line.
_LEAST_ROOM = 400
# The share of the budget that is kept for those that get a line.
_LINES_SHARE = 0.2
# Tokens between documents.
_SEPARATOR = 4


def render_manifests(manifests: Sequence[Manifest], limit: int, *, full: Sequence[Manifest] | None = None) -> Rendered:
    """Manifests as YAML documents, status before spec: those in `full` (all of them where it is None), each in an
    equal share of the budget that is left; the others a line each, as comments."""
    kept = list(manifests if full is None else full)[: max(limit // _LEAST_ROOM, 1)]
    kept_ids = set(map(id, kept))
    named = [manifest for manifest in manifests if id(manifest) not in kept_ids]
    token_budget = limit - int(limit * _LINES_SHARE) if named else limit
    parts: list[Rendered] = []
    tokens = 0
    for index, manifest in enumerate(kept):
        parts.append(render_manifest(manifest, (token_budget - tokens) // (len(kept) - index) - _SEPARATOR))
        tokens += parts[-1].tokens + _SEPARATOR
    texts = ["---\n".join(part.text for part in parts)]
    left_out = [part.left_out for part in parts if part.left_out]
    if named:
        lines = whole_items(
            (f"# {line}" for line in _lines(named)), limit - tokens, "further manifests", count=len(named)
        )
        texts.append(lines.text)
        tokens += lines.tokens
        left_out += ["the further manifests but for a line each", lines.left_out]
    return Rendered(text="".join(texts), tokens=tokens, left_out="; ".join(filter(None, left_out)))


def render_manifest(manifest: Manifest, limit: int) -> Rendered:
    """One manifest as YAML, what matters most first."""
    pruned, dropped = distilled(manifest, max(int(limit * _LEAVES_PER_TOKEN), _LEAST_LEAVES))
    text = ryaml.dumps(pruned)  # pyright: ignore[reportPrivateImportUsage]
    tokens = count_tokens(text)
    lines = text.count("\n")
    if tokens > limit:
        text = cut(text, limit)
        tokens = count_tokens(text)
    fewer = lines - text.count("\n")
    notes = [f"{dropped} values"] * bool(dropped) + [f"the last {fewer} lines"] * (fewer > 0)
    name = label(text_at(manifest, "kind")) or "manifest"
    return Rendered(text=text, tokens=tokens, left_out=f"{' and '.join(notes)} of the {name}" if notes else "")


def render_status(manifest: Manifest, limit: int) -> Rendered:
    """What the object is and its status."""
    return render_manifest(_identity(manifest) | {"status": manifest.get("status")}, limit)


def render_spec(manifest: Manifest, limit: int) -> Rendered:
    """All of the object but its status."""
    return render_manifest({key: value for key, value in manifest.items() if key != "status"}, limit)


def sorted_by_need(manifests: Iterable[Manifest], named: Sequence[ResourceRef]) -> list[Manifest]:
    """Those that findings are about first, in the findings' order, then those that are not well, then the others."""
    ranks = {(ref.kind, ref.namespace, ref.name): -index for index, ref in reversed(list(enumerate(named)))}

    def need(manifest: Manifest) -> tuple[int, int]:
        about = ranks.get(_key(manifest))
        return (0, -about) if about is not None else (1 if is_unwell(manifest) else 2, 0)

    return sorted(manifests, key=need)


def referred(manifests: Iterable[Manifest], named: Sequence[ResourceRef]) -> list[Manifest]:
    """Those that findings are about."""
    keys = {(ref.kind, ref.namespace, ref.name) for ref in named}
    return [manifest for manifest in manifests if _key(manifest) in keys]


def is_unwell(manifest: Manifest) -> bool:
    """Whether its status shows trouble at a glance: for choosing what to show, not for judging."""
    if text_at(manifest, "status", "phase") in ("Failed", "Pending", "Unknown", "Lost"):
        return True
    containers = objects_at(manifest, "status", "containerStatuses")
    running = text_at(manifest, "status", "phase") != "Succeeded"
    if running and any(container.get("ready") is False for container in containers):
        return True
    conditions = objects_at(manifest, "status", "conditions")
    return any(text_at(c, "type") in ("Ready", "Available") and text_at(c, "status") == "False" for c in conditions)


def _key(manifest: Manifest) -> tuple[str, str, str]:
    metadata = object_at(manifest, "metadata")
    return text_at(manifest, "kind"), text_at(metadata, "namespace"), text_at(metadata, "name")


def _identity(manifest: Manifest) -> Manifest:
    names = ("name", "namespace", "generation", "creationTimestamp", "deletionTimestamp")
    metadata: dict[str, Any] = {name: object_at(manifest, "metadata").get(name) for name in names}
    return {"apiVersion": manifest.get("apiVersion"), "kind": manifest.get("kind"), "metadata": metadata}


def _lines(manifests: Iterable[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        kind, namespace, name = _key(manifest)
        place = f"{namespace}/{name}" if namespace else name
        yield f"{label(f'{kind} {place}')}: {_glance(manifest) or 'no status'}"


def _glance(manifest: Manifest) -> str:
    status = object_at(manifest, "status")
    words = [label(text_at(status, "phase"))]
    ready, wanted = integer_at(status, "readyReplicas"), integer_at(manifest, "spec", "replicas")
    if wanted is not None:
        words.append(f"{ready or 0} of {wanted} ready")
    containers = objects_at(status, "containerStatuses")
    if containers:
        words.append(f"{sum(c.get('ready') is True for c in containers)} of {len(containers)} containers ready")
    if restarts := sum(integer_at(container, "restartCount") or 0 for container in containers):
        words.append(f"{restarts} restarts")
    conditions = objects_at(status, "conditions")[:6]
    words += [label(f"{text_at(c, 'type')}={text_at(c, 'status')}") for c in conditions if text_at(c, "type")]
    return ", ".join(word for word in words if word)
