"""The events of a turn, as they leave it: one stream of typed values, redacted. Owns no transport.

    Report                      what is known before the model is asked
    TurnStarted ... TurnCompleted   what the provider answers (`agent.providers.events`)
    Outcome                     how a turn ended that ended well

Sinks also receive a StepEnded when a step of the pipeline has ended, and a TurnEnded, always, as the last event.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from agent.context.context import Context
from agent.context.model import Gap
from agent.errors import ProviderUnreachable
from agent.findings.model import Finding
from agent.objects.target import Target
from agent.prompt.budget import RequestPlan
from agent.prompt.prompt import Section
from agent.providers.events import Citation, ProviderEvent, ProviderInfo, Usage
from agent.request.conversation import Message
from agent.turn.grounding import Grounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the turn knows before the model is asked. `changes` names what changed since the previous turn of the
    session, "" for nothing; `nothing_read`: nothing about the target could be read."""

    question: str
    history: tuple[Message, ...]
    target: Target
    context: Context = field(repr=False)
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    gaps: tuple[Gap, ...]
    plan: RequestPlan
    changes: str = ""
    nothing_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a turn that succeeded. `grounding` lists which claims of the answer are supported; `outage` is the
    error of the provider that could not be reached, when the answer was made without it; `references` are the documents
    the answer names. `note` is the end of `text` if the answer is not about the findings (`agent.turn.notes`),
    else ""."""

    text: str
    session_id: str | None
    provider: ProviderInfo
    usage: Usage | None
    report: Report
    grounding: Grounding = field(default_factory=Grounding)
    references: tuple[Citation, ...] = ()
    outage: ProviderUnreachable | None = None
    note: str = ""


type StepKind = Literal["RETRIEVER", "TASK", "PARSER", "CHAT_MODEL"]
"""What a step does: span types of MLflow (`SpanType` in `mlflow/entities/span.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step of the pipeline that has ended. Times are nanoseconds since the epoch. `error` is its exception, a
    CancelledError or GeneratorExit if the client left."""

    name: str
    kind: StepKind
    started: int
    ended: int
    inputs: Any = None
    outputs: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The end of every turn. `answered` are the provider's events, each run of text as one event; `error` is the
    exception of a turn that failed, a CancelledError or GeneratorExit if the client left, None on success."""

    answered: tuple[ProviderEvent, ...] = ()
    error: BaseException | None = None


type TurnEvent = Report | ProviderEvent | Outcome
"""The events that a reader of the turn receives, in this order: Report, TurnStarted, any number of others,
TurnCompleted, Outcome."""

type SinkEvent = TurnEvent | StepEnded | TurnEnded
"""The events that a sink receives."""
