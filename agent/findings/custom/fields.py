"""The signs that single fields give: states, levels, errors, messages, flags, codes. Conditions are read in `signs`."""

from collections.abc import Iterator
from itertools import islice
from typing import cast

from agent.findings.custom.messages import (
    code_of,
    counts_beside,
    first_text,
    inside,
    name_of,
    quoted,
    told_below,
    told_beside,
    type_beside,
)
from agent.findings.custom.nodes import Place, Role, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import Standing, standing_of
from agent.findings.custom.words import (
    DECISIVE,
    ERROR_LEVELS,
    FAULT_FLAGS,
    MESSAGE_KEYS,
    MUTE,
    NAME_KEYS,
    doubts,
    fails,
    is_coming,
    is_idle,
    words_of,
)
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence, Severity
from agent.objects.manifest import Manifest, list_at, text_at


def signs_in(manifest: Manifest, place: Place, situation: Situation) -> Iterator[Sign]:
    """The signs of an object of the status that is no condition."""
    is_leftover = situation.well or situation.done or (place.weak and "fine" in situation.states)
    for key, role in place.roles:
        if not is_leftover or role in _ALWAYS:
            sign = _sign(manifest, place, key, place.value[key], role, situation)
            if sign:
                yield sign


# What counts even of an object that is well or has ended; of other roles only where it may still be so.
_ALWAYS = frozenset[Role]({"state", "level", "code"})


def _sign(manifest: Manifest, place: Place, key: str, value: object, role: Role, situation: Situation) -> Sign | None:
    if role == "state":
        return _state(manifest, place, key, value, situation)
    if role == "level":
        return _level(manifest, place, key, value)
    if role == "code":
        return _code(manifest, place, key, value)
    if role in ("error", "faults") and value is True:
        return _fault_flag(manifest, place, key)
    if role == "error" or (role == "message" and place.faults):
        return _error(manifest, place, key, value, situation)
    if role == "message":
        return _message(manifest, place, key, value, situation)
    return _flag(manifest, place, key, situation) if role == "flag" and value is False else None


