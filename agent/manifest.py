"""Look-ups in Kubernetes objects as they come from an API: any part may be absent, null or of another type.

Owns the typed reading of `dict[str, Any]`; knows nothing of what the parts mean.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

type Manifest = dict[str, Any]
"""One Kubernetes object as parsed JSON."""


# To the type checker anything, so that what is looked up stays Any without a cast: this is called a hundred times for
# each object.
_OBJECT: Any = dict
_LIST: Any = list


def lookup(value: Any, *path: str | int) -> Any:
    """The value at `path`, or None where a step is absent, null or of another type."""
    for step in path:
        if isinstance(value, _OBJECT):
            value = value.get(step)
        elif isinstance(value, _LIST) and isinstance(step, int):
            value = value[step] if -len(value) <= step < len(value) else None
        else:
            return None
    return value


def text_at(value: object, *path: str | int) -> str:
    """The string at `path`, "" where there is none. Numbers and booleans are written out."""
    found = lookup(value, *path)
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, int | float) else ""


def integer_at(value: object, *path: str | int) -> int | None:
    """The whole number at `path`, None where there is none (a boolean is no number)."""
    found = lookup(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def object_at(value: object, *path: str | int) -> Manifest:
    """The object at `path`, {} where there is none."""
    found = lookup(value, *path)
    return cast("Manifest", found) if isinstance(found, dict) else {}


def list_at(value: object, *path: str | int) -> list[Any]:
    """The list at `path`, [] where there is none."""
    found = lookup(value, *path)
    return cast("list[Any]", found) if isinstance(found, list) else []


def objects_at(value: object, *path: str | int) -> list[Manifest]:
    """The objects of the list at `path`; anything else in it is left out."""
    return [cast("Manifest", item) for item in list_at(value, *path) if isinstance(item, dict)]


def path_text(path: Sequence[str | int]) -> str:
    """`("status", "conditions", 0, "type")` as `status.conditions[0].type`; keys with dots or slashes are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text
