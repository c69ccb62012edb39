"""The chunks of the Agents API in our words; what the real server sends without tools is in the integration tests."""

from typing import Any

import pytest

from agent.errors import ResponseCut, ResponseFailed, ResponseIncomplete
from agent.providers.events import ProviderEvent, TextDelta, ToolCall, ToolResult, TurnCompleted
from agent.providers.llama_stack.agents_turn import AgentsTurn
from agent.providers.llama_stack.failures import Upstream


def read(*payloads: dict[str, Any]) -> list[ProviderEvent]:
    turn = AgentsTurn(Upstream(server="http://models.example"))
    return [event for payload in payloads for event in turn.read({"event": {"payload": payload}})]


def text(delta: str, step: str = "s1") -> dict[str, Any]:
    return {"event_type": "step_progress", "step_id": step, "delta": {"type": "text", "text": delta}}


def completed(content: object = "", stop_reason: str = "end_of_turn") -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "stop_reason": stop_reason}
    return {"event_type": "turn_complete", "turn": {"output_message": message}}


def test_a_tool_that_the_server_ran_is_a_call_and_its_result() -> None:
    step = {
        "tool_calls": [{"call_id": "c1", "tool_name": "logs", "arguments": {"pod": "api"}}],
        "tool_responses": [{"call_id": "c1", "tool_name": "logs", "content": [{"type": "text", "text": "OOMKilled"}]}],
    }
    tool = {"event_type": "step_complete", "step_type": "tool_execution", "step_details": step}
    assert read(text("Let me see."), tool, text("It is OOM.", "s2"), completed("It is OOM.")) == [
        TextDelta("Let me see."),
        ToolCall(call_id="c1", name="logs", arguments='{"pod": "api"}'),
        ToolResult(call_id="c1", output="OOMKilled"),
        TextDelta("\n\n"),
        TextDelta("It is OOM."),
        TurnCompleted(),
    ]


def test_what_a_shield_says_is_the_answer() -> None:
    assert read(completed("I cannot help with that.")) == [TextDelta("I cannot help with that."), TurnCompleted()]


def test_ends_that_are_none_are_errors() -> None:
    with pytest.raises(ResponseIncomplete):
        read(text("It"), completed("It", stop_reason="out_of_tokens"))
    with pytest.raises(ResponseFailed, match="empty"):
        read(completed(""))
    with pytest.raises(ResponseFailed, match="waits for a tool"):
        read({"event_type": "turn_awaiting_input", "turn": {}})
    assert isinstance(AgentsTurn(Upstream(server="http://models.example")).cut(), ResponseCut)


@pytest.mark.parametrize("payload", [{}, {"event_type": "step_start"}, {"event_type": "new"}, text("")])
def test_what_is_unknown_or_empty_says_nothing(payload: dict[str, Any]) -> None:
    assert read(payload) == []
