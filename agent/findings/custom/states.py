"""What a state says: `phase: Failed`, `health: red`, `jobStatus: RUNNING`, a number with its reason."""

from collections.abc import Callable
from typing import Literal

from agent.findings.custom.bounded_cache import Remembered
from agent.findings.custom.words import (
    BAD,
    BROKEN,
    DONE,
    DOUBTFUL,
    FINE,
    HALTED,
    READ,
    doubts,
    fails,
    is_coming,
    is_idle,
    words_of,
)

type Standing = Literal["bad", "doubtful", "done", "fine", "coming", "halted"]

# Longer texts are sentences.
_WORDS = 4
_CHARACTERS = 60


def _standing(value: str) -> Standing | None:
    words = words_of(value)
    if not words:
        return None
    if len(value) > _CHARACTERS or value.strip().count(" ") >= _WORDS - 1:
        return _standing_of_sentence(value, words)
    joined, first = "".join(words), words[0]
    if _denies(words) or (len(words) > 1 and words[-1] in _WITHOUT):
        return "fine"
    if first in ("no", "without") and not _NEEDED.isdisjoint(words):
        return "bad"
    if first in ("not", "un") and len(words) > 1:
        return "doubtful" if words[1] == "ready" else "bad" if words[1] in _WANTED else None
    if {joined, *words} & BROKEN or joined.endswith("backoff"):
        return "bad"
    if len(words) > 1 and first.endswith("ing") and first not in FINE | HALTED:
        return "coming"  # `Setting up primary`
    if {joined, *words} & DOUBTFUL:
        return "doubtful"
    for standing, vocabulary in _VOCABULARIES:
        if {joined, *words} & vocabulary:
            return standing
    return "coming" if is_coming(value) or first.endswith("ing") else None


# After a bad word these make it a praise: `ErrorFree`, `FaultTolerant`.
_WITHOUT = frozenset({"free", "tolerant", "resistant", "resilient"})

standing_of: Callable[[str], Standing | None] = Remembered[Standing | None](
    _standing, length=READ, other=None
).__getitem__
"""What the value of a state says, None where it says nothing that is known."""

# What nothing works without: `NO_QUORUM`.
_NEEDED = frozenset({"quorum", "leader", "master", "primary", "endpoints", "capacity", "space", "route", "connection"})

_VOCABULARIES: tuple[tuple[Standing, frozenset[str]], ...] = (("halted", HALTED), ("done", DONE), ("fine", FINE))


_WANTED = frozenset(
    {"healthy", "valid", "available", "connected", "ok", "synced", "compliant", "reachable", "operational", "online"}
)


def _standing_of_sentence(value: str, words: tuple[str, ...]) -> Standing | None:
    """Some controllers write a sentence where others write a word."""
    if fails(value):
        return "bad"
    if is_coming(value) or words[0].endswith("ing"):
        return "coming"
    if doubts(value) or "not" in words:
        return "bad"
    if set(words) & FINE:
        return "fine"
    return "halted" if is_idle(value) else None


def _denies(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[0] in ("no", "not", "non", "zero") and words[1] in BAD and words[1] != "compliant"
