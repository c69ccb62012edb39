"""One turn: what is asked, in which order it is told, and what happens when something on the way fails."""

import asyncio
from typing import Any

import pytest

from agent.errors import ProviderUnreachable, RateLimited, SessionForbidden, SettingsError
from agent.providers.events import (
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.request.conversation import Message
from agent.request.question import Question
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, Report, TurnEvent
from agent.turn.outputs import context_as_json
from agent.turn.parse import parse_question
from tests.fakes.provider import ScriptedProvider

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop", "uid": "u1"},
    "spec": {
        "containers": [
            {
                "name": "api",
                "image": "registry.example.com/api:1",
                "env": [{"name": "DB_PASSWORD", "value": "tr0ub4dor-and-3"}],
                "resources": {"limits": {"memory": "64Mi"}},
            }
        ]
    },
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "api",
                "ready": False,
                "restartCount": 7,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }
        ],
    },
}


def ask(text: str = "Why does api-1 restart?", **custom_inputs: Any) -> Question:
    body = {"input": [{"role": "user", "content": text}], "custom_inputs": {"manifest": POD} | custom_inputs}
    return parse_question(body)


async def turn_of(provider: ScriptedProvider, question: Question | None = None) -> list[TurnEvent]:
    assistant = Assistant(load_settings(), provider=provider)
    try:
        return [event.value async for event in assistant.turn(question or ask())]
    finally:
        await assistant.aclose()


def run(provider: ScriptedProvider, question: Question | None = None) -> list[TurnEvent]:
    return asyncio.run(turn_of(provider, question))


def outcome_of(events: list[TurnEvent]) -> Outcome:
    assert isinstance(events[-1], Outcome)
    return events[-1]


def test_the_findings_are_told_before_anybody_is_asked() -> None:
    events = run(ScriptedProvider(["It ran ", "out of memory."], usage=Usage(input_tokens=3, output_tokens=4)))

    assert [type(event) for event in events] == [Report, TurnStarted, TextDelta, TextDelta, TurnCompleted, Outcome]
    assert isinstance(events[0], Report)
    assert "OOMKilled" in events[0].findings[0].title
    assert outcome_of(events).text == "It ran out of memory."
    assert outcome_of(events).usage == Usage(input_tokens=3, output_tokens=4)


def test_the_model_is_given_findings_and_context_but_no_secret() -> None:
    provider = ScriptedProvider()

    run(provider, ask("Is tr0ub4dor-and-3 the right password?"))

    [prompt] = provider.prompts
    assert "OOMKilled" in prompt.system_text
    assert "registry.example.com/api:1" in prompt.system_text
    assert "tr0ub4dor" not in prompt.system_text + prompt.question
    assert "[REDACTED:" in prompt.question


def test_what_changed_since_the_previous_turn_is_told_to_model_and_caller() -> None:
    first = ScriptedProvider()
    run(first)
    second = ScriptedProvider(previous_fingerprint=first.prompts[0].fingerprint)
    healthy = POD | {"status": {"phase": "Running", "containerStatuses": [{"name": "api", "ready": True}]}}
    events = run(second, ask("And now?", manifest=healthy))
    again = run(ScriptedProvider(previous_fingerprint=second.prompts[0].fingerprint), ask("Really?", manifest=healthy))

    assert isinstance(events[0], Report)
    assert isinstance(again[0], Report)
    changes = context_as_json(events[0])["changes"]
    assert changes.startswith(
        "Since the previous turn: Pod api-1 changed; finding resolved: Container api is OOMKilled"
    )
    assert changes in second.prompts[0].system_text
    assert context_as_json(again[0])["changes"] is None


def test_a_provider_that_cannot_be_reached_is_replaced_by_the_findings() -> None:
    for provider in (
        ScriptedProvider(on_open=ProviderUnreachable("llama-stack does not answer.")),
        ScriptedProvider([ProviderUnreachable("llama-stack does not answer.")]),
    ):
        outcome = outcome_of(run(provider))

        assert outcome.provider.name == "offline"
        assert outcome.outage is not None
        assert "llama-stack does not answer." in outcome.provider.note
        assert "OOMKilled" in outcome.text
        assert "llama-stack does not answer." in outcome.text


def test_once_text_was_sent_an_outage_is_an_error() -> None:
    with pytest.raises(ProviderUnreachable):
        run(ScriptedProvider(["It ", ProviderUnreachable("gone")]))


