"""The stream of a response, checked by the two that read it: MLflow and the `openai` SDK."""

from typing import Any

import pytest
from mlflow.types.responses import ResponsesAgentResponse, ResponsesAgentStreamEvent
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from agent.context.context import Context
from agent.errors import RateLimited
from agent.mlflow.response_events import ResponseStream, StreamEvent
from agent.objects.target import Target
from agent.prompt.budget import RequestPlan, plan
from agent.providers.events import (
    Citation,
    ProviderEvent,
    ProviderInfo,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.redaction import Redacted, Redactor
from agent.turn.events import Outcome, Report, TurnEvent
from agent.turn.outputs import early_outputs

PROVIDER = ProviderInfo(name="llama-stack", protocol="responses", model="m1")
USAGE = Usage(input_tokens=10, output_tokens=5, cached_tokens=4, reasoning_tokens=1)
EVERYTHING: list[ProviderEvent] = [
    TurnStarted(provider=PROVIDER, session_id="conv_1"),
    ReasoningDelta("Let me "),
    ReasoningDelta("look."),
    ToolCall(call_id="c1", name="get_pods", arguments="{}"),
    ToolResult(call_id="c1", output="one pod"),
    TextDelta("It was "),
    TextDelta("OOMKilled."),
    Citation(title="Memory limits", url="https://docs.example.com/memory"),
    TurnCompleted(usage=USAGE),
]
REPORT = Report(
    question="Why?",
    history=(),
    target=Target(),
    findings=(),
    sections=(),
    gaps=(),
    context=Context(target=Target()),
    plan=RequestPlan(budget=plan(window=None, wanted=16_000, answer=2_000), tokens=10),
)
OUTCOME = Outcome(text="It was OOMKilled.", session_id="conv_1", provider=PROVIDER, usage=USAGE, report=REPORT)


def written(*events: ProviderEvent) -> list[StreamEvent]:
    stream = ResponseStream(trace_id=lambda: "tr-1")
    return [each for event in (REPORT, *events, OUTCOME) for each in stream.write(released(event))]


def released(event: TurnEvent) -> Redacted[TurnEvent]:
    return Redactor(b"k").release(event)


def kinds(events: list[StreamEvent]) -> list[str]:
    return [event["type"] for event in events]


def items(events: list[StreamEvent]) -> list[dict[str, Any]]:
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_each_kind_of_event_becomes_its_item_in_order() -> None:
    done = items(written(*EVERYTHING))

    assert [item["type"] for item in done] == ["reasoning", "function_call", "function_call_output", "message"]
    assert done[0]["summary"][0]["text"] == "Let me look."
    assert done[1]["call_id"] == done[2]["call_id"] == "c1"
    assert done[3]["content"][0]["text"] == "It was OOMKilled."
    assert done[3]["content"][0]["annotations"][0]["url"] == "https://docs.example.com/memory"


def test_the_order_of_a_plain_text_answer_is_that_of_the_responses_api() -> None:
    assert kinds(written(TurnStarted(provider=PROVIDER, session_id=None), TextDelta("Hi"), TurnCompleted())) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_mlflow_accepts_every_event_and_the_whole_response() -> None:
    events = written(*EVERYTHING)

    for event in events:
        assert ResponsesAgentStreamEvent(**event).type == event["type"]
    response = ResponsesAgentResponse(**events[-1]["response"])
    assert response.usage is not None
    assert response.usage.total_tokens == 15


# What OpenAI's own API never sends, and the SDK therefore has no type for: an item with the result of a server's tool.
NOT_OPENAI = {"function_call_output"}


@pytest.mark.parametrize("event", written(*EVERYTHING), ids=lambda event: event["type"])
def test_the_openai_sdk_has_a_type_for_every_event(event: StreamEvent) -> None:
    if event.get("item", {}).get("type") in NOT_OPENAI or "response" in event:
        return  # the SDK reads these leniently

    parsed = TypeAdapter[Any](ResponseStreamEvent).validate_python(event)

    assert parsed.type == event["type"]


def test_sequence_numbers_count_up_without_a_gap() -> None:
    events = written(*EVERYTHING)

    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_an_item_that_was_begun_is_closed_before_the_error() -> None:
    stream = ResponseStream()
    events = [*stream.write(released(REPORT)), *stream.write(released(TextDelta("Half an ")))]

    events += stream.fail(RateLimited("Too many requests. Try again in a minute."))

    assert events[-2]["item"]["status"] == "incomplete"
    assert events[-2]["item"]["content"][0]["text"] == "Half an "
    assert events[-1] == {
        "type": "error",
        "sequence_number": len(events) - 1,
        "code": "rate_limited",
        "message": "Too many requests. Try again in a minute.",
        "param": None,
        "custom_outputs": {**early_outputs(REPORT), "trace_id": ""},
    }


def test_what_is_being_written_can_be_read_at_any_time() -> None:
    stream = ResponseStream()
    list(stream.write(released(REPORT)))
    list(stream.write(released(TextDelta("Half an "))))

    assert stream.output_so_far()[0]["content"][0]["text"] == "Half an "


def test_an_answer_without_usage_says_so() -> None:
    stream = ResponseStream()
    outcome = Outcome(text="", session_id=None, provider=PROVIDER, usage=None, report=REPORT)

    assert next(iter(stream.write(released(outcome))))["response"]["usage"] is None


def test_a_tool_call_for_the_caller_is_a_function_call_without_an_output() -> None:
    [call, *_] = items(written(ToolCallRequested(call_id="c1", name="read_pod", arguments='{"a":1}')))

    assert (call["type"], call["call_id"], call["name"]) == ("function_call", "c1", "read_pod")
    assert call["arguments"] == '{"a":1}'
