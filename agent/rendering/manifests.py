"""Manifests as YAML within a token limit. Owns what is kept of a manifest that does not fit."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import ryaml

from agent.manifest import Manifest
from agent.rendering.rendered import Rendered, cut, well_formed
from agent.tokens import count_tokens

# Every leaf of a manifest costs about 6 tokens with its key; more leaves than this many a token never fit.
_LEAVES_PER_TOKEN = 0.5
_LONGEST_STRING = 2_000
_LARGEST_INTEGER = 2**63 - 1
_FIRST_KEYS = ("apiVersion", "kind", "metadata", "status", "spec")


def render_manifests(manifests: Sequence[Manifest], limit: int) -> Rendered:
    """Manifests as YAML, status before spec; each gets an equal share of the room that is left."""
    texts: list[str] = []
    left_out: list[str] = []
    tokens = 0
    for index, manifest in enumerate(manifests):
        share = (limit - tokens) // (len(manifests) - index)
        part = _manifest(manifest, share)
        texts.append(part.text)
        tokens += part.tokens
        if part.left_out:
            left_out.append(part.left_out)
    return Rendered(text="---\n".join(texts), tokens=tokens + len(texts), left_out="; ".join(left_out))


def _manifest(manifest: Manifest, limit: int) -> Rendered:
    ordered = {key: manifest[key] for key in _FIRST_KEYS if key in manifest}
    ordered |= {key: value for key, value in manifest.items() if key not in ordered}
    pruned, dropped = _pruned(ordered, max(int(limit * _LEAVES_PER_TOKEN), 20))
    text = ryaml.dumps(pruned)  # pyright: ignore[reportPrivateImportUsage]
    tokens = count_tokens(text)
    lines = text.count("\n")
    if tokens > limit:
        text = cut(text, limit)
        tokens = count_tokens(text)
    fewer = lines - text.count("\n")
    name = f"{manifest.get('kind') or 'manifest'}"
    notes = [f"{dropped} values"] * bool(dropped) + [f"the last {fewer} lines"] * bool(fewer)
    return Rendered(text=text, tokens=tokens, left_out=f"{' and '.join(notes)} of the {name}" if notes else "")


def _pruned(value: Any, leaves: int) -> tuple[Any, int]:
    """`value` with at most `leaves` leaves and no overlong strings, and how many leaves were dropped."""
    budget = _Leaves(leaves)
    return budget.walk(value, 0), budget.dropped


class _Leaves:
    """Counts leaves while copying, so that a manifest of megabytes is not written out only to be cut."""

    _DEEPEST = 60

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.dropped = 0

    def walk(self, value: Any, depth: int) -> Any:
        if depth > self._DEEPEST:
            self.dropped += 1
            return "... nested too deeply"
        if isinstance(value, dict):
            items = cast("dict[Any, Any]", value).items()
            return dict(self._children(((key, item) for key, item in items), depth, len(items)))
        if isinstance(value, list):
            elements = cast("list[Any]", value)
            return [item for _, item in self._children(((None, e) for e in elements), depth, len(elements))]
        self._left -= 1
        if isinstance(value, str):
            if len(value) > _LONGEST_STRING:
                self.dropped += 1
                value = f"{value[:_LONGEST_STRING]} ... ({len(value) - _LONGEST_STRING} more characters)"
            return well_formed(value)
        if isinstance(value, int) and not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            return str(value)  # YAML's 64 bits
        return value if isinstance(value, int | float | None) else str(value)

    def _children(self, items: Iterable[tuple[Any, Any]], depth: int, count: int) -> Iterable[tuple[Any, Any]]:
        for index, (key, item) in enumerate(items):
            if self._left <= 0:
                self.dropped += count - index
                return
            yield well_formed(key) if isinstance(key, str) else key, self.walk(item, depth + 1)
