"""What of a turn is judged."""

import asyncio
from contextlib import aclosing

from agent.mlflow.evaluation.answering import Notes
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome
from agent.turn.parse import parse_question
from tests.fakes.provider import ScriptedProvider
from tests.turn.test_assistant import POD


async def outcome_of(answer: str) -> Outcome:
    assistant = Assistant(load_settings(), provider=ScriptedProvider([answer]))
    async with aclosing(
        assistant.turn(parse_question({"input": "Why?", "custom_inputs": {"manifest": POD}}))
    ) as events:
        outcomes = [event.value async for event in events if isinstance(event.value, Outcome)]
    return outcomes[0]


def test_the_findings_that_go_with_nonsense_are_no_merit_of_the_model() -> None:
    outcome = asyncio.run(outcome_of("You should change the Pod to a new one."))

    assert "OOMKilled" in outcome.text
    assert Notes(outcome=outcome).answer().text == "You should change the Pod to a new one."
