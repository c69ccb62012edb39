"""The severity of a condition of either polarity: `Ready=False`, `Degraded=True`, `NotReady=True`, `Accepted=Unknown`.

Polarity is a term of the Kubernetes API conventions (github.com/kubernetes/community,
contributors/devel/sig-architecture/api-conventions.md, "Typical status properties").
"""

from collections.abc import Callable
from typing import Literal

from agent.findings.custom.situation import Situation
from agent.findings.custom.words import (
    FINE,
    IDENTIFIER_LIMIT,
    reports_failure,
    state_tone,
    suggests_failure,
    tone_of,
    tones_of,
    word_tone,
    words_of,
)
from agent.findings.engine.bounded_cache import BoundedCache
from agent.findings.model import Severity

type Polarity = Literal["negative", "positive", "neutral"]
type ConditionVerdict = Severity | Literal["waits"] | None


def condition_verdict(
    kind: str, status: str, reason: str, message: str, level: str, whole: Situation
) -> ConditionVerdict:
    """The severity of a condition, "waits" for one that is unmet and under way, None where it reports nothing.

    `level` is the condition's own `severity` field (Cluster API and Knative have it).
    """
    polarity = polarity_of(kind)
    is_failure = reports_failure(reason) or reports_failure(message)
    match status.lower():
        case "true":
            return _when_true(polarity, kind, reason, message, whole)
        case "false":
            if polarity == "negative" or level.lower() in ("info", "none"):
                return None
            verdict = _when_false(polarity, kind, reason, message, whole)
            is_marked = level.lower() == "warning" and message and not (polarity == "neutral" and whole.states & FINE)
            return "warning" if verdict in (None, "waits") and is_marked else verdict
        case "unknown":
            if whole.ready or polarity != "positive" or not (message or reason):
                return None
            is_under_way = "coming" in (tone_of(reason), tone_of(message)) or tone_of(reason) in FINE
            return "warning" if is_failure or (any(map(str.isalpha, message)) and not is_under_way) else None
        case "" | "none":
            return None
        case word:
            tone = "bad" if is_failure and message and polarity == "positive" else state_tone(word)
            return "error" if tone == "bad" else "warning" if tone is None and polarity == "positive" else None


def _when_true(polarity: Polarity, kind: str, reason: str, message: str, whole: Situation) -> ConditionVerdict:
    if polarity == "negative":
        if not reports_failure(reason) and tone_of(reason) in ("good", "done", "fine", "idle", "coming"):
            return None
        # Some controllers keep each past state as a condition that is True (`error`, then `ready`).
        return None if kind.islower() and whole.states & FINE else "error"
    if tones_of(words_of(kind))[-1:] == ["done"] and reports_failure(reason):
        return "error"
    if polarity == "positive":
        return None
    if suggests_failure(message) and {"no", "non", "missing"}.intersection(words_of(kind)):
        return "warning"
    if whole.ready or whole.done or not reports_failure(message):
        return None
    return "warning" if not reason or suggests_failure(reason) else None


def _when_false(polarity: Polarity, kind: str, reason: str, message: str, whole: Situation) -> ConditionVerdict:
    settled = whole.ready or whole.done
    because, said = tone_of(reason), tone_of(message)
    if polarity == "neutral" and because != "bad":
        is_fine = settled or (whole.states & FINE and said != "coming")
        if is_fine or (said != "bad" and "coming" in tones_of(words_of(kind))):
            return None
    if polarity == "neutral" and settled and words_of(kind)[-1:] != ("progressing",):
        return None
    error: Severity = "warning" if whole.progressing else "error"
    if because == "bad" and said == "coming" and words_of(reason)[-1].endswith(words_of(kind)[-1]):
        because = said  # the reason only repeats the type: `Bound=False` for `Unbound`
    if because == "bad":
        return error
    if because == "idle":
        return None
    if because == "coming":
        # The state of the whole is good, but this part is not.
        is_contradicted = polarity == "positive" and bool(whole.states & FINE) and not settled
        lacks = "doubtful" in tones_of(words_of(message)) and words_of(kind)[-1:] != words_of(message)[-1:]
        return "warning" if said == "bad" or lacks or is_contradicted else "waits"
    if said == "bad":
        return error if not settled else None if whole.done else "warning"
    if said in ("coming", "idle"):
        return "waits" if said == "coming" else None
    if polarity == "neutral":
        return "warning" if said == "doubtful" else None
    if settled:
        return "warning" if len(words_of(kind)) == 1 and "doubtful" in (because, said) else None
    is_unexplained = "doubtful" not in (because, said)
    return None if is_unexplained and (whole.progressing or len(words_of(kind)) > 1) else "warning"


def _polarity(kind: str) -> Polarity:
    words = words_of(kind.split("--")[0].split(": ")[0].rpartition("/")[2])
    tones = tones_of(words)
    if words[:1] == ("deletion",) or not words:
        return "neutral"  # a blocked deletion is no fault until somebody deletes the object
    if words[0] in ("not", "no", "non") and words[1:]:
        own = word_tone(words[1])
        return "negative" if own == "good" else "positive" if "bad" in map(word_tone, words) else "neutral"
    if tones[-1:] == ["good"]:
        return "positive"
    if "bad" in tones:
        return "negative"
    return "positive" if tones[-1:] == ["done"] else "neutral"


polarity_of: Callable[[str], Polarity] = BoundedCache[Polarity](
    _polarity, length=IDENTIFIER_LIMIT, other="neutral"
).__getitem__
"""Whether True is bad (negative), good (positive) or neither, by the words of the type."""


def is_positive(kind: object) -> bool:
    """Whether a condition of this type, when True, has no severity whatever its reason and message are."""
    return isinstance(kind, str) and polarity_of(kind) == "positive" and tones_of(words_of(kind))[-1:] == ["good"]


def plain_text(kind: str, status: str) -> str:
    """A condition in plain words: `is not ready`, `is stalled`, else its type and status: `has DaemonHealthy=False`."""
    words = words_of(kind.rpartition("/")[2])
    if len(words) != 1 or status.lower() not in ("true", "false"):
        return f"has {kind}={status}"
    word, is_true = words[0], status.lower() == "true"
    if polarity_of(kind) == "positive" and not is_true:
        return f"is not {word}"
    return f"is {word}" if is_true and word.endswith(("ed", "id")) else f"has {kind}={status}"
