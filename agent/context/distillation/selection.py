"""What is kept of a log within a limit, and what happens to the rest: folded into a line like it, or left out.

Owns the order of choice: the last and the first error and the end of the log, then what matters most, then the lines
around the errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.context.distillation.importance import LineGroup, group_lines
from agent.context.distillation.levels import LogSeverity
from agent.context.distillation.secret_blocks import sealed
from agent.context.distillation.shapes import shapes
from agent.context.distillation.traces import TraceKind, blocks

# Shares of the room.
_TAIL, _LONG_TAIL = 0.1, 0.4
"""For the log's end: at first, and again where room is left after the groups."""
_LAST_ERROR = 0.4
"""With its trace; a longer trace loses its middle."""
_BLOCK = 0.15
_AROUND = 5
"""Errors whose neighbouring lines are kept."""
_BEFORE, _AFTER = 3, 2
_MISSES = 100
"""Give up after so many groups in a row that did not fit."""


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A kept line by its index. `repeats` counts it and those folded into it, the last of them at `last`;
    `left_out_before` counts the lines before it that no kept line represents."""

    index: int
    repeats: int
    last: int
    left_out_before: int


@dataclass(frozen=True, slots=True)
class LineSelection:
    """The kept lines in order, and how many lines were left out after the last one."""

    kept: tuple[KeptLine, ...]
    left_out_after: int = 0


class Distiller:
    """The lines of one log, ranked once; `pick` then chooses for any room.

    `weights` is how many lines each line already represents, `left_out` how many are missing before it; `read` returns
    a line without escapes and timestamp.
    """

    def __init__(
        self,
        lines: Sequence[str],
        *,
        weights: Sequence[int] | None = None,
        left_out: Sequence[int] | None = None,
        read: Callable[[str], str] = str,
    ) -> None:
        self._weights = weights or [1] * len(lines)
        self._left_out = left_out or [0] * len(lines)
        found = shapes(lines, read)
        shape = found.ids.copy()
        self._kinds = [found.kinds[number] for number in shape]
        self._seals: dict[int, range] = {}
        for start, end in sealed(found.marks, lambda index: read(lines[index])):
            self._seals.update(dict.fromkeys(range(start, end), range(start, end)))
            self._kinds[start:end] = [TraceKind.PLAIN] * (end - start)
        found_blocks = list(blocks(self._kinds, [found.levels[number].severity for number in shape]))
        self._spans: dict[int, range] = {}
        # Goroutines that are only counted are not kept at the log's end either.
        self._counted: set[int] = set()
        for block in found_blocks:
            span = range(block.start, block.end)
            if block.counted:
                self._counted.update((block.start - 1, *span))
            else:
                self._spans.update(dict.fromkeys(span, span))
        # Lines of equal cells fold into each other.
        self._cells = found.ids
        self._groups = group_lines(
            self._cells,
            found_blocks,
            lambda index: found.levels[shape[index]],
            lambda index: self._kinds[index],
            self._weights,
        )

    def pick(self, room: int, cost: Callable[[int], int]) -> LineSelection:
        """The most important lines that cost at most `room` together; `cost` takes the index of a line."""
        picking = _Picking(self._kinds, self._seals, room, cost)
        errors = [group for group in self._groups if group.severity >= LogSeverity.ERROR]
        if errors:
            last = max(errors, key=lambda group: group.last)
            if last.length > 1:
                picking.add(last.first_span, _LAST_ERROR)
            picking.add(last.last_span, _LAST_ERROR if last.count == 1 else _BLOCK)
            picking.add(min(errors, key=lambda group: group.start).first_span, _BLOCK)
        picking.add_tail(self._spans, self._counted, _TAIL)
        picking.add_groups(self._groups)
        for group in self._groups:
            # An error that lasts is kept at the end as well, where the last lines are.
            if group.severity >= LogSeverity.ERROR or (group.mentions_fault and group.severity is LogSeverity.WARNING):
                picking.add(group.last_span, _BLOCK)
        for group in errors[:_AROUND]:
            picking.add(group.first_span, 1)
            for span in (group.last_span, group.first_span):
                picking.add(range(span.stop, min(span.stop + _AFTER, len(self._cells))), 1)
                picking.add(range(max(0, span.start - _BEFORE), span.start), 1)
        picking.add_tail(self._spans, self._counted, _LONG_TAIL)
        return self._selection(picking.kept)

    def _selection(self, chosen: set[int]) -> LineSelection:
        kept: list[KeptLine] = []
        repeats: dict[int, int] = {}
        lasts: dict[int, int] = {}
        before: dict[int, int] = {}
        nearest: dict[int, int] = {}
        left_out = 0
        for index, cell in enumerate(self._cells):
            left_out += self._left_out[index]
            if index in chosen:
                nearest[cell] = lasts[index] = index
                repeats[index] = self._weights[index]
                before[index], left_out = left_out, 0
            elif (like := nearest.get(cell)) is not None:
                repeats[like] += self._weights[index]
                lasts[like] = index
            else:
                left_out += self._weights[index]
        kept = [KeptLine(index, repeats[index], lasts[index], before[index]) for index in before]
        return LineSelection(tuple(kept), left_out)


class _Picking:
    """Lines taken until the room is full."""

    def __init__(
        self,
        kinds: Sequence[TraceKind],
        seals: dict[int, range],
        room: int,
        cost: Callable[[int], int],
    ) -> None:
        self._kinds = kinds
        self._seals = seals
        self._room = self._left = room
        self._cost = cost
        self._refused: set[int] = set()
        self.kept: set[int] = set()

    def add(self, span: range, share: float) -> bool:
        """Take the lines of `span`, for `share` of the room at most; of a block that is too long those that name the
        fault. Return whether any were taken."""
        limit = min(self._left, int(self._room * share) if len(span) > 1 else self._left)
        missing = self._whole([index for index in span if index not in self.kept], limit)
        cost = sum(map(self._cost, missing))
        if cost > limit and len(missing) > 1:
            missing = self._nearest_to_message(missing, limit)
            cost = sum(map(self._cost, missing))
        if not missing or cost > limit:
            return False
        self.kept.update(missing)
        self._left -= cost
        return True

    def add_groups(self, groups: Sequence[LineGroup]) -> None:
        """Take the groups' first occurrences, as many as fit."""
        misses = 0
        for group in groups:
            if group.start in self.kept or self.add(group.first_span, _BLOCK):
                misses = 0
            elif (misses := misses + 1) == _MISSES:
                break

    def add_tail(self, spans: dict[int, range], without: set[int], share: float) -> None:
        """Take the last lines, for `share` of the room: whole blocks (`spans` by line), and none of `without`."""
        left = min(self._left, int(self._room * share))
        end = len(self._kinds)
        while end > 0:
            span = spans.get(end - 1) or self._seals.get(end - 1) or range(end - 1, end)
            end = span.start
            missing = [index for index in span if index not in self.kept and index not in without]
            if span.start not in self._seals and sum(map(self._cost, missing)) > left:
                break
            before = self._left
            if missing and not self.add(span, 1) and span.start not in self._seals:
                break
            left -= before - self._left

    def _whole(self, lines: list[int], limit: int) -> list[int]:
        """The lines with all those they are sealed with, or without the sealed ones where those do not fit."""
        seals = {seal.start: seal for index in lines if (seal := self._seals.get(index))}
        if not seals:
            return lines
        limit = min(limit, int(self._room * _BLOCK))
        open_lines = [index for index in lines if index not in self._seals]
        for start, seal in seals.items():
            if start not in self._refused and sum(map(self._cost, seal)) > limit:
                self._refused.add(start)
        sealed_lines = [index for start, seal in seals.items() if start not in self._refused for index in seal]
        if sum(map(self._cost, sealed_lines)) > limit:
            return open_lines
        return sorted({*open_lines, *sealed_lines} - self.kept)

    def _nearest_to_message(self, lines: list[int], limit: int) -> list[int]:
        """Of a block the messages, then the frames next to them: runtimes differ in which end of a stack they print
        first."""
        depth: dict[int, int] = {}
        for ordered in (lines, lines[::-1]):
            below = 0
            for index in ordered:
                below = below + 1 if self._kinds[index] in (TraceKind.FRAME, TraceKind.INDENTED, TraceKind.CALL) else 0
                depth[index] = min(below, depth.get(index, below))
        chosen: list[int] = []
        for index in sorted(lines, key=lambda index: (depth[index], index)):
            cost = self._cost(index)
            if cost > limit:
                break
            chosen.append(index)
            limit -= cost
        return chosen
