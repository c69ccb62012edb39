"""The events of a turn as a stream in the shape of the Responses API, which MLflow and the `openai` SDK both read
(https://platform.openai.com/docs/api-reference/responses-streaming).

Owns ids, indices, sequence numbers and the items of the answer. MLflow's limits
(`mlflow/types/responses.py`) are kept: no item types but message, reasoning, function_call and function_call_output,
and `response.output_item.done` for each.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from agent.errors import AssistantError
from agent.providers.events import (
    Citation,
    ProviderEvent,
    ReasoningDelta,
    SessionStarted,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.redaction import Redacted
from agent.turn.events import Outcome, Report, TurnEvent
from agent.turn.notes import note_first
from agent.turn.outputs import OutputsSoFar

type StreamEvent = dict[str, Any]


class ResponseStream:
    """Writes one response: `write` for each event of the turn, `fail` where it failed. `trace_id` names the trace in
    the last event's `custom_outputs`, "" for none."""

    def __init__(self, *, trace_id: Callable[[], str] = str) -> None:
        self.opened = False
        """Whether anything was written."""
        self.response: dict[str, Any] = {}
        """The whole response, once the turn has ended well."""
        self._trace_id = trace_id
        self._outputs = OutputsSoFar()
        self._id = f"resp_{uuid.uuid4().hex}"
        self._created_at = time.time()
        self._model = ""
        self._sequence = 0
        self._output: list[dict[str, Any]] = []
        self._item: dict[str, Any] | None = None  # the message or reasoning item that is being written
        self._text: list[str] = []
        self._annotations: list[dict[str, Any]] = []
        self._references: list[Citation] = []

    def output_so_far(self) -> list[dict[str, Any]]:
        """Return the items that are done, and the unfinished one as it is now."""
        if self._item is None:
            return self._output
        text = "".join(self._text)
        if self._item["type"] == "message":
            content: dict[str, Any] = {"content": [{"type": "output_text", "text": text, "annotations": []}]}
        else:
            content = {"summary": [{"type": "summary_text", "text": text}]}
        return [*self._output, self._item | content | {"status": "incomplete"}]

    def write(self, event: Redacted[TurnEvent]) -> Sequence[StreamEvent]:
        """The stream events for one event of the turn."""
        value = event.value
        if type(value) is TextDelta:  # nearly all of them
            return self.text(value.text)
        self._outputs.take(value)
        match value:
            case Report():
                return list(self._open())
            case Outcome():
                return list(self._complete(value))
            case _:
                return list(self.take(value))

    def _open(self) -> Iterator[StreamEvent]:
        """The start, with what is known before the model is asked: findings and context."""
        self.opened = True
        yield self._event("response.created", response=self._response("in_progress"))
        yield self._event(
            "response.in_progress", response=self._response("in_progress"), custom_outputs=self._outputs.value
        )

    def take(self, event: ProviderEvent) -> Iterator[StreamEvent]:
        """Yield the stream events for one event of the provider."""
        match event:
            case TextDelta():
                yield from self.text(event.text)
            case ReasoningDelta():
                yield from self._write("reasoning", event.text)
            case ToolCall() | ToolCallRequested():
                yield from self._close_item()
                yield from self._whole(
                    {
                        "type": "function_call",
                        "id": _identifier("fc"),
                        "call_id": event.call_id,
                        "name": event.name,
                        "arguments": event.arguments,
                        "status": "completed",
                    }
                )
            case ToolResult():
                yield from self._close_item()
                yield from self._whole(
                    {
                        "type": "function_call_output",
                        "id": _identifier("fco"),
                        "call_id": event.call_id,
                        "output": event.output,
                        "status": "completed",
                    }
                )
            case Citation():
                self._references.append(event)
            case TurnStarted():
                self._model = event.provider.model or event.provider.name
            case SessionStarted():
                pass  # in the outputs of the last event
            case TurnCompleted():
                yield from self._close_item()
            case _:
                assert_never(event)

    def text(self, text: str) -> Sequence[StreamEvent]:
        """The stream events for a piece of the answer: `take` for what comes most."""
        item = self._item
        if item is None or item["type"] != "message":
            return list(self._write("message", text))
        self._text.append(text)
        return (self._text_delta(item, text),)

    def _complete(self, outcome: Outcome) -> Iterator[StreamEvent]:
        yield from self._close_item()
        custom_outputs = self._final_outputs()
        self.response = self._response("completed", usage=outcome.usage) | {"custom_outputs": custom_outputs}
        yield self._event("response.completed", response=self.response, custom_outputs=custom_outputs)

    def fail(self, error: AssistantError) -> Iterator[StreamEvent]:
        """Yield the end of a turn that failed: the item that was begun is closed, the error comes last."""
        yield from self._close_item(status="incomplete")
        custom_outputs = self._final_outputs()
        yield self._event(
            "error", code=error.code, message=error.public_message, param=None, custom_outputs=custom_outputs
        )

    def _final_outputs(self) -> dict[str, Any]:
        return self._outputs.value | {"trace_id": self._trace_id()}

    def _event(self, kind: str, **fields: Any) -> StreamEvent:
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return event

    def _response(self, status: str, *, usage: Usage | None = None) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_at,
            "status": status,
            "model": self._model,
            "output": list(self._output),
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": _usage(usage),
        }

    def _write(self, kind: str, text: str) -> Iterator[StreamEvent]:
        if self._item is None or self._item["type"] != kind:
            yield from self._close_item()
            yield from self._open_item(kind)
        self._text.append(text)
        item = self._item
        assert item is not None  # noqa: S101 - opened above
        if kind == "message":
            yield self._text_delta(item, text)
        else:
            yield self._event(
                "response.reasoning_summary_text.delta",
                item_id=item["id"],
                output_index=len(self._output),
                summary_index=0,
                delta=text,
            )

    def _text_delta(self, item: dict[str, Any], text: str) -> StreamEvent:
        sequence = self._sequence
        self._sequence += 1
        return {
            "type": "response.output_text.delta",
            "sequence_number": sequence,
            "item_id": item["id"],
            "output_index": len(self._output),
            "content_index": 0,
            "delta": text,
            "logprobs": [],
        }

    def _open_item(self, kind: str) -> Iterator[StreamEvent]:
        self._text = []
        if kind == "message":
            self._item = {"type": "message", "id": _identifier("msg"), "role": "assistant", "content": []}
        else:
            self._item = {"type": "reasoning", "id": _identifier("rs"), "summary": []}
        index = len(self._output)
        yield self._event("response.output_item.added", output_index=index, item=self._item | {"status": "in_progress"})
        if kind == "message":
            yield self._event(
                "response.content_part.added",
                item_id=self._item["id"],
                output_index=index,
                content_index=0,
                part={"type": "output_text", "text": "", "annotations": []},
            )

    def _close_item(self, status: str = "completed") -> Iterator[StreamEvent]:
        if self._item is None:
            return
        item, self._item = self._item, None
        text = "".join(self._text)
        place = {"item_id": item["id"], "output_index": len(self._output)}
        if item["type"] == "message":
            part = {"type": "output_text", "text": text, "annotations": self._take_references(text)}
            for number, annotation in enumerate(part["annotations"]):
                yield self._event(
                    "response.output_text.annotation.added",
                    **place,
                    content_index=0,
                    annotation_index=number,
                    annotation=annotation,
                )
            yield self._event("response.output_text.done", **place, content_index=0, text=text, logprobs=[])
            yield self._event("response.content_part.done", **place, content_index=0, part=part)
            item["content"] = [part]
        else:
            yield self._event("response.reasoning_summary_text.done", **place, summary_index=0, text=text)
            item["summary"] = [{"type": "summary_text", "text": text}]
        yield self._done(item | {"status": status})

    def _whole(self, item: dict[str, Any]) -> Iterator[StreamEvent]:
        yield self._event("response.output_item.added", output_index=len(self._output), item=item)
        yield self._done(item)

    def _done(self, item: dict[str, Any]) -> StreamEvent:
        event = self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        return event

    def _take_references(self, text: str) -> list[dict[str, Any]]:
        references, self._references = self._references, []
        return [
            {
                "type": "url_citation",
                "title": reference.title,
                "url": reference.url,
                "start_index": len(text),
                "end_index": len(text),
            }
            for reference in references
        ]


def noted_first(output: list[dict[str, Any]], note: str) -> list[dict[str, Any]]:
    """The items with the note of the check (`Outcome.note`) moved to the beginning of the message that it ends."""
    if not note or not output or output[-1]["type"] != "message":
        return output
    message = output[-1]
    content = [part | {"text": note_first(part["text"], note)} for part in message["content"]]
    return [*output[:-1], message | {"content": content}]


def _identifier(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
