"""Counts in a status: fewer ready than wanted, failures, nothing selected, where no other field reports a fault."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.findings.custom.nodes import StatusPath
from agent.findings.custom.situation import Situation
from agent.findings.custom.words import word_tone, words_of
from agent.findings.engine.evidence import one_line
from agent.objects.manifest import Manifest, integer_at, object_at


class Count(NamedTuple):
    """A count that reports a fault: where it is, a title that completes "Kind name", and its name in a list."""

    path: StatusPath
    title: str
    short: str


# `1/3` or `1 of 3`, in a field named after what is ready.
_RATIO = re.compile(r"(\d{1,6}) ?(?:/|of|out of) ?([1-9]\d{0,5})")


def counted(manifest: Manifest, whole: Situation) -> Iterator[Count]:
    """The first count of too few that are ready, of failures, or of nothing that was selected."""
    status = object_at(manifest, "status")
    yield from _nothing_selected(manifest, status)
    if whole.done or whole.progressing or whole.suspended:
        return
    yield from _failed_parts(status, whole)
    if whole.ready or whole.states:
        return
    observed, newest = integer_at(status, "observedGeneration"), integer_at(manifest, "metadata", "generation")
    for path, ready, wanted in (*_replicas(manifest), *_ratios(manifest)):
        # Without a generation any other count may be a start.
        if observed == newest if observed is not None else ready == 0 and isinstance(path[-1], str):
            parts = "pods" if object_at(manifest, "spec").get("template") else "parts"
            noun = next((word for word in reversed(words_of(path[-1])) if word.endswith("s")), parts)
            key = one_line(str(path[-1]), 60)
            short = f"some {one_line(noun, 60)} are not ready or available: {key} is {ready} of {wanted}"
            yield Count(path, f"has {ready} of {wanted} {one_line(noun, 60)} ready", short)
            return


def _replicas(manifest: Manifest) -> Iterator[tuple[StatusPath, int, int]]:
    """Numbers that are ready, against the wanted ones: `readyReplicas` of `replicas`, `numberReady` of `desired...`."""
    status = object_at(manifest, "status")
    replicas = integer_at(manifest, "spec", "replicas")
    replicas = integer_at(status, "replicas") if replicas is None else replicas
    in_use = sum(integer_at(status, field) or 0 for field in ("allocatedReplicas", "reservedReplicas"))
    desired = [
        value
        for key in status
        if words_of(key)[:1] in (("desired",), ("expected",), ("total",)) and (value := integer_at(status, key))
    ]
    for key in status:
        words, number = words_of(key), integer_at(status, key)
        if number is None or not ({"ready", "healthy"} & {*words} or words[-2:] == ("available", "replicas")):
            continue
        wanted = (replicas or 0) - in_use if words[-1] == "replicas" else desired[0] if len(desired) == 1 else 0
        if number < wanted:
            yield ("status", key), number, wanted


def _ratios(manifest: Manifest) -> Iterator[tuple[StatusPath, int, int]]:
    for key, value in object_at(manifest, "status").items():
        found = _RATIO.fullmatch(value) if isinstance(value, str) else None
        if found and int(found[1]) < int(found[2]) and {"ready", "replicas", "nodes"} & set(words_of(key)):
            yield ("status", key), int(found[1]), int(found[2])


def _failed_parts(status: Manifest, whole: Situation) -> Iterator[Count]:
    """A map of what failed that is not empty: `failedTasks`, `exhaustions`."""
    for key, value in status.items():
        words = words_of(key)
        is_named = words[:1] and word_tone(words[0]) == "bad" and words[-1].endswith("s")
        if is_named and isinstance(value, dict) and value and not (whole.ready and len(words) > 1):
            title = f"has {one_line(' '.join(words), 60)}"
            yield Count(("status", key), title, f"{title}: {one_line(', '.join(object_at(status, key)), 160)}")


def _nothing_selected(manifest: Manifest, status: Manifest) -> Iterator[Count]:
    """An empty list of what is selected (`nodesSelected`), or of what the spec lists none of either."""
    for key, value in status.items():
        words = words_of(key)
        is_selection = len(words) > 1 and {"selected", "matched", "matching"} & {words[0], words[-1]}
        if value == [] and (is_selection or object_at(manifest, "spec").get(key) == []):
            noun = " ".join(word for word in words if word not in ("selected", "matched", "matching"))
            title = f"has {'selected ' if is_selection else ''}no {one_line(noun, 60)}"
            yield Count(("status", key), title, f"{title}: {one_line(key, 60)} is empty")
            return
