"""The pipeline of a turn: a Question in, the redacted events of an answer out.

    open      a session with the provider                  while the context is read
    collect   the context, from every source
    redact    before anything is recorded or sent
    analyze   findings, deterministic
    compose   the prompt within the token budget
    stream    the provider's events
    ground    check the answer against what was read

Owns the order of the steps and the stream of events; each step has a module of its own.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from agent.context.collect import Collector
from agent.context.context import Context
from agent.errors import ContextTooLong, ProviderError, ProviderTimeout, ResponseIncomplete, SettingsError
from agent.findings import analyze
from agent.findings.model import Finding
from agent.prompt.budget import LEAST_WINDOW, RequestPlan, cut_note, cut_to
from agent.prompt.instructions import InstructionsSource
from agent.prompt.prompt import Prompt
from agent.providers.events import ProviderEvent, SessionRequest, TextDelta, TurnCompleted
from agent.providers.provider import Provider, Session
from agent.redaction import Redacted
from agent.request.question import Question
from agent.settings import Settings
from agent.turn.admission import StartQueue
from agent.turn.answer_check import AnswerCheck
from agent.turn.composing import Composer
from agent.turn.documents import documents, messages
from agent.turn.events import Outcome, Report, SinkEvent, StepEnded, StepKind, TurnEnded, TurnEvent
from agent.turn.fallback import Attempt, after_failure
from agent.turn.notes import off_topic_note, open_fence
from agent.turn.record import TurnRecord
from agent.turn.redacting import TurnRedaction
from agent.turn.repetition import RepetitionWatch
from agent.turn.sinks import Sinks
from agent.turn.triage.overview import asks_about_applications, overview
from agent.turn.triage.survey import Survey

# With more strings than about this many, redaction (some 50 µs a string) and analysis run in a thread.
_LARGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What all turns of an Assistant share. Holds no data of a user."""

    settings: Settings
    provider: Provider
    collector: Collector
    survey: Survey
    composer: Composer
    queue: StartQueue
    instructions: InstructionsSource


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collected:
    """The redacted context; `fleet` are the findings about all Applications, if the question is about them."""

    context: Context
    redaction: TurnRedaction
    fleet: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """All that an attempt needs to ask its provider, and the record of the answer."""

    session: Session
    collected: _Collected
    prompt: Prompt
    plan: RequestPlan
    record: TurnRecord
    check: AnswerCheck

    @property
    def redaction(self) -> TurnRedaction:
        return self.collected.redaction


