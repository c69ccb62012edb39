"""The signs of a fault in one object's status, and the severity that each has in the object's situation."""

from collections.abc import Collection
from itertools import islice

from agent.findings.custom.attempts import failed_attempts
from agent.findings.custom.conditions import condition_severity, is_positive, plain_text, polarity_of
from agent.findings.custom.counts import empty_selection, too_few_ready
from agent.findings.custom.fields import signs_in
from agent.findings.custom.messages import location
from agent.findings.custom.nodes import StatusNode, StatusNodes, StatusPath, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation, is_outdated, situation_of
from agent.findings.custom.words import reports_failure, words_of
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, list_at, object_at, text_at, texts_at

# Most signs of one object.
MAX_SIGNS = 50


def unmet_messages(manifest: Manifest, quoted: Collection[str]) -> tuple[Evidence, ...]:
    """The messages of the object's conditions that are unmet or report a failure, without those already `quoted`."""
    evidence: tuple[Evidence, ...] = ()
    for index, each in enumerate(list_at(manifest, "status", "conditions")[:MAX_SIGNS]):
        message = text_at(each, "message")
        if not message or message in quoted:
            continue
        unmet = text_at(each, "status").lower() != "true" and polarity_of(text_at(each, "type")) == "positive"
        if unmet or reports_failure(message):
            evidence += quote(manifest, "status", "conditions", index, "message")
    return evidence


# Most conditions, and most states, without a fault that are named.
_MAX_OTHERS = 5


def other_states(manifest: Manifest, signs: list[Sign]) -> str:
    """A sentence with the conditions and states of the whole object that are no sign, "" where there are none."""
    status = object_at(manifest, "status")
    bad = {sign.path for sign in signs}
    titles = {sign.title for sign in signs}
    others = [
        f"{one_line(kind, 60)}={one_line(text_at(each, 'status'), 20)}"
        for index, each in enumerate(list_at(status, "conditions")[:MAX_SIGNS])
        if ("status", "conditions", index) not in bad and (kind := text_at(each, "type")) and text_at(each, "status")
    ]
    states = [(key, value) for key, value in status.items() if role_of(key) == "state" and isinstance(value, str)]
    others = others[:_MAX_OTHERS] + [
        f"{one_line(key, 60)} {one_line(value, 60)}"
        for key, value in states[:_MAX_OTHERS]
        if value and " " not in value and f"has {one_line(key, 60)} {one_line(value, 60)}" not in titles
    ]
    if others or states:
        return f"It also reports {', '.join(others)}." if others else ""
    are_negative = all(polarity_of(text_at(manifest, *sign.path, "type")) == "negative" for sign in signs)
    return "It reports no overall state: its state is not yet known." if are_negative else ""


def signs_of(manifest: Manifest) -> list[Sign]:
    """The signs in an object's status: errors first, then those nearest to the top."""
    situation = situation_of(manifest)
    signs: list[Sign] = []
    nodes = StatusNodes(manifest)
    for node in nodes:
        if not _is_condition(node):
            signs += islice(signs_in(manifest, node, situation), MAX_SIGNS) if node.roles else ()
        elif sign := _condition(manifest, node, situation):
            signs.append(sign)
        if len(signs) >= MAX_SIGNS:
            break
    if short := too_few_ready(manifest, situation) if not signs else None:
        signs.append(_too_few_sign(manifest, *short))
    if not signs and nodes.left_out:
        signs += islice(failed_attempts(manifest, situation), MAX_SIGNS)
    if nothing := empty_selection(manifest) if not signs else None:
        signs.append(_empty_selection_sign(manifest, *nothing))
    kept = [capped for sign in signs if (capped := _capped(sign, situation))]
    kept.sort(key=lambda sign: (sign.severity != "error", len(sign.path)))
    return kept


def _capped(sign: Sign, situation: Situation) -> Sign | None:
    """The sign with its severity in the situation: a suspended object has no errors. None where it does not count."""
    if situation.suspended and sign.severity == "warning":
        return None
    if sign.severity == "error" and (situation.suspended or situation.outdated):
        return sign._replace(severity="warning")
    return sign