@pytest.mark.parametrize("error", [RateLimited("slow down"), SessionForbidden("not yours")])
def test_other_failures_are_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        run(ScriptedProvider(on_open=error))


async def events_before(error: Exception) -> list[TurnEvent]:
    """What a turn tells before it fails, its session not opened."""
    assistant = Assistant(load_settings(), provider=ScriptedProvider(on_open=error))
    events: list[TurnEvent] = []
    try:
        async for event in assistant.turn(ask()):
            events.append(event.value)
    except type(error):
        return events
    raise AssertionError("the turn did not fail")


@pytest.mark.parametrize("error", [RateLimited("slow down"), SettingsError("LIGHTSPEED_TOKEN: is not set")])
def test_the_findings_are_told_before_a_failure_to_open_the_session(error: Exception) -> None:
    [report] = asyncio.run(events_before(error))

    assert isinstance(report, Report)
    assert "OOMKilled" in report.findings[0].title


def test_who_may_not_use_the_session_is_told_nothing() -> None:
    assert asyncio.run(events_before(SessionForbidden("not yours"))) == []


def test_what_a_tool_says_is_redacted_with_what_was_learned_from_the_context() -> None:
    tool = [
        ToolCall(call_id="c", name="get_env", arguments='{"pod": "api-1"}'),
        ToolResult(call_id="c", output="DB_PASSWORD=tr0ub4dor-and-3"),
    ]

    events = run(ScriptedProvider([*tool, "done"]))

    [result] = [event for event in events if isinstance(event, ToolResult)]
    assert "tr0ub4dor" not in result.output


def test_a_turn_that_is_left_early_closes_the_stream_of_the_provider() -> None:
    provider = ScriptedProvider(["word "] * 1_000)

    async def leave() -> None:
        assistant = Assistant(load_settings(), provider=provider)
        turn = assistant.turn(ask())
        async for event in turn:
            if isinstance(event.value, TextDelta):
                break
        await turn.aclose()

    asyncio.run(leave())

    assert (provider.open_streams, provider.closed) == (0, 1)


def test_turns_side_by_side_see_their_own_context_only() -> None:
    provider = ScriptedProvider()
    assistant = Assistant(load_settings(), provider=provider)

    async def one(name: str) -> None:
        pod = POD | {"metadata": POD["metadata"] | {"name": name}}
        async for _ in assistant.turn(ask(f"What is wrong with {name}?", manifest=pod)):
            pass

    async def both() -> None:
        await asyncio.gather(*(one(f"pod-{number}") for number in range(8)))

    asyncio.run(both())

    assert len(provider.prompts) == 8
    for prompt in provider.prompts:
        asked = prompt.question.removeprefix("What is wrong with ").removesuffix("?")
        others = {f"pod-{number}" for number in range(8)} - {asked}
        assert asked in prompt.system_text
        assert not [other for other in others if other in prompt.system_text]


def test_a_session_is_asked_for_its_earlier_turns_only_where_a_claim_stands_nowhere_else() -> None:
    held = ScriptedProvider(["`Pod/api-1` was `OOMKilled`."], earlier=(Message("user", "Is it api-0?"),))
    assert outcome_of(run(held)).grounding.unsupported == ()
    assert held.asked_for_earlier == 0

    held = ScriptedProvider(["`Pod/api-0` is well."], earlier=(Message("user", "Is it Pod/api-0?"),))
    grounding = outcome_of(run(held)).grounding
    assert (grounding.unsupported, grounding.earlier, held.asked_for_earlier) == ((), (), 1)


@pytest.mark.parametrize("earlier", [None, ProviderUnreachable("away")])
def test_what_may_stand_in_turns_that_cannot_be_looked_at_is_called_unchecked(earlier: Exception | None) -> None:
    outcome = outcome_of(run(ScriptedProvider(["`Pod/api-0` is well."], earlier=earlier)))
    assert (outcome.grounding.unsupported, len(outcome.grounding.unchecked)) == ((), 1)
    assert "could not be looked at" in outcome.text


def test_what_a_message_of_the_request_answered_earlier_is_told_apart_from_what_was_read() -> None:
    conversation = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Pod/api-0 was in its way."},
        {"role": "user", "content": "Which?"},
    ]
    question = parse_question({"input": conversation, "custom_inputs": {"manifest": POD}})
    outcome = outcome_of(run(ScriptedProvider(["`Pod/api-0`."]), question))
    assert [claim.text for claim in outcome.grounding.earlier] == ["Pod/api-0"]
    assert "From earlier in this conversation" in outcome.text