def _state(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A state by name, or a number that has a text beside it."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    nested = len(place.path) > 1
    if nested and (situation.done or (place.weak and situation.well)):
        return None
    if role_of(key) == "other" and (situation.well or place.weak or _is_one_of_many(place, key)):
        return None
    standing = standing_of(value) if isinstance(value, str) else None
    if standing in _NO_FAULT:
        return None
    if nested and _is_overtaken(manifest, place, key):
        return None
    told = told_beside(manifest, place, key)
    severity: Severity | None
    if isinstance(value, int):
        # An enumeration: only its text tells what the number means.
        severity = "error" if told and fails(told[0].text) else "warning" if _is_tale(told) else None
        if severity == "warning" and (situation.well or not told):
            return None
    else:
        match standing:
            case "bad":
                severity = "error"
            case "doubtful":
                is_told = bool(told) and (doubts(told[0].text) or MUTE.isdisjoint(words_of(value)))
                is_told = is_told or (not nested and _is_explained(place))
                severity = "warning" if is_told or _false_flag(place) else None
            case "halted":
                # It stopped because it failed.
                severity = "error" if told and fails(told[0].text) else None
            case None:
                severity = "warning" if value.count(" ") >= 2 else None
            case "fine" | "done" | "coming":
                severity = None
    if severity is None:
        return None
    below = told_below(manifest, place) if not told and severity == "error" else ()
    if nested and (situation.coming or (situation.well and not below and not (told and fails(told[0].text)))):
        severity = "warning"
    if nested:
        told += name_of(manifest, place, key)
    if not told and severity == "error":
        told = counts_beside(manifest, place)
    return Sign(
        severity=severity,
        path=place.path,
        title=f"has {one_line(key, 60)} {one_line(str(value), 60)}",
        short=f"{one_line(key, 60)} is {one_line(str(value), 60)}{inside(manifest, place.path)}"
        + (f", and {one_line(flag, 60)} is false" if nested and (flag := _false_flag(place)) else "")
        + (": at least one part does not comply" if below and words_of(str(value))[-1:] in _NO_COMPLIANCE else ""),
        said=told + quote(manifest, *place.path, key) + below,
        text=told[0].text if told else str(value),
    )


# Whatever stands beside such a state is no matter of it.
_NO_FAULT: frozenset[Standing | None] = frozenset({"fine", "done", "coming"})


_NO_COMPLIANCE = (("compliant",), ("noncompliant",))


def _is_one_of_many(place: Place, key: str) -> bool:
    """Whether a state is of one of many alike (`executor-1: FAILED`), of which others are well: it is replaced."""
    values = (value for value in islice(place.value.values(), _BESIDE) if isinstance(value, str))
    return any(map(str.isdigit, key)) and any(standing_of(value) in ("fine", "done") for value in values)


def _is_overtaken(manifest: Manifest, place: Place, key: str) -> bool:
    """Whether the list that a part is in names it again, and calls it well there: an action that was tried anew."""
    if not isinstance(place.path[-1], int):
        return False
    name = next((name for name in NAME_KEYS if isinstance(place.value.get(name), str)), "")
    return any(
        entry is not place.value
        and text_at(entry, name) == place.value.get(name)
        and standing_of(text_at(entry, key)) in ("fine", "done")
        for entry in (list_at(manifest, *place.path[:-1])[:_BESIDE] if name else ())
    )


# So many entries of a list, or values of an object, are looked through beside one.
_BESIDE = 20


def _false_flag(place: Place) -> str:
    """What a part of a list says beside its doubtful state is not done (`applied: false`), "" where nothing."""
    is_part = bool(place.path) and isinstance(place.path[-1], int)
    flags = (key for key, value in place.value.items() if is_part and value is False and role_of(key) == "flag")
    return next(flags, "")


def _is_tale(told: tuple[Evidence, ...]) -> bool:
    return bool(told) and told[0].text.count(" ") >= 2


def _is_explained(place: Place) -> bool:
    """Whether a reason beside a state is a sentence of what is wrong: `state: Inactive, reason: two routes overlap`."""
    reason = text_at(place.value, "reason")
    return reason.count(" ") >= 2 and not _passes(reason)


def _passes(text: str) -> bool:
    """Whether a sentence tells of what is to come, or of what is not wanted now."""
    return is_coming(text) or is_idle(text)


def _level(manifest: Manifest, place: Place, key: str, value: object) -> Sign | None:
    """A message with a level of its own: `level: ERROR`."""
    if not isinstance(value, str) or ERROR_LEVELS.isdisjoint(words_of(value)):
        return None
    told = told_beside(manifest, place, key) or type_beside(manifest, place, key)
    if not told:
        return None
    return Sign(
        severity="error",
        path=place.path,
        title=f"reports a message of {one_line(key, 60)} {one_line(value, 60)}",
        short=f"{one_line(key, 60)} is {one_line(value, 60)}{inside(manifest, place.path)}",
        said=told,
        text=told[0].text,
    )


_NOTHING = frozenset({"none", "false", "null", "no error", "no errors", "n/a", "ok", "-", "nil", "0", "{}", "[]"})


def _error(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A field that is only there for errors, and is not empty."""
    text = first_text(value)
    if not text or isinstance(value, dict) or text.lower() in _NOTHING:
        return None
    if isinstance(value, list) and not isinstance(cast("list[object]", value)[0], str):
        return None  # its objects are places of their own
    if isinstance(value, list) and situation.states & {"fine", "done"} and "bad" not in situation.states:
        return None  # a log of what failed on the way: the state itself calls the end of it well
    if role_of(key) == "error" and words_of(key)[-1] not in MESSAGE_KEYS and _is_switch(text):
        return None
    if _is_only_told(place):
        return None
    if len(place.path) > 1 and _is_fine_beside(place):
        return None
    # The newest error of something that runs may have passed.
    if words_of(key)[0] == "last" and situation.calm:
        return None
    is_overcome = words_of(key)[0] == "last" and "fine" in situation.states
    return Sign(
        severity="warning" if situation.coming or place.weak or is_overcome else "error",
        path=place.path,
        title=f"reports an error in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} is set{inside(manifest, place.path)}",
        said=quoted(manifest, place, key) + name_of(manifest, place, key) + code_of(manifest, place),
        text=text,
    )


def _is_switch(text: str) -> bool:
    """Whether the value of an error key is a choice, as in `onFailure: Retry`; codes like `EIO` are none."""
    return " " not in text and not doubts(text) and not (text.isupper() and len(text) > 2)


def _is_fine_beside(place: Place) -> bool:
    """Whether the state of the part that an error stands in calls it well."""
    states = (place.value[key] for key, role in place.roles if role == "state")
    return any(isinstance(state, str) and standing_of(state) in ("fine", "done") for state in states)


_TELLS_ONLY = frozenset({"dryrun", "warn", "audit"})


def _is_only_told(place: Place) -> bool:
    """Whether an entry says of itself that nothing follows from it: `enforcementAction: dryrun`."""
    return any(
        isinstance(value, str) and value in _TELLS_ONLY and isinstance(key, str) and words_of(key)[-1:] == ("action",)
        for key, value in cast("dict[object, object]", place.value).items()
    )


def _message(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A text for people that tells of a failure, where no state beside it says how it stands."""
    if not isinstance(value, str) or not fails(value) or situation.states & {"fine", "done", "bad"}:
        return None  # what is bad has told this text already
    if len(place.path) != 1:
        reason = text_at(place.value, "reason") or text_at(place.value, "code")
        if not fails(reason) or (reason == value and (situation.calm or not _is_code(place, key, reason))):
            return None
    return Sign(
        severity="warning" if situation.coming or situation.states else "error",
        path=place.path,
        title=f"tells of a failure in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} tells of a failure{inside(manifest, place.path)}",
        said=quote(manifest, *place.path, key)
        + (quote(manifest, *place.path, "message" if key == "reason" else "reason")),
        text=value,
    )


def _is_code(place: Place, key: str, reason: str) -> bool:
    """Whether a reason that stands alone begins with the name of a fault: `CrashLoopBackOff on pod api-0`."""
    return key == "reason" and "message" not in place.value and standing_of(reason.partition(" ")[0]) == "bad"


def _flag(manifest: Manifest, place: Place, key: str, situation: Situation) -> Sign | None:
    """`ready: false` or `applied: false` with a text beside it that tells of a failure, or of the whole with none."""
    if situation.states & {"fine", "done"}:
        return None
    told = told_beside(manifest, place, key)
    text, nested = told[0].text if told else "", len(place.path) > 1
    is_hard = bool(told) and (fails(text) or (nested and "bad" in situation.states))
    if not is_hard and (nested or _passes(text) or not (doubts(text) or _calls_all_bad(key, situation))):
        return None
    return Sign(
        severity="error" if is_hard and not situation.coming else "warning",
        path=place.path,
        title=f"has {one_line(key, 60)} false",
        short=f"{one_line(key, 60)} is false{inside(manifest, place.path)}",
        said=(told or quote(manifest, *place.path, key)) + name_of(manifest, place, key),
        text=text or key,
    )


def _calls_all_bad(key: str, situation: Situation) -> bool:
    """Whether a false flag is of the whole (`healthy`, `isValid`), and nothing else says how that stands."""
    words = words_of(key)
    is_of_the_whole = len(words) == 1 or (len(words) == 2 and words[0] in ("is", "all"))
    return is_of_the_whole and words[-1] in DECISIVE and not situation.states and not situation.coming


def _fault_flag(manifest: Manifest, place: Place, key: str) -> Sign | None:
    """`failed: true`, of the object itself or of a part that is no past run."""
    if place.weak or words_of(key)[0] in ("no", "not"):
        return None
    if words_of(key)[-1] not in FAULT_FLAGS and words_of(key)[:1] not in (("has",), ("is",)):
        return None
    told = told_beside(manifest, place, key) + name_of(manifest, place, key)
    return Sign(
        severity="error",
        path=place.path,
        title=f"has {one_line(key, 60)} true",
        short=f"{one_line(key, 60)} is true{inside(manifest, place.path)}",
        said=told or quote(manifest, *place.path, key),
        text=told[0].text if told else key,
    )


# Of HTTP (RFC 9110, section 15).
_HTTP_ERRORS = range(400, 600)


def _code(manifest: Manifest, place: Place, key: str, value: object) -> Sign | None:
    """The number by which a program, or an answer of HTTP, said that it failed."""
    if not isinstance(value, int) or isinstance(value, bool) or len(place.path) > 2 or place.weak:
        return None
    is_exit = "exit" in words_of(key) and value > 0
    if not is_exit and value not in _HTTP_ERRORS:
        return None
    told = told_beside(manifest, place, key)
    if not is_exit and not (told and fails(told[0].text)):
        return None
    return Sign(
        severity="error",
        path=place.path,
        title=f"has {one_line(key, 60)} {value}",
        short=f"{one_line(key, 60)} is {value}{inside(manifest, place.path)}",
        said=told + quote(manifest, *place.path, key),
        text=told[0].text if told else key,
    )
