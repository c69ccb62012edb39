"""Requests with logs of megabytes: the scenarios that have logs, each with the log of a busy program before its own
lines, some with hundreds of events and with many Pods; and how much of a window their prompts take."""

import asyncio
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from agent.context.collect import Collector
from agent.context.context import Context
from agent.findings import analyze
from agent.findings.model import Finding
from agent.mlflow.evaluation.scenarios import Scenario, load_scenarios
from agent.request.question import Question
from agent.settings import load_settings
from agent.turn.composing import Composer
from agent.turn.parse import parse_question
from agent.turn.redacting import TurnRedaction
from tests.context.distillation.generated import generated
from tests.fakes.provider import ScriptedProvider, ScriptedSession

SCENARIOS = Path(__file__).parents[1] / "scenarios" / "own"
LINES = (14_000, 20_000, 40_000, 60_000)
"""Lines of a long log: 1 to 14 MB."""
_EVENTS, _PODS = 300, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LongContext:
    """A question with its redacted context and findings."""

    name: str
    question: Question
    context: Context
    findings: tuple[Finding, ...]
    log_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Tokens of a request: `prompt` is what the server is expected to count, `answer` the room kept for the answer."""

    window: int
    prompt: int
    answer: int
    context: int
    """Tokens of instructions and context, of `available` that they may take."""
    available: int

    @property
    def of_window(self) -> float:
        """The share of the window that request and answer take together."""
        return (self.prompt + self.answer) / self.window

    @property
    def of_available(self) -> float:
        """The share of the room for instructions and context that they take."""
        return self.context / self.available


@cache
def with_logs() -> tuple[Scenario, ...]:
    """The scenarios that have logs."""
    return tuple(each for each in load_scenarios(SCENARIOS) if "logs" in each.body["custom_inputs"])


def long_bodies(count: int, *, lines: Sequence[int] = LINES) -> Iterator[tuple[str, dict[str, Any], int]]:
    """`count` requests: name, body, and the bytes of its logs."""
    scenarios = with_logs()
    for seed in range(count):
        scenario = scenarios[seed % len(scenarios)]
        body = copy.deepcopy(scenario.body)
        inputs = body["custom_inputs"]
        noise = generated(seed, lines=lines[seed % len(lines)], templates=(40, 120, 300)[seed % 3]).text
        inputs["logs"] = {container: noise + text for container, text in inputs["logs"].items()}
        if seed % 3 == 1:
            inputs["events"] = [*_items(inputs.get("events")), *_many_events()]
        if seed % 4 == 3:
            inputs["children"] = [*_items(inputs.get("children")), *_many_pods()]
        yield f"{scenario.name} {seed}", body, sum(len(text) for text in inputs["logs"].values())


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value["items"]) if isinstance(value, dict) else [*(value or ())]


def _many_events() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "type": "Warning" if number % 4 == 0 else "Normal",
            "reason": "Unhealthy" if number % 4 == 0 else "Pulled",
            "message": f"worker-{number} answered {500 + number % 7} after {number * 13} ms on attempt {number % 11}",
            "lastTimestamp": f"2026-11-28T06:{number // 60:02d}:{number % 60:02d}Z",
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": f"worker-{number}"},
        }
        for number in range(_EVENTS)
    ]


def _many_pods() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"worker-{number}", "namespace": "shop", "labels": {"app": "worker"}},
            "spec": {
                "containers": [
                    {
                        "name": "worker",
                        "image": f"registry.example.com/shop/worker:{number}",
                        "env": [{"name": f"OPTION_{entry}", "value": f"value {entry}"} for entry in range(30)],
                    }
                ]
            },
            "status": {
                "phase": "Running",
                "containerStatuses": [{"name": "worker", "ready": True, "restartCount": 0, "state": {"running": {}}}],
            },
        }
        for number in range(_PODS)
    ]


async def _read(bodies: Sequence[tuple[str, dict[str, Any], int]]) -> list[LongContext]:
    collector = Collector(load_settings({"kubernetes": "off"}))
    read: list[LongContext] = []
    for name, body, size in bodies:
        question = parse_question(body)
        context = TurnRedaction(b"", enabled=True).context(await collector.collect(question))
        read.append(
            LongContext(name=name, question=question, context=context, findings=tuple(analyze(context)), log_bytes=size)
        )
    await collector.aclose()
    return read


def read_contexts(bodies: Iterator[tuple[str, dict[str, Any], int]]) -> list[LongContext]:
    """The contexts of requests, as a turn reads them."""
    return asyncio.run(_read(list(bodies)))


def use_of(given: LongContext, window: int, *, history: int = 0, **settings: Any) -> Use:
    """How much of `window` the request takes in a session that holds `history` tokens."""
    configured = load_settings({"model_window": window, **settings})
    session = ScriptedSession(ScriptedProvider(history_tokens=history))
    redaction = TurnRedaction(b"", enabled=True)
    prompt, planned = Composer(configured).compose(given.question, given.context, given.findings, redaction, session)
    account = planned.as_json()
    return Use(
        window=window,
        prompt=account["tokens"],
        answer=min(configured.answer_tokens, window // 4),
        context=prompt.system_tokens + sum(section.adversarial_margin for section in prompt.sections),
        available=planned.budget.context,
    )
