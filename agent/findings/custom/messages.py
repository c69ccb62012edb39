"""Quotations from the node of a field with a fault: messages, names, codes and counts."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from agent.findings.custom.nodes import FieldRole, StatusNode, StatusPath, role_of
from agent.findings.custom.words import NAME_KEYS, reports_failure, words_of
from agent.findings.engine.evidence import one_line, quote, walk
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, object_at, text_at


def location(manifest: Manifest, path: StatusPath) -> str:
    """The part that a path leads into, by its name in its list, else by its key (` for member1`, ` in spec`), or ""."""
    for end in range(len(path), 1, -1):
        if isinstance(path[end - 1], int) and path[end - 2] != "conditions":
            part = object_at(manifest, *path[:end])
            return next((f" for {one_line(name, 80)}" for name in _names(part)), "")
    return f" in {one_line(path[-1], 60)}" if len(path) > 1 and isinstance(path[-1], str) else ""


def _names(part: Manifest) -> Iterator[str]:
    """The names of a part: `branch env/dev`, `member1`, `ancestor gateway` of an `ancestorRef`."""
    for key in NAME_KEYS:
        if name := text_at(part, key):
            yield (
                name
                if key in ("name", "id", "key", "type") and not name.isdigit()
                else f"{' '.join(words_of(key))} {name}"
            )
    for key, value in cast("dict[object, object]", part).items():
        if not isinstance(key, str) or not isinstance(value, dict) or words_of(key)[-1:] not in _REFERENCES:
            continue
        if name := text_at(cast("Manifest", value), "name"):
            yield " ".join((*words_of(key)[:-1], name))


_REFERENCES = (("ref",), ("reference",))


def sibling_messages(manifest: Manifest, node: StatusNode, excluded: str) -> tuple[Evidence, ...]:
    """The first two texts in the node of a state: its own (`appliedMessage` for `applied`), errors, messages."""
    texts: list[tuple[int, str]] = []
    for key, value in islice(node.value.items(), _MAX_SIBLINGS):
        role = role_of(key)
        if key == excluded or role not in _TEXTS or not first_text(value):
            continue
        rank = 0 if key.startswith(excluded) else _TEXTS[role] + ("reason" in key.lower())
        texts.append((rank, key))
    messages: tuple[Evidence, ...] = ()
    for _, key in sorted(texts, key=lambda text: text[0])[:2]:
        messages += quote_text(manifest, node, key)
    return messages


def nested_messages(manifest: Manifest, node: StatusNode) -> tuple[Evidence, ...]:
    """The first messages of a failure below a node."""
    messages: list[Evidence] = []
    if not any(isinstance(part, dict | list) for part in islice(node.value.values(), _MAX_NESTED)):
        return ()
    for path, value in islice(walk(node.value, *node.path, depth=_NESTED_DEPTH), _MAX_NESTED):
        keys = [key for key in path[len(node.path) :] if isinstance(key, str)]
        if not keys or any(key == "conditions" or role_of(key) in ("past", "last") for key in keys):
            continue
        if isinstance(value, str) and role_of(keys[-1]) in _TEXTS and len(keys) > 1 and reports_failure(value):
            messages += quote(manifest, *path)
        if len(messages) == _NESTED_QUOTES:
            break
    return tuple(messages)


# Most keys of a node that are read.
_MAX_SIBLINGS = 200
# How deep and how far below a node messages are searched, and how many are quoted.
_NESTED_DEPTH = 4
_MAX_NESTED = 500
_NESTED_QUOTES = 3

# The roles of fields with a text, the most specific first; a reason is the shorter message.
_TEXTS: dict[FieldRole, int] = {"error": 1, "message": 2, "faults": 4}


def quote_name(manifest: Manifest, node: StatusNode, excluded: str) -> tuple[Evidence, ...]:
    """The name of a list entry."""
    if not node.path or not isinstance(node.path[-1], int):
        return ()
    key = next((key for key in NAME_KEYS if key != excluded and isinstance(node.value.get(key), str)), None)
    return quote(manifest, *node.path, key) if key else ()


def first_text(value: object) -> str:
    """A text, the first of a list of texts, or the message of an object."""
    if isinstance(value, list):
        value = next(iter(cast("list[object]", value)), None)
    if isinstance(value, dict):
        inner = cast("Manifest", value)
        return text_at(inner, _text_key(inner))
    return value.strip() if isinstance(value, str) else ""


def _text_key(inner: Manifest) -> str:
    """The key of the text in an object that is a message: `message`, else the first key with a text."""
    if "message" in inner:
        return "message"
    entries = cast("dict[object, object]", inner).items()
    return next((key for key, text in entries if isinstance(key, str) and isinstance(text, str)), "")


def quote_text(manifest: Manifest, node: StatusNode, key: str) -> tuple[Evidence, ...]:
    """The text under a key that `first_text` returns."""
    value: Any = node.value[key]
    path: StatusPath = (*node.path, key)
    if isinstance(value, list):
        path, value = (*path, 0), cast("list[Any]", value)[0]
    if isinstance(value, dict):
        path = (*path, _text_key(cast("Manifest", value)))
    return quote(manifest, *path)


def quote_code(manifest: Manifest, node: StatusNode) -> tuple[Evidence, ...]:
    """The code of an error: `rego_parse_error`, `NoCapacity`."""
    return quote(manifest, *node.path, "code") if isinstance(node.value.get("code"), str) else ()


def sibling_counts(manifest: Manifest, node: StatusNode) -> tuple[Evidence, ...]:
    """The counts of errors in a node."""
    counts = [
        key for key, value in islice(node.value.items(), _MAX_SIBLINGS) if role_of(key) == "error" and _is_count(value)
    ]
    return tuple(evidence for key in counts[:2] for evidence in quote(manifest, *node.path, key))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def sibling_type(manifest: Manifest, node: StatusNode, excluded: str) -> tuple[Evidence, ...]:
    """The code and name of an error without a text, as fields of the entry or of its `type`."""
    named = [key for key in (*NAME_KEYS, "code") if key != excluded and isinstance(node.value.get(key), str)]
    paths: list[StatusPath] = [(*node.path, key) for key in named]
    if isinstance(kind := node.value.get("type"), dict):
        paths += [(*node.path, "type", key) for key in ("code", "name") if key in kind]
    return tuple(evidence for path in paths[:3] for evidence in quote(manifest, *path))
