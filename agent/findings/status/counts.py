"""Replicas that a status counts: fewer ready than wanted, where nothing else says how the object stands."""

import re

from agent.findings.status.places import Path
from agent.findings.status.situation import Situation
from agent.findings.status.words import words_of
from agent.manifest import Manifest, integer_at, object_at

_READY = ("readyReplicas", "availableReplicas", "updatedReadyReplicas", "updatedAvailableReplicas")


# Some controllers write `0/3`; no more than none at all is told apart from a start by it.
_NONE_OF = re.compile(r"0/([1-9]\d{0,5})")
_RATIO_KEYS = frozenset({"replicas", "ready", "ratio", "members", "nodes", "instances"})


def short_of(manifest: Manifest, situation: Situation) -> tuple[Path, int, int] | None:
    """The path of the field that counts too few, its number, and how many are wanted.

    Only where the controller has seen the newest spec, and says of itself neither that it is well nor under way.
    """
    status = object_at(manifest, "status")
    if situation.well or situation.coming or situation.halted or situation.states:
        return None
    seen, newest = integer_at(status, "observedGeneration"), integer_at(manifest, "metadata", "generation")
    wanted = integer_at(manifest, "spec", "replicas")
    wanted = integer_at(status, "replicas") if wanted is None else wanted
    if seen is None or seen != newest or not wanted:
        return _none_of(manifest) if seen is None else None
    for field in _READY:
        ready = integer_at(status, field)
        if ready is not None and ready < wanted:
            return ("status", field), ready, wanted
    return None


def _none_of(manifest: Manifest) -> tuple[Path, int, int] | None:
    for path in (("status",), ("status", "scale")):
        for key, value in object_at(manifest, *path).items():
            found = _NONE_OF.fullmatch(value) if isinstance(value, str) else None
            if found and _RATIO_KEYS.intersection(words_of(key)[-1:]):
                return (*path, key), 0, int(found[1])
    return None


def selected_none(manifest: Manifest) -> tuple[Path, str] | None:
    """The path of a list of what was selected that is empty (`nodesSelected: []`), and what there is none of."""
    for key, value in object_at(manifest, "status").items():
        words = words_of(key)
        if value == [] and len(words) > 1 and _SELECTED.intersection((words[0], words[-1])):
            return ("status", key), " ".join(word for word in words if word not in _SELECTED)
    return None


_SELECTED = frozenset({"selected", "matched", "matching"})
