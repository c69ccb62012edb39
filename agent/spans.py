"""The port through which a turn is traced. Owns no tracing system: `agent.tracing` speaks to MLflow, NoSpans to none."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

type SpanKind = Literal["RETRIEVER", "TASK", "PARSER", "CHAT_MODEL", "TOOL"]


class Span(Protocol):
    """An open span. Whatever is recorded must be redacted already."""

    def outputs(self, value: Any) -> None:
        """What the step gave."""
        ...

    def attributes(self, values: dict[str, Any]) -> None:
        """Facts about the step."""
        ...


class Spans(Protocol):
    """Opens spans below the turn's root."""

    def span(self, name: str, kind: SpanKind, inputs: Any = None) -> AbstractContextManager[Span]:
        """A span that ends with the block; an exception of the block marks it as failed with its public message."""
        ...


class _NoSpan:
    def outputs(self, value: Any) -> None: ...

    def attributes(self, values: dict[str, Any]) -> None: ...


class NoSpans:
    """Records nothing."""

    def span(self, name: str, kind: SpanKind, inputs: Any = None) -> AbstractContextManager[Span]:
        return nullcontext(_NoSpan())
