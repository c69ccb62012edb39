"""Counts in a status: fewer ready than wanted, or nothing selected, where no other field reports a state."""

import re
from collections.abc import Iterator

from agent.findings.custom.nodes import StatusPath
from agent.findings.custom.situation import Situation
from agent.findings.custom.words import words_of
from agent.objects.manifest import Manifest, integer_at, object_at

# Replicas in use (Agones), which are no longer counted as ready.
_IN_USE = ("allocatedReplicas", "reservedReplicas")
_READY = ("readyReplicas", "availableReplicas", "updatedReadyReplicas", "updatedAvailableReplicas")

# `1/3` or `1 of 3`, in a field named after what is ready.
_RATIO = re.compile(r"(\d{1,6}) ?(?:/|of|out of) ?([1-9]\d{0,5})")
_RATIO_KEYS = frozenset({"replicas", "ready", "ratio", "members", "nodes", "instances", "healthy"})


def too_few_ready(manifest: Manifest, situation: Situation) -> tuple[StatusPath, int, int] | None:
    """The path of the field that counts too few, its number, and how many are wanted.

    None where the controller has not observed the newest spec, or reports the object as ready or progressing. Without
    an `observedGeneration` only a ratio of zero counts, as any other may be a start.
    """
    status = object_at(manifest, "status")
    if situation.ready or situation.progressing or situation.suspended or situation.states:
        return None
    observed, newest = integer_at(status, "observedGeneration"), integer_at(manifest, "metadata", "generation")
    if observed is None or observed != newest:
        return next((short for short in _ratios(manifest) if short[1] == 0), None) if observed is None else None
    return next(_replicas(manifest), None) or next(_ratios(manifest), None) or next(_numbers(status), None)


def _replicas(manifest: Manifest) -> Iterator[tuple[StatusPath, int, int]]:
    wanted = integer_at(manifest, "spec", "replicas")
    wanted = integer_at(manifest, "status", "replicas") if wanted is None else wanted
    in_use = sum(integer_at(manifest, "status", field) or 0 for field in _IN_USE)
    wanted = wanted - in_use if wanted else wanted
    for field in _READY:
        ready = integer_at(manifest, "status", field)
        if wanted and ready is not None and ready < wanted:
            yield ("status", field), ready, wanted


def _ratios(manifest: Manifest) -> Iterator[tuple[StatusPath, int, int]]:
    for path in (("status",), ("status", "scale")):
        for key, value in object_at(manifest, *path).items():
            found = _RATIO.fullmatch(value) if isinstance(value, str) else None
            if found and _RATIO_KEYS.intersection(words_of(key)) and int(found[1]) < int(found[2]):
                yield (*path, key), int(found[1]), int(found[2])


def _numbers(status: Manifest) -> Iterator[tuple[StatusPath, int, int]]:
    """Pairs of a number that is ready and one that is wanted: `numberReady: 1` of `desiredNumberScheduled: 3`."""
    numbers = {key: value for key, value in status.items() if isinstance(value, int) and not isinstance(value, bool)}
    wanted = [value for key, value in numbers.items() if words_of(key)[:1] in _WANTED]
    for key, value in numbers.items():
        words = words_of(key)
        if len(wanted) == 1 and ("ready" in words or "healthy" in words) and len(words) < 3 and value < wanted[0]:
            yield ("status", key), value, wanted[0]


_WANTED = (("desired",), ("expected",), ("wanted",), ("total",))


def empty_selection(manifest: Manifest) -> tuple[StatusPath, str] | None:
    """The path of an empty list of selected things (`nodesSelected: []`), and what was to be selected."""
    for key, value in object_at(manifest, "status").items():
        words = words_of(key)
        if value == [] and len(words) > 1 and _SELECTED.intersection((words[0], words[-1])):
            return ("status", key), " ".join(word for word in words if word not in _SELECTED)
    return None


_SELECTED = frozenset({"selected", "matched", "matching"})
