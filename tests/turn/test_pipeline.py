"""The events of a turn as its sinks receive them, whatever becomes of the turn."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import AssistantError, ProviderUnreachable, RateLimited, SessionForbidden
from agent.providers.events import TextDelta, ToolCallRequested, TurnCompleted, TurnStarted
from agent.providers.offline import Offline
from agent.providers.provider import Provider
from agent.redaction import Redacted
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, Report, SinkEvent, StepEnded, TurnEnded
from agent.turn.parse import parse_question
from agent.turn.sinks import Sink
from tests.fakes.provider import ScriptedProvider

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "api", "image": "registry.example.com/api:1"}]},
    "status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
}
OUTAGE = ProviderUnreachable("llama-stack does not answer.")


class Recorder:
    """Keeps what a sink receives, and the threads in which it does; `react` may raise."""

    def __init__(self, react: Callable[[SinkEvent], None] = lambda _: None) -> None:
        self.events: list[SinkEvent] = []
        self.threads: set[int] = set()
        self._react = react

    def take(self, event: Redacted[SinkEvent]) -> None:
        self.events.append(event.value)
        self.threads.add(threading.get_ident())
        self._react(event.value)

    def all[E](self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def steps(self) -> list[str]:
        return [step.name for step in self.all(StepEnded)]

    @property
    def end(self) -> TurnEnded:
        """The one TurnEnded, which is the last event."""
        [end] = self.all(TurnEnded)
        assert self.events[-1] is end
        return end


async def read(provider: Provider, *sinks: Sink, until: type | None = None, logs: str = "") -> None:
    """Reads a turn to its end, or up to the first event of the type `until`."""
    assistant = Assistant(load_settings(), provider=provider)
    inputs: dict[str, Any] = {"manifest": POD} | ({"logs": {"api": logs}} if logs else {})
    turn = assistant.turn(parse_question({"input": "Why?", "custom_inputs": inputs}), *sinks)
    try:
        async for event in turn:
            if until is not None and isinstance(event.value, until):
                break
    finally:
        await turn.aclose()
        await assistant.aclose()


def test_the_steps_reach_the_sinks_in_their_order_with_their_times() -> None:
    sink, before = Recorder(), time.time_ns()

    asyncio.run(read(ScriptedProvider(["`Pod/api-1` was `Evicted`."]), sink))

    steps = sink.all(StepEnded)
    assert sink.steps == ["collect", "analyze", "compose", "ground", "turn"]
    assert [step.kind for step in steps] == ["RETRIEVER", "TASK", "PARSER", "TASK", "CHAT_MODEL"]
    times = [before, *(step.ended for step in steps), time.time_ns()]
    assert times == sorted(times)
    assert all(step.started <= step.ended for step in steps)
    ground, turn = steps[-2:]
    assert turn.started <= ground.started
    assert not any(step.error for step in steps)


def test_an_answer_without_a_model_has_no_step_of_a_check() -> None:
    sink = Recorder()

    asyncio.run(read(Offline(), sink))

    assert sink.steps == ["collect", "analyze", "compose", "turn"]


def test_an_answer_that_is_not_about_the_findings_ends_with_them() -> None:
    sink = Recorder()

    asyncio.run(read(ScriptedProvider(["All is well."]), sink))

    outcome = sink.events[-2]
    assert isinstance(outcome, Outcome)
    assert outcome.grounding.status == "off_topic"
    assert outcome.text == "All is well." + outcome.note
    assert outcome.report.findings[0].title in outcome.note


def test_a_turn_that_asks_the_caller_to_run_a_tool_is_not_checked() -> None:
    sink = Recorder()
    call = ToolCallRequested(call_id="c", name="get_pods", arguments="{}")

    asyncio.run(read(ScriptedProvider([call]), sink))

    outcome = sink.events[-2]
    assert isinstance(outcome, Outcome)
    assert (outcome.text, outcome.grounding.status) == ("", "nothing_checked")


def test_sinks_are_called_on_the_event_loop_however_large_the_context_is() -> None:
    sink = Recorder()

    asyncio.run(read(ScriptedProvider(), sink, logs="\n".join(f"{n} failed" for n in range(3_000))))

    assert sink.threads == {threading.get_ident()}


@pytest.mark.parametrize("kind", [StepEnded, Report, TurnStarted, TextDelta, TurnCompleted, Outcome])
def test_a_sink_that_raises_ends_the_turn_with_its_error_and_closes_the_stream(kind: type) -> None:
    def react(event: SinkEvent) -> None:
        if isinstance(event, kind):
            raise ZeroDivisionError("a sink of ours")

    provider, failing, other = ScriptedProvider(), Recorder(react), Recorder()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(read(provider, failing, other))

    assert provider.open_streams == 0
    assert provider.closed == (0 if kind in (StepEnded, Report) else 1)
    assert isinstance(failing.end.error, ZeroDivisionError)
    assert isinstance(other.end.error, ZeroDivisionError)


def test_a_sink_that_raises_at_the_end_keeps_the_end_from_no_other() -> None:
    def react(event: SinkEvent) -> None:
        if isinstance(event, TurnEnded):
            raise ZeroDivisionError("a sink of ours")

    failing, other = Recorder(react), Recorder()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(read(ScriptedProvider(), failing, other))

    assert other.end.error is None
    assert failing.end.error is None


def test_a_turn_that_succeeds_ends_with_its_answer_and_no_error() -> None:
    sink = Recorder()

    asyncio.run(read(ScriptedProvider(["It ", "was ", "evicted."]), sink))

    assert sink.end.error is None
    assert [event.text for event in sink.end.answered if isinstance(event, TextDelta)] == ["It was evicted."]
    assert isinstance(sink.events[-2], Outcome)


@pytest.mark.parametrize(
    ("provider", "error", "answer"),
    [
        (ScriptedProvider(on_open=SessionForbidden("not yours")), SessionForbidden, ""),
        (ScriptedProvider(on_open=RateLimited("slow down")), RateLimited, ""),
        (ScriptedProvider(["All ", RateLimited("slow down")]), RateLimited, "All "),
    ],
    ids=["no session", "not opened", "in the middle"],
)
def test_a_turn_that_fails_ends_with_its_error_and_what_was_answered(
    provider: ScriptedProvider, error: type[AssistantError], answer: str
) -> None:
    sink = Recorder()

    with pytest.raises(error):
        asyncio.run(read(provider, sink))

    assert isinstance(sink.end.error, error)
    assert "".join(event.text for event in sink.end.answered if isinstance(event, TextDelta)) == answer
    assert not sink.all(Outcome)


def test_a_turn_that_is_left_ends_with_what_was_answered() -> None:
    sink = Recorder()

    asyncio.run(read(ScriptedProvider(["All "] * 1_000), sink, until=TextDelta))

    assert isinstance(sink.end.error, GeneratorExit)
    assert TextDelta("All ") in sink.end.answered
    [turn] = [step for step in sink.all(StepEnded) if step.name == "turn"]
    assert isinstance(turn.error, GeneratorExit)


def test_a_turn_whose_task_is_cancelled_ends_with_the_cancellation() -> None:
    provider, started = ScriptedProvider(["All ", "is "], pause=60), asyncio.Event()
    sink = Recorder(lambda event: started.set() if isinstance(event, TurnStarted) else None)

    async def cancel() -> None:
        task = asyncio.create_task(read(provider, sink))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert isinstance(sink.end.error, asyncio.CancelledError)
    assert (provider.open_streams, provider.closed) == (0, 1)


@pytest.mark.parametrize(
    ("provider", "streams"),
    [(ScriptedProvider(on_open=OUTAGE), 1), (ScriptedProvider([OUTAGE]), 2)],
    ids=["not opened", "before any text"],
)
def test_the_report_is_given_once_although_an_outage_is_bridged(provider: ScriptedProvider, streams: int) -> None:
    sink = Recorder()

    asyncio.run(read(provider, sink))

    [outcome] = sink.all(Outcome)
    assert len(sink.all(Report)) == 1
    assert sink.steps.count("collect") == 1
    assert sink.steps.count("turn") == streams
    assert (outcome.outage, outcome.provider.name) == (OUTAGE, "offline")
    assert sink.end.error is None
