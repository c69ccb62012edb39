"""An answer is bounded: by the room that is kept for it, by what the caller asked, and by its own repetitions."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.errors import ContextTooLong, ResponseIncomplete
from agent.providers.events import TextDelta, Usage
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question
from tests.fakes.provider import ScriptedProvider

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def assistant(provider: ScriptedProvider, **settings: Any) -> AsyncGenerator[Assistant]:
    made = Assistant(load_settings({"kubernetes": "off"} | settings), provider=provider)
    try:
        yield made
    finally:
        await made.aclose()


async def ask(assistant: Assistant, **body: Any) -> tuple[str, Outcome]:
    text, outcome = "", None
    async for event in assistant.turn(parse_question({"input": "What is a PDB?"} | body)):
        match event.value:
            case TextDelta(piece):
                text += piece
            case Outcome():
                outcome = event.value
            case _:
                pass
    assert outcome is not None
    return text, outcome


async def test_the_room_of_the_plan_bounds_the_answer() -> None:
    provider = ScriptedProvider(window=8_192)
    async with assistant(provider) as made:
        await ask(made)
        await ask(made, max_output_tokens=120, temperature=0.3)
        await ask(made, max_output_tokens=90_000)

    first, second, third = (prompt.sampling for prompt in provider.prompts)
    assert first.max_output_tokens == 2_000
    assert (second.max_output_tokens, second.temperature, second.top_p) == (120, 0.3, None)
    assert third.max_output_tokens == 2_000


async def test_an_unknown_window_counts_8k_and_the_configured_one_wins() -> None:
    provider = ScriptedProvider()
    async with assistant(provider) as made:
        _, unknown = await ask(made)
    async with assistant(provider, model_window=4_096) as made:
        _, configured = await ask(made)

    assert unknown.report.plan.budget.window == 8_192
    assert configured.report.plan.budget.window == 4_096
    assert provider.prompts[-1].sampling.max_output_tokens == 1_024


async def collect(assistant: Assistant, seen: list[str]) -> None:
    async for event in assistant.turn(parse_question({"input": "Why?"})):
        if isinstance(event.value, TextDelta):
            seen.append(event.value.text)


async def test_a_repetition_ends_the_answer_with_what_was_written() -> None:
    provider = ScriptedProvider(["It is the pod. ", *["pet. "] * 2_000])
    seen: list[str] = []
    async with assistant(provider) as made:
        with pytest.raises(ResponseIncomplete, match="repeated the same words"):
            await collect(made, seen)

    assert seen[0] == "It is the pod. "
    assert len(seen) < 500
    assert provider.open_streams == 0


class RefusesOnce(ScriptedProvider):
    """Refuses the first prompt as too long, naming `named`."""

    def __init__(self, named: int | None) -> None:
        super().__init__(window=8_192)
        error = ContextTooLong("too long")
        error.window = named
        self.answers: list[list[Any]] = [[error], ["It ", "fits."]]

    @property
    def deltas(self) -> Any:
        return self.answers[min(len(self.prompts) - 1, 1)]

    @deltas.setter
    def deltas(self, value: Any) -> None: ...


@pytest.mark.parametrize(("named", "window"), [(4_096, 4_096), (None, 4_096)])
async def test_a_refused_prompt_is_composed_anew_for_the_window_that_was_named_or_half(
    named: int | None, window: int
) -> None:
    provider = RefusesOnce(named)
    async with assistant(provider) as made:
        text, outcome = await ask(made)

    assert text == "It fits."
    assert outcome.report.plan.budget.window == window
    assert "set ASSISTANT_MODEL_WINDOW" in outcome.provider.note
    assert provider.window == window


async def test_a_refusal_that_teaches_nothing_is_final() -> None:
    provider = RefusesOnce(9_000)
    async with assistant(provider) as made:
        with pytest.raises(ContextTooLong):
            await ask(made)

    assert len(provider.prompts) == 1


async def test_a_prompt_that_the_server_cut_is_noted_and_its_window_learned() -> None:
    provider = ScriptedProvider(window=131_072, usage=Usage(input_tokens=2_047, output_tokens=9))
    logs = "\n".join(
        f"ERROR {n:x} {n * 7919 % 10_007:x} failed in {n * 31 % 977:x} of {n * 17 % 3_001:x}" for n in range(4_000)
    )
    async with assistant(provider) as made:
        _, outcome = await ask(made, custom_inputs={"logs": {"web": logs}})

    assert provider.window == 2_048
    assert "the model server read only 2,047 of about" in outcome.provider.note
