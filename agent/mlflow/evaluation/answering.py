"""Runs the turn of a scenario and records what the rules need, the context included.

Owns the recording of an Assistant while it answers.
"""

import time
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass

from agent.context.collect import Collector
from agent.findings.engine.citations import resolves
from agent.mlflow.evaluation.verdicts import Answer
from agent.prompt.instructions import InstructionsSource
from agent.redaction import Redacted
from agent.request.question import Question
from agent.settings import Settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, SinkEvent


@dataclass(slots=True)
class Notes:
    """The record of one turn while it runs."""

    outcome: Outcome | None = None
    began: float = 0.0
    seconds: float = 0.0

    @property
    def instructions(self) -> str:
        """The version of the instructions that were used, "" while the turn runs."""
        return self.outcome.report.plan.instructions if self.outcome else ""

    def answer(self) -> Answer:
        """The answer of the turn, which must have ended well."""
        if self.outcome is None:
            raise AssertionError("the turn did not end")
        report, usage = self.outcome.report, self.outcome.usage
        context = report.context
        return Answer(
            # The findings below an answer that is not about them are no merit of the model.
            text=self.outcome.text.removesuffix(self.outcome.note),
            findings=report.findings,
            unresolved=tuple(e for f in report.findings for e in f.evidence if not resolves(e, context)),
            by_model=self.outcome.provider.name != "offline",
            provider=self.outcome.provider.name,
            model=self.outcome.provider.model,
            tokens=usage.input_tokens if usage else report.plan.tokens,
            tokens_estimated=usage is None,
            seconds=self.seconds,
            outage=self.outcome.outage.public_message if self.outcome.outage else "",
        )


NOTES: ContextVar[Notes] = ContextVar("notes")
"""The notes of the running turn; the caller sets them before it asks."""


class WatchedAssistant(Assistant):
    """An Assistant that reads nothing but what is supplied, and notes of each turn what a judge needs."""

    def __init__(self, settings: Settings, *, instructions: InstructionsSource | None = None) -> None:
        super().__init__(
            settings,
            collector=Collector(supplied_only(settings)),
            instructions=instructions,
            sinks=[lambda _: _Watch(NOTES.get())],
        )


class _Watch:
    """The sink that notes the outcome of a turn and how long it took."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        notes.began = time.perf_counter()

    def take(self, event: Redacted[SinkEvent]) -> None:
        if isinstance(event.value, Outcome):
            self._notes.outcome = event.value
            self._notes.seconds = time.perf_counter() - self._notes.began


def supplied_only(settings: Settings) -> Settings:
    """The same settings without any source: a scenario is the whole context."""
    return settings.model_copy(update={"argocd_server": None, "kubernetes": "off"})


async def answered(assistant: WatchedAssistant, question: Question) -> Answer:
    """The answer to one question. Raises what the turn raises."""
    notes = Notes()
    token = NOTES.set(notes)
    try:
        async with aclosing(assistant.turn(question)) as events:
            async for _ in events:
                pass
    finally:
        NOTES.reset(token)
    return notes.answer()
