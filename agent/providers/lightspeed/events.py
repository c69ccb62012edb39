"""The lines of a streaming answer, and the provider events they stand for.

A line is `data: {"event": ..., "data": {...}}`. Owns this wire form; start, error and end of the stream are the
client's to judge.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.errors import ResponseFailed
from agent.objects.manifest import Manifest, integer_at, lookup, object_at, objects_at, text_at
from agent.providers.events import (
    Citation,
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    Usage,
)

# A tool's result arrives in one line; no answer has a longer one.
_LONGEST_LINE = 16_000_000

TRUNCATED_NOTE = (
    "\n\n> Lightspeed left out the older part of this conversation: it no longer fits the model's context window."
)


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One line of the stream."""

    name: str
    data: Manifest


class EventReader:
    """Reads events out of a body as it arrives. Lines end with LF only: a token may hold any other line separator."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[WireEvent]:
        """The events that `chunk` completes. Raises ResponseFailed for a line that is no event."""
        *whole, last = chunk.split(b"\n")
        for line in whole:
            self._rest += line
            yield from _event(bytes(self._rest))
            self._rest.clear()
        self._rest += last
        if len(self._rest) > _LONGEST_LINE:
            raise ResponseFailed(f"Lightspeed sent an event of more than {_LONGEST_LINE:,} bytes.")


def _event(line: bytes) -> Iterator[WireEvent]:
    if not line.startswith(b"data:"):
        return  # blank lines, comments, and SSE fields that say nothing here
    try:
        parsed: object = json.loads(line[5:])
    except (ValueError, RecursionError):
        raise ResponseFailed("Lightspeed sent a line that is no JSON event.") from None
    if name := text_at(parsed, "event"):
        yield WireEvent(name, object_at(parsed, "data"))


def provider_events(event: WireEvent) -> Iterator[ProviderEvent]:
    """The provider events of one event of the stream; none for those that mean nothing to a reader."""
    data = event.data
    match event.name:
        case "token":
            if text := text_at(data, "token"):
                yield TextDelta(text)
        case "reasoning":
            if text := text_at(data, "reasoning"):
                yield ReasoningDelta(text)
        case "tool_call":
            arguments = _json_text(lookup(data, "args")) or "{}"
            yield ToolCall(call_id=text_at(data, "id"), name=text_at(data, "name") or "tool", arguments=arguments)
        case "tool_result":
            yield ToolResult(call_id=text_at(data, "id"), output=_json_text(lookup(data, "content")))
        case "end":
            if lookup(data, "truncated") is True:
                yield TextDelta(TRUNCATED_NOTE)
            yield from _references(data)
            yield TurnCompleted(usage=_usage(data))
        case _:
            pass  # history_compression_start and _end, skill_selected, and what newer versions add


def _references(data: Manifest) -> Iterator[Citation]:
    seen: set[tuple[str, str]] = set()
    for document in objects_at(data, "referenced_documents"):
        title, url = text_at(document, "doc_title"), text_at(document, "doc_url")
        if (title or url) and (title, url) not in seen:
            seen.add((title, url))
            yield Citation(title=title or url, url=url)


def _usage(data: Manifest) -> Usage | None:
    """None where the server does not count: lightspeed-stack then says 0."""
    counted = integer_at(data, "input_tokens") or 0, integer_at(data, "output_tokens") or 0
    if not any(counted):
        return None
    return Usage(
        input_tokens=counted[0],
        output_tokens=counted[1],
        reasoning_tokens=integer_at(data, "reasoning_tokens") or 0,
    )


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
