"""Manifests as YAML within a token limit: status and the rest apart, and many of them at once, the broken ones in full.

Owns what is kept of a manifest that does not fit; `agent.prompt.rendering.distilled` drops what nobody needs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ryaml

from agent.objects.manifest import Manifest, integer_at, object_at, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.prompt.rendering.distilled import distilled
from agent.prompt.rendering.rendered import Rendered, cut, label, whole_items
from agent.prompt.tokens import count_tokens

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
