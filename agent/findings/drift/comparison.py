"""The differences of two manifests as paths with a value on each side.

Both are first aligned: entries of lists are paired by the fields that identify them, not by position. dictdiffer
compares the aligned manifests; as a generator, it yields the first of endless differences in bounded time.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from agent.findings.drift.model import ABSENT, FieldPath, Item, Step
from agent.objects.manifest import Manifest, lookup

LIMIT = 5_000
"""Most differences of one resource that are reported."""

DEPTH = 30
"""Most levels that are compared: no API is half as deep, and evidence is looked up no deeper."""

# Kubernetes' merge keys (the patchMergeKey tags of k8s.io/api), then what custom resources identify entries by.
_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ports": (("containerPort", "protocol"), ("containerPort",), ("port", "protocol"), ("port",), ("name",)),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",),),
    "tolerations": (("key", "effect"), ("key",)),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"), ("topologyKey",)),
    "ownerReferences": (("uid",),),
    "conditions": (("type",),),
    "subjects": (("kind", "namespace", "name"), ("kind", "name")),
    "data": (("secretKey",), ("key",), ("name",)),
}
_GENERAL: tuple[tuple[str, ...], ...] = (
    ("name",),
    ("key",),
    ("id",),
    ("type",),
    ("host",),
    ("path",),
    ("ip",),
    ("kind", "name"),
)

# Fields whose entries are compared one by one even where one side does not have the field.
_OPENED = frozenset(
    {"metadata", "annotations", "labels", "containers", "initContainers", "volumes", "volumeMounts", "env", "secrets"}
)

type _Scalars = tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDifference:
    """A difference before it is classified; values as `aligned` returns them (lists as tuples).

    `reordered`: the entries are the same, only their order is not.
    """

    steps: tuple[Step, ...]
    live: Any
    git: Any
    live_path: FieldPath | None
    git_path: FieldPath | None
    reordered: bool = False


class Positions:
    """Resolves steps to paths in one manifest, with one pass over each list on the way."""

    def __init__(self, manifest: Manifest | None) -> None:
        self._manifest = manifest
        self._indexes: dict[tuple[FieldPath, tuple[str, ...]], dict[_Scalars, int]] = {}

    def path(self, steps: tuple[Step, ...]) -> FieldPath | None:
        """The path that the steps lead to, None where the manifest has no such entry."""
        path: FieldPath = ()
        for step in steps:
            if isinstance(step, Item):
                position = self._positions(path, step.fields).get(step.values)
                if position is None:
                    return None
                path = (*path, position)
            else:
                path = (*path, step)
        return path

    def _positions(self, path: FieldPath, fields: tuple[str, ...]) -> dict[_Scalars, int]:
        index = self._indexes.get((path, fields))
        if index is None:
            found: object = lookup(self._manifest, *path)
            items = cast("list[object]", found) if isinstance(found, list) else []
            pairs = ((_values(item, fields), position) for position, item in enumerate(items))
            index = self._indexes[path, fields] = {values: position for values, position in pairs if values is not None}
        return index


def compare(live: Manifest, git: Manifest) -> tuple[tuple[RawDifference, ...], bool]:
    """The first LIMIT differences, and whether there are more."""
    left, right = aligned(live, git)
    found = tuple(islice(_differences(left, right, Positions(live), Positions(git)), LIMIT + 1))
    return found[:LIMIT], len(found) > LIMIT


def _differences(left: Any, right: Any, live: Positions, git: Positions) -> Iterator[RawDifference]:
    for steps, before, after in _entries(left, right):
        yield RawDifference(
            steps=steps,
            live=before,
            git=after,
            live_path=None if before is ABSENT else live.path(steps),
            git_path=None if after is ABSENT else git.path(steps),
        )
    yield from _reordered(left, right, live, git)


def _entries(left: Any, right: Any) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    import dictdiffer  # imports numpy where it is installed

    entries = cast(
        "Iterable[tuple[str, list[Step], Any]]",
        dictdiffer.diff(left, right, expand=True, dot_notation=False),  # pyright: ignore[reportUnknownMemberType]
    )
    for action, where, values in entries:
        if action == "change":
            yield tuple(where), values[0], values[1]
            continue
        ((step, value),) = values
        steps = (*where, step)
        yield (steps, value, ABSENT) if action == "remove" else (steps, ABSENT, value)


def _reordered(left: Any, right: Any, live: Positions, git: Positions) -> Iterator[RawDifference]:
    """Lists of identifiable entries whose common entries are in another order."""
    stack: list[tuple[tuple[Step, ...], Any, Any]] = [((), left, right)]
    while stack:
        steps, one, other = stack.pop()
        if not isinstance(one, dict) or not isinstance(other, dict):
            continue
        ours, theirs = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        before = [key for key in ours if isinstance(key, Item) and key in theirs]
        after = [key for key in theirs if isinstance(key, Item) and key in ours]
        if before != after:
            yield RawDifference(
                steps=steps,
                live=tuple(map(str, before)),
                git=tuple(map(str, after)),
                live_path=live.path(steps),
                git_path=git.path(steps),
                reordered=True,
            )
        stack.extend(((*steps, key), ours[key], theirs[key]) for key in ours if key in theirs)


def aligned(live: object, git: object) -> tuple[Any, Any]:
    """Both as dictionaries all the way down: lists of identifiable objects by Item, other lists of objects by
    position, lists of plain values as tuples. What is equal, or nested deeper than DEPTH, is None on both sides."""
    return _pair(live, git, "", DEPTH)


def _pair(live: object, git: object, name: str, depth: int) -> tuple[Any, Any]:
    if depth <= 0 or _is_same(live, git):
        return None, None
    if isinstance(live, dict) and isinstance(git, dict):
        return _pairs(_texts(cast("Manifest", live)), _texts(cast("Manifest", git)), depth)
    if isinstance(live, list) and isinstance(git, list):
        return _lists(cast("list[object]", live), cast("list[object]", git), name, depth)
    return _one_sided(cast("object", live), depth), _one_sided(git, depth)


def _is_same(live: object, git: object) -> bool:
    try:
        return live == git
    except RecursionError:  # nested deeper than Python compares, and so than is compared here
        return False


def _pairs(live: dict[Any, object], git: dict[Any, object], depth: int) -> tuple[Any, Any]:
    live, git = live | _opened(git, live), git | _opened(live, git)
    both = {
        key: _pair(live[key], git[key], key if isinstance(key, str) else "", depth - 1) for key in live if key in git
    }
    left: dict[Any, Any] = {k: both[k][0] if k in both else _one_sided(v, depth - 1) for k, v in live.items()}
    right: dict[Any, Any] = {k: both[k][1] if k in both else _one_sided(v, depth - 1) for k, v in git.items()}
    return left, right


def _opened(one: dict[Any, object], other: dict[Any, object]) -> dict[Any, object]:
    """Empty counterparts of the `_OPENED` fields that only one side has."""
    missing = {key: one[key] for key in _OPENED.intersection(one) if key not in other}
    return {key: {} if isinstance(value, dict) else [] for key, value in missing.items() if _is_nested(value)}


def _lists(live: list[object], git: list[object], name: str, depth: int) -> tuple[Any, Any]:
    if not _has_objects(live) and not _has_objects(git):
        return _one_sided(live, depth), _one_sided(git, depth)
    for fields in (*_KEYS.get(name, ()), *_GENERAL):
        ours, theirs = _by_item(live, fields), _by_item(git, fields)
        if ours is not None and theirs is not None:
            return _pairs(ours, theirs, depth)
    one, other = _one_sided(live, depth), _one_sided(git, depth)
    if same_entries(one, other):
        return one, other
    return _pairs(dict(enumerate(live)), dict(enumerate(git)), depth)


def _by_item(items: list[object], fields: tuple[str, ...]) -> dict[Any, object] | None:
    """The entries by their identity, None where the fields do not identify all of them."""
    found: dict[Any, object] = {}
    for item in items:
        values = _values(item, fields)
        if values is None:
            return None
        found[Item(fields, values)] = item
    return found if len(found) == len(items) else None


def _values(item: object, fields: tuple[str, ...]) -> _Scalars | None:
    if not isinstance(item, dict):
        return None
    entry = cast("Manifest", item)
    values: list[object] = [entry.get(field) for field in fields]
    are_scalars = all([isinstance(value, str | int) for value in values])
    return cast("_Scalars", tuple(values)) if are_scalars else None


def _one_sided(value: object, depth: int) -> Any:
    """A value that only one side has, or whose type differs, cut at `depth`."""
    if isinstance(value, dict):
        entries = _texts(cast("Manifest", value))
        return {key: _one_sided(item, depth - 1) for key, item in entries.items()} if depth > 0 else None
    if isinstance(value, list):
        items = cast("list[object]", value)
        return tuple(_one_sided(item, depth - 1) for item in items) if depth > 0 else None
    return value


def _texts(entries: Manifest) -> dict[Any, object]:
    return {key: value for key, value in entries.items() if isinstance(key, str)}  # pyright: ignore[reportUnnecessaryIsInstance]


def _has_objects(items: Iterable[object]) -> bool:
    return any(map(_is_nested, items))


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def same_entries(live: object, git: object) -> bool:
    """Whether two lists, as `aligned` returns them, hold the same entries in any order."""
    if not isinstance(live, tuple) or not isinstance(git, tuple):
        return False
    one, other = cast("tuple[object, ...]", live), cast("tuple[object, ...]", git)
    return len(one) == len(other) and Counter(map(_canonical, one)) == Counter(map(_canonical, other))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
