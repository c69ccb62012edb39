"""The signs of a fault in one object's status, and the severity that each has in the object's situation."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from agent.findings.custom.conditions import condition_verdict, is_positive, plain_text
from agent.findings.custom.counts import counted
from agent.findings.custom.fields import FieldSign, field_signs
from agent.findings.custom.nodes import StatusNode, StatusPath, location, status_nodes
from agent.findings.custom.situation import Situation, is_outdated, situation_of
from agent.findings.custom.words import words_of
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence, Severity
from agent.objects.manifest import Manifest, list_at, object_at, text_at, texts_at

# Most signs of one object, and entries of one list that are compared.
MAX_SIGNS = 50


class Sign(NamedTuple):
    """A part of a status that reports a fault, or (`waits`) one that is unmet and under way. `title` completes "Kind
    name", `short` names the sign in a list; signs with the same `text` report the same fault."""

    severity: Severity
    path: StatusPath
    title: str
    short: str
    evidence: tuple[Evidence, ...]
    text: str
    waits: bool = False


def signs_of(manifest: Manifest) -> list[Sign]:
    """The signs in an object's status: errors first, then those nearest to the top."""
    whole = situation_of(manifest)
    signs: list[Sign] = []
    for node in status_nodes(manifest):
        if _is_condition(node):
            signs += _condition(manifest, node, whole)
        else:
            signs += (_of_field(manifest, node, each) for each in islice(field_signs(node, whole), MAX_SIGNS))
        if len(signs) >= MAX_SIGNS:
            break
    if not any(not sign.waits for sign in signs):
        for each in counted(manifest, whole):
            evidence = quote(manifest, *each.path) or _spec(manifest) or quote(manifest, "status")
            signs.append(Sign("warning", ("status",), each.title, each.short, evidence, each.title))
    signs += _silent_siblings(manifest) if not signs else ()
    kept = [capped for sign in signs if (capped := _capped(sign, whole))]
    kept.sort(key=lambda sign: (sign.waits, sign.severity != "error", len(sign.path)))
    return kept


def _spec(manifest: Manifest) -> tuple[Evidence, ...]:
    selectors = [key for key in object_at(manifest, "spec") if key.lower().endswith("selector")]
    return tuple(evidence for key in selectors for evidence in quote(manifest, "spec", key))


def _capped(sign: Sign, whole: Situation) -> Sign | None:
    """The sign with its severity in the situation: a suspended object has no errors. None where it does not count."""
    if whole.suspended and (sign.severity == "warning" or sign.waits):
        return None
    if sign.severity == "error" and (whole.suspended or whole.outdated):
        return sign._replace(severity="warning")
    return sign


def _of_field(manifest: Manifest, node: StatusNode, found: FieldSign) -> Sign:
    where = location(manifest, node.path)
    # A report about other objects: the object itself is well.
    severity: Severity = "warning" if node.path and node.path[0] not in ("status", "metadata") else found.severity
    quoted = tuple(evidence for key in found.quoted for evidence in quote(manifest, *node.path, *key))
    return Sign(severity, node.path, found.title + where, found.short + where, quoted, found.text)


def _is_condition(node: StatusNode) -> bool:
    value, path = node.value, node.path
    if len(path) > 1 and path[-2] == "conditions":
        return True
    is_named = "type" in value or (bool(path) and str(path[-1]).lower().endswith("condition"))
    return is_named and str(value.get("status")).lower() in ("true", "false", "unknown")


_OF_A_CONDITION = ("type", "status", "reason", "severity", "message", "error")


def _condition(manifest: Manifest, node: StatusNode, whole: Situation) -> Iterator[Sign]:
    value, path = node.value, node.path
    kind, status, reason, level, message, error = texts_at(value, *_OF_A_CONDITION)
    kind = kind or str(path[-1] if path else "")
    message = message or error
    verdict = condition_verdict(kind, status, reason, message, level, whole)
    is_old = is_outdated(manifest, *path)
    if verdict is None or (is_old and path[:2] != ("status", "conditions")):
        return  # a part of an earlier spec: its controller has left it behind
    waits = verdict == "waits"
    because = f" ({_with_words(reason)})" if reason else ""
    named = f"condition {_with_words(kind)}={one_line(status, 20)}{because}"
    holder = path[:-2] if path[-2:-1] == ("conditions",) else path[:-1]
    where = location(manifest, holder)
    evidence = quote(manifest, *path, "message") or quote(manifest, *path, "error")
    yield Sign(
        severity="warning" if verdict == "waits" or is_old else verdict,
        path=path,
        title=one_line(plain_text(kind, status), 80) + where,
        short=named + where,
        evidence=evidence + quote(manifest, *path, "reason") or quote(manifest, *path, "status"),
        text=message or reason or kind,
        waits=waits,
    )


def _with_words(name: str) -> str:
    """A name of several words after these words: `secret missing, SecretMissing`."""
    words = words_of(name)
    return f"{one_line(' '.join(words), 60)}, {one_line(name, 60)}" if len(words) > 1 else one_line(name, 60)


def _silent_siblings(manifest: Manifest) -> Iterator[Sign]:
    """A sign for each part of a list that lacks a positive condition which another part has: `Accepted`."""
    for key in object_at(manifest, "status"):
        kinds = [
            {text_at(each, "type") for each in list_at(manifest, "status", key, index, "conditions")}
            for index in range(min(len(list_at(manifest, "status", key)), MAX_SIGNS))
        ]
        known = {kind for found in kinds for kind in found if is_positive(kind)}
        for index, found in enumerate(kinds):
            for kind in sorted(known - found if found else ()):
                where = location(manifest, ("status", key, index))
                title = f"has no condition {one_line(kind, 60)}{where}"
                evidence = quote(manifest, "status", key, index, "conditions", 0, "type")
                yield Sign("warning", ("status", key, index), title, title, evidence, title)
