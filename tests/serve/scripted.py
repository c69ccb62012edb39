"""An assistant of the same face as the real one, whose turns do what a test says, and a server around it.

Requests are parsed by the real parser; there is no provider and no store.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any
from unittest.mock import patch

import httpx

from agent.context.context import Context
from agent.errors import AssistantError, ProviderUnreachable
from agent.findings.model import Finding
from agent.objects.target import Target
from agent.prompt.budget import RequestPlan, plan
from agent.prompt.prompt import Section
from agent.providers.events import ProviderInfo
from agent.settings import load_settings
from agent.turn.events import Outcome, Report
from agent.turn.outputs import Answered
from agent.turn.parse import parse_question
from serve.app import create_app
from serve.trace_store import TraceStoreUnavailable
from tests.fakes.server import PATIENCE, running


class Gate:
    """A point of a turn that is passed when the test opens it, from another thread."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    async def passed(self) -> None:
        here = asyncio.Event()
        with self._lock:
            if self._opened.is_set():
                return
            self._waiting.append((asyncio.get_running_loop(), here))
        await here.wait()

    def open(self) -> None:
        with self._lock:
            self._opened.set()
            for loop, here in self._waiting:
                loop.call_soon_threadsafe(here.set)


type Step = str | BaseException | Gate
"""What a turn does next: says a delta, raises, or waits to be let on."""

OUTPUTS: dict[str, Any] = {
    "session_id": "conv_1",
    "findings": [{"title": "Container api is OOMKilled (exit code 137)", "severity": "error"}],
    "context": {"sections": [], "gaps": []},
    "provider": {"name": "offline", "protocol": "none", "model": None},
    "trace_id": "tr-1",
}
USAGE: dict[str, Any] = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 9,
}


class ScriptedAssistant:
    """Every turn plays a script; what stands before the first delta happens before the first event."""

    def __init__(self, *script: Step) -> None:
        self.checks = 0
        self.down: AssistantError | None = None
        self.check_gate: Gate | None = None
        self.warmed_up = self.closed = False
        self._changed = threading.Condition()
        self.play(*script)

    def play(self, *script: Step) -> None:
        """What the turns do from now on; nothing has been asked yet."""
        self.script = script or ("It ran ", "out of memory.")
        self.outputs = OUTPUTS
        self.bodies: list[Mapping[str, Any]] = []
        self.running = self.cancelled = self.said = 0

    def wait_until(self, holds: Callable[["ScriptedAssistant"], bool]) -> None:
        """Waits for something that must become true of the turns."""
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self), PATIENCE)

    async def answer(self, body: Mapping[str, Any]) -> Answered:
        response: dict[str, Any] = {}
        async for event in self.respond_stream(body):
            if event["type"] == "error":
                raise ProviderUnreachable(event["message"])
            response = event.get("response", response)
        text = "".join(step for step in self.script if isinstance(step, str))
        return Answered(outcome=_outcome(self.outputs, text), response=response)

    async def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        parse_question(body)
        self._change(running=1)
        self.bodies.append(body)
        try:
            async for event in self.events():
                yield event
        except (GeneratorExit, asyncio.CancelledError):
            self._change(cancelled=1)
            raise
        finally:
            self._change(running=-1)

    async def respond_in_batches(self, body: Mapping[str, Any]) -> AsyncGenerator[Sequence[dict[str, Any]]]:
        async with aclosing(self.respond_stream(body)) as events:
            async for event in events:
                yield [event]

    async def warm_up(self) -> None:
        self.warmed_up = True
        if self.down:
            raise self.down

    async def check(self) -> Mapping[str, Any]:
        self.checks += 1
        if self.check_gate:
            await self.check_gate.passed()
        if self.down:
            raise self.down
        return {"name": "offline", "protocol": "none"}

    async def aclose(self) -> None:
        self.closed = True

    def _change(self, *, running: int = 0, cancelled: int = 0, said: int = 0) -> None:
        with self._changed:
            self.running += running
            self.cancelled += cancelled
            self.said += said
            self._changed.notify_all()

    async def events(self) -> AsyncGenerator[dict[str, Any]]:
        text: list[str] = []
        number = 0
        for step in self.script:
            match step:
                case str():
                    if not text:
                        yield {"type": "response.created", "sequence_number": 0, "response": _response("in_progress")}
                        number = 1
                    text.append(step)
                    self._change(said=1)
                    yield _delta(step, number)
                    number += 1
                case Gate():
                    await step.passed()
                case BaseException():
                    raise step
        item = _message("".join(text))
        yield {"type": "response.output_item.done", "sequence_number": number, "output_index": 0, "item": item}
        done = _response("completed") | {"output": [item], "usage": USAGE, "custom_outputs": self.outputs}
        yield {
            "type": "response.completed",
            "sequence_number": number + 1,
            "response": done,
            "custom_outputs": self.outputs,
        }


def _outcome(outputs: dict[str, Any], text: str) -> Outcome:
    """The turn's own values of an answer with such `custom_outputs`."""
    provider = outputs["provider"]
    outage = provider.get("outage")
    report = Report(
        question="Why?",
        history=(),
        target=Target(),
        context=Context(target=Target()),
        findings=tuple(
            Finding(title=each["title"], severity=each["severity"], explanation="", evidence=(), resource=None)
            for each in outputs["findings"]
        ),
        sections=tuple(
            Section(name=each["name"], title=each["title"], text="x" * each["tokens"])
            for each in outputs["context"]["sections"]
        ),
        gaps=(),
        plan=RequestPlan(budget=plan(window=None, wanted=16_000, answer=2_000), tokens=10),
    )
    return Outcome(
        text=text,
        session_id="conv_1",
        provider=ProviderInfo(name=provider["name"], protocol=provider["protocol"], model=""),
        usage=None,
        report=report,
        outage=ProviderUnreachable(outage["message"]) if outage else None,
    )


def _delta(text: str, number: int) -> dict[str, Any]:
    return {
        "type": "response.output_text.delta",
        "sequence_number": number,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
        "logprobs": [],
    }


def _response(status: str) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000.0,
        "status": status,
        "model": "scripted",
        "output": [],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }


def _message(text: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


class ScriptedTraceStore:
    """A store that is there unless a test says otherwise."""

    def __init__(self) -> None:
        self.configured = self.flushed = False
        self.down: AssistantError | None = None

    def configure(self) -> None:
        self.configured = True

    async def check(self) -> Mapping[str, Any]:
        if self.down:
            raise self.down
        return {"store": "sqlite:///mlflow.db"}

    async def flush(self, *, within: float) -> bool:
        self.flushed = True
        return not self.down


def lost_store() -> ScriptedTraceStore:
    """A store that cannot be reached."""
    store = ScriptedTraceStore()
    store.down = TraceStoreUnavailable("MLflow's store http://mlflow:5000 does not answer")
    return store


@contextmanager
def served(
    assistant: ScriptedAssistant, *, trace_store: ScriptedTraceStore | None = None, **settings: Any
) -> Generator[httpx.Client]:
    """A client of a real server around `assistant`; `settings` are those of `agent.settings` by field name."""
    with patch.dict(os.environ, clear=True):
        loaded = load_settings(settings)
    app = create_app(assistant, settings=loaded, trace_store=trace_store or ScriptedTraceStore())
    with running(app, lifespan="on") as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


def ask(**fields: Any) -> dict[str, Any]:
    """The body of a question."""
    return {"input": [{"role": "user", "content": "Why is it down?"}], **fields}
