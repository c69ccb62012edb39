"""A turn's request within the model's window, seen through the whole turn."""

import asyncio
from typing import Any

import pytest

from agent.errors import ContextTooLong, RequestError
from agent.prompt.tokens import count_tokens
from agent.providers.events import Usage
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Report
from agent.turn.parse import parse_question
from tests.fakes.provider import ScriptedProvider

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "api", "image": "registry.example.com/api:1"}]},
    "status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
}
LOG = "\n".join(f"worker {n % 7} failed on item {n * 7919}" for n in range(20_000))


def turns(provider: ScriptedProvider, *questions: str, messages: tuple[Any, ...] = (), **settings: Any) -> list[Report]:
    async def run() -> list[Report]:
        assistant = Assistant(load_settings(settings), provider=provider)
        reports: list[Report] = []
        for text in questions:
            body = {"input": [*messages, {"role": "user", "content": text}]}
            question = parse_question(body | {"custom_inputs": {"manifest": POD, "logs": {"api": LOG}}})
            events = [event.value async for event in assistant.turn(question)]
            reports += [event for event in events if isinstance(event, Report)]
        return reports

    return asyncio.run(run())


@pytest.mark.parametrize("window", [4_096, 32_000])
def test_the_whole_request_leaves_the_answer_its_room(window: int) -> None:
    provider = ScriptedProvider(window=window, history_tokens=500)
    asked, told = "What is it? " * 5_000, "Broken. " * 5_000
    long_ago = ({"role": "user", "content": asked}, {"role": "assistant", "content": told})

    [report] = turns(provider, "Why?", messages=long_ago, context_tokens=1_000_000)

    [prompt] = provider.prompts
    history = sum(count_tokens(message.text) for message in prompt.history)
    assert count_tokens(prompt.system_text) + history + count_tokens(prompt.question) <= window * 3 // 4 + 1
    account = report.plan.as_json()
    assert account["window"] == window
    assert account["tokens"] <= account["ceiling"] < window
    assert "Evicted" in prompt.system_text


def test_a_setting_tells_the_window_where_the_server_does_not() -> None:
    [report] = turns(ScriptedProvider(), "Why?", model_window=8_192)

    assert report.plan.as_json()["window"] == 8_192


def test_a_question_of_a_megabyte_is_refused_with_the_field_named() -> None:
    provider = ScriptedProvider(window=32_000)

    with pytest.raises(RequestError, match="input: the question takes about") as caught:
        turns(provider, "Why does it fail? " * 60_000)

    assert caught.value.field == "input"
    assert provider.prompts == []


def test_a_session_too_long_for_the_window_is_refused() -> None:
    with pytest.raises(ContextTooLong, match="Start a new session"):
        turns(ScriptedProvider(window=8_192, history_tokens=8_000), "Why?")


def test_usage_above_the_estimate_makes_the_next_request_smaller() -> None:
    provider = ScriptedProvider(window=8_192)
    [first] = turns(provider, "Why?")
    provider.usage = Usage(input_tokens=int(first.plan.tokens * 1.4), output_tokens=10)

    before, after = turns(provider, "Why?", "Why?")

    assert after.plan.budget.factor == pytest.approx(1.4)
    assert after.plan.tokens < before.plan.tokens
    assert after.plan.as_json()["tokens"] <= after.plan.as_json()["ceiling"]
