"""The one table of words that statuses are read with, and the tone of an identifier or a sentence.

Each row has a word, its role and its polarity. A word matches every word that begins with it (`fail`: failed, failure),
one that ends in a dollar sign only itself. A prefix of denial in front of a good word makes it bad (`unavailable`,
`disconnected`), a word of denial before a word turns it around (`not ready`, `no errors`).

The words come from the Kubernetes API conventions, from Argo CD's health checks (argoproj/argo-cd,
`resource_customizations`, and gitops-engine, `pkg/health`) and from the code of controllers; none is the name of a
kind. `python -m tests.benchmarks status-words` names for each row a case that needs it.
"""

import re
from collections.abc import Callable
from typing import Literal

from agent.findings.engine.bounded_cache import BoundedCache

type Tone = Literal["bad", "doubtful", "coming", "idle", "done", "fine", "good"]
type KeyRole = Literal["state", "text", "past", "copy", "choice", "level"]

# `bad` reports a failure, `doubtful` what may be one, `coming` what is under way, `idle` what is halted on purpose.
TONES: dict[Tone, str] = {
    "bad": (
        "fail err exception fatal crash denied forbid unauthori refus reject timeout timedout exceed unable "
        "could conflict violat expired stall degrad abort terminal$ backoff lost exhaust wrong broken "
        "kill evict orphan red$ critical rollback cancel diverg breach x509 eof fault offline problem bad$ differ$ "
        "abnormal nosuch notfound notenough insufficient"
    ),
    "doubtful": "missing cannot warn unknown down$",
    "coming": (
        "progress pending wait creating start initializ terminat delet roll yet still provisioning scaling upgrad "
        "updat issuing unpack failover"
    ),
    "idle": "paus suspend stopp disabl hibernat skip standby inactive idle",
    "done": "succe complet finish promoted pass$",
    "fine": "runn active exist found match selected$ confirm quorum",
    "good": (
        "ready healthy available valid ok sync establish accept program reconcil resolv bound connect reach install "
        "appl admit compl online operational authenticat verif schedul deploy supported configur provisioned$"
    ),
}
# Denied, these report something that is not wanted, and no fault.
_DENIED_IDLE = ("active", "applicable")
# The words of keys in a status, the last one of all but `past`.
KEYS: dict[KeyRole, str] = {
    "state": "phase state status health result compliant",
    "text": "message reason description msg detail cause summary stderr trace",
    "past": "history previous recent measurement attempt event eviction retries",
    "copy": "spec log",
    "choice": "mode",
    "level": "level severity",
}
# The tones of what is well.
FINE: frozenset[Tone] = frozenset({"good", "done", "fine"})
_DENIALS = frozenset(["no", "not", "non", "without", "zero", "0", "never", "none", "t", "already"])
_PREFIXES = ("un", "in", "non", "dis", "mis", "ir", "im", "not")
# A denial turns around a word at most so many words after it.
_REACH = 4

IDENTIFIER_LIMIT = 200
TEXT_LIMIT = 1_000
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z0-9]+")


def _split(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_CAMEL.sub(" ", text).lower()))


words_of: Callable[[object], tuple[str, ...]] = BoundedCache(_split, length=IDENTIFIER_LIMIT, other=()).__getitem__
"""The words of an identifier in lower case: `ACK.ResourceSynced` as ack, resource, synced."""


_ROWS: dict[str, Tone] = {word: tone for tone, words in TONES.items() for word in words.split()}
_EXACT: dict[str, Tone] = {word[:-1]: tone for word, tone in _ROWS.items() if word.endswith("$")}
_STEMS: dict[str, Tone] = {word: tone for word, tone in _ROWS.items() if not word.endswith("$")}
_LONGEST = max(map(len, _STEMS))


def _tone_of_word(word: str) -> Tone | None:
    """The tone of one word; a good word that ends in -ing is an action under way."""
    if word in _EXACT:
        return _EXACT[word]
    tone: Tone | None = next(
        (_STEMS[word[:end]] for end in range(min(len(word), _LONGEST), 1, -1) if word[:end] in _STEMS), None
    )
    if tone is not None:
        is_action = tone in ("good", "done") and word.endswith("ing") and word not in ("working", "serving")
        return "coming" if is_action else tone
    rests = (word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix))
    return "bad" if any(len(rest) > 3 and word_tone(rest) in ("good", "fine") for rest in rests) else None


