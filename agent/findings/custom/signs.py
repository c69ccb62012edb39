"""The signs of a fault in one object's status: what each place may show, and which of it counts.

Where to look is in `places`, what single fields tell in `fields`, what words mean in `conditions` and `words`.
"""

from collections.abc import Collection
from itertools import islice

from agent.findings.custom.attempts import failed_attempts
from agent.findings.custom.conditions import in_plain_words, judge, polarity_of, praises
from agent.findings.custom.counts import selected_none, short_of
from agent.findings.custom.fields import signs_in
from agent.findings.custom.messages import inside
from agent.findings.custom.nodes import Path, Place, Places, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation, is_stale, situation_of
from agent.findings.custom.words import fails, words_of
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, list_at, object_at, text_at, texts_at

# Of one object so many signs are kept; more say the same again.
SIGNS = 50


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


# Beside the signs so many conditions and states are told.
_TOLD_BESIDE = 5


def standing_beside(manifest: Manifest, signs: list[Sign]) -> str:
    """What the conditions and the states of the whole say that give no sign, in a sentence, "" where there are none."""
    status = object_at(manifest, "status")
    bad = {sign.path for sign in signs}
    called = {sign.title for sign in signs}
    beside = [
        f"{one_line(kind, 60)}={one_line(text_at(each, 'status'), 20)}"
        for index, each in enumerate(list_at(status, "conditions")[:SIGNS])
        if ("status", "conditions", index) not in bad and (kind := text_at(each, "type")) and text_at(each, "status")
    ]
    states = [(key, value) for key, value in status.items() if role_of(key) == "state" and isinstance(value, str)]
    beside = beside[:_TOLD_BESIDE] + [
        f"{one_line(key, 60)} {one_line(value, 60)}"
        for key, value in states[:_TOLD_BESIDE]
        if value and " " not in value and f"has {one_line(key, 60)} {one_line(value, 60)}" not in called
    ]
    if beside or states:
        return f"Beside that it says {', '.join(beside)}." if beside else ""
    tells_faults_only = all(polarity_of(text_at(manifest, *sign.path, "type")) == "bad" for sign in signs)
    return "How the whole stands is not said: its state is not yet known." if tells_faults_only else ""


def signs_of(manifest: Manifest) -> list[Sign]:
    """The signs in an object's status, worst first, then those nearest its top."""
    situation = situation_of(manifest)
    signs: list[Sign] = []
    places = Places(manifest)
    for place in places:
        if not _is_condition(place):
            signs += islice(signs_in(manifest, place, situation), SIGNS) if place.roles else ()
        elif sign := _condition(manifest, place, situation):
            signs.append(sign)
        if len(signs) >= SIGNS:
            break
    if short := short_of(manifest, situation) if not signs else None:
        signs.append(_short_sign(manifest, *short))
    if not signs and places.left_out:
        signs += islice(failed_attempts(manifest, situation), SIGNS)
    if nothing := selected_none(manifest) if not signs else None:
        signs.append(_none_sign(manifest, *nothing))
    kept = [capped for sign in signs if (capped := _capped(sign, situation))]
    kept.sort(key=lambda sign: (sign.severity != "error", len(sign.path)))
    return kept


def _capped(sign: Sign, situation: Situation) -> Sign | None:
    """A sign as the situation lets it count: what is halted has no errors."""
    if situation.halted and sign.severity == "warning":
        return None
    if sign.severity == "error" and (situation.halted or situation.stale):
        return sign._replace(severity="warning")
    return sign


def _is_condition(place: Place) -> bool:
    node, path = place.value, place.path
    if len(path) > 1 and path[-2] == "conditions":
        return True
    named = "type" in node or (bool(path) and _ends_in_condition(path[-1]))
    return named and "status" in node and text_at(node, "status").lower() in ("true", "false", "unknown")


def _ends_in_condition(key: str | int) -> bool:
    return isinstance(key, str) and key.lower().endswith("condition")


def _condition(manifest: Manifest, place: Place, situation: Situation) -> Sign | None:
    node, path = place.value, place.path
    if node.get("status") == "True" and praises(node.get("type")):
        return None
    named, status, reason, level, message, error = texts_at(node, *_OF_A_CONDITION)
    kind = named or _key_of(path)
    field = "message" if node.get("message") or not node.get("error") else "error"
    message = message if field == "message" else error
    if situation.well and path[:2] != ("status", "conditions") and not _is_well_beside(manifest, path):
        # That the whole is well says nothing of its parts.
        situation = situation._replace(well=False, sound=False)
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
        short=(f"{plain} ({named})" if plain else named) + inside(manifest, _holder_of(path)),
        said=said,
        text=message or reason or kind,
    )


def _holder_of(path: Path) -> Path:
    """The part that a condition is of."""
    return path[:-2] if path[-2:-1] == ("conditions",) else path[:-1]


_OF_A_CONDITION = ("type", "status", "reason", "severity", "message", "error")


def _key_of(path: Path) -> str:
    """The type of a condition where it is no field: some controllers keep a map of conditions by type."""
    return next((key for key in path[-1:] if isinstance(key, str)), "")


_WELL_BESIDE = frozenset({"ready", "available", "healthy"})
_BESIDE = 20


def _is_well_beside(manifest: Manifest, path: Path) -> bool:
    """Whether a condition beside this one calls their part of the status well."""
    beside = [each for each in list_at(manifest, *path[:-1])[:_BESIDE] if text_at(each, "type").lower() in _WELL_BESIDE]
    return bool(beside) and all(text_at(each, "status").lower() == "true" for each in beside)


def _short_sign(manifest: Manifest, path: Path, ready: int, wanted: int) -> Sign:
    nouns = [word for word in words_of(str(path[-1])) if word.endswith("s")]
    what = one_line(nouns[-1], 60) if nouns else "parts"
    return Sign(
        severity="warning",
        path=("status",),
        title=f"has {ready} of {wanted} {what} ready",
        short=f"some {what} are not ready or available: {one_line(str(path[-1]), 60)} is {ready} of {wanted}",
        said=quote(manifest, *path),
        text=str(path[-1]),
    )


def _none_sign(manifest: Manifest, path: Path, what: str) -> Sign:
    selectors = [key for key in object_at(manifest, "spec") if words_of(key)[-1:] == ("selector",)]
    return Sign(
        severity="warning",
        path=("status",),
        title=f"has selected no {one_line(what, 60)}",
        short=f"{one_line(str(path[-1]), 60)} is empty",
        said=tuple(evidence for key in selectors for evidence in quote(manifest, "spec", key)),
        text=str(path[-1]),
    )
