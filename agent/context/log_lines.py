"""Parses raw log lines: strips control characters and timestamps, truncates long lines, and shortens long logs.

Owns the cleaning of a line and the limits on a log; `agent.context.distillation` chooses the lines to keep.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from agent.context.distillation import Distiller, KeptLine, time_of
from agent.context.log_text import MAX_LINE, printable
from agent.context.model import ContainerLog, LogLine

KEPT_LINES = 1_000
KEPT_CHARACTERS = 200_000
"""Limits of one log: KEPT_LINES lines and KEPT_CHARACTERS characters."""

# The prefix that `kubectl logs --timestamps` adds to each line.
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?")


def line_of(raw: str, timestamp: str = "") -> LogLine:
    """Parse one raw line. Without `timestamp`, a timestamp at its start is moved out of the text."""
    if not timestamp and (stamp := _STAMP.match(raw)):
        return LogLine(text=_text(raw[stamp.end() :]), timestamp=stamp.group(1))
    return LogLine(text=_text(raw), timestamp=timestamp)


def distilled(log: ContainerLog) -> ContainerLog:
    """Return the log shortened to its most important lines; a log within the limits is returned as it is."""
    texts = [line.text for line in log.lines]
    if _fits(texts):
        return log
    lines, after = _selected(texts, str, lambda index: log.lines[index])
    return replace(log, lines=lines, left_out_after=log.left_out_after + after)


def distilled_lines(raw: Sequence[str], timestamps: Sequence[str] = ()) -> tuple[tuple[LogLine, ...], int]:
    """Return the most important of the raw lines, and the number of lines left out after the last one kept."""

    def line_at(index: int) -> LogLine:
        return line_of(raw[index], timestamps[index] if timestamps else "")

    if _fits(raw):
        return tuple(map(line_at, range(len(raw)))), 0
    return _selected(raw, lambda line: line_of(line).text, line_at)


def _selected(
    texts: Sequence[str], read: Callable[[str], str], line_at: Callable[[int], LogLine]
) -> tuple[tuple[LogLine, ...], int]:
    least = KEPT_CHARACTERS // KEPT_LINES
    selection = Distiller(texts, read=read).pick(
        KEPT_CHARACTERS, lambda index: min(max(len(texts[index]), least), MAX_LINE)
    )
    return tuple(_folded(kept, line_at) for kept in selection.kept), selection.left_out_after


def _folded(kept: KeptLine, line_at: Callable[[int], LogLine]) -> LogLine:
    line = replace(line_at(kept.index), repeats=kept.repeats, left_out_before=kept.left_out_before)
    if kept.last == kept.index:
        return line
    last = line_at(kept.last)
    return replace(line, last_timestamp=last.timestamp or time_of(last.text))


def _fits(texts: Sequence[str]) -> bool:
    return len(texts) <= KEPT_LINES and sum(map(len, islice(texts, KEPT_LINES))) <= KEPT_CHARACTERS


def _text(raw: str) -> str:
    # Truncate before cleaning, because a line may have megabytes. Removed escape sequences make the text shorter, so
    # that more than MAX_LINE is cleaned.
    text = printable(raw[: 4 * MAX_LINE])
    if len(raw) <= MAX_LINE or (len(text) <= MAX_LINE and len(raw) <= 4 * MAX_LINE):
        return text
    kept = text[:MAX_LINE]
    return f"{kept} […{len(raw) - len(kept)} characters cut]"
