"""The events of a response in our words; what the real servers send without tools is in the integration tests."""

import json
from typing import Any

import pytest

from agent.errors import AssistantError, ResponseCut, ResponseFailed, ResponseIncomplete
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
from agent.providers.llama_stack.failures import Upstream
from agent.providers.llama_stack.responses_turn import ResponsesTurn

UPSTREAM = Upstream(server="http://models.example", model="be/m1")


def read(*events: dict[str, Any]) -> list[ProviderEvent]:
    turn = ResponsesTurn(UPSTREAM)
    return [found for event in events for found in turn.read(event)]


def text(delta: str, item: str = "msg_1") -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": delta, "item_id": item}


def done(**item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "item": item}


def completed(**response: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": {"status": "completed", "usage": None, "output": []} | response}


def test_usage_with_its_details_is_read() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    assert read(text("hi"), completed(usage=usage))[-1] == TurnCompleted(
        usage=Usage(input_tokens=10, output_tokens=20, cached_tokens=3, reasoning_tokens=4)
    )
    assert read(text("hi"), completed(usage=None))[-1] == TurnCompleted(usage=None)


def test_an_mcp_call_is_a_call_and_its_result() -> None:
    assert read(
        done(type="mcp_list_tools", id="l1", server_label="argocd", tools=[{"name": "logs"}, {"name": "sync"}]),
        done(type="mcp_call", id="c1", name="logs", arguments='{"pod": "api"}', output="OOMKilled", error=None),
        done(type="mcp_call", id="c2", name="sync", arguments="", output=None, error="forbidden"),
    ) == [
        ToolCall(call_id="l1", name="mcp_list_tools", arguments='{"server_label": "argocd"}'),
        ToolResult(call_id="l1", output='["logs", "sync"]'),
        ToolCall(call_id="c1", name="logs", arguments='{"pod": "api"}'),
        ToolResult(call_id="c1", output="OOMKilled"),
        ToolCall(call_id="c2", name="sync", arguments="{}"),
        ToolResult(call_id="c2", output="forbidden"),
    ]


def test_searches_are_calls_with_what_they_found() -> None:
    results = [{"filename": "runbook.md", "text": "raise the limit", "score": 0.9, "file_id": "f"}]
    assert read(
        done(type="file_search_call", id="f1", queries=["oom"], status="completed", results=results),
        done(type="web_search_call", id="w1", status="completed"),
    ) == [
        ToolCall(call_id="f1", name="file_search", arguments='{"queries": ["oom"]}'),
        ToolResult(call_id="f1", output=json.dumps([{"filename": "runbook.md", "text": "raise the limit"}])),
        ToolCall(call_id="w1", name="web_search", arguments="{}"),
        ToolResult(call_id="w1", output="completed"),
    ]


def test_a_function_call_is_reported_by_the_id_that_its_result_would_name() -> None:
    assert read(done(type="function_call", id="fc_1", call_id="call_1", name="f", arguments="{}")) == [
        ToolCall(call_id="call_1", name="f", arguments="{}")
    ]


def test_reasoning_is_reported_once_whether_streamed_or_not() -> None:
    item = done(type="reasoning", id="r1", summary=[], content=[{"text": "137 is memory", "type": "reasoning_text"}])
    streamed = [
        {"type": "response.reasoning_text.delta", "delta": "137 is "},
        {"type": "response.reasoning_text.delta", "delta": "memory"},
    ]
    assert read(*streamed, item) == [ReasoningDelta("137 is "), ReasoningDelta("memory")]
    assert read(item) == [ReasoningDelta("137 is memory")]


def test_references_are_reported_once() -> None:
    cited = {"type": "url_citation", "url": "https://docs.example/oom", "title": "OOM"}
    untitled = {"type": "url_citation", "url": "https://docs.example/x", "title": ""}
    file = {"type": "file_citation", "filename": "runbook.md", "file_id": "f", "index": 1}
    content = [{"type": "output_text", "text": "see", "annotations": [cited, cited, untitled, file]}]
    assert read(done(type="message", id="m", content=content)) == [
        Citation(title="OOM", url="https://docs.example/oom"),
        Citation(title="https://docs.example/x", url="https://docs.example/x"),
    ]


def test_a_message_after_a_tool_call_is_a_paragraph_of_its_own() -> None:
    assert read(text("Let me see.", "m1"), text("It is ", "m2"), text("OOM.", "m2")) == [
        TextDelta("Let me see."),
        TextDelta("\n\n"),
        TextDelta("It is "),
        TextDelta("OOM."),
    ]


def test_a_refusal_is_the_answer_streamed_or_not() -> None:
    whole = {"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "I cannot help with that."}]}
    assert read(completed(output=[whole])) == [TextDelta("I cannot help with that."), TurnCompleted()]
    assert read({"type": "response.refusal.delta", "delta": "No."}, completed(output=[whole])) == [
        TextDelta("No."),
        TurnCompleted(),
    ]


@pytest.mark.parametrize(
    ("event", "expected", "message"),
    [
        (completed(), ResponseFailed, "empty"),
        ({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "length"}}},
         ResponseIncomplete, "length limit"),
        ({"type": "response.incomplete", "response": {"incomplete_details": None}}, ResponseIncomplete, "length limit"),
        ({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_iterations_exceeded"}}},
         ResponseIncomplete, "tool calls"),
        ({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "content_filter"}}},
         ResponseFailed, "content filter"),
        ({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}},
         ResponseFailed, "could not answer"),
        ({"type": "response.failed", "response": {"error": None}}, ResponseFailed, "could not answer"),
        ({"type": "error", "code": "500", "message": "boom"}, ResponseFailed, "could not answer"),
        ({"type": "error", "error": {"code": None, "message": "boom"}}, ResponseFailed, "could not answer"),
        ({"error": {"code": "500", "message": "boom"}}, ResponseFailed, "could not answer"),
        ({"error": "boom"}, ResponseFailed, "could not answer"),
    ],
)  # fmt: skip
def test_an_end_that_is_none_is_an_error(event: dict[str, Any], expected: type[AssistantError], message: str) -> None:
    with pytest.raises(expected, match=message) as raised:
        read({"type": "response.created", "response": {"id": "resp_1"}}, event)
    assert type(raised.value) is expected
    assert "boom" not in raised.value.public_message


def test_a_stream_without_an_end_is_cut() -> None:
    assert isinstance(ResponsesTurn(UPSTREAM).cut(), ResponseCut)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": None},
        {"type": "response.new_in_2027", "item": 5},
        {"type": "response.output_item.done"},
        {"type": "response.output_item.done", "item": {"type": "message", "content": None}},
        {"type": "response.output_item.done", "item": {"type": "something_new"}},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.created", "response": None},
    ],
)
def test_what_is_unknown_or_empty_says_nothing(event: dict[str, Any]) -> None:
    assert read(event) == []