class Turn:
    """One question and the stream of its answer."""

    def __init__(self, question: Question, equipment: Equipment, sinks: Sinks) -> None:
        self._question = question
        self._shared = equipment
        self._sinks = sinks
        self._request = SessionRequest(
            session_id=question.session_id, caller=question.caller, conversation_id=question.conversation_id
        )
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._key: asyncio.Future[bytes] = loop.create_future()
        self._redaction: TurnRedaction | None = None
        self._record: TurnRecord | None = None

    async def events(self) -> AsyncGenerator[Redacted[TurnEvent]]:
        """Yield the events of the answer. Closing the iterator cancels the turn: the upstream request ends with it.

        Raises SessionError, and, after the Report, ProviderError or the provider's SettingsError; ProviderUnreachable
        only after text was sent.
        """
        async with self._lifetime() as collecting:
            attempt = Attempt(provider=self._shared.provider)
            while True:
                try:
                    async with self._opened(attempt, collecting) as asking:
                        if self._record is None:
                            yield self._take(asking.record.report)
                        self._record = asking.record
                        attempt.check()
                        async with self._streaming(asking) as stream:
                            deadline = self._now() + self._shared.settings.turn_timeout
                            watch = RepetitionWatch()
                            async for event in stream:
                                if type(event) is TextDelta:  # nearly all of them
                                    asking.record.events.append(event)
                                    yield self._take(event)
                                    if watch.repeats(event.text):
                                        raise _repeating()
                                else:
                                    for each in await self._answered(event, asking):
                                        yield self._take(each)
                                if self._now() > deadline:
                                    raise self._late()
                        yield self._take(self._outcome(asking))
                        return
                except (ProviderError, SettingsError) as error:
                    answered = bool(self._record and self._record.text)
                    attempt = after_failure(error, attempt, reported=bool(self._record), answered=answered)

    def _take(self, event: SinkEvent) -> Redacted[Any]:
        """Give the event to the sinks and return it as it leaves the turn."""
        released = self._released(event)
        for sink in self._sinks:
            sink.take(released)
        return released

    def _released(self, event: SinkEvent) -> Redacted[Any]:
        return (self._redaction or self._redacting(b"")).release(event)

    def _redacting(self, key: bytes) -> TurnRedaction:
        return TurnRedaction(key, enabled=self._shared.settings.redaction)

    @asynccontextmanager
    async def _lifetime(self) -> AsyncGenerator["asyncio.Task[_Collected]"]:
        """Collect the context in a task. At the end that task has ended too, and the sinks receive TurnEnded."""
        collecting = asyncio.create_task(self._collect())
        failure: BaseException | None = None
        try:
            yield collecting
        except BaseException as error:
            failure = error
            raise
        finally:
            if not collecting.done():
                collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            answered = self._record.events if self._record else ()
            kept = self._redaction.kept(answered) if self._redaction else ()
            with ExitStack() as ending:  # every sink receives the end, whatever another one raises
                for sink in reversed(self._sinks):
                    ending.callback(sink.take, self._released(TurnEnded(answered=kept, error=failure)))

    @asynccontextmanager
    async def _opened(self, attempt: Attempt, collecting: "asyncio.Task[_Collected]") -> AsyncGenerator[_Asking]:
        """The session of an attempt, with the prompt for its provider."""
        async with attempt.provider.open(self._request) as session:
            if not self._key.done():
                self._key.set_result(session.redaction_key)
            collected = await asyncio.shield(collecting)
            prompt, plan = await self._prepare(collected, session)
            report = _report(prompt, plan, collected.context)
            yield _Asking(
                session=session,
                collected=collected,
                prompt=prompt,
                plan=plan,
                record=TurnRecord(report, attempt.outage, note=attempt.note),
                check=AnswerCheck(
                    collected.context,
                    collected.redaction,
                    session,
                    follow_up=self._question.session_id is not None,
                ),
            )

    @asynccontextmanager
    async def _streaming(self, asking: _Asking) -> AsyncGenerator[AsyncIterator[ProviderEvent]]:
        """The provider's events; the iterator is closed with the block. The provider itself limits each silence."""
        with self._step("turn", "CHAT_MODEL", inputs=messages(asking.prompt)) as notes:
            stream = asking.session.stream(asking.prompt)
            try:
                yield stream
            except ContextTooLong as error:
                error.was_learned = not asking.record.text and _learn_window(asking, error.window)
                raise
            finally:
                if isinstance(stream, AsyncGenerator):
                    await stream.aclose()
                text = asking.redaction.text(asking.record.text)
                notes["outputs"] = {"role": "assistant", "content": text}

    async def _answered(self, event: ProviderEvent, asking: _Asking) -> list[ProviderEvent]:
        """Events for one that is no text: before TurnCompleted comes the note of the check, if any."""
        before: list[ProviderEvent] = []
        record = asking.record
        if isinstance(event, TurnCompleted) and record.answered_by_model:
            with self._step("ground", "TASK") as notes:
                grounding = await asking.check.run(record.text, asking.prompt)
                notes["outputs"] = grounding.as_json()
            record.grounding = grounding
            record.note = off_topic_note(grounding, asking.prompt.findings)
            added = grounding.warning + record.note
            before = [TextDelta(open_fence(record.text) + added)] if added else []
        return [record.take(asking.redaction.answered(each)) for each in (*before, event)]

    def _outcome(self, asking: _Asking) -> Outcome:
        usage = asking.record.usage
        if usage and not asking.record.used_tools:
            self._shared.composer.learn(asking.session.model, asking.plan, usage)
            if window := cut_to(asking.plan, reported=usage.input_tokens, cached=usage.cached_tokens):
                asking.session.learn_window(window)
                asking.record.noted(cut_note(asking.plan, reported=usage.input_tokens))
        return asking.record.outcome()

    def _late(self) -> ProviderTimeout:
        return ProviderTimeout(
            f"The answer was not finished within {self._shared.settings.turn_timeout:g} seconds. "
            "Ask something narrower, or raise ASSISTANT_TURN_TIMEOUT."
        )

    async def _collect(self) -> _Collected:
        """Return the redacted context. The key for it comes from the session, which is opened meanwhile."""
        question, shared = self._question, self._shared
        with self._step("collect", "RETRIEVER", inputs={"target": str(question.target)}) as notes:
            context = await shared.collector.collect(question)
            redaction = self._redaction = self._redacting(await self._key)
            context = await _aside(context, redaction.context, context)
            collected = _Collected(context=context, redaction=redaction)
            if shared.collector.argocd and _is_about_all(question):
                collected = await self._with_fleet(collected)
            notes["outputs"] = documents(collected.context)
            return collected

    async def _with_fleet(self, collected: _Collected) -> _Collected:
        fleet = await overview(
            self._shared.survey,
            collected.redaction,
            limit=self._shared.settings.triage_applications,
            caller=self._question.caller,
            refresh=self._question.refresh,
        )
        context = replace(collected.context, fleet=fleet.fleet).with_gaps(*fleet.gaps)
        return replace(collected, context=context, fleet=fleet.findings)

    async def _prepare(self, collected: _Collected, session: Session) -> tuple[Prompt, RequestPlan]:
        """Return prompt and plan: a millisecond of work on the event loop, or in a thread if the context is large."""
        instructions = await self._shared.instructions()
        context, compose = collected.context, self._shared.composer.compose
        if not _is_large(context):
            await self._shared.queue.enter()
        with self._step("analyze", "TASK") as notes:
            findings = (*collected.fleet, *await _aside(context, analyze, context))
            notes["outputs"] = [{"title": f.title, "severity": f.severity} for f in findings]
        with self._step("compose", "PARSER") as notes:
            prompt, plan = await _aside(
                context, compose, self._question, context, findings, collected.redaction, session, instructions
            )
            notes["outputs"] = plan.as_json() | {"sections": {s.name: s.tokens for s in prompt.sections}}
        return prompt, plan

    @contextmanager
    def _step(self, name: str, kind: StepKind, inputs: Any = None) -> Generator[dict[str, Any]]:
        """Time a step and report it to the sinks. The block puts its `outputs` into the dictionary."""
        notes: dict[str, Any] = {}
        started = time.time_ns()
        try:
            yield notes
        except BaseException as error:
            notes["error"] = error
            raise
        finally:
            self._take(StepEnded(name=name, kind=kind, started=started, ended=time.time_ns(), inputs=inputs, **notes))


