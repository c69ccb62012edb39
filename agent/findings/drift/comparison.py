"""The differences of two manifests as paths with a value on each side. Judges none of them.

dictdiffer compares what `alignment` made comparable; as a generator, it gives the first of
endless differences in bounded time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from agent.findings.drift.alignment import Positions, aligned
from agent.findings.drift.model import ABSENT, Item, Place, Step
from agent.objects.manifest import Manifest

LIMIT = 5_000
"""Differences of one resource that are told apart; whoever reads more reads the manifests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A difference without a judgement; values as `alignment.aligned` gives them (lists as tuples).

    `reordered`: the entries are the same, only their order is not.
    """

    steps: tuple[Step, ...]
    live: Any
    git: Any
    live_place: Place | None
    git_place: Place | None
    reordered: bool = False


def compare(live: Manifest, git: Manifest) -> tuple[tuple[Raw, ...], bool]:
    """The first LIMIT differences, and whether there are more."""
    left, right = aligned(live, git)
    found = tuple(islice(_differences(left, right, Positions(live), Positions(git)), LIMIT + 1))
    return found[:LIMIT], len(found) > LIMIT


def _differences(left: Any, right: Any, live: Positions, git: Positions) -> Iterator[Raw]:
    for steps, before, after in _entries(left, right):
        yield Raw(
            steps=steps,
            live=before,
            git=after,
            live_place=None if before is ABSENT else live.place(steps),
            git_place=None if after is ABSENT else git.place(steps),
        )
    yield from _reordered(left, right, live, git)


def _entries(left: Any, right: Any) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    import dictdiffer  # imports numpy where it is installed

    entries = cast(
        "Iterable[tuple[str, list[Step], Any]]",
        dictdiffer.diff(left, right, expand=True, dot_notation=False),  # pyright: ignore[reportUnknownMemberType]
    )
    for action, where, values in entries:
        if action == "change":
            yield tuple(where), values[0], values[1]
            continue
        ((step, value),) = values
        steps = (*where, step)
        yield (steps, value, ABSENT) if action == "remove" else (steps, ABSENT, value)


def _reordered(left: Any, right: Any, live: Positions, git: Positions) -> Iterator[Raw]:
    """Lists of identifiable entries whose common entries stand in another order."""
    stack: list[tuple[tuple[Step, ...], Any, Any]] = [((), left, right)]
    while stack:
        steps, one, other = stack.pop()
        if not isinstance(one, dict) or not isinstance(other, dict):
            continue
        ours, theirs = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        before = [key for key in ours if isinstance(key, Item) and key in theirs]
        after = [key for key in theirs if isinstance(key, Item) and key in ours]
        if before != after:
            yield Raw(
                steps=steps,
                live=tuple(map(str, before)),
                git=tuple(map(str, after)),
                live_place=live.place(steps),
                git_place=git.place(steps),
                reordered=True,
            )
        stack.extend(((*steps, key), ours[key], theirs[key]) for key in ours if key in theirs)
