"""The nodes of an object's status: one walk, bounded in depth and length, that leaves out history and copied specs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agent.findings.custom.words import role_of, word_tone, words_of
from agent.findings.engine.evidence import one_line
from agent.objects.manifest import Manifest, object_at, text_at

type StatusPath = tuple[str | int, ...]

# Bounds of the walk: some controllers list every object that they touch in their status.
MAX_DEPTH = 8
MAX_VALUES = 20_000

# Any to the type checker, as in `agent.objects.manifest`. A key may be of any type in YAML.
_OBJECT: Any = dict
_LIST: Any = list
_SPEC_SIDE = frozenset({"apiVersion", "kind", "metadata", "spec", "data", "status"})


class StatusNode(NamedTuple):
    """An object inside the status. `in_faults`: it is below a key for faults (`failures`); `in_last`: below one for the
    last run (`lastOperation`)."""

    path: StatusPath
    value: Manifest
    in_faults: bool = False
    in_last: bool = False


def status_nodes(manifest: Manifest) -> Iterator[StatusNode]:
    """The nodes of a status in their order, after the texts at the top of the object and its labels.

    An object without a status is read whole (a PolicyReport has `results`).
    """
    top = {
        key: value
        for key, value in manifest.items()
        if key not in _SPEC_SIDE or (key == "status" and isinstance(value, str))
    }
    if top:
        yield StatusNode((), top)
    if labels := object_at(manifest, "metadata", "labels"):
        yield StatusNode(("metadata", "labels"), labels)
    stack = [StatusNode(("status",), manifest["status"])] if "status" in manifest else list(_inner(StatusNode((), top)))
    stack.reverse()
    read = 0
    while stack and read < MAX_VALUES:
        node = stack.pop()
        read += 1
        if isinstance(node.value, _OBJECT):
            read += len(node.value)
            yield node
        if len(node.path) < MAX_DEPTH:
            stack += reversed(list(_inner(node)))


def _inner(node: StatusNode) -> Iterator[StatusNode]:
    value: Any = node.value
    if isinstance(value, _LIST):
        for index, item in enumerate(value[:MAX_VALUES]):
            if isinstance(item, (_OBJECT, _LIST)):
                yield StatusNode((*node.path, index), item, node.in_faults, node.in_last)
        return
    for key, item in value.items() if isinstance(value, _OBJECT) else ():
        if isinstance(item, (_OBJECT, _LIST)) and isinstance(key, str):
            role = role_of(key)
            if role not in ("past", "copy"):
                is_fault = node.in_faults or role in ("error", "faults") or "bad" in map(word_tone, words_of(key))
                is_last = node.in_last or words_of(key)[:1] == ("last",)
                yield StatusNode((*node.path, key), item, is_fault, is_last)


def location(manifest: Manifest, path: StatusPath) -> str:
    """The part that a path leads into, by its name in its list, else by its key (` for member1`, ` in spec`), or ""."""
    for end in range(len(path), 1, -1):
        if isinstance(path[end - 1], int) and path[end - 2] != "conditions":
            name = next(_names(object_at(manifest, *path[:end])), "")
            plural = next((word for word in reversed(words_of(path[end - 2])) if word.endswith("s")), "")
            noun = f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")
            return f" for {name}" if name.startswith(noun) and name else f" for {noun} {name}".rstrip()
    return f" in {one_line(path[-1], 60)}" if len(path) > 1 and isinstance(path[-1], str) else ""


def _names(part: Manifest) -> Iterator[str]:
    """The names of a part: `member1`, `ancestor gateway` of an `ancestorRef`, else its short texts: `branch dev`."""
    yield from (one_line(name, 80) for name in (text_at(part, "name"),) if name)
    for key in part:
        if words_of(key)[-1:] == ("ref",) and (name := text_at(part, key, "name")):
            yield one_line(" ".join((*words_of(key)[:-1], name)), 80)
    texts = [(key, value) for key, value in part.items() if role_of(key) == "other" and isinstance(value, str)]
    short = [f"{' '.join(words_of(key))} {value}" for key, value in texts if value and " " not in value]
    yield from (one_line(", ".join(short[:2]), 80) for _ in short[:1])
