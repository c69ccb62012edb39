"""The answer of a turn so far: collects the provider's events and makes the Outcome of them."""

from dataclasses import replace

from agent.errors import ProviderUnreachable
from agent.providers.events import (
    Citation,
    ProviderEvent,
    ProviderInfo,
    SessionStarted,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.turn.events import Outcome, Report
from agent.turn.grounding import Grounding


class TurnRecord:
    """Collects the events of one answer: `events` are all of them; `grounding` and `note` (see Outcome) are set once it
    was checked."""

    def __init__(self, report: Report, outage: ProviderUnreachable | None, *, note: str = "") -> None:
        self.report = report
        self.events: list[ProviderEvent] = []
        self.used_tools = False
        """Whether the server called tools, so that the usage is that of several requests to the model."""
        self.grounding = Grounding()
        self.note = ""
        self._outage = outage
        self._note = note
        self._started: TurnStarted | None = None
        self._references: list[Citation] = []
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        """The tokens that the server counted, None before the end or where it counts none."""
        return self._usage

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join([event.text for event in self.events if type(event) is TextDelta])

    @property
    def answered_by_model(self) -> bool:
        """Whether a model answered. An answer without one is made of the findings alone and needs no check, nor does a
        turn that only asks the caller to run a tool."""
        if self._started is None or self._started.provider.protocol == "none":
            return False
        return bool(self.text.strip()) or not any(isinstance(event, ToolCallRequested) for event in self.events)

    def take(self, event: ProviderEvent) -> ProviderEvent:
        """Record an event and return it as it leaves the turn: TurnStarted with a note about an outage."""
        match event:
            case TurnStarted():
                self._started = event = self._marked(event)
            case SessionStarted() if self._started:
                provider = _noted(self._started.provider, event.note)
                self._started = replace(self._started, provider=provider, session_id=event.session_id)
            case ToolCall():
                self.used_tools = True
            case Citation():
                self._references.append(event)
            case TurnCompleted():
                self._usage = event.usage
            case _:
                pass
        self.events.append(event)
        return event

    def outcome(self) -> Outcome:
        """Return the outcome. Raises AssertionError for a provider that completed a turn that it never started."""
        if self._started is None:
            raise AssertionError("a provider ended a turn it never started")
        return Outcome(
            text=self.text,
            session_id=self._started.session_id,
            provider=self._started.provider,
            usage=self._usage,
            report=self.report,
            grounding=self.grounding,
            note=self.note,
            references=tuple(self._references),
            outage=self._outage,
        )

    def noted(self, note: str) -> None:
        """Add to what the reader should know of the answer."""
        if self._started and note:
            self._started = replace(self._started, provider=_noted(self._started.provider, note))

    def _marked(self, event: TurnStarted) -> TurnStarted:
        if self._outage is None:
            return replace(event, provider=_noted(event.provider, self._note)) if self._note else event
        note = f"The configured provider could not be reached: {self._outage.public_message}"
        return replace(event, provider=replace(event.provider, note=note))


def _noted(provider: ProviderInfo, note: str) -> ProviderInfo:
    return replace(provider, note="; ".join(filter(None, (provider.note, note))))
