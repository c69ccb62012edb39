"""The signs of single fields of a status: states, levels, errors, messages, flags (conditions: see `signs`)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, cast

from agent.findings.custom.nodes import MAX_DEPTH, StatusNode
from agent.findings.custom.situation import Situation
from agent.findings.custom.words import FINE, reports_failure, role_of, state_tone, suggests_failure, tone_of, words_of
from agent.findings.engine.evidence import one_line, walk
from agent.findings.model import Severity
from agent.objects.manifest import Manifest, text_at

# Most fields of a node, and entries below it, that are read for a message.
_MAX_NESTED = 500
_QUOTED = 3


class FieldSign(NamedTuple):
    """A field that reports a fault. `title` completes "Kind name"; `quoted` are the fields to quote below the node, the
    message first; `text` is the message, or the value."""

    severity: Severity
    title: str
    short: str
    quoted: tuple[tuple[str | int, ...], ...]
    text: str


def field_signs(node: StatusNode, whole: Situation) -> Iterator[FieldSign]:
    """The signs of a node of the status that is no condition."""
    # What an earlier failure left behind in an object that is ready or done again.
    is_leftover = whole.ready or whole.done or (node.in_last and bool(whole.states & FINE))
    for key, value in cast("dict[Any, Any]", node.value).items():
        if not isinstance(key, str) or value is None or value == "":
            continue
        role = role_of(key)
        found: FieldSign | None = None
        if isinstance(value, str):
            if role == "state" or (role == "other" and _is_plain_state(node, key, value)):
                found = _state(node, key, value, whole)
            elif role == "level":
                found = _level(node, key, value)
            elif is_leftover:
                continue
            elif role == "error" or (node.in_faults and role == "text"):
                found = _error(node, key, value, whole)
            elif role == "text":
                found = _message(node, key, value, whole)
        elif isinstance(value, int) and not isinstance(value, bool) and role == "state":
            found = _number(node, key, value, whole)
        elif isinstance(value, bool):
            found = None if is_leftover and (value or not whole.done) else _flag(node, key, whole, is_true=value)
        elif isinstance(value, list) and role in ("error", "text") and not is_leftover:
            found = next(_listed(node, key, cast("list[Any]", value), whole, role), None)
        if found:
            yield found


def _listed(node: StatusNode, key: str, texts: list[Any], whole: Situation, role: str) -> Iterator[FieldSign]:
    """The signs of a list of errors or of messages."""
    read = _error if role == "error" else _message
    for index, text in enumerate(texts[:_MAX_NESTED]):
        if isinstance(text, str) and (found := read(node, key, text, whole, (index,))):
            yield found


def _is_plain_state(node: StatusNode, key: str, value: str) -> bool:
    """Whether a field of unknown name holds a state that is a fault by one word: `storage: Failed`."""
    words = words_of(value)
    if any(map(str.isdigit, key)) or words_of(key)[0] == "on":
        return False  # one of many replicas; a choice like `onError`
    return len(node.path) > 0 and not node.in_last and len(words) == 1 and words[0] in _PLAIN_FAULTS


_PLAIN_FAULTS = frozenset({"fail", "failed", "failing", "error", "unhealthy", "degraded", "faulted"})


def _state(node: StatusNode, key: str, value: str, whole: Situation) -> FieldSign | None:
    is_nested = len(node.path) > 1
    tone = state_tone(value)
    messages = _messages(node, key)
    text = messages[0][1] if messages else ""
    if is_nested and (whole.done or (node.in_last and whole.ready)):
        return None
    if tone == "bad" and whole.confirmed and not is_nested and not messages:
        return None  # the state is what the object reports, such as the result of a check
    nested = _nested_messages(node) if tone in ("bad", "doubtful") and not messages else []
    is_explained = nested or suggests_failure(text) or " " in value or (text and "unknown" not in words_of(value))
    severity: Severity
    if tone == "bad" or (tone == "idle" and suggests_failure(text)):
        severity = "warning" if is_nested and (whole.progressing or whole.ready) else "error"
    elif tone == "doubtful" and (is_explained or _has_false_flag(node)):
        severity = "warning"
    else:
        return None
    quoted = [path for path, _ in messages] or nested
    text = text or (text_at(node.value, *quoted[0]) if quoted else "")
    state = f"{one_line(key, 60)} is {one_line(value, 60)}"
    return FieldSign(
        severity, f"has {one_line(key, 60)} {one_line(value, 60)}", state, (*quoted, (key,)), text or value
    )


def _number(node: StatusNode, key: str, value: int, whole: Situation) -> FieldSign | None:
    """The sign of a state that is a number of an enumeration: only the message gives it a meaning."""
    messages = _messages(node, key)
    if not messages or whole.ready or whole.done or messages[0][1].count(" ") < 2:
        return None
    text = messages[0][1]
    state = f"{one_line(key, 60)} {value}"
    severity: Severity = "error" if reports_failure(text) else "warning"
    return FieldSign(severity, f"has {state}", state, (*(path for path, _ in messages), (key,)), text)


def _has_false_flag(node: StatusNode) -> bool:
    """Whether an entry of a list has a flag that is false: `applied: false`."""
    return isinstance(node.path[-1], int) and any(
        value is False and role_of(key) == "flag" for key, value in node.value.items()
    )


def _level(node: StatusNode, key: str, value: str) -> FieldSign | None:
    """The sign of a message with a level: `level: ERROR`. `critical` often rates importance."""
    if state_tone(value) != "bad" or value.lower() == "critical":
        return None
    named = ((path, text) for path, text in walk(node.value, depth=2) if path[-1:] in (("code",), ("name",)))
    messages = _messages(node, key) or [(path, text) for path, text in named if isinstance(text, str)]
    if not messages:
        return None
    level = f"{one_line(key, 60)} {one_line(value, 60)}"
    return FieldSign(
        "error", f"reports a message with {level}", level, tuple(path for path, _ in messages[:_QUOTED]), messages[0][1]
    )


_NOTHING = frozenset({"none", "false", "null", "no error", "no errors", "n/a", "ok", "-", "nil", "0", "{}", "[]"})
# Enforcement actions of Gatekeeper (open-policy-agent.github.io/gatekeeper) that block nothing, and of audit modes.
_REPORT_ONLY = ("dryrun", "warn", "audit")


def _error(node: StatusNode, key: str, value: str, whole: Situation, index: tuple[int, ...] = ()) -> FieldSign | None:
    """The sign of a field for errors that is not empty."""
    if not value.strip() or value.lower() in _NOTHING or (index and whole.states & FINE):
        return None
    if " " not in value and not suggests_failure(value) and not value.isupper():
        return None  # a choice, as in `onFailure: Retry`
    if len(node.path) > 1 and any(
        role_of(each) == "state" and isinstance(text, str) and state_tone(text) in FINE
        for each, text in node.value.items()
    ):
        return None
    if any(value in _REPORT_ONLY for key, value in node.value.items() if words_of(key)[-1:] == ("action",)):
        return None
    if words_of(key)[0] == "last" and whole.parts_ready:
        return None  # the last error of a running object may be over
    is_over = node.in_last or (words_of(key)[0] == "last" and bool(whole.states & FINE))
    name = one_line(key, 60)
    severity: Severity = "warning" if whole.progressing or is_over else "error"
    return FieldSign(severity, f"reports an error in {name}", f"{name} is set", ((key, *index),), value)


def _message(node: StatusNode, key: str, value: str, whole: Situation, index: tuple[int, ...] = ()) -> FieldSign | None:
    """The sign of a message that reports a failure, where no state of the object does."""
    if not reports_failure(value) or whole.states & {*FINE, "bad"}:
        return None  # the sign of a bad state already quotes the message
    if len(node.path) != 1 and not (key != "reason" and reports_failure(text_at(node.value, "reason"))):
        return None
    severity: Severity = "warning" if whole.progressing or whole.states else "error"
    name = one_line(key, 60)
    return FieldSign(severity, f"reports a failure in {name}", f"{name} reports a failure", ((key, *index),), value)


def _flag(node: StatusNode, key: str, whole: Situation, *, is_true: bool) -> FieldSign | None:
    """The sign of `failed: true`, and of `ready: false` with a message of a failure or of the whole object."""
    role, words = role_of(key), words_of(key)
    messages = _messages(node, key)
    text = messages[0][1] if messages else ""
    quoted = (*(path for path, _ in messages), (key,))
    name = one_line(key, 60)
    if is_true:
        is_denied = words[0] == "no" and tone_of(key) == "doubtful"  # `noMatchingInstances: true`
        if not is_denied and (role != "error" or node.in_last or len(words) > 2):
            return None
        title = f"has {' '.join(words)}" if is_denied else f"has {name} true"
        return FieldSign("error", title, f"{name} is true", quoted, text or key)
    is_unsuccessful = whole.done and tone_of(words[-1]) == "done"  # `state: Completed`, `pass: false`
    if role != "flag" or (whole.states & FINE and not is_unsuccessful):
        return None
    is_whole = len(node.path) == 1 and not whole.states - {"done"} and not whole.progressing and len(words) == 1
    if not reports_failure(text) and (not is_whole or tone_of(text) in ("coming", "idle")):
        return None
    severity: Severity = "error" if is_unsuccessful or (reports_failure(text) and not whole.progressing) else "warning"
    return FieldSign(severity, f"has {name} false", f"{name} is false", quoted, text or key)


def _messages(node: StatusNode, excluded: str) -> list[tuple[tuple[str | int, ...], str]]:
    """The texts beside a state with their paths: errors before messages, a reason last."""
    found: list[tuple[int, tuple[str | int, ...], str]] = []
    for key, value in islice(cast("dict[Any, Any]", node.value).items(), _MAX_NESTED):
        role = role_of(key)
        if key == excluded or role not in ("error", "text", "copy"):
            continue
        path: tuple[str | int, ...] = (key,)
        if isinstance(value, list) and value:
            path, value = (key, 0), cast("list[Any]", value)[0]
        if isinstance(value, dict):
            inner = cast("Manifest", value)
            last = next((each for each in inner if role_of(each) in ("text", "error") and text_at(inner, each)), "")
            path, value = (*path, last), text_at(inner, last)
        if isinstance(value, str) and value.strip():
            found.append((("error", "text", "copy").index(role) + ("reason" in key.lower()), path, value))
    found.sort(key=lambda each: each[0])
    return [(path, text) for _, path, text in found[:2]]


def _nested_messages(node: StatusNode) -> list[tuple[str | int, ...]]:
    """The first messages below a node, those of a failure before others."""
    found: list[tuple[bool, tuple[str | int, ...]]] = []
    for path, value in islice(walk(node.value, depth=MAX_DEPTH // 2), _MAX_NESTED):
        keys = [key for key in path if isinstance(key, str)]
        if len(keys) < 2 or any(key == "conditions" or role_of(key) == "past" for key in keys):
            continue
        if isinstance(value, str) and role_of(keys[-1]) in ("text", "error"):
            is_marked = state_tone(text_at(node.value, *path[:-1], "severity")) in ("bad", "doubtful")
            found.append((not (is_marked or reports_failure(value)), path))
    found.sort(key=lambda each: each[0])
    return [path for is_other, path in found[:_QUOTED] if is_other == found[0][0]]