def _is_condition(node: StatusNode) -> bool:
    value, path = node.value, node.path
    if len(path) > 1 and path[-2] == "conditions":
        return True
    is_named = "type" in value or (bool(path) and _ends_in_condition(path[-1]))
    return is_named and "status" in value and text_at(value, "status").lower() in ("true", "false", "unknown")


def _ends_in_condition(key: str | int) -> bool:
    return isinstance(key, str) and key.lower().endswith("condition")


def _condition(manifest: Manifest, node: StatusNode, situation: Situation) -> Sign | None:
    value, path = node.value, node.path
    if value.get("status") == "True" and is_positive(value.get("type")):
        return None
    named, status, reason, level, message, error = texts_at(value, *_OF_A_CONDITION)
    kind = named or _key_of(path)
    field = "message" if value.get("message") or not value.get("error") else "error"
    message = message if field == "message" else error
    if situation.ready and path[:2] != ("status", "conditions") and not _is_sibling_ready(manifest, path):
        # A ready object may have parts that are not.
        situation = situation._replace(ready=False, not_degraded=False)
    severity = condition_severity(
        kind=kind, status=status, reason=reason, message=message, level=level, situation=situation
    )
    if severity is None:
        return None
    if is_outdated(manifest, *path):
        severity = "warning"
    evidence = quote(manifest, *path, field) + quote(manifest, *path, "reason") or quote(manifest, *path, "status")
    named = f"{one_line(kind, 60)}={one_line(status, 20)}"
    plain = plain_text(kind, status, "" if message else reason)
    return Sign(
        severity=severity,
        path=path,
        title=f"has the condition {named}" + (f" ({one_line(reason, 60)})" if reason else ""),
        short=(f"{plain} ({named})" if plain else named) + location(manifest, _holder_of(path)),
        evidence=evidence,
        text=message or reason or kind,
    )


def _holder_of(path: StatusPath) -> StatusPath:
    """The path of the part that a condition is about."""
    return path[:-2] if path[-2:-1] == ("conditions",) else path[:-1]


_OF_A_CONDITION = ("type", "status", "reason", "severity", "message", "error")


def _key_of(path: StatusPath) -> str:
    """The type of a condition without one: some controllers write a map of conditions by type."""
    return next((key for key in path[-1:] if isinstance(key, str)), "")


_READY_TYPES = frozenset({"ready", "available", "healthy"})
_MAX_SIBLINGS = 20


def _is_sibling_ready(manifest: Manifest, path: StatusPath) -> bool:
    """Whether the Ready-like conditions in the same list are all True."""
    siblings = [
        each for each in list_at(manifest, *path[:-1])[:_MAX_SIBLINGS] if text_at(each, "type").lower() in _READY_TYPES
    ]
    return bool(siblings) and all(text_at(each, "status").lower() == "true" for each in siblings)


def _too_few_sign(manifest: Manifest, path: StatusPath, ready: int, wanted: int) -> Sign:
    nouns = [word for word in words_of(str(path[-1])) if word.endswith("s")]
    what = one_line(nouns[-1], 60) if nouns else "parts"
    return Sign(
        severity="warning",
        path=("status",),
        title=f"has {ready} of {wanted} {what} ready",
        short=f"some {what} are not ready or available: {one_line(str(path[-1]), 60)} is {ready} of {wanted}",
        evidence=quote(manifest, *path),
        text=str(path[-1]),
    )


def _empty_selection_sign(manifest: Manifest, path: StatusPath, what: str) -> Sign:
    selectors = [key for key in object_at(manifest, "spec") if words_of(key)[-1:] == ("selector",)]
    return Sign(
        severity="warning",
        path=("status",),
        title=f"has selected no {one_line(what, 60)}",
        short=f"{one_line(str(path[-1]), 60)} is empty",
        evidence=tuple(evidence for key in selectors for evidence in quote(manifest, "spec", key)),
        text=str(path[-1]),
    )
