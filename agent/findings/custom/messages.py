"""What stands beside a field that tells of a fault, quoted: texts, names, codes and counts."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from agent.findings.custom.nodes import Path, Place, Role, role_of
from agent.findings.custom.words import NAME_KEYS, fails, words_of
from agent.findings.engine.evidence import one_line, quote, walk
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, object_at, text_at


def inside(manifest: Manifest, path: Path) -> str:
    """Which part a path leads into, by its name in its list, else by the key that holds it; "" for the whole."""
    for end in range(len(path), 1, -1):
        if isinstance(path[end - 1], int) and path[end - 2] != "conditions":
            part = object_at(manifest, *path[:end])
            return next((f" for {one_line(name, 80)}" for name in _names(part)), "")
    return f" in {one_line(path[-1], 60)}" if len(path) > 1 and isinstance(path[-1], str) else ""


def _names(part: Manifest) -> Iterator[str]:
    """How people name a part: `branch env/dev`, `member1`, `ancestor gateway` of an `ancestorRef`."""
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


def told_beside(manifest: Manifest, place: Place, beside: str) -> tuple[Evidence, ...]:
    """What the texts beside a state say of it: its own (`appliedMessage` of `applied`), errors, messages, reasons."""
    texts: list[tuple[int, str]] = []
    for key, value in islice(place.value.items(), _READ_BESIDE):
        role = role_of(key)
        if key == beside or role not in _TEXTS or not first_text(value):
            continue
        rank = 0 if key.startswith(beside) else _TEXTS[role] + ("reason" in key.lower())
        texts.append((rank, key))
    told: tuple[Evidence, ...] = ()
    for _, key in sorted(texts, key=lambda text: text[0])[:2]:
        told += quoted(manifest, place, key)
    return told


def told_below(manifest: Manifest, place: Place) -> tuple[Evidence, ...]:
    """The first texts of a failure in the parts of what is bad, where nothing beside it tells why."""
    told: list[Evidence] = []
    if not any(isinstance(part, dict | list) for part in islice(place.value.values(), _READ_BELOW)):
        return ()
    for path, value in islice(walk(place.value, *place.path, depth=_BELOW), _READ_BELOW):
        keys = [key for key in path[len(place.path) :] if isinstance(key, str)]
        if not keys or any(key == "conditions" or role_of(key) in ("past", "last") for key in keys):
            continue
        if isinstance(value, str) and role_of(keys[-1]) in _TEXTS and len(keys) > 1 and fails(value):
            told += quote(manifest, *path)
        if len(told) == _TEXTS_BELOW:
            break
    return tuple(told)


# So many keys are looked through beside a state.
_READ_BESIDE = 200
# How deep and how far below a bad state texts are looked for, and how many of them are quoted.
_BELOW = 4
_READ_BELOW = 500
_TEXTS_BELOW = 3

# Where texts beside a state stand, the most telling first; a reason is the shorter message.
_TEXTS: dict[Role, int] = {"error": 1, "message": 2, "faults": 4}


def name_of(manifest: Manifest, place: Place, beside: str) -> tuple[Evidence, ...]:
    """The name of a part of a list."""
    if not place.path or not isinstance(place.path[-1], int):
        return ()
    key = next((key for key in NAME_KEYS if key != beside and isinstance(place.value.get(key), str)), None)
    return quote(manifest, *place.path, key) if key else ()


def first_text(value: object) -> str:
    """A text, the first of a list of texts, or the message of an object."""
    if isinstance(value, list):
        value = next(iter(cast("list[object]", value)), None)
    if isinstance(value, dict):
        inner = cast("Manifest", value)
        return text_at(inner, _text_key(inner))
    return value.strip() if isinstance(value, str) else ""


def _text_key(inner: Manifest) -> str:
    """Where an object that is a message has its text: `message`, or by the name of a part."""
    if "message" in inner:
        return "message"
    named = cast("dict[object, object]", inner).items()
    return next((key for key, text in named if isinstance(key, str) and isinstance(text, str)), "")


def quoted(manifest: Manifest, place: Place, key: str) -> tuple[Evidence, ...]:
    """What stands under a key as `first_text` reads it."""
    value: Any = place.value[key]
    path: Path = (*place.path, key)
    if isinstance(value, list):
        path, value = (*path, 0), cast("list[Any]", value)[0]
    if isinstance(value, dict):
        path = (*path, _text_key(cast("Manifest", value)))
    return quote(manifest, *path)


def code_of(manifest: Manifest, place: Place) -> tuple[Evidence, ...]:
    """The code by which an error is known: `rego_parse_error`, `NoCapacity`."""
    return quote(manifest, *place.path, "code") if isinstance(place.value.get("code"), str) else ()


def counts_beside(manifest: Manifest, place: Place) -> tuple[Evidence, ...]:
    """The counts of errors beside a state that is bad."""
    counts = [
        key for key, value in islice(place.value.items(), _READ_BESIDE) if role_of(key) == "error" and _is_count(value)
    ]
    return tuple(evidence for key in counts[:2] for evidence in quote(manifest, *place.path, key))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def type_beside(manifest: Manifest, place: Place, beside: str) -> tuple[Evidence, ...]:
    """What kind of error an entry is that has no text: its code and name, alone or together in its `type`."""
    named = [key for key in (*NAME_KEYS, "code") if key != beside and isinstance(place.value.get(key), str)]
    paths: list[Path] = [(*place.path, key) for key in named]
    if isinstance(kind := place.value.get("type"), dict):
        paths += [(*place.path, "type", key) for key in ("code", "name") if key in kind]
    return tuple(evidence for path in paths[:3] for evidence in quote(manifest, *path))