def _learn_window(asking: _Asking, named: int | None) -> bool:
    """Let the session know the window that a refusal named, or half of the planned one; return whether that is less
    than what was planned for, and enough to ask again."""
    planned = asking.plan.budget.window
    if planned is None:
        return False
    window = named or planned // 2
    if not LEAST_WINDOW <= window < planned:
        return False
    asking.session.learn_window(window)
    return True


def _repeating() -> ResponseIncomplete:
    return ResponseIncomplete(
        "The model repeated the same words over and over, so its answer was ended. Ask something narrower, lower the "
        "temperature, or use a larger model."
    )


def _report(prompt: Prompt, plan: RequestPlan, context: Context) -> Report:
    return Report(
        question=prompt.question,
        history=prompt.history,
        target=prompt.target,
        context=context,
        findings=prompt.findings,
        sections=prompt.sections,
        gaps=prompt.gaps,
        plan=plan,
        changes=prompt.changes,
        nothing_read=context.is_empty and bool(prompt.gaps) and not prompt.findings,
    )


def _is_about_all(question: Question) -> bool:
    """Whether to survey all Applications: the question is about them, or a follow-up ("and the second one?")."""
    goes_on = question.session_id is not None or bool(question.history)
    return not question.target and (goes_on or asks_about_applications(question.text))


async def _aside[**P, T](context: Context, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Return what `work` returns, from a thread if the context is large."""
    if _is_large(context):
        return await asyncio.to_thread(work, *args, **options)
    return work(*args, **options)


def _is_large(context: Context) -> bool:
    lines = sum(len(log.lines) for log in context.logs)
    manifests = len(context.manifests) + 4 * len(context.managed)
    return lines + len(context.events) + len(context.tree) + 50 * manifests > _LARGE
