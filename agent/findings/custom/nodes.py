"""The places of an object's status: one walk, bounded in depth and length, and what stands under each key."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from agent.findings.custom.bounded_cache import Remembered
from agent.findings.custom.words import (
    CHOICE_KEYS,
    ECHO_KEYS,
    ERROR_KEYS,
    FAULT_KEYS,
    GOOD,
    IDENTIFIER,
    LEVEL_KEYS,
    MESSAGE_KEYS,
    PAST_KEYS,
    PLAINLY_BROKEN,
    STATE_KEYS,
    STATE_VALUE_KEYS,
    words_of,
)
from agent.objects.manifest import Manifest, object_at

type Path = tuple[str | int, ...]
type Role = Literal["state", "error", "message", "level", "flag", "past", "last", "faults", "code", "other"]

# A status is read this deep and this far: statuses of controllers that list every object they touch are endless.
DEPTH = 8
VALUES = 20_000


type _Inner = tuple[Path, Any, bool, bool]
# To the type checker anything, as in `agent.objects.manifest`. A key may be of any type in YAML.
_OBJECT: Any = dict
_LIST: Any = list
_TEXT: Any = str
_CONTAINERS: Any = (dict, list)


class Place(NamedTuple):
    """An object inside the status, and the `roles` of those of its keys that may tell something. `faults`: it is below
    a key that is there for faults; `weak`: below `last...`."""

    path: Path
    value: Manifest
    roles: list[tuple[str, Role]]
    faults: bool = False
    weak: bool = False


class Places:
    """The objects inside the status that may tell something, in their order; before them the texts beside it.

    When they were gone through, `left_out` says whether parts of the status were not: what is past, or a spec, or lies
    too deep or too far.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.left_out = False

    def __iter__(self) -> Iterator[Place]:
        manifest = self._manifest
        if beside := {k: v for k, v in manifest.items() if isinstance(v, str) and k not in _NO_STATE}:
            roles, _ = self._roles_in(beside, (), [], faults=False, weak=False)
            yield Place((), beside, roles)
        if labels := object_at(manifest, "metadata", "labels"):
            roles, _ = self._roles_in(labels, ("metadata", "labels"), [], faults=False, weak=False)
            yield Place(("metadata", "labels"), labels, roles)
        stack: list[_Inner] = [(("status",), manifest.get("status"), False, False)]
        read = 0
        while stack and read < VALUES:
            path, value, faults, weak = stack.pop()
            inner: list[_Inner] = []
            if isinstance(value, _OBJECT):
                read += len(value) + 1
                if len(path) > 1 and path[-2] == "conditions" and _is_flat_condition(value):
                    yield Place(path, value, [], faults, weak)
                    continue
                roles, is_telling = self._roles_in(value, path, inner, faults=faults, weak=weak)
                if is_telling:
                    yield Place(path, value, roles, faults, weak)
            elif isinstance(value, _LIST):
                items = enumerate(value[:VALUES])
                inner = [((*path, i), item, faults, weak) for i, item in items if isinstance(item, _CONTAINERS)]
            if inner and len(path) < DEPTH:
                inner.reverse()
                stack += inner
            elif inner:
                self.left_out = True
        self.left_out = self.left_out or bool(stack)

    def _roles_in(
        self, node: Manifest, path: Path, inner: list[_Inner], *, faults: bool, weak: bool
    ) -> tuple[list[tuple[str, Role]], bool]:
        """The roles of an object's keys, and whether one of them may tell something; what is to be walked inside the
        object goes into `inner`."""
        roles: list[tuple[str, Role]] = []
        is_telling = False
        is_state = len(path) > 1 and role_of(path[-1]) == "state"
        for key, item in node.items():
            role: Role = "state" if is_state and key in STATE_VALUE_KEYS else role_of(key)
            if type(item) is not str and isinstance(item, _CONTAINERS):
                if role != "past" and isinstance(key, _TEXT) and (not _echoes(key) or _holds_text(item)):
                    below = faults or role == "faults" or role == "error"
                    inner.append(((*path, key), item, below, weak or _is_of_the_last(key)))
                    is_telling = is_telling or role == "error"
                else:
                    self.left_out = True
            elif role == "other" and item in PLAINLY_BROKEN and _tells_how_it_is(path, key):
                is_telling, role = True, "state"
            elif role == "other" or item is None:
                continue
            else:
                is_telling = True
                if item == "":
                    continue
            if role not in _SILENT:
                roles.append((key, role))
        return roles, is_telling


# Of the keys with these roles only what is inside them may tell something.
_SILENT = frozenset[Role]({"other", "past", "last"})


_FLAT = frozenset[type]({str, bool, int, float, type(None)})


def _is_flat_condition(node: Manifest) -> bool:
    """Whether it is a condition like nearly all: it has a status, and nothing that is to be walked. Its keys' roles are
    asked for by nobody."""
    return type(node.get("status")) is str and _FLAT.issuperset(map(type, node.values()))


def _ends_in_echo(key: str) -> bool:
    words = words_of(key)
    return bool(words) and words[-1] in ECHO_KEYS


def _starts_with_last(key: str) -> bool:
    return words_of(key)[:1] == ("last",)


_echoes: Callable[[str], bool] = Remembered(_ends_in_echo, length=IDENTIFIER, other=False).__getitem__
"""Whether objects below a key are a spec repeated, or a log."""

_is_of_the_last: Callable[[str], bool] = Remembered(_starts_with_last, length=IDENTIFIER, other=False).__getitem__


def _tells_how_it_is(path: Path, key: object) -> bool:
    """Whether a value under a key of the status is a state, whatever the key is called: not a choice, as `onError`."""
    words = words_of(key) if isinstance(key, str) else ()
    is_choice = not words or words[-1] in CHOICE_KEYS or words[0] in ("on", "if", "when", "last", "previous")
    return path[:1] == ("status",) and not is_choice


def _holds_text(item: object) -> bool:
    return isinstance(item, list) and isinstance(next(iter(cast("list[object]", item)), None), str)


_NO_STATE = frozenset({"apiVersion", "kind"})


def _role(key: str) -> Role:
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
    return "flag" if last in GOOD and last not in _CHOICES else "other"


# How a key begins under which stands what is to be done or written: `onError: Retry`, `logLevel: error`.
_SWITCHES = frozenset({"on", "log", "logging", "verbosity"})
# What is not chosen is no fault.
_CHOICES = frozenset({"selected", "promoted"})


role_of: Callable[[object], Role] = Remembered[Role](_role, length=IDENTIFIER, other="other").__getitem__
"""What stands under a key, by its words; nothing under one that is no text (YAML allows any)."""
