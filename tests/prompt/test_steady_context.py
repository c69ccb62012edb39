"""A context too large for its room stays the same, byte by byte, over the turns of a session."""

import random
from typing import Any

import pytest

from agent.prompt.tokens import count_tokens
from agent.providers.events import Usage
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.parse import parse_question
from tests.fakes.provider import ScriptedProvider

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def body(question: str, *, lines: int = 3_000) -> dict[str, Any]:
    words = random.Random(1)
    log = "\n".join(f"{words.randbytes(8).hex()} said {words.random()}" for _ in range(lines))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop"}}
    return {"input": question, "custom_inputs": {"manifest": pod, "logs": {"api": log}}}


async def conversation(
    questions: list[str], *, counted: float = 0.7, window: int = 16_000, growth: int = 0
) -> list[str]:
    """What the model's instructions were in each turn, on a server that counts fewer tokens than are estimated and
    whose session grows by `growth` tokens a turn."""
    provider = ScriptedProvider(window=window)
    assistant = Assistant(load_settings({"kubernetes": "off"}), provider=provider)
    for question in questions:
        async for _ in assistant.turn(parse_question(body(question))):
            pass
        prompt = provider.prompts[-1]
        provider.previous_fingerprint = prompt.fingerprint
        provider.history_tokens += growth
        provider.usage = Usage(input_tokens=int(prompt.tokens * counted), output_tokens=50)
    await assistant.aclose()
    return [prompt.system_text for prompt in provider.prompts]


async def test_what_is_learned_of_the_servers_count_does_not_move_it() -> None:
    prompts = await conversation([f"question {number}" for number in range(14)])

    assert count_tokens(prompts[0]) > 4_000
    assert len(set(prompts)) == 1


async def test_a_long_question_takes_room_once() -> None:
    prompts = await conversation(["short", "short", "long " * 2_000, "short", "short"])

    assert prompts[0] == prompts[1] != prompts[2]
    assert prompts[2] == prompts[3] == prompts[4]
    assert count_tokens(prompts[2]) < count_tokens(prompts[1])


async def test_another_process_finds_the_room_of_the_first() -> None:
    first, *_ = await conversation(["question"] * 12)
    assert await conversation(["question"]) == [first]


async def test_a_session_that_grows_makes_it_smaller_in_few_steps() -> None:
    prompts = await conversation(["question"] * 9, counted=1.0, window=8_192, growth=150)

    sizes = [count_tokens(prompt) for prompt in prompts]
    assert prompts[0] == prompts[1] == prompts[2]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(prompts)) == 4


async def test_a_session_that_is_made_shorter_leaves_it_as_it_was() -> None:
    provider = ScriptedProvider(window=8_192, history_tokens=1_200)
    assistant = Assistant(load_settings({"kubernetes": "off"}), provider=provider)
    for held in (1_200, 300, 0):
        provider.history_tokens = held
        async for _ in assistant.turn(parse_question(body("question"))):
            pass
        provider.previous_fingerprint = provider.prompts[-1].fingerprint
    await assistant.aclose()

    assert len({prompt.system_text for prompt in provider.prompts}) == 1
