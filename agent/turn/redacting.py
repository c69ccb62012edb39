"""The redaction of a turn, from the context to the end of the answer. Owns every use of the redactor in a turn."""

from collections.abc import Sequence
from dataclasses import replace

from agent.context.context import Context
from agent.providers.events import (
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    ToolResult,
)
from agent.redaction import Redactor
from agent.request.conversation import Message


class TurnRedaction:
    """Hides the secrets of one turn. Redact the context first: secrets found there are hidden in everything later.

    `key` is the session's (`Session.redaction_key`).
    """

    def __init__(self, key: bytes, *, enabled: bool) -> None:
        self._redactor = Redactor(key, enabled=enabled)
        self.release = self._redactor.release
        """Return an event marked as redacted, so that it may leave the turn."""

    def context(self, context: Context) -> Context:
        """Return the context without secrets."""
        return self._redactor.context(context)

    def text(self, text: str) -> str:
        """Return a text without secrets: the question, the whole answer, the message of an error."""
        return self._redactor.text(text)

    def messages(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return messages of the conversation without secrets."""
        return tuple(replace(message, text=self.text(message.text)) for message in messages)

    def answered(self, event: ProviderEvent) -> ProviderEvent:
        """Return an event of the provider without the secrets that a tool may have read. Text passes: it comes in
        pieces, from a model that was given redacted text only, and is redacted as a whole by `kept`."""
        match event:
            case ToolCall() | ToolCallRequested():
                return replace(event, arguments=self.text(event.arguments))
            case ToolResult():
                return replace(event, output=self.text(event.output))
            case _:
                return event

    def kept(self, events: Sequence[ProviderEvent]) -> tuple[ProviderEvent, ...]:
        """Return the events of an answer as they are recorded: runs of text joined and redacted as a whole."""
        joined: list[ProviderEvent] = []
        for event in events:
            last = joined[-1] if joined else None
            match event, last:
                case TextDelta(), TextDelta():
                    joined[-1] = TextDelta(last.text + event.text)
                case ReasoningDelta(), ReasoningDelta():
                    joined[-1] = ReasoningDelta(last.text + event.text)
                case _:
                    joined.append(event)
        return tuple(
            replace(event, text=self.text(event.text)) if isinstance(event, TextDelta | ReasoningDelta) else event
            for event in joined
        )
