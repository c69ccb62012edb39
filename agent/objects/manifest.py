"""Look-ups in Kubernetes objects as they come from an API: any part may be absent, null or of another type.

Owns the typed reading of `dict[str, Any]`.
"""

import json
from collections.abc import Sequence
from itertools import repeat
from typing import Any

type Manifest = dict[str, Any]
"""One Kubernetes object as parsed JSON."""


# To the type checker anything, so that what is looked up stays Any without a cast. Nearly every value on the way is a
# plain dict, which each look-up steps into by itself: they are called a hundred times for each object.
_OBJECT: Any = dict
_LIST: Any = list


def lookup(value: Any, *path: str | int) -> Any:
    """The value at `path`, or None where a step is absent, null or of another type."""
    for step in path:
        value = value.get(step) if type(value) is _OBJECT else _stepped(value, step)
    return value


def _stepped(value: Any, step: str | int) -> Any:
    if value is None:
        return None
    if isinstance(value, _LIST):
        return value[step] if isinstance(step, int) and -len(value) <= step < len(value) else None
    return value.get(step) if isinstance(value, _OBJECT) else None


def text_at(value: Any, *path: str | int) -> str:
    """The string at `path`, "" where there is none. Numbers and booleans are written out."""
    for step in path:
        value = value.get(step) if type(value) is _OBJECT else _stepped(value, step)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def texts_at(value: Manifest, *keys: str) -> list[str]:
    """The string at each of the keys of an object, as `text_at` reads it."""
    return [found if type(found) is str else text_at(found) for found in map(value.get, keys, repeat(""))]


def integer_at(value: Any, *path: str | int) -> int | None:
    """The whole number at `path`, None where there is none (a boolean is no number)."""
    for step in path:
        value = value.get(step) if type(value) is _OBJECT else _stepped(value, step)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def object_at(value: Any, *path: str | int) -> Manifest:
    """The object at `path`, {} where there is none."""
    for step in path:
        value = value.get(step) if type(value) is _OBJECT else _stepped(value, step)
    return value if isinstance(value, _OBJECT) else {}


def list_at(value: Any, *path: str | int) -> list[Any]:
    """The list at `path`, [] where there is none."""
    for step in path:
        value = value.get(step) if type(value) is _OBJECT else _stepped(value, step)
    return value if isinstance(value, _LIST) else []


def objects_at(value: Any, *path: str | int) -> list[Manifest]:
    """The objects of the list at `path`; anything else in it is left out."""
    items = list_at(value, *path)
    return [item for item in items if isinstance(item, _OBJECT)] if items else []


def path_text(path: Sequence[str | int]) -> str:
    """`("status", "conditions", 0, "type")` as `status.conditions[0].type`; keys with dots or slashes are quoted."""
    # Nearly every step is a plain word.
    steps = [f".{s}" if isinstance(s, str) and s.isalnum() else _spelled(s) for s in path]
    return "".join(steps).removeprefix(".")


def _spelled(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    plain = step.replace("_", "").replace("-", "").isalnum()
    return f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"


def was_applied(manifest: Manifest) -> bool:
    """Whether a cluster has stored the object: it has a uid, or a status that says something. One from Git has neither;
    `kubectl create --dry-run=client` writes `status: {}`."""
    return bool(text_at(manifest, "metadata", "uid") or lookup(manifest, "status"))
