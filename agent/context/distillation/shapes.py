"""Which lines of a log are alike: the same but for numbers, identifiers and words that vary.

Owns the steps, each applied only to what the one before could not join: numbers removed from all lines at once, then
identifiers, then drain3's templates (https://github.com/logpai/Drain3).
"""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from agent.context.distillation.levels import LogLevel, level_of
from agent.context.distillation.secret_blocks import SecretMark, mark_of
from agent.context.distillation.traces import TraceKind, kind_of

_DIGITS = b"0123456789"
_NOTABLE = b"\x01"
# Numbers that keep lines apart: how a request or a process ended, pino's levels from "warn" on. Each with a text that
# every match contains, so that the pattern runs only where it can match.
_NOTABLE_NUMBERS: tuple[tuple[bytes, re.Pattern[bytes]], ...] = (
    (b"HTTP/", re.compile(rb"(HTTP/[\d.]{1,5}\" )(?=5\d\d\b)")),
    (b"tatus", re.compile(rb"(tatus(?:[_ ]?[Cc]ode)?\"?[=: ]{1,4}\"?)(?=5\d\d\b)")),
    (b"exit", re.compile(rb"(exit(?:ed)?(?: with)?[ _]?(?:code|status)\"?[=: ]{1,4})(?=[1-9])")),
    (b'"level"', re.compile(rb"(\"level\": ?)(?=[456]0\b)")),
)
_READ_LIMIT = 500
_IDENTIFIER = re.compile(r"(?<![0-9A-Za-z_\-])[A-Za-z_\-]*+\d[0-9A-Za-z_\-]*+")
_MESSAGES: tuple[re.Pattern[str], ...] = (
    re.compile(r"\"(?:msg|message|@m|@mt|event)\" ?: ?\"((?:[^\"\\]|\\.)*+)"),
    re.compile(r"\bmsg=\"((?:[^\"\\]|\\.)*+)\""),
)
_ERROR = re.compile(r"\b(?:error|err|exception|reason|cause)(?:\" ?: ?|=)\"((?:[^\"\\]|\\.)*+)")
_SIGNS = re.compile(r"[\s,=\"':;|()\[\]{}<>#]+")


@dataclass(frozen=True, slots=True)
class LineShapes:
    """For each line the number of its shape and its mark; for each shape the level and the kind of its lines."""

    ids: list[int]
    marks: list[SecretMark]
    levels: list[LogLevel]
    kinds: list[TraceKind]


def shapes(lines: Sequence[str], read: Callable[[str], str]) -> LineShapes:
    """The shapes of `lines`; `read` returns a line without escapes and timestamp."""
    without_numbers = _without_numbers(lines)
    numbered = _numbered(without_numbers)
    firsts = _firsts(numbered)
    texts = [read(lines[first])[:_READ_LIMIT] for first in firsts]
    masked = _masked(texts)
    notable = [_NOTABLE in without_numbers[first] for first in firsts]
    of_mask = _numbered(list(zip(masked, notable, strict=True)))
    firsts = _firsts(of_mask)
    texts = [texts[first] for first in firsts]
    levels, kinds, marks = list(map(level_of, texts)), list(map(kind_of, texts)), list(map(mark_of, texts))
    joined = _joined([masked[first] for first in firsts], levels, kinds, marks)
    firsts = _firsts(joined)
    of_line = [of_mask[number] for number in numbered]
    return LineShapes(
        ids=[joined[number] for number in of_line],
        marks=[marks[number] for number in of_line],
        levels=[levels[first] for first in firsts],
        kinds=[kinds[first] for first in firsts],
    )


def _without_numbers(lines: Sequence[str]) -> list[bytes]:
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    for needle, pattern in _NOTABLE_NUMBERS:
        if needle in data:
            data = pattern.sub(rb"\1" + _NOTABLE, data)
    return data.translate(None, _DIGITS).split(b"\n")


def _numbered[K: Hashable](keys: Sequence[K]) -> list[int]:
    """For each key a number: equal keys have the same, new ones count up from 0."""
    numbers: dict[K, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _firsts(numbers: Sequence[int]) -> list[int]:
    """The first position of each number."""
    firsts: list[int] = []
    for place, number in enumerate(numbers):
        if number == len(firsts):
            firsts.append(place)
    return firsts


def _masked(texts: Sequence[str]) -> list[str]:
    """The texts with their words that hold digits as `#`."""
    return _IDENTIFIER.sub("#", "\n".join(text.replace("\n", " ") for text in texts)).split("\n")


def _joined(
    masked: Sequence[str], levels: Sequence[LogLevel], kinds: Sequence[TraceKind], marks: Sequence[SecretMark]
) -> list[int]:
    """For each text the number of its template. Lines of traces and of secrets keep a number of their own."""
    is_free = [kind is TraceKind.PLAIN and mark < SecretMark.KEY_BEGIN for kind, mark in zip(kinds, marks, strict=True)]
    free = [place for place, free in enumerate(is_free) if free]
    if len(free) < 2:
        return list(range(len(masked)))
    from agent.context.distillation.templates import templates  # drain3

    messages = ((2 * levels[place].severity + levels[place].mentions_fault, _message(masked[place])) for place in free)
    found: dict[int, tuple[int, int]] = dict(zip(free, templates(messages), strict=True))
    return _numbered([found.get(place, (-1, place)) for place in range(len(masked))])


def _message(text: str) -> str:
    """The words of the message: in JSON and logfmt the values of the message and the error."""
    if '"' in text:
        for pattern in _MESSAGES:
            if match := pattern.search(text):
                error = _ERROR.search(text)
                text = f"{match[1]} {error[1]}" if error else match[1]
                break
    return _SIGNS.sub(" ", text)
