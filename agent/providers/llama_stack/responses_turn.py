"""One streamed response read as provider events. Owns the Responses API's event names and end states
(https://platform.openai.com/docs/api-reference/responses-streaming); does no I/O."""

import json
from collections.abc import Iterator
from typing import Any

from agent.errors import AssistantError, ResponseCut, ResponseFailed, ResponseIncomplete
from agent.objects.manifest import integer_at, list_at, lookup, object_at, objects_at, text_at
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
from agent.providers.llama_stack.failures import Upstream, error_of, error_of_turn

_INCOMPLETE = {"max_iterations_exceeded": "its tool calls did not come to an end"}


class ResponsesTurn:
    """Reads the events of one response in their order.

    `text_sent`: some of the answer was read; `is_stored`: the server has added the turn to the conversation; `output`
    is what the model wrote and called so far, all that the server may send to it again.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._response_id = ""
        self._text_of = ""
        self._references: set[tuple[str, str]] = set()
        self._reasoned = False
        self.text_sent = False
        self.is_stored = False
        self._output: list[str] = []
        self._texts: list[str] = []

    @property
    def output(self) -> str:
        return "".join(self._output)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._texts)

    def read(self, event: dict[str, Any]) -> Iterator[ProviderEvent]:
        """The provider events of one server event, none for most. Raises an AssistantError for a failed or cut turn."""
        for read in self._read(event):
            match read:
                case TextDelta(text):
                    self._output.append(text)
                    self._texts.append(text)
                case ReasoningDelta(text):
                    self._output.append(text)
                case ToolCall():
                    self._output.append(f"{read.name} {read.arguments}\n")
                case ToolResult():
                    self._output.append(f"{read.output}\n")
                case _:
                    pass
            yield read

    def _read(self, event: dict[str, Any]) -> Iterator[ProviderEvent]:
        match text_at(event, "type"):
            case "response.created" | "response.in_progress":
                self._response_id = text_at(event, "response", "id")
            case "response.output_text.delta" | "response.refusal.delta":
                yield from self._text(text_at(event, "delta"), text_at(event, "item_id"))
            case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
                yield from self._reasoning(text_at(event, "delta"))
            case "response.output_item.done":
                yield from self._item(object_at(event, "item"))
            case "response.completed":
                yield from self._completed(object_at(event, "response"))
            case "response.incomplete":
                raise self._incomplete(text_at(event, "response", "incomplete_details", "reason"))
            case "response.failed":
                raise self._failed(object_at(event, "response", "error"))
            case "error":
                # OGX: an exception within the stream; {"code": "404", "message": ...}
                raise self._failed(object_at(event, "error") or event)
            case "" if lookup(event, "error") is not None:
                # llama-stack: the same, as {"error": {"code": "404", "message": ...}}
                raise self._failed(object_at(event, "error"))
            case _:
                pass  # added, part and arguments events, and what newer servers add

    def cut(self) -> AssistantError:
        """The error for a stream that ended before the response did."""
        return error_of(ResponseCut, self._upstream, reason=self._where)

    @property
    def _where(self) -> str:
        return f"response {self._response_id}" if self._response_id else ""

    def _text(self, text: str, item_id: str) -> Iterator[ProviderEvent]:
        if not text:
            return
        if self.text_sent and item_id != self._text_of:
            yield TextDelta("\n\n")  # another message, after a tool call
        self._text_of, self.text_sent = item_id, True
        yield TextDelta(text)

    def _reasoning(self, text: str) -> Iterator[ProviderEvent]:
        if text:
            self._reasoned = True
            yield ReasoningDelta(text)

    def _item(self, item: dict[str, Any]) -> Iterator[ProviderEvent]:
        call_id = text_at(item, "id")
        match text_at(item, "type"):
            case "message":
                yield from self._annotations(item)
            case "reasoning" if not self._reasoned:
                for part in [*objects_at(item, "summary"), *objects_at(item, "content")]:
                    yield from self._reasoning(text_at(part, "text"))
            case "mcp_call":
                yield ToolCall(call_id=call_id, name=text_at(item, "name"), arguments=_arguments(item))
                yield ToolResult(call_id=call_id, output=text_at(item, "error") or text_at(item, "output"))
            case "mcp_list_tools":
                yield ToolCall(
                    call_id=call_id,
                    name="mcp_list_tools",
                    arguments=json.dumps({"server_label": text_at(item, "server_label")}),
                )
                names = [text_at(tool, "name") for tool in objects_at(item, "tools")]
                yield ToolResult(call_id=call_id, output=json.dumps(names, ensure_ascii=False))
            case "function_call":
                yield ToolCall(
                    call_id=text_at(item, "call_id") or call_id, name=text_at(item, "name"), arguments=_arguments(item)
                )
            case "file_search_call":
                queries = json.dumps({"queries": list_at(item, "queries")}, ensure_ascii=False)
                yield ToolCall(call_id=call_id, name="file_search", arguments=queries)
                yield ToolResult(call_id=call_id, output=_found(item))
            case "web_search_call":
                yield ToolCall(call_id=call_id, name="web_search", arguments="{}")
                yield ToolResult(call_id=call_id, output=text_at(item, "status"))
            case _:
                pass

    def _annotations(self, message: dict[str, Any]) -> Iterator[ProviderEvent]:
        for part in objects_at(message, "content"):
            for annotation in objects_at(part, "annotations"):
                url, title = text_at(annotation, "url"), text_at(annotation, "title")
                if url and (url, title) not in self._references:
                    self._references.add((url, title))
                    yield Citation(title=title or url, url=url)

    def _completed(self, response: dict[str, Any]) -> Iterator[ProviderEvent]:
        self.is_stored = True
        if not self.text_sent:
            # A refusal, and what a guardrail says instead of the model, come without deltas.
            for item in objects_at(response, "output"):
                for part in objects_at(item, "content") if text_at(item, "type") == "message" else ():
                    yield from self._text(text_at(part, "text") or text_at(part, "refusal"), text_at(item, "id"))
        if not self.text_sent:
            raise error_of(ResponseFailed, self._upstream, reason="the model's answer was empty")
        yield TurnCompleted(usage=_usage(object_at(response, "usage")))

    def _incomplete(self, reason: str) -> AssistantError:
        self.is_stored = True
        if reason == "content_filter":
            return error_of(ResponseFailed, self._upstream, reason="a content filter withheld the answer")
        return error_of(ResponseIncomplete, self._upstream, reason=_INCOMPLETE.get(reason, ""))

    def _failed(self, error: dict[str, Any]) -> AssistantError:
        return error_of_turn(
            text_at(error, "message"),
            self._upstream,
            code=text_at(error, "code"),
            text_sent=self.text_sent,
            where=self._where,
        )


def _arguments(item: dict[str, Any]) -> str:
    return text_at(item, "arguments") or "{}"


def _found(item: dict[str, Any]) -> str:
    results = [
        {"filename": text_at(result, "filename"), "text": text_at(result, "text")}
        for result in objects_at(item, "results")
    ]
    return json.dumps(results, ensure_ascii=False)


def _usage(usage: dict[str, Any]) -> Usage | None:
    tokens_in, tokens_out = integer_at(usage, "input_tokens"), integer_at(usage, "output_tokens")
    if tokens_in is None or tokens_out is None:
        return None
    return Usage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cached_tokens=integer_at(usage, "input_tokens_details", "cached_tokens") or 0,
        reasoning_tokens=integer_at(usage, "output_tokens_details", "reasoning_tokens") or 0,
    )
