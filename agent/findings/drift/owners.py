"""Who set a field, when: the live object's `metadata.managedFields`. Judges no manager."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from agent.findings.drift.model import Item, Owner, Step
from agent.objects.manifest import Manifest, object_at, objects_at, text_at

# Managers of one object that are read; real objects have a handful.
_MANAGERS = 50


@dataclass(frozen=True, kw_only=True)
class Owners:
    """The managers of one live object, newest first."""

    manifest: Manifest | None

    def of(self, steps: tuple[Step, ...]) -> Owner | None:
        """Who last set the field at `steps`, or the closest field around it; None where nobody is told."""
        best: tuple[int, Owner] | None = None
        for owner, fields in self._managers:
            depth = _depth(fields, steps)
            if depth and (best is None or depth > best[0]):
                best = depth, owner
        # One who owns only what is far above (`f:spec`) did not set this field.
        return best[1] if best and best[0] >= min(len(steps), 2) else None

    @cached_property
    def _managers(self) -> list[tuple[Owner, Manifest]]:
        entries = objects_at(self.manifest, "metadata", "managedFields")[:_MANAGERS]
        managers = [
            (
                Owner(
                    manager=text_at(entry, "manager"),
                    operation=text_at(entry, "operation"),
                    time=text_at(entry, "time"),
                ),
                object_at(entry, "fieldsV1"),
            )
            for entry in entries
            if text_at(entry, "manager")
        ]
        return sorted(managers, key=lambda manager: manager[0].time, reverse=True)


def _depth(fields: Manifest, steps: tuple[Step, ...]) -> int:
    """How many steps the manager's field set goes along, 0 where it does not own what is there.

    A set that ends on the way (`f:rules: {}`) owns all below; one that goes another way owns nothing here.
    """
    current: Manifest = fields
    for depth, step in enumerate(steps):
        following = _step(current, step)
        if following is None:
            return depth if depth and not set(current) - {"."} else 0
        current = following
    return len(steps)


def _step(fields: Manifest, step: Step) -> Manifest | None:
    """The field set below a step: `f:name` for a key, `k:{...}` for an entry of a list by its keys."""
    if isinstance(step, str):
        found: object = fields.get(f"f:{step}")
        return cast("Manifest", found) if isinstance(found, dict) else None
    if isinstance(step, int):
        return None
    for key, below in fields.items():
        if key.startswith("k:") and isinstance(below, dict) and _names(key[2:], step):
            return cast("Manifest", below)
    return None


def _names(text: str, item: Item) -> bool:
    """Whether `{"containerPort":80,"protocol":"TCP"}` names this entry."""
    try:
        keys: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(keys, Mapping):
        return False
    named = cast("Mapping[str, Any]", keys)
    pairs = list(zip(item.fields, item.values, strict=True))
    return any(field in named for field, _ in pairs) and all(named.get(field, value) == value for field, value in pairs)
