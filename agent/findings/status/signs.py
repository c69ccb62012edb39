"""The signs of a fault in one object's status.

Owns what each place may show; where to look is in `places`, what words mean in `conditions`, `states` and `words`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from agent.findings.evidence import one_line, quote
from agent.findings.model import Evidence, Severity
from agent.findings.status.conditions import in_plain_words, judge, polarity_of
from agent.findings.status.counts import short_of
from agent.findings.status.places import Path, Place, places_of, role_of
from agent.findings.status.situation import Situation, is_stale, situation_of
from agent.findings.status.states import standing_of
from agent.findings.status.words import (
    ERROR_LEVELS,
    MESSAGE_KEYS,
    MUTE,
    NAME_KEYS,
    STATE_VALUE_KEYS,
    doubts,
    fails,
    words_of,
)
from agent.manifest import Manifest, list_at, text_at

# Of one object so many signs are kept; more say the same again.
SIGNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A part of a status that tells of a fault.

    `title` completes "Kind name", `short` names it in a list, `said` is what is quoted of it, `text` tells signs apart.
    """

    severity: Severity
    path: Path
    title: str
    short: str
    said: tuple[Evidence, ...]
    text: str


def summaries_of(manifest: Manifest, told: Collection[str]) -> tuple[Evidence, ...]:
    """What the object's own conditions say beside what is `told`: of one that is not met, or of a failure."""
    quoted: tuple[Evidence, ...] = ()
    for index, each in enumerate(list_at(manifest, "status", "conditions")[:SIGNS]):
        message = text_at(each, "message")
        if not message or message in told:
            continue
        unmet = text_at(each, "status").lower() != "true" and polarity_of(text_at(each, "type")) == "good"
        if unmet or fails(message):
            quoted += quote(manifest, "status", "conditions", index, "message")
    return quoted


def signs_of(manifest: Manifest) -> list[Sign]:
    """The signs in an object's status, worst first, then those nearest its top."""
    situation = situation_of(manifest)
    signs: list[Sign] = []
    for place in places_of(manifest):
        signs += _signs_at(manifest, place, situation)
        if len(signs) >= SIGNS:
            break
    if short := short_of(manifest, situation) if not signs else None:
        signs.append(_short_sign(manifest, *short))
    kept = [capped for sign in signs if (capped := _capped(sign, situation))]
    kept.sort(key=lambda sign: (sign.severity != "error", len(sign.path)))
    return kept


def _capped(sign: Sign, situation: Situation) -> Sign | None:
    """A sign as the situation lets it count: what is halted has no errors."""
    if situation.halted and sign.severity == "warning":
        return None
    if sign.severity == "error" and (situation.halted or situation.stale):
        return replace(sign, severity="warning")
    return sign


def _signs_at(manifest: Manifest, place: Place, situation: Situation) -> Iterator[Sign]:
    node = place.value
    if (len(place.path) > 1 and place.path[-2] == "conditions") or _is_condition(node):
        sign = _condition(manifest, place, situation)
        if sign:
            yield sign
        return
    leftover = situation.well or situation.done
    is_state = len(place.path) > 1 and role_of(place.path[-1]) == "state"
    for key, value in node.items():
        role = role_of(key)
        if role == "other":
            if not (is_state and key in STATE_VALUE_KEYS):
                continue
            role = "state"
        sign = None
        if role == "state":
            sign = _state(manifest, place, key, value, situation)
        elif role == "level":
            sign = _level(manifest, place, key, value)
        elif leftover or (place.weak and situation.states & {"fine"}):
            continue
        elif role == "error" or (role == "message" and place.faults):
            sign = _error(manifest, place, key, value, situation)
        elif role == "message":
            sign = _message(manifest, place, key, value, situation)
        elif role == "flag" and value is False:
            sign = _flag(manifest, place, key, situation)
        if sign:
            yield sign


def _is_condition(node: Manifest) -> bool:
    return "type" in node and "status" in node and text_at(node, "status").lower() in ("true", "false", "unknown")


