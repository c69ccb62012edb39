"""The nodes of an object's status: one walk, bounded in depth and length, and the role of each field."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from agent.findings.custom.bounded_cache import BoundedCache
from agent.findings.custom.words import (
    CHOICE_KEYS,
    COPY_KEYS,
    ERROR_KEYS,
    FAULT_KEYS,
    IDENTIFIER_LIMIT,
    LEVEL_KEYS,
    MESSAGE_KEYS,
    PAST_KEYS,
    PLAINLY_BROKEN,
    POSITIVE,
    STATE_KEYS,
    STATE_VALUE_KEYS,
    words_of,
)
from agent.objects.manifest import Manifest, object_at

type StatusPath = tuple[str | int, ...]
type FieldRole = Literal["state", "error", "message", "level", "flag", "past", "last", "faults", "code", "other"]

# Bounds of the walk: some controllers list every object that they touch in their status.
MAX_DEPTH = 8
MAX_VALUES = 20_000


type _Inner = tuple[StatusPath, Any, bool, bool]
# Any to the type checker, as in `agent.objects.manifest`. A key may be of any type in YAML.
_OBJECT: Any = dict
_LIST: Any = list
_TEXT: Any = str
_CONTAINERS: Any = (dict, list)


class StatusNode(NamedTuple):
    """An object inside the status, and the `roles` of its fields that may report a fault.

    `in_faults`: it is below a key for faults (`failures`); `in_last`: below one for the last run (`lastOperation`).
    """

    path: StatusPath
    value: Manifest
    roles: list[tuple[str, FieldRole]]
    in_faults: bool = False
    in_last: bool = False


class StatusNodes:
    """The nodes of a status that may report a fault, in their order, after the top-level texts and the labels.

    After the iteration `left_out` is true where parts of the status were left out: history, a copied spec, or what is
    beyond the bounds.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.left_out = False

    def __iter__(self) -> Iterator[StatusNode]:
        manifest = self._manifest
        if texts := {k: v for k, v in manifest.items() if isinstance(v, str) and k not in _IDENTITY_KEYS}:
            roles, _ = self._roles_in(texts, (), [], in_faults=False, in_last=False)
            yield StatusNode((), texts, roles)
        if labels := object_at(manifest, "metadata", "labels"):
            roles, _ = self._roles_in(labels, ("metadata", "labels"), [], in_faults=False, in_last=False)
            yield StatusNode(("metadata", "labels"), labels, roles)
        stack: list[_Inner] = [(("status",), manifest.get("status"), False, False)]
        read = 0
        while stack and read < MAX_VALUES:
            path, value, in_faults, in_last = stack.pop()
            inner: list[_Inner] = []
            if isinstance(value, _OBJECT):
                read += len(value) + 1
                if len(path) > 1 and path[-2] == "conditions" and _is_flat_condition(value):
                    yield StatusNode(path, value, [], in_faults, in_last)
                    continue
                roles, is_relevant = self._roles_in(value, path, inner, in_faults=in_faults, in_last=in_last)
                if is_relevant:
                    yield StatusNode(path, value, roles, in_faults, in_last)
            elif isinstance(value, _LIST):
                items = enumerate(value[:MAX_VALUES])
                inner = [((*path, i), item, in_faults, in_last) for i, item in items if isinstance(item, _CONTAINERS)]
            if inner and len(path) < MAX_DEPTH:
                inner.reverse()
                stack += inner
            elif inner:
                self.left_out = True
        self.left_out = self.left_out or bool(stack)

    def _roles_in(
        self, node: Manifest, path: StatusPath, inner: list[_Inner], *, in_faults: bool, in_last: bool
    ) -> tuple[list[tuple[str, FieldRole]], bool]:
        """The roles of a node's fields, and whether one of them may report a fault; children to walk are added to
        `inner`."""
        roles: list[tuple[str, FieldRole]] = []
        is_relevant = False
        is_state = len(path) > 1 and role_of(path[-1]) == "state"
        for key, item in node.items():
            role: FieldRole = "state" if is_state and key in STATE_VALUE_KEYS else role_of(key)
            if type(item) is not str and isinstance(item, _CONTAINERS):
                if role != "past" and isinstance(key, _TEXT) and (not _is_copied(key) or _is_list_of_texts(item)):
                    below = in_faults or role == "faults" or role == "error"
                    inner.append(((*path, key), item, below, in_last or _starts_with_last(key)))
                    is_relevant = is_relevant or role == "error"
                else:
                    self.left_out = True
            elif role == "other" and item in PLAINLY_BROKEN and _is_state_field(path, key):
                is_relevant, role = True, "state"
            elif role == "other" or item is None:
                continue
            else:
                is_relevant = True
                if item == "":
                    continue
            if role not in _UNREAD_ROLES:
                roles.append((key, role))
        return roles, is_relevant


# Fields with these roles report no fault by themselves, only through their children.
_UNREAD_ROLES = frozenset[FieldRole]({"other", "past", "last"})


_FLAT = frozenset[type]({str, bool, int, float, type(None)})


def _is_flat_condition(node: Manifest) -> bool:
    """Whether it is a plain condition: a status and no children. The roles of its fields are not needed."""
    return type(node.get("status")) is str and _FLAT.issuperset(map(type, node.values()))


def _ends_in_copy(key: str) -> bool:
    words = words_of(key)
    return bool(words) and words[-1] in COPY_KEYS


def _begins_with_last(key: str) -> bool:
    return words_of(key)[:1] == ("last",)


_is_copied: Callable[[str], bool] = BoundedCache(_ends_in_copy, length=IDENTIFIER_LIMIT, other=False).__getitem__
"""Whether a key holds a copy of a spec, or a log."""

_starts_with_last: Callable[[str], bool] = BoundedCache(
    _begins_with_last, length=IDENTIFIER_LIMIT, other=False
).__getitem__


def _is_state_field(path: StatusPath, key: object) -> bool:
    """Whether a field of the status whose key is not known may be a state, and not a choice like `onError`."""
    words = words_of(key) if isinstance(key, str) else ()
    is_choice = not words or words[-1] in CHOICE_KEYS or words[0] in ("on", "if", "when", "last", "previous")
    return path[:1] == ("status",) and not is_choice


def _is_list_of_texts(item: object) -> bool:
    return isinstance(item, list) and isinstance(next(iter(cast("list[object]", item)), None), str)


_IDENTITY_KEYS = frozenset({"apiVersion", "kind"})


def _role(key: str) -> FieldRole:
    words = words_of(key)
    if not words:
        return "other"
    if words[0] in _SWITCHES and words[1:]:
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
    return "flag" if last in POSITIVE and last not in _CHOICES else "other"


# First words of keys for choices: `onError: Retry`, `logLevel: error`.
_SWITCHES = frozenset({"on", "log", "logging", "verbosity"})
# A false flag of these is no fault.
_CHOICES = frozenset({"selected", "promoted"})


role_of: Callable[[object], FieldRole] = BoundedCache[FieldRole](
    _role, length=IDENTIFIER_LIMIT, other="other"
).__getitem__
"""The role of a field by the words of its key, "other" for a key that is no text (YAML allows any)."""
