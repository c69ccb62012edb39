"""The severity of a condition of either polarity: `Ready=False`, `Degraded=True`, `NotReady=True`, `Accepted=Unknown`.

Polarity is a term of the Kubernetes API conventions (github.com/kubernetes/community,
contributors/devel/sig-architecture/api-conventions.md, "Typical status properties").
"""

import re
from collections.abc import Callable
from typing import Literal

from agent.findings.custom.bounded_cache import BoundedCache
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import state_meaning
from agent.findings.custom.words import (
    COMPLETED,
    DECISIVE,
    FEATURES,
    HEALTHY,
    IDENTIFIER_LIMIT,
    NEGATIVE,
    POSITIVE,
    SUMMARY,
    TEXT_LIMIT,
    is_inactive,
    is_progressing,
    reports_failure,
    suggests_failure,
    words_of,
)
from agent.findings.model import Severity

type Polarity = Literal["negative", "positive", "neutral"]


def condition_severity(
    *, kind: str, status: str, reason: str, message: str, level: str, situation: Situation
) -> Severity | None:
    """The severity of a condition, None where it is healthy, progressing, or reports nothing.

    `level` is the condition's own `severity` field (Cluster API and Knative have it), by which some controllers mark
    what is no fault.
    """
    kind = _without_part(kind)
    polarity = polarity_of(kind.rpartition("/")[2])
    match status.lower():
        case "true":
            return _when_true(polarity, kind, reason, message, situation)
        case "false":
            if level.lower() in ("info", "none"):
                return None
            severity = _when_false(polarity, kind, reason, message, situation)
            if level.lower() == "error" and severity:
                return "error"
            # Some controllers give mere waiting the severity of information.
            is_of_healthy = polarity == "neutral" and "fine" in situation.states
            is_warned = level.lower() == "warning" and message and not is_of_healthy
            return "warning" if is_warned and not severity else severity
        case "unknown":
            return None if situation.ready else _when_unknown(polarity, kind, reason, message)
        case word:
            if state_meaning(word) == "bad":
                return "error"
            return (
                "warning" if polarity == "positive" and reports_failure(reason) and reports_failure(message) else None
            )


# Some controllers add the part to the type: `Ready--search-api`, `Available: node-1`.
_PART = re.compile(r"--|: ")


def _without_part(kind: str) -> str:
    return _PART.split(kind, maxsplit=1)[0] or kind if "--" in kind or ": " in kind else kind


def _when_true(polarity: Polarity, kind: str, reason: str, message: str, situation: Situation) -> Severity | None:
    if polarity == "negative":
        if not reports_failure(reason) and (
            _is_healthy_reason(reason) or (is_progressing(reason) and not reports_failure(message))
        ):
            return None
        # Some controllers keep each past state as a condition that is True (`error`, then `ready`).
        passed = kind.islower() and situation.states & {"fine", "done"}
        return None if passed else "error"
    words = words_of(kind)
    if words and words[-1] in COMPLETED and reports_failure(reason):
        return "error"
    if polarity == "positive" or not words or situation.ready or situation.done:
        return None
    if words[-1] in ("warning", "warnings") and (message or reason):
        return "warning"
    if ("missing" in words and suggests_failure(message)) or (
        words[0] == "no" and polarity == "neutral" and " " in message
    ):
        return "warning"
    if not reports_failure(message) or _is_action_with_cause(message):
        return None
    return (
        "warning" if reports_failure(reason) or (suggests_failure(reason) and not is_progressing(words[-1])) else None
    )


def _is_healthy_reason(reason: str) -> bool:
    """Whether a reason names a healthy state: `MinimumReplicasAvailable`, but not `NotAllReplicasAvailable`."""
    words = set(words_of(reason))
    return bool(words & HEALTHY) and words.isdisjoint(("no", "not", "none", "un", "non"))


