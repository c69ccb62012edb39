"""Two manifests made comparable: entries of lists meet by what identifies them, not by where they stand.

Owns which fields identify an entry, how deep is compared, and the way back from an entry to its position.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from agent.findings.drift.model import Item, Place, Step
from agent.objects.manifest import Manifest, lookup

DEPTH = 30
"""Levels below which nothing is compared: no API goes half as deep, and evidence is looked up no deeper."""

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

# Where the entries of something that one side lacks have causes of their own.
_OPENED = frozenset(
    {"metadata", "annotations", "labels", "containers", "initContainers", "volumes", "volumeMounts", "env", "secrets"}
)

type _Scalars = tuple[str | int | bool, ...]


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
    return _alone(cast("object", live), depth), _alone(git, depth)


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
    left: dict[Any, Any] = {k: both[k][0] if k in both else _alone(v, depth - 1) for k, v in live.items()}
    right: dict[Any, Any] = {k: both[k][1] if k in both else _alone(v, depth - 1) for k, v in git.items()}
    return left, right


def _opened(one: dict[Any, object], other: dict[Any, object]) -> dict[Any, object]:
    """An empty counterpart for what only one side has, where each entry is to be judged by itself."""
    missing = {key: one[key] for key in _OPENED.intersection(one) if key not in other}
    return {key: {} if isinstance(value, dict) else [] for key, value in missing.items() if _is_nested(value)}


def _lists(live: list[object], git: list[object], name: str, depth: int) -> tuple[Any, Any]:
    if not _has_objects(live) and not _has_objects(git):
        return _alone(live, depth), _alone(git, depth)
    for fields in (*_KEYS.get(name, ()), *_GENERAL):
        ours, theirs = _by_item(live, fields), _by_item(git, fields)
        if ours is not None and theirs is not None:
            return _pairs(ours, theirs, depth)
    one, other = _alone(live, depth), _alone(git, depth)
    if same_entries(one, other):
        return one, other
    return _pairs(dict(enumerate(live)), dict(enumerate(git)), depth)


def _by_item(items: list[object], fields: tuple[str, ...]) -> dict[Any, object] | None:
    """The entries by their identity, None where the fields do not tell all of them apart."""
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
    told = all([isinstance(value, str | int) for value in values])
    return cast("_Scalars", tuple(values)) if told else None


def _alone(value: object, depth: int) -> Any:
    """A value that only one side has, or that differs in type: as it is, without what is too deep."""
    if isinstance(value, dict):
        entries = _texts(cast("Manifest", value))
        return {key: _alone(item, depth - 1) for key, item in entries.items()} if depth > 0 else None
    if isinstance(value, list):
        items = cast("list[object]", value)
        return tuple(_alone(item, depth - 1) for item in items) if depth > 0 else None
    return value


def _texts(entries: Manifest) -> dict[Any, object]:
    return {key: value for key, value in entries.items() if isinstance(key, str)}  # pyright: ignore[reportUnnecessaryIsInstance]


def _has_objects(items: Iterable[object]) -> bool:
    return any(map(_is_nested, items))


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def same_entries(live: object, git: object) -> bool:
    """Whether two lists, as `aligned` gives them, hold the same entries, in whatever order."""
    if not isinstance(live, tuple) or not isinstance(git, tuple):
        return False
    one, other = cast("tuple[object, ...]", live), cast("tuple[object, ...]", git)
    return len(one) == len(other) and Counter(map(_canonical, one)) == Counter(map(_canonical, other))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


class Positions:
    """The way from steps back to places in one manifest. Costs one pass over each list that is asked about."""

    def __init__(self, manifest: Manifest | None) -> None:
        self._manifest = manifest
        self._known: dict[tuple[Place, tuple[str, ...]], dict[_Scalars, int]] = {}

    def place(self, steps: tuple[Step, ...]) -> Place | None:
        """Where the steps lead, None where the manifest has nothing there."""
        place: Place = ()
        for step in steps:
            if isinstance(step, Item):
                position = self._positions(place, step.fields).get(step.values)
                if position is None:
                    return None
                place = (*place, position)
            else:
                place = (*place, step)
        return place

    def _positions(self, place: Place, fields: tuple[str, ...]) -> dict[_Scalars, int]:
        known = self._known.get((place, fields))
        if known is None:
            found: object = lookup(self._manifest, *place)
            items = cast("list[object]", found) if isinstance(found, list) else []
            pairs = ((_values(item, fields), position) for position, item in enumerate(items))
            known = self._known[place, fields] = {values: position for values, position in pairs if values is not None}
        return known
