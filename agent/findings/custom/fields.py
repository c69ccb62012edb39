"""The signs of single fields of a status: states, levels, errors, messages, flags, codes (conditions: see `signs`)."""

from collections.abc import Iterator
from itertools import islice
from typing import cast

from agent.findings.custom.messages import (
    first_text,
    location,
    nested_messages,
    quote_code,
    quote_name,
    quote_text,
    sibling_counts,
    sibling_messages,
    sibling_type,
)
from agent.findings.custom.nodes import FieldRole, StatusNode, role_of
from agent.findings.custom.sign import Sign
from agent.findings.custom.situation import Situation
from agent.findings.custom.states import StateMeaning, state_meaning
from agent.findings.custom.words import (
    DECISIVE,
    ERROR_LEVELS,
    FAULT_FLAGS,
    MESSAGE_KEYS,
    NAME_KEYS,
    UNEXPLAINED,
    is_inactive,
    is_progressing,
    reports_failure,
    suggests_failure,
    words_of,
)
from agent.findings.engine.evidence import one_line, quote
from agent.findings.model import Evidence, Severity
from agent.objects.manifest import Manifest, list_at, text_at


def signs_in(manifest: Manifest, node: StatusNode, situation: Situation) -> Iterator[Sign]:
    """The signs of a node of the status that is no condition."""
    is_leftover = situation.ready or situation.done or (node.in_last and "fine" in situation.states)
    for key, role in node.roles:
        if not is_leftover or role in _ALWAYS:
            sign = _sign(manifest, node, key, node.value[key], role, situation)
            if sign:
                yield sign


# Fields that count even where the object is ready or done; others may then be left over from an earlier failure.
_ALWAYS = frozenset[FieldRole]({"state", "level", "code"})


def _sign(
    manifest: Manifest, node: StatusNode, key: str, value: object, role: FieldRole, situation: Situation
) -> Sign | None:
    if role == "state":
        return _state(manifest, node, key, value, situation)
    if role == "level":
        return _level(manifest, node, key, value)
    if role == "code":
        return _code(manifest, node, key, value)
    if role in ("error", "faults") and value is True:
        return _fault_flag(manifest, node, key)
    if role == "error" or (role == "message" and node.in_faults):
        return _error(manifest, node, key, value, situation)
    if role == "message":
        return _message(manifest, node, key, value, situation)
    return _flag(manifest, node, key, situation) if role == "flag" and value is False else None


