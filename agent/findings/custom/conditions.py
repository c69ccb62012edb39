"""What a condition says, of either polarity: `Ready=False`, `Degraded=True`, `NotReady=True`, `Accepted=Unknown`."""

import re
from collections.abc import Callable
from typing import Literal

from agent.findings.custom.bounded_cache import Remembered
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import standing_of
from agent.findings.custom.words import (
    BAD,
    DECISIVE,
    ENDS,
    FEATURES,
    FINE,
    GOOD,
    IDENTIFIER,
    READ,
    WELL,
    doubts,
    fails,
    is_coming,
    is_idle,
    words_of,
)
from agent.findings.model import Severity

type Polarity = Literal["bad", "good", "neutral"]


def judge(*, kind: str, status: str, reason: str, message: str, level: str, situation: Situation) -> Severity | None:
    """How bad a condition is, None where it is well, on its way, or says nothing.

    `level` is the condition's own `severity`, by which some controllers mark what is no fault.
    """
    kind = _bare(kind)
    polarity = polarity_of(kind.rpartition("/")[2])
    match status.lower():
        case "true":
            return _true(polarity, kind, reason, message, situation)
        case "false":
            if level.lower() in ("info", "none"):
                return None
            severity = _false(polarity, kind, reason, message, situation)
            if level.lower() == "error" and severity:
                return "error"
            # Some controllers mark what they only wait for as no more than information.
            is_of_what_is_well = polarity == "neutral" and "fine" in situation.states
            is_warned = level.lower() == "warning" and message and not is_of_what_is_well
            return "warning" if is_warned and not severity else severity
        case "unknown":
            return None if situation.well else _unknown(polarity, kind, reason, message)
        case word:
            if standing_of(word) == "bad":
                return "error"
            return "warning" if polarity == "good" and fails(reason) and fails(message) else None


# Some controllers write into the type which part it is about: `Ready--search-api`, `Available: node-1`.
_PART = re.compile(r"--|: ")


def _bare(kind: str) -> str:
    return _PART.split(kind, maxsplit=1)[0] or kind if "--" in kind or ": " in kind else kind


def _true(polarity: Polarity, kind: str, reason: str, message: str, situation: Situation) -> Severity | None:
    if polarity == "bad":
        if not fails(reason) and (_calls_well(reason) or (is_coming(reason) and not fails(message))):
            return None
        # A list of states passed through (`error`, `ready`, each True once) ends in the newest.
        passed = kind.islower() and situation.states & {"fine", "done"}
        return None if passed else "error"
    words = words_of(kind)
    if words and words[-1] in ENDS and fails(reason):
        return "error"
    if polarity == "good" or not words or situation.well or situation.done:
        return None
    if words[-1] in ("warning", "warnings") and (message or reason):
        return "warning"
    if ("missing" in words and doubts(message)) or (words[0] == "no" and polarity == "neutral" and " " in message):
        return "warning"
    if not fails(message) or _does_for_a_reason(message):
        return None
    return "warning" if fails(reason) or (doubts(reason) and not is_coming(words[-1])) else None


def _calls_well(reason: str) -> bool:
    """Whether a reason says that all is well: `MinimumReplicasAvailable`, but not `NotAllReplicasAvailable`."""
    words = set(words_of(reason))
    return bool(words & FINE) and words.isdisjoint(("no", "not", "none", "un", "non"))