word_tone: Callable[[str], Tone | None] = BoundedCache[Tone | None](
    _tone_of_word, length=IDENTIFIER_LIMIT, other=None
).__getitem__


def tones_of(words: tuple[str, ...]) -> list[Tone]:
    """The tones of words in their order, after denials."""
    found: list[Tone] = []
    denied = 0
    for place, word in enumerate(words):
        pair = word + words[place + 1] if place + 1 < len(words) else ""
        if pair in _STEMS:
            found.append(_STEMS[pair])  # `not found`, `back off`
            denied = 0
            continue
        if word in _DENIALS:
            denied = _REACH
            continue
        tone = word_tone(word)
        if tone is None:
            denied -= denied > 0
            continue
        if denied and not (tone == "coming" and word == "yet"):
            tone = "idle" if word.startswith(_DENIED_IDLE) else _DENIED[tone]
            denied = 0
        if tone == "bad" and words[place + 1 : place + 2] in _NONE_OF:
            tone = "good"
        found.append(tone)
    return found


# `failed: 0`, `ErrorFree`
_NONE_OF = (("0",), ("none",), ("false",), ("free",), ("tolerant",))
_DENIED: dict[Tone, Tone] = {
    "bad": "good", "doubtful": "good", "coming": "good", "idle": "good", "done": "doubtful", "good": "doubtful",
    "fine": "doubtful",
}  # fmt: skip


def _tone_of_text(text: str) -> Tone | None:
    tones = set(tones_of(_split(text)))
    return next((tone for tone in ("bad", "idle", "coming", "doubtful", "done", "good", "fine") if tone in tones), None)


tone_of: Callable[[str], Tone | None] = BoundedCache[Tone | None](
    _tone_of_text, length=TEXT_LIMIT, other=None
).__getitem__
"""The tone of a sentence or a reason: a failure counts first, what is under way before what lacks."""


def reports_failure(text: str) -> bool:
    """Whether a sentence or a reason reports a failure."""
    return tone_of(text) == "bad"


def suggests_failure(text: str) -> bool:
    """Whether it reports a failure, or something missing or not possible."""
    return tone_of(text) in ("bad", "doubtful")


def _tone_of_state(value: str) -> Tone | None:
    words = _split(value)
    tones = tones_of(words)
    if "bad" in tones or _STEMS.get("".join(words)) == "bad":
        return "bad"
    if words and words[0] in ("no", "not", "non") and len(words) == 2 and tones == ["doubtful"] and words[1] != "ready":
        return "bad"
    for tone in ("doubtful", "coming", "idle", "done", "good", "fine"):
        if tone in tones:
            return tone
    if value.count(" ") > 2:  # a sentence
        return "bad" if _DENIALS.intersection(words) else "doubtful"
    return "coming" if words and words[0].endswith("ing") else None


state_tone: Callable[[str], Tone | None] = BoundedCache[Tone | None](
    _tone_of_state, length=TEXT_LIMIT, other=None
).__getitem__
"""The tone of the value of a state (`ConfigError`, `HEALTH_WARN`, `Setting up primary`), None for unknown words."""
_KEY_ROLES: dict[str, KeyRole] = {word: role for role, words in KEYS.items() for word in words.split()}

type FieldRole = Literal["state", "text", "past", "copy", "choice", "level", "error", "faults", "flag", "other"]


def _role_of_word(word: str) -> KeyRole | None:
    return _KEY_ROLES.get(word) or _KEY_ROLES.get(word.removesuffix("s")) or _KEY_ROLES.get(word.removesuffix("es"))


def _role(key: str) -> FieldRole:
    words = words_of(key)
    if not words:
        return "other"
    last = words[-1]
    role = _role_of_word(last)
    if "past" in map(_role_of_word, words):
        return "past"
    tones = [word_tone(word) for word in words]
    if "bad" in tones and words[0] not in ("on", "no", "not", "log", "if"):
        return "error" if role == "text" or tones[-1] == "bad" else role if role in ("state", "choice") else "faults"
    if role is not None:
        return role
    return "flag" if tones[-1] in ("good", "done") else "other"


role_of: Callable[[object], FieldRole] = BoundedCache[FieldRole](
    _role, length=IDENTIFIER_LIMIT, other="other"
).__getitem__
"""The role of a field by the words of its key, "other" for a key that is no text (YAML allows any)."""