def _state(manifest: Manifest, node: StatusNode, key: str, value: object, situation: Situation) -> Sign | None:
    """The sign of a state: a name, or a number with a message in the same node."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    nested = len(node.path) > 1
    if nested and (situation.done or (node.in_last and situation.ready)):
        return None
    if role_of(key) == "other" and (situation.ready or node.in_last or _is_one_of_many(node, key)):
        return None
    meaning = state_meaning(value) if isinstance(value, str) else None
    if meaning in _NO_FAULT:
        return None
    if nested and _was_retried(manifest, node, key):
        return None
    messages = sibling_messages(manifest, node, key)
    is_failure = bool(messages) and reports_failure(messages[0].text)
    severity: Severity | None
    if isinstance(value, int):
        # An enumeration: only the message gives the number a meaning.
        severity = "error" if is_failure else "warning" if _is_sentence(messages) else None
        if severity == "warning" and (situation.ready or not messages):
            return None
    else:
        match meaning:
            case "bad":
                severity = "error"
            case "doubtful":
                is_explained = bool(messages) and (
                    suggests_failure(messages[0].text) or UNEXPLAINED.isdisjoint(words_of(value))
                )
                is_explained = is_explained or (not nested and _has_explaining_reason(node))
                severity = "warning" if is_explained or _false_flag(node) else None
            case "suspended":
                # Suspended because of a failure.
                severity = "error" if is_failure else None
            case None:
                severity = "warning" if value.count(" ") >= 2 else None
            case "fine" | "done" | "progressing":
                severity = None
    if severity is None:
        return None
    below = nested_messages(manifest, node) if not messages and severity == "error" else ()
    if nested and (situation.progressing or (situation.ready and not below and not is_failure)):
        severity = "warning"
    if nested:
        messages += quote_name(manifest, node, key)
    if not messages and severity == "error":
        messages = sibling_counts(manifest, node)
    return Sign(
        severity=severity,
        path=node.path,
        title=f"has {one_line(key, 60)} {one_line(str(value), 60)}",
        short=f"{one_line(key, 60)} is {one_line(str(value), 60)}{location(manifest, node.path)}"
        + (f", and {one_line(flag, 60)} is false" if nested and (flag := _false_flag(node)) else "")
        + (": at least one part does not comply" if below and words_of(str(value))[-1:] in _NO_COMPLIANCE else ""),
        evidence=messages + quote(manifest, *node.path, key) + below,
        text=messages[0].text if messages else str(value),
    )


# With such a state the other fields of the node do not matter.
_NO_FAULT: frozenset[StateMeaning | None] = frozenset({"fine", "done", "progressing"})

_NO_COMPLIANCE = (("compliant",), ("noncompliant",))


def _is_one_of_many(node: StatusNode, key: str) -> bool:
    """Whether a state is of one of many replicas (`executor-1: FAILED`) of which others are healthy."""
    values = (value for value in islice(node.value.values(), _MAX_SIBLINGS) if isinstance(value, str))
    return any(map(str.isdigit, key)) and any(state_meaning(value) in ("fine", "done") for value in values)


def _was_retried(manifest: Manifest, node: StatusNode, key: str) -> bool:
    """Whether another entry of the same list has the same name and a healthy state: the action was retried."""
    if not isinstance(node.path[-1], int):
        return False
    name = next((name for name in NAME_KEYS if isinstance(node.value.get(name), str)), "")
    return any(
        entry is not node.value
        and text_at(entry, name) == node.value.get(name)
        and state_meaning(text_at(entry, key)) in ("fine", "done")
        for entry in (list_at(manifest, *node.path[:-1])[:_MAX_SIBLINGS] if name else ())
    )


# Most entries of the same list, or values of the same node, that are read.
_MAX_SIBLINGS = 20


def _false_flag(node: StatusNode) -> str:
    """The first flag of a list entry that is false (`applied: false`), "" for none."""
    is_part = bool(node.path) and isinstance(node.path[-1], int)
    flags = (key for key, value in node.value.items() if is_part and value is False and role_of(key) == "flag")
    return next(flags, "")


def _is_sentence(messages: tuple[Evidence, ...]) -> bool:
    return bool(messages) and messages[0].text.count(" ") >= 2


def _has_explaining_reason(node: StatusNode) -> bool:
    """Whether the reason of a state is a sentence that explains it: `state: Inactive, reason: two routes overlap`."""
    reason = text_at(node.value, "reason")
    return reason.count(" ") >= 2 and not _is_temporary(reason)


def _is_temporary(text: str) -> bool:
    """Whether a text reports something that is still progressing, or not wanted now."""
    return is_progressing(text) or is_inactive(text)


def _level(manifest: Manifest, node: StatusNode, key: str, value: object) -> Sign | None:
    """The sign of a message with a level: `level: ERROR`."""
    if not isinstance(value, str) or ERROR_LEVELS.isdisjoint(words_of(value)):
        return None
    messages = sibling_messages(manifest, node, key) or sibling_type(manifest, node, key)
    if not messages:
        return None
    return Sign(
        severity="error",
        path=node.path,
        title=f"reports a message with {one_line(key, 60)} {one_line(value, 60)}",
        short=f"{one_line(key, 60)} is {one_line(value, 60)}{location(manifest, node.path)}",
        evidence=messages,
        text=messages[0].text,
    )


_NOTHING = frozenset({"none", "false", "null", "no error", "no errors", "n/a", "ok", "-", "nil", "0", "{}", "[]"})


def _error(manifest: Manifest, node: StatusNode, key: str, value: object, situation: Situation) -> Sign | None:
    """The sign of a field for errors that is not empty."""
    text = first_text(value)
    if not text or isinstance(value, dict) or text.lower() in _NOTHING:
        return None
    if isinstance(value, list) and not isinstance(cast("list[object]", value)[0], str):
        return None  # its objects are nodes of their own
    if isinstance(value, list) and situation.states & {"fine", "done"} and "bad" not in situation.states:
        return None  # a log of earlier failures: the state reports success
    if role_of(key) == "error" and words_of(key)[-1] not in MESSAGE_KEYS and _is_choice(text):
        return None
    if _is_report_only(node):
        return None
    if len(node.path) > 1 and _is_in_healthy_part(node):
        return None
    # The last error of a running object may be over.
    if words_of(key)[0] == "last" and situation.parts_ready:
        return None
    is_over = words_of(key)[0] == "last" and "fine" in situation.states
    return Sign(
        severity="warning" if situation.progressing or node.in_last or is_over else "error",
        path=node.path,
        title=f"reports an error in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} is set{location(manifest, node.path)}",
        evidence=quote_text(manifest, node, key) + quote_name(manifest, node, key) + quote_code(manifest, node),
        text=text,
    )


def _is_choice(text: str) -> bool:
    """Whether the value of an error key is a choice, as in `onFailure: Retry`, and not a code like `EIO`."""
    return " " not in text and not suggests_failure(text) and not (text.isupper() and len(text) > 2)


def _is_in_healthy_part(node: StatusNode) -> bool:
    """Whether a state in the same node is healthy."""
    states = (node.value[key] for key, role in node.roles if role == "state")
    return any(isinstance(state, str) and state_meaning(state) in ("fine", "done") for state in states)


# Enforcement actions of Gatekeeper (open-policy-agent.github.io/gatekeeper) that block nothing, and of audit modes.
_REPORT_ONLY = frozenset({"dryrun", "warn", "audit"})


def _is_report_only(node: StatusNode) -> bool:
    """Whether a violation is only reported, not enforced: `enforcementAction: dryrun`."""
    return any(
        isinstance(value, str) and value in _REPORT_ONLY and isinstance(key, str) and words_of(key)[-1:] == ("action",)
        for key, value in cast("dict[object, object]", node.value).items()
    )


def _message(manifest: Manifest, node: StatusNode, key: str, value: object, situation: Situation) -> Sign | None:
    """The sign of a message that reports a failure, where no state of the object does."""
    if not isinstance(value, str) or not reports_failure(value) or situation.states & {"fine", "done", "bad"}:
        return None  # the sign of a bad state already quotes the message
    if len(node.path) != 1:
        reason = text_at(node.value, "reason") or text_at(node.value, "code")
        if not reports_failure(reason) or (
            reason == value and (situation.parts_ready or not _is_code(node, key, reason))
        ):
            return None
    return Sign(
        severity="warning" if situation.progressing or situation.states else "error",
        path=node.path,
        title=f"reports a failure in {one_line(key, 60)}",
        short=f"{one_line(key, 60)} reports a failure{location(manifest, node.path)}",
        evidence=quote(manifest, *node.path, key)
        + quote(manifest, *node.path, "message" if key == "reason" else "reason"),
        text=value,
    )


def _is_code(node: StatusNode, key: str, reason: str) -> bool:
    """Whether a reason without a message begins with the name of a fault: `CrashLoopBackOff on pod api-0`."""
    return key == "reason" and "message" not in node.value and state_meaning(reason.partition(" ")[0]) == "bad"


def _flag(manifest: Manifest, node: StatusNode, key: str, situation: Situation) -> Sign | None:
    """The sign of `ready: false` or `applied: false` with a message of a failure, or of the whole object."""
    if situation.states & {"fine", "done"}:
        return None
    messages = sibling_messages(manifest, node, key)
    text, nested = messages[0].text if messages else "", len(node.path) > 1
    is_hard = bool(messages) and (reports_failure(text) or (nested and "bad" in situation.states))
    if not is_hard and (
        nested or _is_temporary(text) or not (suggests_failure(text) or _is_overall_flag(key, situation))
    ):
        return None
    return Sign(
        severity="error" if is_hard and not situation.progressing else "warning",
        path=node.path,
        title=f"has {one_line(key, 60)} false",
        short=f"{one_line(key, 60)} is false{location(manifest, node.path)}",
        evidence=(messages or quote(manifest, *node.path, key)) + quote_name(manifest, node, key),
        text=text or key,
    )


def _is_overall_flag(key: str, situation: Situation) -> bool:
    """Whether a flag is about the whole object (`healthy`, `isValid`), and no other field reports its state."""
    words = words_of(key)
    is_of_the_whole = len(words) == 1 or (len(words) == 2 and words[0] in ("is", "all"))
    return is_of_the_whole and words[-1] in DECISIVE and not situation.states and not situation.progressing


def _fault_flag(manifest: Manifest, node: StatusNode, key: str) -> Sign | None:
    """The sign of `failed: true`, of the object or of a part that is no past run."""
    if node.in_last or words_of(key)[0] in ("no", "not"):
        return None
    if words_of(key)[-1] not in FAULT_FLAGS and words_of(key)[:1] not in (("has",), ("is",)):
        return None
    messages = sibling_messages(manifest, node, key) + quote_name(manifest, node, key)
    return Sign(
        severity="error",
        path=node.path,
        title=f"has {one_line(key, 60)} true",
        short=f"{one_line(key, 60)} is true{location(manifest, node.path)}",
        evidence=messages or quote(manifest, *node.path, key),
        text=messages[0].text if messages else key,
    )


# RFC 9110, section 15: https://www.rfc-editor.org/rfc/rfc9110#section-15
_HTTP_ERRORS = range(400, 600)


def _code(manifest: Manifest, node: StatusNode, key: str, value: object) -> Sign | None:
    """The sign of an exit code or an HTTP status code of a failure."""
    if not isinstance(value, int) or isinstance(value, bool) or len(node.path) > 2 or node.in_last:
        return None
    is_exit = "exit" in words_of(key) and value > 0
    if not is_exit and value not in _HTTP_ERRORS:
        return None
    messages = sibling_messages(manifest, node, key)
    if not is_exit and not (messages and reports_failure(messages[0].text)):
        return None
    return Sign(
        severity="error",
        path=node.path,
        title=f"has {one_line(key, 60)} {value}",
        short=f"{one_line(key, 60)} is {value}{location(manifest, node.path)}",
        evidence=messages + quote(manifest, *node.path, key),
        text=messages[0].text if messages else key,
    )
