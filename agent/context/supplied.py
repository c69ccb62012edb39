"""The parts of a context that the caller supplied: cleaned, merged and cut like those that are read."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from agent.context.context import Part
from agent.context.model import PartResult
from agent.request.question import Question

_HEAVY = 200_000
"""Characters that take some milliseconds to parse."""


def is_heavy(question: Question, parts: Iterable[Part[Any]]) -> bool:
    """Whether parsing the supplied parts takes long enough to need a thread."""
    supplied = question.supplied
    return sum(part.weight(supplied[_key(part)]) for part in parts if _key(part) in supplied) > _HEAVY


def read_supplied(question: Question, parts: Iterable[Part[Any]]) -> Mapping[Part[Any], PartResult[Any]]:
    """Return the supplied parts of a question; a part that was not supplied is not in the result."""
    supplied = question.supplied
    readings = {part: part.parse(supplied[_key(part)], question) for part in parts if _key(part) in supplied}
    return {
        part: PartResult(value=reading.value, source="supplied", gaps=reading.gaps)
        for part, reading in readings.items()
    }


def with_pasted(part: Part[Any], read: PartResult[Any], question: Question) -> PartResult[Any]:
    """What was read of a part, completed by what the question holds of it: several values come together, of one alone
    that which was read is kept."""
    key = _key(part)
    if key not in question.pasted:
        return read
    pasted = part.parse(question.pasted[key], question)
    gaps = (*(gap for gap in read.gaps if gap.reason != "not_configured"), *pasted.gaps)
    value: Any = pasted.value
    known: object = read.value
    if known:
        if not isinstance(known, tuple):
            return read
        value = (*cast("tuple[Any, ...]", known), *pasted.value)
    return PartResult(value=value, source=read.source or "supplied", gaps=gaps, refused=read.refused)


def _key(part: Part[Any]) -> str:
    return part.supplied.key if part.supplied else ""
