"""Finds multi-line blocks in logs: stack traces of the JVM, Python, Go, Node, .NET, Ruby and Rust, and indented
continuation lines.

Owns the classification of lines and the boundaries of blocks.
"""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from agent.context.distillation.levels import LogSeverity

_READ_LIMIT = 1_000
_LONGEST = 500
"""Maximum number of lines of a block. The JVM prints at most 1,024 frames, Go 100; Python folds recursion."""


class TraceKind(IntEnum):
    """The role of a line in a stack trace. From INDENTED on, a line forms a block with the lines around it."""

    PLAIN = 0
    BLANK = 1
    CLOSING = 2  # closing brackets only: the end of an object printed below a trace
    CALL = 3  # the function line of a goroutine's frame
    EXCEPTION = 4  # `java.io.IOException: ...`, at the start of the line
    INDENTED = 5
    FRAME = 6
    CHAIN = 7  # joins an exception and its cause
    TRACEBACK = 8
    PANIC = 9
    GOROUTINE = 10
    PANICKED = 11  # Rust; the message may be on the next line


class LineBlock(NamedTuple):
    """Lines `start` (included) to `end` (excluded). `counted` marks a goroutine after the first of a dump,
    which is represented by its first line."""

    start: int
    end: int
    is_trace: bool
    counted: bool


_KINDS: tuple[tuple[TraceKind, re.Pattern[str]], ...] = (
    (TraceKind.TRACEBACK, re.compile(r"(?:.{0,200}[\s\]:])?Traceback \(most recent call last\):$")),
    (TraceKind.PANIC, re.compile(r"panic: |fatal error: (?!.*No such file)|SIG[A-Z]{3,4}: ")),
    (TraceKind.GOROUTINE, re.compile(r"goroutine \d+ .{0,60}\[.{1,100}\]:$")),
    (TraceKind.PANICKED, re.compile(r".{0,200}thread '.{0,100}' (?:\(\d+\) )?panicked at ")),
    (
        TraceKind.CHAIN,
        re.compile(
            r"\s*(?:Caused by|Suppressed|Wrapped by): |\s*---+> |\s*--- End of |During handling of the above|"
            r"The above exception was the direct|stack backtrace:|note: (?:run with|Some details)|\[signal |"
            r"\s*\[CIRCULAR REFERENCE|\tpanic: "
        ),
    ),
    (
        TraceKind.FRAME,
        re.compile(
            r"\s+at \S|\s*File \"[^\"]{1,300}\", line \d|\s+\d{1,4}: +\S|\s*from \S+:\d+(?::in |$)|\t\S+\.(?:go|s):\d+|"
            r"created by \S|\s*\.\.\. \d+ (?:more|common|frames|elided)|\s*#\d{1,3} +\S|\.\.\.additional frames elided"
        ),
    ),
    (TraceKind.INDENTED, re.compile(r"[ \t]+\S")),
    (
        TraceKind.EXCEPTION,
        re.compile(
            r"(?:[A-Za-z_$][\w$]*[.:]+)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Throwable|Warning)\b(?::|$| \[)"
        ),
    ),
    (TraceKind.CALL, re.compile(r"[\w./*()\-·\[\]{}%,~$]{3,400}\(.{0,400}\)$|main\.")),
    (TraceKind.CLOSING, re.compile(r"[}\])]{1,4}[,;]?$")),
)
_CONTINUES = frozenset({TraceKind.INDENTED, TraceKind.FRAME, TraceKind.CHAIN})
_PLAIN = frozenset({TraceKind.PLAIN, TraceKind.EXCEPTION, TraceKind.CALL})
_TRACES = frozenset({TraceKind.FRAME, TraceKind.TRACEBACK, TraceKind.PANIC, TraceKind.GOROUTINE, TraceKind.PANICKED})


def kind_of(text: str) -> TraceKind:
    """Classify a line. Only its first 1,000 characters are read."""
    text = text[:_READ_LIMIT].rstrip()
    if not text:
        return TraceKind.BLANK
    return next((kind for kind, pattern in _KINDS if pattern.match(text)), TraceKind.PLAIN)


def may_belong_to_a_trace(text: str) -> bool:
    """Whether the line may continue a stack trace that started on an earlier line."""
    return kind_of(text) is not TraceKind.PLAIN


def blocks(kinds: Sequence[TraceKind], severities: Sequence[LogSeverity]) -> Iterator[LineBlock]:
    """Yield the blocks of a log in order; lines in no block are not yielded."""
    end = dump_end = 0
    for at in [index for index, kind in enumerate(kinds) if kind >= TraceKind.INDENTED]:
        if at < end:
            continue
        start = _start(kinds, severities, at, end)
        is_go = kinds[at] in (TraceKind.PANIC, TraceKind.GOROUTINE)
        counted = kinds[at] is TraceKind.GOROUTINE and dump_end > 0 and at - dump_end <= 1
        end = _end(kinds, start, at)
        if is_go:
            dump_end = end
        if end - start > 1 or is_go:
            yield LineBlock(start, end, any(kind in _TRACES for kind in kinds[start:end]), counted)


def _start(kinds: Sequence[TraceKind], severities: Sequence[LogSeverity], at: int, limit: int) -> int:
    """Return the start of the block around `at`, including the line that it continues and the log message before it."""
    start = at
    if kinds[at] in _CONTINUES and start > limit and kinds[start - 1] in _PLAIN:
        start -= 1
    announces = start > limit and kinds[start - 1] is TraceKind.PLAIN and severities[start - 1] >= LogSeverity.WARNING
    return start - 1 if announces and kinds[start] in (TraceKind.EXCEPTION, TraceKind.TRACEBACK) else start


def _end(kinds: Sequence[TraceKind], start: int, at: int) -> int:
    is_go = kinds[at] in (TraceKind.PANIC, TraceKind.GOROUTINE)
    goroutines = int(kinds[at] is TraceKind.GOROUTINE)
    awaits_exception = kinds[at] is TraceKind.TRACEBACK
    end = at + 1
    while end < len(kinds) and end - start < _LONGEST:
        kind, before = kinds[end], kinds[end - 1]
        if kind in _CONTINUES or kind is TraceKind.CLOSING or (is_go and kind in (TraceKind.CALL, TraceKind.PANIC)):
            pass
        elif kind is TraceKind.GOROUTINE and is_go and not goroutines:
            goroutines = 1
        elif kind is TraceKind.TRACEBACK and (before is TraceKind.BLANK or end - 1 == at):
            awaits_exception = True
        elif kind is TraceKind.BLANK and _bridged(kinds, end, before, is_go=is_go and not goroutines):
            pass
        elif kind in _PLAIN and awaits_exception and before in _CONTINUES:
            awaits_exception = False
        elif not (kind in _PLAIN and before is TraceKind.PANICKED):
            break
        end += 1
    return end


def _bridged(kinds: Sequence[TraceKind], at: int, before: TraceKind, *, is_go: bool) -> bool:
    """Whether the trace continues after the blank line at `at`."""
    following = kinds[at + 1] if at + 1 < len(kinds) else TraceKind.PLAIN
    if following is TraceKind.TRACEBACK:
        return before is TraceKind.CHAIN
    return following is TraceKind.CHAIN or (is_go and following is TraceKind.GOROUTINE)