def _condition(manifest: Manifest, place: Place, situation: Situation) -> Sign | None:
    node, path = place.value, place.path
    kind, status = text_at(node, "type"), text_at(node, "status")
    reason, level = text_at(node, "reason"), text_at(node, "severity")
    field = "message" if node.get("message") or not node.get("error") else "error"
    message = text_at(node, field)
    if situation.well and path[:2] != ("status", "conditions"):
        # That the whole is well says nothing of its parts.
        situation = replace(situation, well=False)
    severity = judge(kind=kind, status=status, reason=reason, message=message, level=level, situation=situation)
    if severity is None:
        return None
    if is_stale(manifest, *path):
        severity = "warning"
    said = quote(manifest, *path, field) + quote(manifest, *path, "reason") or quote(manifest, *path, "status")
    named = f"{one_line(kind, 60)}={one_line(status, 20)}"
    plain = in_plain_words(kind, status, "" if message else reason)
    return Sign(
        severity=severity,
        path=path,
        title=f"has the condition {named}" + (f" ({one_line(reason, 60)})" if reason else ""),
        short=f"{plain} ({named})" if plain else named,
        said=said,
        text=message or reason or kind,
    )


def _state(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A state by name, or a number that has a text beside it."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    nested = len(place.path) > 1
    if nested and (situation.done or (place.weak and situation.well)):
        return None
    told = _told(manifest, place, key)
    severity: Severity | None
    if isinstance(value, int):
        # An enumeration: only its text tells what the number means.
        severity = "error" if told and fails(told[0].text) else "warning" if _is_tale(told) else None
        if severity == "warning" and (situation.well or not told):
            return None
    else:
        match standing_of(value):
            case "bad":
                severity = "error"
            case "doubtful":
                is_told = bool(told) and (doubts(told[0].text) or MUTE.isdisjoint(words_of(value)))
                severity = "warning" if is_told or _has_false_flag(place) else None
            case None:
                severity = "warning" if value.count(" ") >= 2 else None
            case _:
                severity = None
    if severity is None:
        return None
    if nested and (situation.coming or (situation.well and not (told and fails(told[0].text)))):
        severity = "warning"
    if nested:
        told += _name(manifest, place, key)
    return Sign(
        severity=severity,
        path=place.path,
        title=f"has {one_line(key, 60)} {one_line(str(value), 60)}",
        short=f"{one_line(key, 60)} is {one_line(str(value), 60)}"
        + (", and something is not done" if nested and _has_false_flag(place) else ""),
        said=told + quote(manifest, *place.path, key),
        text=told[0].text if told else str(value),
    )


def _has_false_flag(place: Place) -> bool:
    """Whether a part of a list says beside its doubtful state that something is not done: `applied: false`."""
    node = place.value
    is_part = bool(place.path) and isinstance(place.path[-1], int)
    return is_part and any(value is False and role_of(key) == "flag" for key, value in node.items())


def _is_tale(told: tuple[Evidence, ...]) -> bool:
    return bool(told) and told[0].text.count(" ") >= 2


def _told(manifest: Manifest, place: Place, beside: str) -> tuple[Evidence, ...]:
    """What the texts beside a state say of it: its own (`appliedMessage` of `applied`), errors, messages, reasons."""
    texts: list[tuple[int, str]] = []
    for key, value in place.value.items():
        role = role_of(key)
        if role in ("error", "message") and key != beside and _first_text(value):
            own = key.startswith(beside)
            texts.append((0 if own else 1 if role == "error" else 2 if "reason" not in key.lower() else 3, key))
    quoted: tuple[Evidence, ...] = ()
    for _, key in sorted(texts, key=lambda text: text[0])[:2]:
        quoted += _quoted(manifest, place, key)
    return quoted


def _name(manifest: Manifest, place: Place, beside: str) -> tuple[Evidence, ...]:
    """The name of a part of a list."""
    if not place.path or not isinstance(place.path[-1], int):
        return ()
    key = next((key for key in NAME_KEYS if key != beside and isinstance(place.value.get(key), str)), None)
    return quote(manifest, *place.path, key) if key else ()


def _first_text(value: object) -> str:
    """A text, the first of a list of texts, or the message of an object."""
    if isinstance(value, list):
        value = next(iter(cast("list[object]", value)), None)
    if isinstance(value, dict):
        return text_at(cast("Manifest", value), "message")
    return value.strip() if isinstance(value, str) else ""


def _quoted(manifest: Manifest, place: Place, key: str) -> tuple[Evidence, ...]:
    value: Any = place.value[key]
    path: Path = (*place.path, key)
    if isinstance(value, list):
        path, value = (*path, 0), cast("list[Any]", value)[0]
    return quote(manifest, *path, "message") if isinstance(value, dict) else quote(manifest, *path)


def _level(manifest: Manifest, place: Place, key: str, value: object) -> Sign | None:
    """A message with a level of its own: `level: ERROR`."""
    if not isinstance(value, str) or ERROR_LEVELS.isdisjoint(words_of(value)):
        return None
    told = _told(manifest, place, key)
    if not told:
        return None
    return Sign(
        severity="error",
        path=place.path,
        title=f"reports a message of {one_line(key, 60)} {one_line(value, 60)}",
        short=f"{one_line(key, 60)} is {one_line(value, 60)}",
        said=told,
        text=told[0].text,
    )


_NOTHING = frozenset({"none", "false", "null", "no error", "no errors", "n/a", "ok", "-", "nil", "0", "{}", "[]"})


def _error(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A field that is only there for errors, and is not empty."""
    text = _first_text(value)
    if not text or isinstance(value, dict) or text.lower() in _NOTHING:
        return None
    if isinstance(value, list) and not isinstance(cast("list[object]", value)[0], str):
        return None  # its objects are places of their own
    if role_of(key) == "error" and words_of(key)[-1] not in MESSAGE_KEYS and " " not in text and not doubts(text):
        return None  # a switch, like `onFailure: Retry`
    # The newest error of something that runs may have passed.
    is_overcome = words_of(key)[0] == "last" and "fine" in situation.states
    return Sign(
        severity="warning" if situation.coming or place.weak or is_overcome else "error",
        path=place.path,
        title=f"reports an error in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} is set",
        said=_quoted(manifest, place, key) + _name(manifest, place, key),
        text=text,
    )


def _message(manifest: Manifest, place: Place, key: str, value: object, situation: Situation) -> Sign | None:
    """A text for people that tells of a failure, where no state beside it says how it stands."""
    if not isinstance(value, str) or not fails(value) or situation.states & {"fine", "done", "bad"}:
        return None  # what is bad has told this text already
    if len(place.path) != 1:
        reason = text_at(place.value, "reason")
        if reason == value or not fails(reason):
            return None
    return Sign(
        severity="warning" if situation.coming or situation.states else "error",
        path=place.path,
        title=f"tells of a failure in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} tells of a failure",
        said=quote(manifest, *place.path, key),
        text=value,
    )


def _flag(manifest: Manifest, place: Place, key: str, situation: Situation) -> Sign | None:
    """`ready: false` or `applied: false` with a text beside it that tells of a failure."""
    told = _told(manifest, place, key)
    if not told or not fails(told[0].text) or situation.states & {"fine", "done"}:
        return None
    return Sign(
        severity="warning" if situation.coming else "error",
        path=place.path,
        title=f"has {one_line(key, 60)} false",
        short=f"{one_line(key, 60)} is false",
        said=told + _name(manifest, place, key),
        text=told[0].text,
    )


def _short_sign(manifest: Manifest, field: str, ready: int, wanted: int) -> Sign:
    return Sign(
        severity="warning",
        path=("status",),
        title=f"has {ready} of {wanted} replicas ready",
        short=f"some replicas are not ready or available: {field} is {ready} of {wanted}",
        said=quote(manifest, "status", field),
        text=field,
    )
