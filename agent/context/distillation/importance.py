"""Which lines and blocks of a log are alike, and which of them matter most: severe before harmless,
rare before frequent, one of a family before the others.

Owns the order; how much of it fits is `selection`'s.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import log2

from agent.context.distillation.levels import LogLevel, LogSeverity
from agent.context.distillation.traces import LineBlock, TraceKind

# Points: a step of severity is worth 3.
_FAULT, _TRACE = 1.0, 2.0
_ONCE, _FAULT_ONCE = 1.0, 2.5
"""For a line that occurs once; more where its words name a fault, whatever its level."""
_PER_DOUBLING, _FREQUENT = 0.75, 6.0
"""Subtracted for each doubling of the count, and the most that is subtracted."""
_FAMILY = 4.0
"""Subtracted from a block whose first line was ranked before, with other lines below it."""


@dataclass(slots=True, kw_only=True)
class LineGroup:
    """Lines or blocks that are alike: `length` lines from `start` on at first, from `last` on at last.

    `count` is how often they occur, `family` the shape of the first line.
    """

    start: int
    length: int
    last: int
    count: int
    severity: LogSeverity
    mentions_fault: bool
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
        """Its importance, regardless of the other groups."""
        frequent = min(_FREQUENT, _PER_DOUBLING * log2(max(self.count, 1)))
        once = (_FAULT_ONCE if self.mentions_fault else _ONCE) * (self.count == 1)
        gains = _FAULT * self.mentions_fault + _TRACE * self.is_trace + once
        return 3 * self.severity + gains - frequent


def group_lines(
    cells: list[int],
    blocks: Sequence[LineBlock],
    level: Callable[[int], LogLevel],
    kind: Callable[[int], TraceKind],
    weights: Sequence[int],
) -> list[LineGroup]:
    """The groups of a log, most important first.

    `cells` holds the number of each line's shape. For lines in blocks the numbers are replaced: they become equal where
    both the blocks and the positions in them are equal.
    """
    groups = _alone(cells, blocks, level, kind, weights)
    groups += _blocks(cells, blocks, level, weights)
    groups.sort(key=lambda group: (-group.score, -group.last))
    ranked: defaultdict[int, int] = defaultdict(int)
    scores: dict[int, float] = {}
    for group in groups:
        scores[id(group)] = group.score - _FAMILY * ranked[group.family]
        ranked[group.family] += group.length > 1
    groups.sort(key=lambda group: (-scores[id(group)], -group.last))
    return groups


def _alone(
    cells: Sequence[int],
    blocks: Sequence[LineBlock],
    level: Callable[[int], LogLevel],
    kind: Callable[[int], TraceKind],
    weights: Sequence[int],
) -> list[LineGroup]:
    """A group for each shape of the lines outside of blocks; blank lines are in no group."""
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
        LineGroup(
            start=first,
            length=1,
            last=lasts[cell],
            count=counts[cell],
            severity=level(first).severity,
            mentions_fault=level(first).mentions_fault,
            is_trace=False,
            family=cell,
        )
        for cell, first in firsts.items()
        if kind(first) is not TraceKind.BLANK
    ]


def _outside(length: int, blocks: Sequence[LineBlock]) -> Iterator[tuple[int, int]]:
    at = 0
    for block in blocks:
        yield at, block.start
        at = block.end
    yield at, length


def _blocks(
    cells: list[int], blocks: Sequence[LineBlock], level: Callable[[int], LogLevel], weights: Sequence[int]
) -> list[LineGroup]:
    groups: dict[tuple[int, ...], LineGroup] = {}
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


def _block_group(block: LineBlock, family: int, level: Callable[[int], LogLevel], weights: Sequence[int]) -> LineGroup:
    lines = range(block.start, block.end)
    severity = max(level(index).severity for index in lines)
    mentions_fault = any(level(index).mentions_fault for index in lines)
    if block.is_trace:
        severity = max(
            severity, LogSeverity.ERROR if mentions_fault or severity > LogSeverity.INFO else LogSeverity.WARNING
        )
    return LineGroup(
        start=block.start,
        # A goroutine that is only counted is represented by its first line, which has its state.
        length=1 if block.counted else len(lines),
        last=block.start,
        count=weights[block.start],
        severity=severity,
        mentions_fault=mentions_fault,
        is_trace=block.is_trace and not block.counted,
        family=family,
    )
