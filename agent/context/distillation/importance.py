"""Which lines and blocks of a log are alike, and which of them matter most: the serious before the harmless, the rare
before the frequent, one of a family before its likes.

Owns the order; how much of it fits is `selection`'s.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import log2

from agent.context.distillation.levels import Level, Severity
from agent.context.distillation.traces import Block, Kind

# Points: a step of severity is worth 3.
_TELLING, _TRACE = 1.0, 2.0
_ONCE, _TOLD_ONCE = 1.0, 2.5
"""For what was written a single time; more where its words tell of a fault, whatever level it has."""
_PER_DOUBLING, _FREQUENT = 0.75, 6.0
"""What being met twice as often costs, and the most it may cost."""
_FAMILY = 4.0
"""What a block costs whose first line was ranked before, with other lines below it."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Lines or blocks that are alike: `length` lines from `start` on at first, from `last` on at last.

    `count` is how often they were met, `family` the shape of the first line.
    """

    start: int
    length: int
    last: int
    count: int
    severity: Severity
    telling: bool
    is_trace: bool
    family: int

    @property
    def first_span(self) -> range:
        """The lines of the first occurrence."""
        return range(self.start, self.start + self.length)

    @property
    def last_span(self) -> range:
        """The lines of the last occurrence."""
        return range(self.last, self.last + self.length)

    @property
    def score(self) -> float:
        """How much it matters by itself."""
        frequent = min(_FREQUENT, _PER_DOUBLING * log2(max(self.count, 1)))
        once = (_TOLD_ONCE if self.telling else _ONCE) * (self.count == 1)
        gains = _TELLING * self.telling + _TRACE * self.is_trace + once
        return 3 * self.severity + gains - frequent


def group_lines(
    cells: list[int],
    blocks: Sequence[Block],
    level: Callable[[int], Level],
    kind: Callable[[int], Kind],
    weights: Sequence[int],
) -> list[Group]:
    """The groups of a log, most important first.

    `cells` holds the number of each line's shape. Those of lines in blocks are replaced by numbers that are equal where
    both the whole block and the place in it are.
    """
    groups = _alone(cells, blocks, level, kind, weights)
    groups += _blocks(cells, blocks, level, weights)
    groups.sort(key=lambda group: (-group.score, -group.last))
    met: defaultdict[int, int] = defaultdict(int)
    scores: dict[int, float] = {}
    for group in groups:
        scores[id(group)] = group.score - _FAMILY * met[group.family]
        met[group.family] += group.length > 1
    groups.sort(key=lambda group: (-scores[id(group)], -group.last))
    return groups


def _alone(
    cells: Sequence[int],
    blocks: Sequence[Block],
    level: Callable[[int], Level],
    kind: Callable[[int], Kind],
    weights: Sequence[int],
) -> list[Group]:
    """A group for each shape of the lines outside of blocks; blank ones are in none."""
    firsts: dict[int, int] = {}
    lasts: dict[int, int] = {}
    counts: defaultdict[int, int] = defaultdict(int)
    for start, end in _outside(len(cells), blocks):
        for index in range(start, end):
            cell = cells[index]
            firsts.setdefault(cell, index)
            lasts[cell] = index
            counts[cell] += weights[index]
    return [
        Group(
            start=first,
            length=1,
            last=lasts[cell],
            count=counts[cell],
            severity=level(first).severity,
            telling=level(first).telling,
            is_trace=False,
            family=cell,
        )
        for cell, first in firsts.items()
        if kind(first) is not Kind.BLANK
    ]


def _outside(length: int, blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    at = 0
    for block in blocks:
        yield at, block.start
        at = block.end
    yield at, length


def _blocks(
    cells: list[int], blocks: Sequence[Block], level: Callable[[int], Level], weights: Sequence[int]
) -> list[Group]:
    groups: dict[tuple[int, ...], Group] = {}
    places: dict[tuple[int, ...], int] = {}
    fresh = count(max(cells, default=0) + 1)
    counted = next(fresh)
    for block in blocks:
        shape = tuple(cells[block.start : block.end])
        key = (counted,) if block.counted else shape
        if key in groups:
            groups[key].last = block.start
            groups[key].count += weights[block.start]
        else:
            groups[key] = _block_group(block, shape[0], level, weights)
        if shape not in places:
            places[shape] = next(fresh)
            for _ in shape:
                next(fresh)
        cells[block.start : block.end] = range(places[shape], places[shape] + len(shape))
        if block.counted:
            cells[block.start] = counted
    return list(groups.values())


def _block_group(block: Block, family: int, level: Callable[[int], Level], weights: Sequence[int]) -> Group:
    lines = range(block.start, block.end)
    severity = max(level(index).severity for index in lines)
    telling = any(level(index).telling for index in lines)
    if block.is_trace:
        severity = max(severity, Severity.ERROR if telling or severity > Severity.INFO else Severity.WARNING)
    return Group(
        start=block.start,
        # Of a goroutine that is only counted, its state.
        length=1 if block.counted else len(lines),
        last=block.start,
        count=weights[block.start],
        severity=severity,
        telling=telling,
        is_trace=block.is_trace and not block.counted,
        family=family,
    )
