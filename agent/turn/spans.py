"""The port through which a turn is traced. Owns no tracing system: `agent.mlflow.tracing` writes to MLflow."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

from agent.providers.provider import ProviderInfo, Usage

type SpanKind = Literal["RETRIEVER", "TASK", "PARSER", "CHAT_MODEL", "TOOL"]


class Spans(Protocol):
    """Opens spans below what it stands for: a turn's root, or a span."""

    def span(self, name: str, kind: SpanKind, inputs: Any = None) -> AbstractContextManager["Span"]:
        """A span that ends with the block.

        An AssistantError of the block marks it as failed with the public message, a cancellation as cancelled.
        """
        ...


class Span(Spans, Protocol):
    """An open span. Whatever is recorded must be redacted already."""

    def outputs(self, value: Any) -> None:
        """What the step gave."""
        ...

    def documents(self, documents: list[tuple[str, dict[str, str]]]) -> None:
        """What a RETRIEVER found: text and metadata of each document."""
        ...

    def model(self, provider: ProviderInfo) -> None:
        """Who answered."""
        ...

    def usage(self, usage: Usage) -> None:
        """What it cost."""
        ...


class NoSpans:
    """Records nothing."""

    def span(self, name: str, kind: SpanKind, inputs: Any = None) -> AbstractContextManager[Span]:
        return nullcontext(self)

    def outputs(self, value: Any) -> None: ...

    def documents(self, documents: list[tuple[str, dict[str, str]]]) -> None: ...

    def model(self, provider: ProviderInfo) -> None: ...

    def usage(self, usage: Usage) -> None: ...