def _when_false(polarity: Polarity, kind: str, reason: str, message: str, situation: Situation) -> Severity | None:
    if polarity == "negative":
        return None
    words = words_of(kind)
    if situation.not_degraded and words[1:]:
        return None  # an optional part
    error: Severity = "warning" if situation.progressing else "error"
    settled = situation.ready or situation.done
    if "suspended" in situation.states and words[-1:] and words[-1] in SUMMARY and not reports_failure(reason):
        return None
    if situation.progressing and _is_action_with_cause(message):
        return None
    if reports_failure(reason) and not (polarity == "neutral" and settled and words[-1:] != ("progressing",)):
        return error
    if is_inactive(reason) and len(words) == 1 and words[0] in DECISIVE and suggests_failure(message):
        return "warning"  # a disabled feature that the spec asks for
    if is_progressing(reason) or is_inactive(reason):
        if polarity == "neutral" and settled:
            return None
        if reports_failure(message) and not is_inactive(reason):
            return "warning"
        # An unhealthy part, explained by a sentence, of an object that is healthy as a whole.
        is_part = words[-1:] == ("healthy",) and len(words) > 1
        return "warning" if is_part and message.count(" ") > 1 and "fine" in situation.states else None
    is_temporary = is_progressing(message) or is_inactive(message) or _starts_with_action(message)
    if polarity == "neutral":
        if settled and reports_failure(message) and not is_temporary and words and not words[-1].endswith("able"):
            return "warning"  # a part fails; `...able` would be an ability that the object does not have
        if settled or is_inactive(message):
            return None
        return (
            error if reports_failure(message) else "warning" if suggests_failure(message) and not is_temporary else None
        )
    if reports_failure(message):
        return error
    if is_temporary:
        return None
    if settled or not words or words[-1] not in DECISIVE:
        if settled:
            is_of_the_whole = len(words) == 1 and words[0] in DECISIVE and not situation.parts_ready
            return "warning" if is_of_the_whole and suggests_failure(message) else None
        return error if suggests_failure(message) else "warning" if suggests_failure(reason) else None
    if situation.progressing and not suggests_failure(message):
        return None
    return error if suggests_failure(message) and not suggests_failure(reason) else "warning"


def _starts_with_action(message: str) -> bool:
    """Whether a message starts with an action: `Restoring backup`."""
    first = message[:TEXT_LIMIT].partition(" ")[0]
    return len(first) > 5 and first.endswith("ing") and not suggests_failure(message)


def _is_action_with_cause(message: str) -> bool:
    """Whether a message names an action and its cause: `Issuing certificate as Secret does not exist`."""
    action, cause, _ = message[:TEXT_LIMIT].partition(" as ")
    return bool(cause) and _starts_with_action(action)


def _when_unknown(polarity: Polarity, kind: str, reason: str, message: str) -> Severity | None:
    if polarity != "positive" or not (message or reason):
        return None
    if reports_failure(reason) or reports_failure(message):
        return "warning"
    words = words_of(kind)
    has_text = any(map(str.isalpha, message))
    return (
        "warning"
        if has_text and words[-1] in DECISIVE and not (is_progressing(reason) or is_progressing(message))
        else None
    )


_NOUNS = ("refs", "success", "reachability")


def plain_text(kind: str, status: str, reason: str) -> str:
    """A condition in plain words (`DaemonHealthy=False` is `daemon unhealthy`), "" where they are the type itself."""
    words = words_of(kind.rpartition("/")[2])[:8]
    suffix = ": " + " ".join(words_of(reason)[:12]) if len(words_of(reason)) > 1 else ""
    if not words or status.lower() != "false":
        return " ".join(words) + suffix if suffix or len(words) > 1 else ""
    if words[-1] not in POSITIVE or words[-1] in _NOUNS:  # `LastOperation`, `ResolvedRefs`
        return f"not {' '.join(words)}{suffix}" if words[0] in POSITIVE else f"{' '.join(words)} is false{suffix}"
    negated = "unhealthy" if words[-1] == "healthy" else f"not {words[-1]}"
    return " ".join((*words[:-1], negated)) + suffix


def _polarity(kind: str) -> Polarity:
    words = words_of(kind)
    if words[:1] == ("deletion",):
        return "neutral"  # a blocked deletion is no fault until somebody deletes the object
    for position, word in enumerate(words):
        after = words[position + 1] if position + 1 < len(words) else ""
        if word in ("no", "not", "non", "without"):
            if (
                after in NEGATIVE
                or after in ("warning", "warnings")
                or (word == "no" and not NEGATIVE.isdisjoint(words))
            ):
                return "positive"
            return "negative" if after in POSITIVE else "neutral"
        if (word, after) in (("out", "of"), ("back", "off")):
            return "negative"
        if word in NEGATIVE and after not in FEATURES and words[-1] not in DECISIVE:
            return "negative"
    return "positive" if words and (words[-1] in POSITIVE or words[-2:] == ("in", "sync")) else "neutral"


polarity_of: Callable[[str], Polarity] = BoundedCache[Polarity](
    _polarity, length=IDENTIFIER_LIMIT, other="neutral"
).__getitem__
"""Whether True is bad (negative), good (positive) or neither, by the words of the type."""


def is_positive(kind: object) -> bool:
    """Whether a condition of this type, when True, has no severity whatever its reason and message are."""
    return isinstance(kind, str) and len(kind) <= IDENTIFIER_LIMIT and _is_positive(kind)


def _has_positive_type(kind: str) -> bool:
    bare = _without_part(kind)
    return polarity_of(bare.rpartition("/")[2]) == "positive" and words_of(bare)[-1] not in COMPLETED


_is_positive: Callable[[str], bool] = BoundedCache(_has_positive_type, length=IDENTIFIER_LIMIT, other=False).__getitem__
