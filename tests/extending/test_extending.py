"""What a contributor adds takes one file and one registration, and reaches everything that it should."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.context.collect import Collector
from agent.context.parts import PARTS
from agent.errors import RateLimited, RequestError
from agent.providers.events import TextDelta
from agent.redaction import Redacted, Redactor
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, SinkEvent, StepEnded
from agent.turn.parse import parse_question
from tests.extending import runbooks
from tests.extending.loki import LokiConnection
from tests.extending.run_store import EventCounter, RunStore
from tests.extending.runbooks import RUNBOOKS
from tests.fakes.provider import ScriptedProvider

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop", "uid": "u1"},
    "spec": {"containers": [{"name": "api", "image": "registry.example.com/api:1"}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {"name": "api", "ready": False, "restartCount": 3, "state": {"running": {}},
             "lastState": {"terminated": {"reason": "Error", "exitCode": 3}}},
        ],
    },
}  # fmt: skip
PARTS_WITH_RUNBOOKS = (*PARTS, RUNBOOKS)
RUNBOOK = {"title": "Restarts of api", "text": "Flush shard-blue-7, then log in with password=tr0ub4dor-and-3"}


class Steps:
    """A sink that keeps the steps of the turns."""

    def __init__(self) -> None:
        self.ended: dict[str, StepEnded] = {}

    def take(self, event: Redacted[SinkEvent]) -> None:
        if isinstance(event.value, StepEnded):
            self.ended[event.value.name] = event.value


async def turn(assistant: Assistant, **custom_inputs: Any) -> Outcome:
    body = {"input": "Why?", "custom_inputs": {"manifest": POD} | custom_inputs}
    events = [event.value async for event in assistant.turn(parse_question(body, parts=PARTS_WITH_RUNBOOKS))]
    await assistant.aclose()
    assert isinstance(events[-1], Outcome)
    return events[-1]


def test_a_part_of_the_context_is_supplied_redacted_rendered_traced_and_grounded() -> None:
    settings, steps = load_settings(), Steps()
    provider = ScriptedProvider(["Flush `shard-blue-7`, not `shard-red-1`."])
    collector = Collector(settings, parts=PARTS_WITH_RUNBOOKS)
    assistant = Assistant(settings, provider=provider, collector=collector, sinks=[lambda _: steps])

    outcome = asyncio.run(turn(assistant, runbooks=[RUNBOOK]))

    [prompt] = provider.prompts
    assert "Runbooks of the team" in prompt.system_text
    assert "Flush shard-blue-7" in prompt.system_text
    assert "tr0ub4dor" not in prompt.system_text
    [document] = [text for text, about in steps.ended["collect"].outputs if about["part"] == "runbooks"]
    assert "shard-blue-7" in document
    assert "tr0ub4dor" not in document
    assert [claim.text for claim in outcome.grounding.unsupported] == ["shard-red-1"]
    assert len(Path(runbooks.__file__).read_text().splitlines()) <= 40


def test_a_part_of_another_shape_is_refused_by_its_name() -> None:
    with pytest.raises(RequestError, match=r"custom_inputs\.runbooks: must be a list of runbooks"):
        parse_question({"input": "Why?", "custom_inputs": {"runbooks": "flush"}}, parts=PARTS_WITH_RUNBOOKS)
    with pytest.raises(RequestError, match=r"custom_inputs\.runbooks: unknown key"):
        parse_question({"input": "Why?", "custom_inputs": {"runbooks": []}})


def test_a_source_may_offer_logs_alone() -> None:
    settings = load_settings()
    loki = LokiConnection("2026-01-02T03:04:05Z fatal: no space left on device\n")
    provider = ScriptedProvider()
    assistant = Assistant(settings, provider=provider, collector=Collector(settings, connections=[loki]))

    outcome = asyncio.run(turn(assistant))

    assert [(choice.pod, choice.container) for choice in loki.asked] == [("api-1", "api")]
    assert "no space left on device" in provider.prompts[0].system_text
    assert outcome.report.context.origins["logs"] == "loki"


def test_a_store_of_runs_and_a_counter_are_sinks() -> None:
    store, counter = RunStore(), EventCounter()
    assistant = Assistant(
        load_settings(), provider=ScriptedProvider(["It exited ", "with code 3."]), sinks=[store.open, counter.open]
    )
    asyncio.run(turn(assistant))
    failing = Assistant(load_settings(), provider=ScriptedProvider([RateLimited("slow down")]), sinks=[store.open])
    with pytest.raises(RateLimited):
        asyncio.run(turn(failing))

    assert [(run.question, run.answer, run.failed) for run in store.runs] == [
        ("Why?", "It exited with code 3.", False),
        ("Why?", "", True),
    ]
    assert all(run.findings for run in store.runs)
    assert (counter.counts["TextDelta"], counter.counts["Outcome"], counter.counts["TurnEnded"]) == (2, 1, 1)


def test_nothing_but_the_redactor_makes_what_a_sink_is_given() -> None:
    assert Redactor(b"key").release(TextDelta("fine")).value == TextDelta("fine")
    with pytest.raises(TypeError, match="only the redactor"):
        Redacted(TextDelta("not redacted"), object())
