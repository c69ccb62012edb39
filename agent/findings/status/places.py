"""The places of an object's status: one walk, bounded in depth and length, and what stands under each key."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, cast

from agent.findings.status.remembered import Remembered
from agent.findings.status.words import (
    ECHO_KEYS,
    ERROR_KEYS,
    FAULT_KEYS,
    GOOD,
    IDENTIFIER,
    LEVEL_KEYS,
    MESSAGE_KEYS,
    PAST_KEYS,
    STATE_KEYS,
    STATE_VALUE_KEYS,
    words_of,
)
from agent.manifest import Manifest, object_at

type Path = tuple[str | int, ...]
type Role = Literal["state", "error", "message", "level", "flag", "past", "last", "faults", "code", "other"]

# A status is read this deep and this far: statuses of controllers that list every object they touch are endless.
DEPTH = 8
VALUES = 20_000


class Place(NamedTuple):
    """An object inside the status. `faults`: it is below a key that is there for faults; `weak`: below `last...`."""

    path: Path
    value: Manifest
    faults: bool = False
    weak: bool = False


def places_of(manifest: Manifest) -> Iterator[Place]:
    """The objects inside the status that may tell something, in their order; before them the texts beside it."""
    beside = {k: v for k, v in manifest.items() if isinstance(v, str) and k not in _NO_STATE}
    if beside:
        yield Place((), beside)
    if labels := object_at(manifest, "metadata", "labels"):
        yield Place(("metadata", "labels"), labels)
    stack: list[tuple[Path, object, bool, bool]] = [(("status",), manifest.get("status"), False, False)]
    read = 0
    while stack and read < VALUES:
        path, value, faults, weak = stack.pop()
        inner: list[tuple[Path, object, bool, bool]] = []
        if isinstance(value, dict):
            node = cast("Manifest", value)
            read += len(node) + 1
            if _may_tell(node, path, inner, faults, weak):
                yield Place(path, node, faults, weak)
        elif isinstance(value, list):
            items = cast("list[object]", value)[:VALUES]
            inner = [((*path, i), item, faults, weak) for i, item in enumerate(items) if isinstance(item, _CONTAINERS)]
        if len(path) < DEPTH:
            stack.extend(reversed(inner))


_CONTAINERS = (dict, list)


def _may_tell(
    node: Manifest, path: Path, inner: list[tuple[Path, object, bool, bool]], faults: bool, weak: bool
) -> bool:
    """Whether a key of the object may tell something; what is to be walked inside it goes into `inner`."""
    telling = False
    is_state = len(path) > 1 and role_of(path[-1]) == "state"
    for key, item in cast("dict[object, object]", node).items():
        role = role_of(key)
        if isinstance(item, _CONTAINERS):
            if role != "past" and isinstance(key, str) and (not _echoes(key) or _holds_text(cast("object", item))):
                below = faults or role == "faults" or role == "error"
                inner.append(((*path, key), cast("object", item), below, weak or role == "last"))
                telling = telling or role == "error"
        elif item is not None and (role != "other" or (is_state and key in STATE_VALUE_KEYS)):
            telling = True
    return telling


def _echoes(key: str) -> bool:
    """Whether objects below a key are a spec repeated, or a log."""
    words = words_of(key)
    return bool(words) and words[-1] in ECHO_KEYS


def _holds_text(item: object) -> bool:
    return isinstance(item, list) and isinstance(next(iter(cast("list[object]", item)), None), str)


_NO_STATE = frozenset({"apiVersion", "kind"})


def _role(key: str) -> Role:
    words = words_of(key)
    if not words:
        return "other"
    kinds, last = set(words), words[-1]
    if kinds & PAST_KEYS:
        return "past"
    if kinds & FAULT_KEYS and last in ERROR_KEYS:
        return "error"
    if last in STATE_KEYS:
        return "state"
    if last in MESSAGE_KEYS:
        return "message"
    if last in LEVEL_KEYS:
        return "level"
    if kinds & FAULT_KEYS:
        return "faults"
    if words[0] == "last":
        return "last"
    if last == "code":
        return "code"
    if words[0] == "fail" and len(words) > 1 and words[1] not in ("over", "back", "fast", "safe"):
        return "faults"
    return "flag" if last in GOOD else "other"


role_of: Callable[[object], Role] = Remembered[Role](_role, length=IDENTIFIER, other="other").__getitem__
"""What stands under a key, by its words; nothing under one that is no text (YAML allows any)."""
