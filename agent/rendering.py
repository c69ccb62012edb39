"""The parts of a context as text, each within a token limit: what does not fit is cut and said.

Owns the form of a part on the page; which parts there are, in which order and with how much room is `agent.prompt`'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ryaml

from agent.context.model import ContainerLog, Event, Gap
from agent.findings.model import Finding
from agent.manifest import Manifest
from agent.tokens import count_tokens

# Every leaf of a manifest costs about 6 tokens with its key; more leaves than this many a token never fit.
_LEAVES_PER_TOKEN = 0.5
_LONGEST_STRING = 2_000
_LARGEST_INTEGER = 2**63 - 1
_FIRST_KEYS = ("apiVersion", "kind", "metadata", "status", "spec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A part as text, its token estimate, and what was left out ("" when nothing was)."""

    text: str
    tokens: int
    left_out: str = ""


def well_formed(text: str) -> str:
    """`text` that can be written as UTF-8: JSON may hold half of a surrogate pair (`"\\ud800"`)."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def render_findings(findings: Sequence[Finding], limit: int) -> Rendered:
    """The findings with their evidence, in their order."""
    return _whole_items([_finding(finding) for finding in findings], limit, "findings")


def render_gaps(gaps: Sequence[Gap], limit: int) -> Rendered:
    """What could not be read, a line each."""
    return _whole_items(
        [f"- {gap.part} from {gap.source}: {gap.message} ({gap.reason})" for gap in gaps], limit, "gaps"
    )


def render_events(events: Sequence[Event], limit: int) -> Rendered:
    """Events, a line each, as ordered (newest first): the oldest are left out."""
    return _whole_items([_event(event) for event in events], limit, "older events")


def render_logs(logs: Sequence[ContainerLog], limit: int) -> Rendered:
    """The end of each log; containers share the room evenly."""
    share = limit // max(len(logs), 1)
    parts = [_log(log, share) for log in logs]
    return Rendered(
        text="\n".join(part.text for part in parts),
        tokens=sum(part.tokens for part in parts),
        left_out="; ".join(part.left_out for part in parts if part.left_out),
    )


def render_manifests(manifests: Sequence[Manifest], limit: int) -> Rendered:
    """Manifests as YAML, status before spec; each gets an equal share of the room that is left."""
    texts: list[str] = []
    left_out: list[str] = []
    tokens = 0
    for index, manifest in enumerate(manifests):
        share = (limit - tokens) // (len(manifests) - index)
        part = _manifest(manifest, share)
        texts.append(part.text)
        tokens += part.tokens
        if part.left_out:
            left_out.append(part.left_out)
    return Rendered(text="---\n".join(texts), tokens=tokens + len(texts), left_out="; ".join(left_out))


def _finding(finding: Finding) -> str:
    lines = [f"- [{finding.severity}] {finding.title}"]
    if finding.resource:
        lines.append(f"  resource: {finding.resource}")
    lines.append(f"  meaning: {finding.explanation}")
    for evidence in finding.evidence:
        place = f"{evidence.source} {evidence.path}" + (f" of {evidence.resource}" if evidence.resource else "")
        lines.append(f"  evidence ({place}): {evidence.text}")
    lines += [f"  next step: {step}" for step in finding.next_steps]
    return "\n".join(lines)


def _event(event: Event) -> str:
    times = f" x{event.count}" if event.count > 1 else ""
    about = f" {event.involved}" if event.involved else ""
    return f"- {event.last_seen or 'time unknown'} {event.type} {event.reason}{times}{about}: {event.message}"


def _log(log: ContainerLog, limit: int) -> Rendered:
    where = f"container {log.container}" + (f" of Pod {log.pod}" if log.pod else "")
    head = f"# {where}, {'previous run' if log.previous else 'current run'}, oldest line first"
    room = limit - count_tokens(head) - 12
    kept: list[str] = []
    tokens = 0
    for line in reversed(log.lines):
        text = f"{line.timestamp} {line.text}".lstrip()
        cost = count_tokens(text) + 1
        if tokens + cost > room:
            break
        kept.append(text)
        tokens += cost
    missing = len(log.lines) - len(kept) + log.left_out
    note = f"{missing} older lines of {where}" if missing else ""
    text = "\n".join([head, *([f"# ... {missing} older lines left out"] if missing else []), *reversed(kept)])
    return Rendered(text=text, tokens=count_tokens(text), left_out=note)


def _whole_items(items: Sequence[str], limit: int, what: str) -> Rendered:
    """As many whole items as fit; the first one is cut rather than dropped."""
    kept: list[str] = []
    tokens = 0
    for item in items:
        cost = count_tokens(item) + 1
        if tokens + cost > limit:
            if kept:
                break
            item = _cut(item, limit)
            cost = count_tokens(item) + 1
        kept.append(item)
        tokens += cost
    missing = len(items) - len(kept)
    return Rendered(text="\n".join(kept), tokens=tokens, left_out=f"{missing} {what}" if missing else "")


def _manifest(manifest: Manifest, limit: int) -> Rendered:
    ordered = {key: manifest[key] for key in _FIRST_KEYS if key in manifest}
    ordered |= {key: value for key, value in manifest.items() if key not in ordered}
    pruned, dropped = _pruned(ordered, max(int(limit * _LEAVES_PER_TOKEN), 20))
    text = ryaml.dumps(pruned)  # pyright: ignore[reportPrivateImportUsage]
    tokens = count_tokens(text)
    lines = text.count("\n")
    if tokens > limit:
        text = _cut(text, limit)
        tokens = count_tokens(text)
    cut = lines - text.count("\n")
    name = f"{manifest.get('kind') or 'manifest'}"
    notes = [f"{dropped} values"] * bool(dropped) + [f"the last {cut} lines"] * bool(cut)
    return Rendered(text=text, tokens=tokens, left_out=f"{' and '.join(notes)} of the {name}" if notes else "")


def _cut(text: str, limit: int) -> str:
    """The first lines of `text` that fit into `limit` tokens, ended by a mark."""
    kept: list[str] = []
    tokens = 4
    for line in text.splitlines(keepends=True):
        cost = count_tokens(line) + 1
        if tokens + cost > limit:
            if not kept:  # one line larger than all the room
                kept.append(_beginning(line, limit - tokens - 1) + "\n")
            break
        kept.append(line)
        tokens += cost
    return "".join(kept) + "# ... cut\n"


def _beginning(line: str, limit: int) -> str:
    """As much of one line as fits: about a token is a character, more in scripts that are spelled byte by byte."""
    line = line[: max(limit, 0)]
    while line and count_tokens(line) > limit:
        line = line[: len(line) * 3 // 4]
    return line


def _pruned(value: Any, leaves: int) -> tuple[Any, int]:
    """`value` with at most `leaves` leaves and no overlong strings, and how many leaves were dropped."""
    budget = _Leaves(leaves)
    return budget.walk(value, 0), budget.dropped


class _Leaves:
    """Counts leaves while copying, so that a manifest of megabytes is not written out only to be cut."""

    _DEEPEST = 60

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.dropped = 0

    def walk(self, value: Any, depth: int) -> Any:
        if depth > self._DEEPEST:
            self.dropped += 1
            return "... nested too deeply"
        if isinstance(value, dict):
            items = cast("dict[Any, Any]", value).items()
            return dict(self._children(((key, item) for key, item in items), depth, len(items)))
        if isinstance(value, list):
            elements = cast("list[Any]", value)
            return [item for _, item in self._children(((None, e) for e in elements), depth, len(elements))]
        self._left -= 1
        if isinstance(value, str):
            if len(value) > _LONGEST_STRING:
                self.dropped += 1
                value = f"{value[:_LONGEST_STRING]} ... ({len(value) - _LONGEST_STRING} more characters)"
            return well_formed(value)
        if isinstance(value, int) and not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            return str(value)  # YAML's 64 bits
        return value if isinstance(value, int | float | None) else str(value)

    def _children(self, items: Iterable[tuple[Any, Any]], depth: int, count: int) -> Iterable[tuple[Any, Any]]:
        for index, (key, item) in enumerate(items):
            if self._left <= 0:
                self.dropped += count - index
                return
            yield well_formed(key) if isinstance(key, str) else key, self.walk(item, depth + 1)
