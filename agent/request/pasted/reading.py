"""From a text to what is pasted in it: each block is found, read by the module of its form, and replaced by a mark.

Owns how a block begins and ends, and the marks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.objects.manifest import Manifest, text_at
from agent.request.pasted.argocd_app import application_of, is_app
from agent.request.pasted.describe import described
from agent.request.pasted.fenced import FENCE, objects_of
from agent.request.pasted.tables import (
    bad_rows,
    described_events,
    events_of_table,
    is_described_event,
    is_event_header,
    is_header,
)

# Lines of a log that begin with a time, a level or an object, as most programs write them.
_LOG_LINE = re.compile(
    r"^\s*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|[IWEF]\d{4} \d\d:\d\d|\[?\d\d:\d\d:\d\d|time=\"|level=\w|"
    r"\{\".*\}\s*$|\[?(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL|TRACE)\b|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d)"
)
_LEAST_LOG_LINES = 2
# So many lines that are no known form are a log, too: nobody writes as much by hand.
_LONG_TEXT = 12
_LONG_CHARACTERS = 4_000

_NAME = re.compile(r"^Name:\s+\S")
_KEY = re.compile(r"^[A-Z][A-Za-z /()-]{0,60}:(?:\s|$)")
_PROMPT = re.compile(r"^\s*(?:\S+@\S+[:~].*)?[$#>%]\s+\S|^\s*(?:kubectl|oc|argocd|helm)\s+[a-z]")
_MANIFEST = re.compile(r"^(?:- )?(?:apiVersion|kind):\s*\S")
_OF_YAML = re.compile(r"^(?:\s|---|\.\.\.|#|- |[A-Za-z][\w./-]*:)")

# A message of an error has a colon, or a word for what failed, and is no question of its own.
_MESSAGE = re.compile(
    r":\s|\b(?:error|failed|denied|refused|forbidden|cannot|unable|timeout|invalid|not found)\b", re.I
)
_QUOTED = re.compile(r"`([^`\n]{20,2000})`|\"((?:[^\"\\\n]|\\.){20,2000})\"|'([^'\n]{20,2000})'")
_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_SHORTEST, _LONGEST, _MOST = 15, 8_000, 20

CONTAINER = "pasted"
"""The name of the container of a pasted log, which does not say its own."""


@dataclass(slots=True, kw_only=True)
class Pasted:
    """What a text holds beside its own words. `text` is the text with marks in place of what was read; `messages` are
    error messages in it, rows of tables that are not well included; `notes` name each form that holds only a part, with
    the command that gives all of it."""

    text: str
    application: Manifest | None = None
    resources: list[Manifest] = field(default_factory=list[Manifest])
    events: list[Manifest] = field(default_factory=list[Manifest])
    log: list[str] = field(default_factory=list[str])
    messages: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    @property
    def is_form(self) -> bool:
        """Whether any form was read, beside messages and logs."""
        return bool(self.application or self.resources or self.events or self.notes)

    def parts(self) -> Mapping[str, Any]:
        """What was read under the keys of `custom_inputs` for the parts of a context."""
        first, *others = self.resources or [None]
        values: dict[str, Any] = {
            "application_manifest": self.application,
            "manifest": first,
            "children": others,
            "events": self.events,
            "logs": {CONTAINER: "\n".join(self.log)} if self.log else None,
        }
        return {key: value for key, value in values.items() if value}


def read_pasted(text: str, now: datetime) -> Pasted:
    """What is pasted in `text`. `now` is the time that ages in it are counted from. Never raises."""
    pasted = Pasted(text="")
    kept: list[str] = []
    place = 0
    for block in FENCE.finditer(text):
        kept += _outside(text[place : block.start()], pasted, now)
        kept += _inside(block[2], pasted, now)
        place = block.end()
    kept += _outside(text[place:], pasted, now)
    pasted.messages += _messages(kept)
    pasted.text = "\n".join(kept).strip() if place or pasted.is_form or pasted.log else text
    return pasted


def _inside(block: str, pasted: Pasted, now: datetime) -> list[str]:
    """The lines that stay of a fenced block: a mark, or its text where that is short and of no known form."""
    lines = block.splitlines()
    if found := objects_of(block):
        return _take(found, pasted, len(lines))
    kept = _outside(block, pasted, now)
    if kept == lines and len(lines) >= _LEAST_LOG_LINES:
        return _take_log(lines, pasted)
    return kept


def _outside(text: str, pasted: Pasted, now: datetime) -> list[str]:
    """The lines of a text that are no block of a known form, with a mark for each block."""
    if text.lstrip()[:1] in {"{", "["} and (found := objects_of(text)):
        return _take(found, pasted, text.count("\n") + 1)
    lines = text.splitlines()
    kept: list[str] = []
    place = 0
    while place < len(lines):
        end, marks = _block(lines, place, pasted, now)
        kept += marks
        place = end
    loose = [line for line in kept if not line.startswith(_MARK)]
    if len(loose) > _LONG_TEXT and sum(map(len, loose)) > _LONG_CHARACTERS:
        return [*kept[:1], *_take_log(kept[1:], pasted)]
    return kept


def _block(lines: Sequence[str], start: int, pasted: Pasted, now: datetime) -> tuple[int, list[str]]:
    """Where the block that begins at `start` ends, and what stays of it; a line by itself where there is none."""
    line = lines[start]
    if _NAME.match(line) and (end := _outline(lines, start, pasted, now)):
        return end, [_mark(_form(pasted), end - start)]
    if is_header(line) and (end := _table(lines, start, pasted, now)):
        return end, [_mark(_form(pasted), end - start)]
    if is_described_event(line):
        end = next((at for at in range(start + 1, len(lines)) if not lines[at].strip()), len(lines))
        pasted.events += described_events(lines[start:end], {}, now)
        pasted.notes.append("These are the events of `kubectl describe`; `kubectl get events -o yaml` has all of them")
        return end, [_mark(_form(pasted), end - start)]
    if _MANIFEST.match(line):
        end = _end(lines, start + 1, _OF_YAML)
        if found := objects_of("\n".join(lines[start:end])):
            return end, _take(found, pasted, end - start)
    if _LOG_LINE.match(line):
        end = start
        while end < len(lines) and lines[end].strip() and not is_header(lines[end]):
            end += 1
        if end - start >= _LEAST_LOG_LINES:
            return end, _take_log(lines[start:end], pasted)
    return start + 1, [line]


def _end(lines: Sequence[str], start: int, inside: re.Pattern[str]) -> int:
    """The first line from `start` on that is neither blank nor inside."""
    return next(
        (at for at in range(start, len(lines)) if lines[at].strip() and not inside.match(lines[at])), len(lines)
    )


def _outline(lines: Sequence[str], start: int, pasted: Pasted, now: datetime) -> int:
    """The end of `argocd app get` or `kubectl describe`, 0 where it is neither."""
    limit = next(
        (at for at in range(start + 1, len(lines)) if _NAME.match(lines[at]) or _PROMPT.match(lines[at])), len(lines)
    )
    if is_app(lines[start:limit]):
        if pasted.application is None:
            pasted.application = application_of(lines[start:limit])
        name = text_at(pasted.application, "metadata", "name")
        pasted.notes.append(
            f"This is the output of `argocd app get`; `argocd app get {name} -o yaml` has all of the Application"
        )
        return limit
    end = next(
        (
            at
            for at in range(start + 1, limit)
            if lines[at].strip() and not lines[at][0].isspace() and not _KEY.match(lines[at])
        ),
        limit,
    )
    found = described(lines[start:end], now)
    if found is None:
        return 0
    manifest, events = found
    pasted.resources.append(manifest)
    pasted.events += events
    pasted.notes.append(_described_note(manifest))
    return end


def _described_note(manifest: Manifest) -> str:
    kind, name = text_at(manifest, "kind").lower(), text_at(manifest, "metadata", "name")
    group = text_at(manifest, "apiVersion").rpartition("/")[0]
    in_namespace = f" -n {namespace}" if (namespace := text_at(manifest, "metadata", "namespace")) else ""
    resource = f"{kind}.{group}" if "." in group else kind
    return (
        f"This is the output of `kubectl describe {kind}`; `kubectl get {resource} {name}{in_namespace} -o yaml` "
        "has all of it"
    )


def _table(lines: Sequence[str], start: int, pasted: Pasted, now: datetime) -> int:
    """The end of a table, 0 where it is none of kubectl's or argocd's."""
    end = next(
        (at for at in range(start + 1, len(lines)) if not lines[at].strip() or _PROMPT.match(lines[at])), len(lines)
    )
    table = lines[start:end]
    if end == start + 1:
        return 0
    if is_event_header(lines[start]):
        events = events_of_table(table, now)
        pasted.events += events
        pasted.notes.append("This is the table of `kubectl get events`; `kubectl get events -o yaml` has all of it")
        return end if events else 0
    if "NAME" not in lines[start].split():
        return 0
    pasted.messages += bad_rows(table)
    pasted.notes.append("This is a table of `kubectl get`; the same command with `-o yaml` has all of it")
    return end


def _take(found: Sequence[Manifest], pasted: Pasted, lines: int) -> list[str]:
    for each in found:
        group = text_at(each, "apiVersion").partition("/")[0]
        if text_at(each, "kind") == "Event":
            pasted.events.append(each)
        elif text_at(each, "kind") == "Application" and group == "argoproj.io" and pasted.application is None:
            pasted.application = each
        elif text_at(each, "metadata", "name"):
            pasted.resources.append(each)
    kinds = ", ".join(dict.fromkeys(text_at(each, "kind") for each in found))
    return [_mark(f"manifests ({kinds[:200]})", lines)]


def _take_log(lines: Sequence[str], pasted: Pasted) -> list[str]:
    pasted.log += lines
    return [_mark("a log", len(lines))]


_MARK = "[Pasted here: "


def _mark(form: str, lines: int) -> str:
    return f"{_MARK}{form}, {lines} lines; it is in the context]"


def _form(pasted: Pasted) -> str:
    return pasted.notes[-1].removeprefix("This is ").removeprefix("These are ").partition(";")[0]


def _messages(lines: Sequence[str]) -> Iterator[str]:
    """The error messages among the lines: quoted inside a sentence, or a line of its own."""
    found: dict[str, None] = {}
    for line in (line.strip() for line in lines if not line.startswith(_MARK)):
        quoted = [next(filter(None, each.groups())) for each in _QUOTED.finditer(line)]
        asserted = _SENTENCE.split(line) if line.endswith("?") else [line]
        while asserted and asserted[-1].endswith("?"):
            asserted.pop()
        whole = [" ".join(asserted)] if asserted else []
        for text in (*whole, *([] if whole else quoted)):
            if _SHORTEST <= len(text) <= _LONGEST and _MESSAGE.search(text):
                found[text] = None
    yield from list(found)[:_MOST]
