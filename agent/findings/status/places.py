"""The places of an object's status: one walk, bounded in depth and length, and what stands under each key."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from agent.findings.status.words import (
    ERROR_KEYS,
    FAULT_KEYS,
    GOOD,
    LEVEL_KEYS,
    MESSAGE_KEYS,
    PAST_KEYS,
    STATE_KEYS,
    words_of,
)
from agent.manifest import Manifest, object_at

type Path = tuple[str | int, ...]
type Role = Literal["state", "error", "message", "level", "flag", "past", "last", "faults", "other"]

# A status is read this deep and this far: statuses of controllers that list every object they touch are endless.
DEPTH = 8
VALUES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An object inside the status. `faults`: it is below a key that is there for faults; `weak`: below `last...`."""

    path: Path
    value: Manifest
    faults: bool = False
    weak: bool = False


def places_of(manifest: Manifest) -> Iterator[Place]:
    """The objects inside the status, in their order; first the scalars beside it."""
    yield Place(path=(), value={k: v for k, v in manifest.items() if isinstance(v, str) and k not in _NO_STATE})
    if labels := object_at(manifest, "metadata", "labels"):
        yield Place(path=("metadata", "labels"), value=labels)
    status: object = manifest.get("status")
    stack: list[tuple[Path, object, bool, bool]] = [(("status",), status, False, False)]
    read = 0
    while stack and read < VALUES:
        path, value, faults, weak = stack.pop()
        if isinstance(value, dict):
            node = cast("Manifest", value)
            read += len(node) + 1
            yield Place(path=path, value=node, faults=faults, weak=weak)
            inner: list[tuple[str, object]] = [(k, v) for k, v in node.items() if isinstance(v, dict | list)]
            if len(path) < DEPTH:
                for key, item in reversed(inner):
                    role = role_of(str(key))
                    if role != "past":
                        below = faults or role in ("faults", "error")
                        stack.append(((*path, key), item, below, weak or role == "last"))
        elif isinstance(value, list) and len(path) < DEPTH:
            items = cast("list[object]", value)[:VALUES]
            read += len(items)
            for index in range(len(items) - 1, -1, -1):
                if isinstance(items[index], dict | list):
                    stack.append(((*path, index), items[index], faults, weak))


_NO_STATE = frozenset({"apiVersion", "kind"})


@lru_cache(maxsize=4_096)
def role_of(key: str) -> Role:
    """What stands under a key, by its words."""
    words = words_of(key)
    if not words:
        return "other"
    kinds = set(words)
    if kinds & PAST_KEYS:
        return "past"
    if kinds & FAULT_KEYS and words[-1] in ERROR_KEYS:
        return "error"
    if words[-1] in STATE_KEYS:
        return "state"
    if words[-1] in MESSAGE_KEYS:
        return "message"
    if words[-1] in LEVEL_KEYS:
        return "level"
    if kinds & FAULT_KEYS:
        return "faults"
    if words[0] == "last":
        return "last"
    return "flag" if words[-1] in GOOD else "other"
