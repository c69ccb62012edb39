"""The turn: a Question in, the events of an answer out. Joins the steps; owns none of them.

    Question -> collect -> redact -> analyze -> compose -> provider.stream -> ground -> TurnEvents

The context is collected while the session is opened. When the provider cannot be reached, the findings are answered
without it, marked as such; every other failure of a provider is raised.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace

from agent.context.collect import Collector
from agent.context.context import Context
from agent.errors import ProviderError, ProviderTimeout, ProviderUnreachable, SettingsError
from agent.findings import analyze
from agent.findings.model import Finding
from agent.prompt.instructions import Instructions, InstructionsSource, built_in
from agent.prompt.prompt import Prompt
from agent.providers.choice import choose_provider
from agent.providers.offline import Offline
from agent.providers.provider import (
    Provider,
    ProviderEvent,
    Session,
    SessionRequest,
    TextDelta,
    TurnCompleted,
)
from agent.redaction import Redactor
from agent.request.question import Question
from agent.settings import Settings
from agent.turn.admission import Turnstile
from agent.turn.composing import Composer, RequestPlan
from agent.turn.record import Report, TurnEvent, TurnRecord
from agent.turn.span_content import documents, messages
from agent.turn.spans import NoSpans, Spans
from agent.turn.triage import Overview, Survey, asks_about_applications, overview


class Assistant:
    """Answers questions. Holds connections and nothing of any user. Construction does no I/O.

    `instructions` gives the instructions of a turn at once, whatever it does to know them; unset: the built-in ones.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        provider: Provider | None = None,
        collector: Collector | None = None,
        instructions: InstructionsSource | None = None,
    ) -> None:
        self.settings = settings
        self.provider = provider or choose_provider(settings)
        self._collector = collector or Collector(settings)
        self._survey = Survey(self._collector)
        self._composer = Composer(settings)
        self._turnstile = Turnstile()
        self._instructions = instructions or built_in(team=settings.team_instructions or "")

    async def turn(self, question: Question, spans: Spans | None = None) -> AsyncGenerator[TurnEvent]:
        """Answers one question. Close the iterator to cancel: the upstream request ends with it.

        Raises SessionError, and, after the Report, ProviderError or the provider's SettingsError; ProviderUnreachable
        only after text was sent.
        """
        spans = spans or NoSpans()
        request = SessionRequest(
            session_id=question.session_id, user_id=question.caller.subject, conversation_id=question.conversation_id
        )
        key: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        collecting = asyncio.create_task(self._collect(question, key, spans))
        answered = reported = False
        try:
            try:
                async with self.provider.open(request) as session:
                    key.set_result(session.redaction_key)
                    async with aclosing(self._answer(question, session, collecting, spans)) as events:
                        async for event in events:
                            answered = answered or isinstance(event, TextDelta)
                            reported = True
                            yield event
                    return
            except ProviderUnreachable as error:
                if answered:
                    raise
                outage = error
            except (ProviderError, SettingsError):
                if not reported:
                    async with Offline().open(request) as session:
                        if not key.done():
                            key.set_result(session.redaction_key)
                        async with aclosing(self._answer(question, session, collecting, spans)) as events:
                            yield await anext(events)  # what is wrong is known all the same
                raise
            note = f"{outage.public_message} This answer was put together from the findings of the built-in analyzers."
            async with Offline(note=note).open(request) as session:
                if not key.done():
                    key.set_result(session.redaction_key)
                async with aclosing(self._answer(question, session, collecting, spans, outage=outage)) as events:
                    async for event in events:
                        yield event
        finally:
            if not collecting.done():
                collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)

    async def aclose(self) -> None:
        """Closes connections."""
        await self.provider.aclose()
        await self._collector.aclose()

    async def _collect(self, question: Question, key: asyncio.Future[bytes], spans: Spans) -> "_Collected":
        """The redacted context. The key comes from the session, which is opened meanwhile."""
        with spans.span("collect", "RETRIEVER", inputs={"target": str(question.target)}) as span:
            context = await self._collector.collect(question)
            redactor = Redactor(await key, enabled=self.settings.redaction)
            context = (
                await asyncio.to_thread(redactor.context, context) if _is_large(context) else redactor.context(context)
            )
            known = _Collected(context, redactor)
            if self._collector.argocd and _is_about_all(question):
                known = known.with_fleet(
                    await overview(
                        self._survey,
                        redactor,
                        limit=self.settings.triage_applications,
                        caller=question.caller,
                        refresh=question.refresh,
                    )
                )
            span.documents(documents(known.context))
            return known

    async def _answer(
        self,
        question: Question,
        session: Session,
        collecting: "asyncio.Task[_Collected]",
        spans: Spans,
        *,
        outage: ProviderUnreachable | None = None,
    ) -> AsyncGenerator[TurnEvent]:
        known = await asyncio.shield(collecting)
        context, redactor = known.context, known.redactor
        prompt, request_plan = await self._prepare(question, known, session, spans)
        report = Report(
            question=prompt.question,
            history=prompt.history,
            target=prompt.target,
            findings=prompt.findings,
            sections=prompt.sections,
            gaps=prompt.gaps,
            redactor=redactor,
            plan=request_plan,
            changes=prompt.changes,
            nothing_read=context.is_empty and bool(prompt.gaps) and not prompt.findings,
        )
        yield report
        turn = TurnRecord(report, outage)
        given = (prompt.system_text, prompt.question)
        with spans.span("turn", "CHAT_MODEL", inputs=messages(prompt)) as span:
            try:
                async with aclosing(self._events(session, prompt)) as events:
                    async for event in events:
                        if isinstance(event, TurnCompleted) and (
                            warning := await turn.ground(given, context, session, spans)
                        ):
                            yield turn.take(TextDelta(warning), span)
                        yield turn.take(event, span)
            finally:
                turn.close(span)
        outcome = turn.outcome()
        if outcome.usage and not turn.used_tools:
            self._composer.learn(session.model, request_plan, outcome.usage)
        yield outcome

    async def _events(self, session: Session, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """The provider's events, for at most `turn_timeout` (each silence is bounded by the provider itself)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.turn_timeout
        stream: AsyncIterator[ProviderEvent] = session.stream(prompt)
        try:
            async for event in stream:
                yield event
                if loop.time() > deadline:
                    raise ProviderTimeout(
                        f"The answer was not finished within {self.settings.turn_timeout:g} seconds. "
                        "Ask something narrower, or raise ASSISTANT_TURN_TIMEOUT."
                    )
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def _prepare(
        self, question: Question, known: "_Collected", session: Session, spans: Spans
    ) -> tuple[Prompt, RequestPlan]:
        """Findings and prompt: a millisecond of work on the event loop, or in a thread where the context is large."""
        instructions = await self._instructions()
        if _is_large(known.context):
            return await asyncio.to_thread(self._prepared, question, known, session, spans, instructions)
        await self._turnstile.enter()
        return self._prepared(question, known, session, spans, instructions)

    def _prepared(
        self, question: Question, known: "_Collected", session: Session, spans: Spans, instructions: Instructions
    ) -> tuple[Prompt, RequestPlan]:
        context = known.context
        with spans.span("analyze", "TASK") as span:
            findings = (*known.fleet, *analyze(context))
            span.outputs([{"title": f.title, "severity": f.severity} for f in findings])
        with spans.span("compose", "PARSER") as span:
            parts = (question, context, findings, known.redactor, session, instructions)
            prompt, request_plan = self._composer.compose(*parts)
            span.outputs(request_plan.as_json() | {"sections": {s.name: s.tokens for s in prompt.sections}})
        return prompt, request_plan


def _is_about_all(question: Question) -> bool:
    """Whether the Applications are to be surveyed: a follow-up ("and the second one?") names them in no word."""
    goes_on = question.session_id is not None or bool(question.history)
    return not question.target and (goes_on or asks_about_applications(question.text))


@dataclass(frozen=True, slots=True)
class _Collected:
    """What is known, redacted. `fleet` are the findings over all Applications, where the question is about them."""

    context: Context
    redactor: Redactor
    fleet: tuple[Finding, ...] = ()

    def with_fleet(self, seen: Overview) -> "_Collected":
        return replace(self, context=replace(self.context, fleet=seen.fleet).with_gaps(*seen.gaps), fleet=seen.findings)


# Beyond this many strings or so, what walks them (redaction takes some 50 µs a string) leaves the event loop.
_LARGE = 500


def _is_large(context: Context) -> bool:
    lines = sum(len(log.lines) for log in context.logs)
    manifests = len(context.manifests) + 4 * len(context.managed)
    return lines + len(context.events) + len(context.tree) + 50 * manifests > _LARGE
