"""The meaning of a state: `phase: Failed`, `health: red`, `jobStatus: RUNNING`."""

from collections.abc import Callable
from typing import Literal

from agent.findings.custom.bounded_cache import BoundedCache
from agent.findings.custom.words import (
    DONE,
    DOUBTFUL,
    FAILED,
    HEALTHY,
    NEGATIVE,
    SUSPENDED,
    TEXT_LIMIT,
    is_inactive,
    is_progressing,
    reports_failure,
    suggests_failure,
    words_of,
)

type StateMeaning = Literal["bad", "doubtful", "done", "fine", "progressing", "suspended"]

# Longer texts are sentences.
_WORDS = 4
_CHARACTERS = 60


def _meaning(value: str) -> StateMeaning | None:
    words = words_of(value)
    if not words:
        return None
    if len(value) > _CHARACTERS or value.strip().count(" ") >= _WORDS - 1:
        return _sentence_meaning(value, words)
    joined, first = "".join(words), words[0]
    if _is_denied_failure(words) or (len(words) > 1 and words[-1] in _WITHOUT):
        return "fine"
    if first in ("no", "without") and not _REQUIRED.isdisjoint(words):
        return "bad"
    if first in ("not", "un") and len(words) > 1:
        return "doubtful" if words[1] == "ready" else "bad" if words[1] in _WANTED else None
    if {joined, *words} & FAILED or joined.endswith("backoff"):
        return "bad"
    if len(words) > 1 and first.endswith("ing") and first not in HEALTHY | SUSPENDED:
        return "progressing"  # `Setting up primary`
    if {joined, *words} & DOUBTFUL:
        return "doubtful"
    for meaning, vocabulary in _VOCABULARIES:
        if {joined, *words} & vocabulary:
            return meaning
    return "progressing" if is_progressing(value) or first.endswith("ing") else None


# After a negative word these make the state healthy: `ErrorFree`, `FaultTolerant`.
_WITHOUT = frozenset({"free", "tolerant", "resistant", "resilient"})

state_meaning: Callable[[str], StateMeaning | None] = BoundedCache[StateMeaning | None](
    _meaning, length=TEXT_LIMIT, other=None
).__getitem__
"""The meaning of the value of a state, None for unknown words."""

# What every system needs: `NO_QUORUM`.
_REQUIRED = frozenset(
    {"quorum", "leader", "master", "primary", "endpoints", "capacity", "space", "route", "connection"}
)

_VOCABULARIES: tuple[tuple[StateMeaning, frozenset[str]], ...] = (
    ("suspended", SUSPENDED),
    ("done", DONE),
    ("fine", HEALTHY),
)


_WANTED = frozenset(
    {"healthy", "valid", "available", "connected", "ok", "synced", "compliant", "reachable", "operational", "online"}
)


def _sentence_meaning(value: str, words: tuple[str, ...]) -> StateMeaning | None:
    """The meaning of a state that is a sentence, as some controllers write it."""
    if reports_failure(value):
        return "bad"
    if is_progressing(value) or words[0].endswith("ing"):
        return "progressing"
    if suggests_failure(value) or "not" in words:
        return "bad"
    if set(words) & HEALTHY:
        return "fine"
    return "suspended" if is_inactive(value) else None


def _is_denied_failure(words: tuple[str, ...]) -> bool:
    return (
        len(words) > 1 and words[0] in ("no", "not", "non", "zero") and words[1] in NEGATIVE and words[1] != "compliant"
    )
