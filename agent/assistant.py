"""The turn: a Question in, the events of an answer out. Joins the steps; owns none of them.

    Question -> collect -> redact -> analyze -> compose -> provider.stream -> ground -> TurnEvents

The context is collected while the session is opened. When the provider cannot be reached, the findings are answered
without it, marked as such; every other failure of a provider is raised.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from agent.composing import Composer, RequestPlan
from agent.context.collect import Collector
from agent.context.model import Context, Gap
from agent.errors import ProviderTimeout, ProviderUnreachable
from agent.findings import analyze
from agent.findings.model import Finding
from agent.grounding import Grounding, ground, may_claim
from agent.instructions import InstructionsSource, built_in
from agent.prompt import Prompt, Section
from agent.providers.choice import choose_provider
from agent.providers.offline import Offline
from agent.providers.provider import (
    Provider,
    ProviderEvent,
    ProviderInfo,
    Reference,
    Session,
    SessionRequest,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.redaction import Redactor
from agent.request import Message, Question
from agent.settings import Settings
from agent.spans import NoSpans, Span, Spans
from agent.target import Target
from agent.triage import Overview, Survey, overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the turn knows before anybody is asked; everything in it is redacted. `changes` says what changed since the
    session's previous turn, "" for nothing."""

    question: str
    history: tuple[Message, ...]
    target: Target
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    gaps: tuple[Gap, ...]
    redactor: Redactor
    plan: RequestPlan
    changes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a turn ended that ended well. `grounding` tells which claims of the answer hold; `outage` is the error of the
    provider that could not be reached, when the answer was made without it; `references` are the documents the answer
    names."""

    text: str
    session_id: str | None
    provider: ProviderInfo
    usage: Usage | None
    report: Report
    grounding: Grounding = field(default_factory=Grounding)
    references: tuple[Reference, ...] = ()
    outage: ProviderUnreachable | None = None


type TurnEvent = Report | ProviderEvent | Outcome
"""In this order: Report, TurnStarted, any number of others, TurnCompleted, Outcome."""


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
        self._instructions = instructions or built_in(team=settings.team_instructions or "")

    async def turn(self, question: Question, spans: Spans | None = None) -> AsyncGenerator[TurnEvent]:
        """Answers one question. Close the iterator to cancel: the upstream request ends with it.

        Raises SessionError and ProviderError; ProviderUnreachable only after text was sent.
        """
        spans = spans or NoSpans()
        request = SessionRequest(
            session_id=question.session_id, user_id=question.user_id, conversation_id=question.conversation_id
        )
        key: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        collecting = asyncio.create_task(self._collect(question, key, spans))
        answered = False
        try:
            try:
                async with self.provider.open(request) as session:
                    key.set_result(session.redaction_key)
                    async with aclosing(self._answer(question, session, collecting, spans)) as events:
                        async for event in events:
                            answered = answered or isinstance(event, TextDelta)
                            yield event
                    return
            except ProviderUnreachable as error:
                if answered:
                    raise
                outage = error
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
            if self._collector.argocd and not question.target:
                known = known.with_fleet(
                    await overview(
                        self._survey,
                        redactor,
                        limit=self.settings.triage_applications,
                        user_id=question.user_id,
                        refresh=question.refresh,
                    )
                )
            span.documents(_documents(known.context))
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
        )
        yield report
        turn = _Turn(report, outage)
        given = (prompt.system_text, prompt.question, *(message.text for message in prompt.history))
        with spans.span("turn", "CHAT_MODEL", inputs=_messages(prompt)) as span:
            try:
                async with aclosing(self._events(session, prompt)) as events:
                    async for event in events:
                        if isinstance(event, TurnCompleted) and (warning := await turn.ground(given, context, spans)):
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
        context = known.context
        with spans.span("analyze", "TASK") as span:
            findings = await asyncio.to_thread(analyze, context) if _is_large(context) else analyze(context)
            findings = (*known.fleet, *findings)
            span.outputs([{"title": f.title, "severity": f.severity} for f in findings])
        with spans.span("compose", "PARSER") as span:
            parts = (question, context, findings, known.redactor, session, await self._instructions())
            if _is_large(context):
                prompt, request_plan = await asyncio.to_thread(self._composer.compose, *parts)
            else:
                prompt, request_plan = self._composer.compose(*parts)
            span.outputs(request_plan.as_json() | {"sections": {s.name: s.tokens for s in prompt.sections}})
        return prompt, request_plan


@dataclass(frozen=True, slots=True)
class _Collected:
    """What is known, redacted. `fleet` are the findings over all Applications, where the question is about them."""

    context: Context
    redactor: Redactor
    fleet: tuple[Finding, ...] = ()

    def with_fleet(self, seen: Overview) -> "_Collected":
        return replace(self, context=replace(self.context, fleet=seen.fleet).with_gaps(*seen.gaps), fleet=seen.findings)


class _Turn:
    """What a turn has said so far."""

    def __init__(self, report: Report, outage: ProviderUnreachable | None) -> None:
        self._report = report
        self._outage = outage
        self._started: TurnStarted | None = None
        self._text: list[str] = []
        self._references: list[Reference] = []
        self._usage: Usage | None = None
        self._used_tools = False
        self._grounding = Grounding()
        self._tools: dict[str, tuple[Span, ExitStack]] = {}

    def take(self, event: ProviderEvent, span: Span) -> ProviderEvent:
        """Notes the event; a tool's words are redacted on their way."""
        if type(event) is TextDelta:  # nearly all of them
            self._text.append(event.text)
            return event
        redact = self._report.redactor.text
        match event:
            case TurnStarted():
                self._started = event = self._marked(event)
                span.model(event.provider)
            case ToolCall():
                self._used_tools = True
                event = replace(event, arguments=redact(event.arguments))
                stack = ExitStack()
                tool = stack.enter_context(span.span(event.name, "TOOL", inputs=event.arguments))
                self._tools[event.call_id] = (tool, stack)
            case ToolResult():
                event = replace(event, output=redact(event.output))
                if opened := self._tools.pop(event.call_id, None):
                    opened[0].outputs(event.output)
                    opened[1].close()
            case Reference():
                self._references.append(event)
            case TurnCompleted():
                self._usage = event.usage
                if event.usage:
                    span.usage(event.usage)
            case _:
                pass
        return event

    @property
    def _by_model(self) -> bool:
        """Whether a model spoke. What is answered without one is made of the findings, and claims nothing else."""
        return self._started is not None and self._started.provider.protocol != "none"

    async def ground(self, given: Sequence[str], context: Context, spans: Spans) -> str:
        """Checks what was said against what was read; gives what the reader must be warned of, "" for nothing."""
        answer = self._report.redactor.text("".join(self._text))
        if may_claim(answer) and self._by_model:
            with spans.span("ground", "TASK") as span:
                told = (*given, *_told(self._report.findings))
                # Looking things up in megabytes takes a while.
                self._grounding = await asyncio.to_thread(ground, answer, given=told, context=context)
                span.outputs(self._grounding.as_json())
        return self._grounding.warning

    def _marked(self, event: TurnStarted) -> TurnStarted:
        """The start, telling of the provider that could not be reached."""
        if self._outage is None:
            return event
        note = f"The configured provider could not be reached: {self._outage.public_message}"
        return replace(event, provider=replace(event.provider, note=note))

    def close(self, span: Span) -> None:
        """Records the text, whole or partial, and ends what is still open."""
        for _, stack in self._tools.values():
            stack.close()
        span.outputs({"role": "assistant", "content": self._report.redactor.text("".join(self._text))})

    @property
    def used_tools(self) -> bool:
        """Whether the server asked the model more than once, so that its usage is of several requests."""
        return self._used_tools

    def outcome(self) -> Outcome:
        if self._started is None:
            raise AssertionError("a provider ended a turn it never started")
        return Outcome(
            text="".join(self._text),
            session_id=self._started.session_id,
            provider=self._started.provider,
            usage=self._usage,
            report=self._report,
            grounding=self._grounding,
            references=tuple(self._references),
            outage=self._outage,
        )


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings whole; the prompt may hold them cut."""
    for finding in findings:
        yield from (finding.title, finding.explanation, *finding.next_steps)
        yield from (f"{evidence.path} {evidence.text}" for evidence in finding.evidence)


# Beyond this many strings or so, what walks them (redaction takes some 50 µs a string) leaves the event loop.
_LARGE = 500


def _is_large(context: Context) -> bool:
    lines = sum(len(log.lines) for log in context.logs)
    manifests = len(context.manifests) + 4 * len(context.managed)
    return lines + len(context.events) + len(context.tree) + 50 * manifests > _LARGE


# A document in the trace is for people to look at; the model's own view is in the turn span.
_DOCUMENT_CHARACTERS = 10_000


def _documents(context: Context) -> list[tuple[str, dict[str, str]]]:
    from pydantic_core import to_json

    parts: dict[str, Any] = {
        "application": context.application,
        "manifest": context.manifest,
        "children": context.children,
        "related": context.related,
        "tree": [node for node in context.tree if node.health not in {"", "Healthy"}],
        "managed": context.managed,
        "revisions": context.revisions,
        "sync_windows": context.sync_windows,
        "events": context.events,
        "logs": context.logs,
        "gaps": context.gaps,
    }
    origins: dict[str, str] = {**context.origins}
    return [
        (
            to_json(value).decode()[:_DOCUMENT_CHARACTERS],
            {"part": part, "source": origins.get(part, "")},
        )
        for part, value in parts.items()
        if value
    ]


def _messages(prompt: Prompt) -> dict[str, Any]:
    """The prompt as chat messages, the form in which MLflow shows a conversation."""
    return {
        "messages": [
            {"role": "system", "content": prompt.system_text},
            *({"role": message.role, "content": message.text} for message in prompt.history),
            {"role": "user", "content": prompt.question},
        ]
    }