def _false(polarity: Polarity, kind: str, reason: str, message: str, situation: Situation) -> Severity | None:
    if polarity == "bad":
        return None
    words = words_of(kind)
    if situation.sound and words[1:]:
        return None  # it lacks what it can do without
    error: Severity = "warning" if situation.coming else "error"
    settled = situation.well or situation.done
    if "halted" in situation.states and words[-1:] and words[-1] in WELL and not fails(reason):
        return None
    if situation.coming and _does_for_a_reason(message):
        return None
    if fails(reason) and not (polarity == "neutral" and settled and words[-1:] != ("progressing",)):
        return error
    if is_idle(reason) and len(words) == 1 and words[0] in DECISIVE and doubts(message):
        return "warning"  # what is not enabled is asked for
    if is_coming(reason) or is_idle(reason):
        if polarity == "neutral" and settled:
            return None
        if fails(message) and not is_idle(reason):
            return "warning"
        # A part that is called unhealthy, with a sentence why, while the whole has long arrived.
        is_part = words[-1:] == ("healthy",) and len(words) > 1
        return "warning" if is_part and message.count(" ") > 1 and "fine" in situation.states else None
    passing = is_coming(message) or is_idle(message) or _begins_with_doing(message)
    if polarity == "neutral":
        if settled and fails(message) and not passing and words and not words[-1].endswith("able"):
            return "warning"  # not an ability that it lacks: a part that fails
        if settled or is_idle(message):
            return None
        return error if fails(message) else "warning" if doubts(message) and not passing else None
    if fails(message):
        return error
    if passing:
        return None
    if settled or not words or words[-1] not in DECISIVE:
        if settled:
            is_of_the_whole = len(words) == 1 and words[0] in DECISIVE and not situation.calm
            return "warning" if is_of_the_whole and doubts(message) else None
        return error if doubts(message) else "warning" if doubts(reason) else None
    if situation.coming and not doubts(message):
        return None
    return error if doubts(message) and not doubts(reason) else "warning"


def _begins_with_doing(message: str) -> bool:
    """Whether a sentence begins like `Restoring backup`."""
    first = message[:READ].partition(" ")[0]
    return len(first) > 5 and first.endswith("ing") and not doubts(message)


def _does_for_a_reason(message: str) -> bool:
    """Whether a sentence tells what is done, and why: `Issuing certificate as Secret does not exist`."""
    doing, reason, _ = message[:READ].partition(" as ")
    return bool(reason) and _begins_with_doing(doing)


def _unknown(polarity: Polarity, kind: str, reason: str, message: str) -> Severity | None:
    if polarity != "good" or not (message or reason):
        return None
    if fails(reason) or fails(message):
        return "warning"
    words = words_of(kind)
    is_told = any(map(str.isalpha, message))
    return "warning" if is_told and words[-1] in DECISIVE and not (is_coming(reason) or is_coming(message)) else None


_NOUNS = ("refs", "success", "reachability")


def in_plain_words(kind: str, status: str, reason: str) -> str:
    """A condition as people say it, "" where that is the type itself: `DaemonHealthy`, False is `daemon unhealthy`."""
    words = words_of(kind.rpartition("/")[2])[:8]
    told = ": " + " ".join(words_of(reason)[:12]) if len(words_of(reason)) > 1 else ""
    if not words or status.lower() != "false":
        return " ".join(words) + told if told or len(words) > 1 else ""
    if words[-1] not in GOOD or words[-1] in _NOUNS:  # `LastOperation`, `ResolvedRefs`
        return f"not {' '.join(words)}{told}" if words[0] in GOOD else f"{' '.join(words)} is false{told}"
    denied = "unhealthy" if words[-1] == "healthy" else f"not {words[-1]}"
    return " ".join((*words[:-1], denied)) + told


def _polarity(kind: str) -> Polarity:
    words = words_of(kind)
    if words[:1] == ("deletion",):
        return "neutral"  # what stands in its way matters when it is wanted
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        if word in ("no", "not", "non", "without"):
            if after in BAD or after in ("warning", "warnings") or (word == "no" and not BAD.isdisjoint(words)):
                return "good"
            return "bad" if after in GOOD else "neutral"
        if (word, after) in (("out", "of"), ("back", "off")):
            return "bad"
        if word in BAD and after not in FEATURES and words[-1] not in DECISIVE:
            return "bad"
    return "good" if words and (words[-1] in GOOD or words[-2:] == ("in", "sync")) else "neutral"


polarity_of: Callable[[str], Polarity] = Remembered[Polarity](_polarity, length=IDENTIFIER, other="neutral").__getitem__
"""Whether True is bad, good, or says nothing, by the words of the type."""


def praises(kind: object) -> bool:
    """Whether a condition of this type is no sign where it is True, by `judge`, whatever else it says."""
    return isinstance(kind, str) and len(kind) <= IDENTIFIER and _praises(kind)


def _tells_no_fault(kind: str) -> bool:
    bare = _bare(kind)
    return polarity_of(bare.rpartition("/")[2]) == "good" and words_of(bare)[-1] not in ENDS


_praises: Callable[[str], bool] = Remembered(_tells_no_fault, length=IDENTIFIER, other=False).__getitem__
