"""One turn of the Agents API read as provider events. Owns that API's event names and end states; does no I/O."""

import json
import re
from collections.abc import Iterator
from typing import Any

from agent.errors import AssistantError, ResponseCut, ResponseFailed, ResponseIncomplete
from agent.objects.manifest import lookup, object_at, objects_at, text_at
from agent.providers.events import ProviderEvent, TextDelta, ToolCall, ToolResult, TurnCompleted
from agent.providers.llama_stack.failures import Upstream, error_of, error_of_turn

_STATUS = re.compile(r"(\d{3}): ")


class AgentsTurn:
    """Reads the chunks of one turn in their order. The API counts no tokens."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._step = ""
        self.text_sent = False

    def read(self, chunk: dict[str, Any]) -> Iterator[ProviderEvent]:
        """The provider events of one chunk, none for most. Raises an AssistantError for a failed or cut turn."""
        if lookup(chunk, "error") is not None:
            raise self._failed(text_at(chunk, "error", "message"))
        payload = object_at(chunk, "event", "payload")
        match text_at(payload, "event_type"):
            case "step_progress" if text_at(payload, "delta", "type") == "text":
                yield from self._text(text_at(payload, "delta", "text"), text_at(payload, "step_id"))
            case "step_complete" if text_at(payload, "step_type") == "tool_execution":
                yield from _tools(object_at(payload, "step_details"))
            case "turn_complete":
                yield from self._completed(object_at(payload, "turn", "output_message"))
            case "turn_awaiting_input":
                raise error_of(ResponseFailed, self._upstream, reason="its agent waits for a tool of the caller")
            case _:
                pass

    def cut(self) -> AssistantError:
        """The error for a stream that ended before the turn did."""
        return error_of(ResponseCut, self._upstream)

    def _text(self, text: str, step_id: str) -> Iterator[ProviderEvent]:
        if not text:
            return
        if self.text_sent and step_id != self._step:
            yield TextDelta("\n\n")  # another step, after a tool call
        self._step, self.text_sent = step_id, True
        yield TextDelta(text)

    def _completed(self, message: dict[str, Any]) -> Iterator[ProviderEvent]:
        if not self.text_sent:
            yield from self._text(content_text(lookup(message, "content")), "")  # what a shield says instead
        if text_at(message, "stop_reason") == "out_of_tokens":
            raise error_of(ResponseIncomplete, self._upstream)
        if not self.text_sent:
            raise error_of(ResponseFailed, self._upstream, reason="the model's answer was empty")
        yield TurnCompleted()

    def _failed(self, message: str) -> AssistantError:
        status = _STATUS.match(message)
        return error_of_turn(message, self._upstream, code=status.group(1) if status else "", text_sent=self.text_sent)


def content_text(content: object) -> str:
    """The text of a message's content: text, a text item, or a list of them."""
    if isinstance(content, str):
        return content
    return text_at(content, "text") or "".join(text_at(item, "text") for item in objects_at(content))


def _tools(step: dict[str, Any]) -> Iterator[ProviderEvent]:
    for call in objects_at(step, "tool_calls"):
        arguments: object = lookup(call, "arguments_json") or lookup(call, "arguments") or "{}"
        yield ToolCall(
            call_id=text_at(call, "call_id"),
            name=text_at(call, "tool_name") or "tool",
            arguments=arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False),
        )
    for response in objects_at(step, "tool_responses"):
        yield ToolResult(call_id=text_at(response, "call_id"), output=content_text(lookup(response, "content")))
