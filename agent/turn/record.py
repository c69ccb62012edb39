"""A turn's values, and the record of what was said in it: from the provider's events to an outcome.

Owns what is noted of an event and how an answer is checked; asks nobody.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from agent.context.model import Context, Gap
from agent.errors import AssistantError, ProviderUnreachable
from agent.findings.model import Finding
from agent.objects.target import Target
from agent.prompt.prompt import Section
from agent.providers.provider import (
    Citation,
    ProviderEvent,
    ProviderInfo,
    Session,
    SessionStarted,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.redaction import Redactor
from agent.request.question import Message
from agent.turn.composing import RequestPlan
from agent.turn.grounding import Grounding, ground, may_claim
from agent.turn.spans import Span, Spans

_LOOKING_BACK = 2.0
"""Seconds that the end of an answer waits for what its session holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the turn knows before anybody is asked; everything in it is redacted. `changes` says what changed since the
    session's previous turn, "" for nothing; `nothing_read`: whatever was to be read about the target is a gap."""

    question: str
    history: tuple[Message, ...]
    target: Target
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    gaps: tuple[Gap, ...]
    redactor: Redactor
    plan: RequestPlan
    changes: str = ""
    nothing_read: bool = False


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
    references: tuple[Citation, ...] = ()
    outage: ProviderUnreachable | None = None


type TurnEvent = Report | ProviderEvent | Outcome
"""In this order: Report, TurnStarted, any number of others, TurnCompleted, Outcome."""


class TurnRecord:
    """What a turn has said so far."""

    def __init__(self, report: Report, outage: ProviderUnreachable | None) -> None:
        self._report = report
        self._outage = outage
        self._started: TurnStarted | None = None
        self._text: list[str] = []
        self._references: list[Citation] = []
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
            case SessionStarted() if self._started:
                self._started = replace(
                    self._started, provider=_noted(self._started.provider, event.note), session_id=event.session_id
                )
            case ToolCall():
                self._used_tools = True
                event = replace(event, arguments=redact(event.arguments))
                stack = ExitStack()
                tool = stack.enter_context(span.span(event.name, "TOOL", inputs=event.arguments))
                self._tools[event.call_id] = (tool, stack)
            case ToolCallRequested():
                event = replace(event, arguments=redact(event.arguments))
            case ToolResult():
                event = replace(event, output=redact(event.output))
                if opened := self._tools.pop(event.call_id, None):
                    opened[0].outputs(event.output)
                    opened[1].close()
            case Citation():
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

    async def ground(self, given: Sequence[str], context: Context, session: Session, spans: Spans) -> str:
        """Checks what was said against what was read; gives what the reader must be warned of, "" for nothing. Only
        where something of it stands nowhere is the session asked for what it holds of earlier turns."""
        answer = self._report.redactor.text("".join(self._text))
        if may_claim(answer) and self._by_model:
            with spans.span("ground", "TASK") as span:
                told = (*given, *_told(self._report.findings))
                sent = self._report.history
                # Looking things up in megabytes takes a while.
                self._grounding = await asyncio.to_thread(ground, answer, given=told, context=context, earlier=sent)
                if self._grounding.unsupported:
                    held = await self._held(session)
                    if held is None or held:
                        earlier = None if held is None else (*sent, *held)
                        self._grounding = await asyncio.to_thread(
                            ground, answer, given=told, context=context, earlier=earlier
                        )
                span.outputs(self._grounding.as_json())
        return self._grounding.warning

    async def _held(self, session: Session) -> Sequence[Message] | None:
        """What the session holds of earlier turns, None where that is not to be had (in time)."""
        try:
            async with asyncio.timeout(_LOOKING_BACK):
                held = await session.earlier()
        except (AssistantError, TimeoutError):
            return None
        return held and [replace(each, text=self._report.redactor.text(each.text)) for each in held]

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


def _noted(provider: ProviderInfo, note: str) -> ProviderInfo:
    return replace(provider, note="; ".join(filter(None, (provider.note, note))))


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings whole; the prompt may hold them cut."""
    for finding in findings:
        yield from (finding.title, finding.explanation, *finding.next_steps)
        yield from (f"{evidence.path} {evidence.text}" for evidence in finding.evidence)
