"""Container logs as lines, of plain text or of Argo CD's log entries: their tail, or all of it distilled.

Owns the formats; `log_text` recognises Kubernetes' refusals that arrive in place of a log.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.context.distillation import LONGEST_SEALED, unsealed_start
from agent.context.log_lines import distilled_lines, line_of
from agent.context.log_text import no_log, refusal
from agent.context.model import ContainerLog
from agent.errors import SourceError
from agent.objects.manifest import lookup, object_at, text_at
from agent.request.question import LogEntry

# Go's zero time: the entry is no line of the container but a message about it.
_ZERO_TIME = "0001-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLog:
    """The logs found, one a Pod, and Kubernetes' messages in place of a log."""

    logs: tuple[ContainerLog, ...]
    refusals: tuple[SourceError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    content: str
    timestamp: str
    pod: str


def parse_text(
    text: str, *, container: str, pod: str = "", previous: bool = False, tail_lines: int | None
) -> ParsedLog:
    """A log as text: plain, with timestamps, or Argo CD's stream of JSON lines. Its last `tail_lines` lines, or (None)
    what matters of all of it."""
    text = text.rstrip("\r\n")
    if _is_stream(text):
        return _parse_json_lines(text, container=container, pod=pod, previous=previous, tail_lines=tail_lines)
    if error := refusal(text):
        return ParsedLog(logs=(), refusals=(error,))
    log = ContainerLog(container=container, pod=pod, previous=previous)
    if tail_lines is None:
        kept, after = distilled_lines(text.split("\n") if text else ())
        return ParsedLog(logs=(replace(log, lines=kept, left_out_after=after),))
    lines, left_out = _tail(text, tail_lines)
    return ParsedLog(logs=(replace(log, lines=tuple(map(line_of, lines)), left_out=left_out),))


def parse_entries(
    entries: Iterable[LogEntry], *, container: str, pod: str = "", previous: bool = False, tail_lines: int | None
) -> ParsedLog:
    """The last `tail_lines` of Argo CD's log entries, or (None) what matters of all of them; apart by Pod where they
    name several, `pod` names the others."""
    kept: list[_Entry] = []
    refusals: dict[str, SourceError] = {}
    for entry in entries:
        timestamp = entry.time_stamp_str or entry.time_stamp or ""
        content = entry.content or ""
        if timestamp.startswith(_ZERO_TIME):
            if content:  # no content: the entry that closes the stream
                error = refusal(content) or no_log(content, "unavailable")
                refusals[error.public_message] = error
        elif not entry.last:
            kept += [_Entry(line, timestamp, entry.pod_name or pod) for line in content.split("\n")]
    logs = _by_pod(kept, container=container, pod=pod, previous=previous, tail_lines=tail_lines)
    return ParsedLog(logs=() if refusals and not kept else logs, refusals=tuple(refusals.values()))


def entry_of(result: object) -> LogEntry:
    """The entry of a parsed `result`, whatever is wrong with its other fields."""
    return LogEntry.model_construct(
        content=text_at(result, "content"),
        time_stamp=text_at(result, "timeStamp"),
        time_stamp_str=text_at(result, "timeStampStr"),
        pod_name=text_at(result, "podName"),
        last=lookup(result, "last") is True,
    )


def _tail(text: str, count: int) -> tuple[list[str], int]:
    """The last `count` lines, and how many came before them; fewer where they would begin within a secret."""
    if not text:
        return [], 0
    parts = text.rsplit("\n", count + LONGEST_SEALED)
    before = 0
    if len(parts) > count + LONGEST_SEALED:
        before = parts[0].count("\n") + 1
        parts = parts[1:]
    start = unsealed_start(parts, len(parts) - count) if len(parts) > count else 0
    return parts[start:], before + start


def _is_stream(text: str) -> bool:
    """Whether it is Argo CD's stream as saved, and not the log of a program that writes JSON."""
    first = text.lstrip().partition("\n")[0].removeprefix("data: ")
    if not first.startswith(('{"result"', '{"error"')):
        return False
    try:
        message: object = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(lookup(message, "result", "content"), str) or isinstance(lookup(message, "error"), dict)


def _parse_json_lines(text: str, *, container: str, pod: str, previous: bool, tail_lines: int | None) -> ParsedLog:
    # More than asked for: the closing entry and an error are no lines, and what a secret began with is needed.
    lines, left_out = (text.split("\n"), 0) if tail_lines is None else _tail(text, tail_lines + 2 + LONGEST_SEALED)
    entries: list[LogEntry] = []
    for line in lines:
        if not line or line.startswith(":"):  # between the messages of an event stream
            continue
        try:
            message: object = json.loads(line.strip().removeprefix("data: "))
        except (ValueError, RecursionError):
            entries.append(LogEntry(content=line))
            continue
        if lookup(message, "error") is not None:
            entries.append(LogEntry(content=text_at(object_at(message, "error"), "message"), timeStamp=_ZERO_TIME))
        else:
            entries.append(entry_of(lookup(message, "result")))
    parsed = parse_entries(entries, container=container, pod=pod, previous=previous, tail_lines=tail_lines)
    if not left_out or not parsed.logs:
        return parsed
    first, *others = parsed.logs
    first = replace(first, left_out=first.left_out + left_out)
    return ParsedLog(logs=(first, *others), refusals=parsed.refusals)


def _by_pod(
    entries: Sequence[_Entry], *, container: str, pod: str, previous: bool, tail_lines: int | None
) -> tuple[ContainerLog, ...]:
    cut = 0 if tail_lines is None else max(0, len(entries) - tail_lines)
    if cut:
        first = max(0, cut - LONGEST_SEALED)
        cut = first + unsealed_start([entry.content for entry in entries[first:]], cut - first)
    found: dict[str, list[_Entry]] = {}
    for entry in entries[cut:]:
        found.setdefault(entry.pod, []).append(entry)
    left_out = Counter(entry.pod for entry in entries[:cut])
    logs: list[ContainerLog] = []
    for name, of_pod in (found or {pod: []}).items():
        log = ContainerLog(container=container, pod=name, previous=previous, left_out=left_out[name])
        if tail_lines is None:
            lines, after = distilled_lines([e.content for e in of_pod], [e.timestamp for e in of_pod])
            logs.append(replace(log, lines=lines, left_out_after=after))
        else:
            logs.append(replace(log, lines=tuple(line_of(e.content, e.timestamp) for e in of_pod)))
    return tuple(logs)
