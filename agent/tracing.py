"""Traces of turns in MLflow: the root span, the spans below it, and where they are sent.

Owns every use of MLflow's tracing. Spans are opened by hand rather than by MLflow's decorators: those record the raw
request, one span event per chunk of a stream, and lose the trace of a stream that is closed early.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import logging
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import mlflow
from mlflow.entities import Document, LiveSpan, SpanEvent, SpanStatus, SpanStatusCode
from mlflow.tracing.constant import SpanAttributeKey, TokenUsageKey, TraceMetadataKey
from mlflow.tracing.trace_manager import InMemoryTraceManager

from agent.errors import AssistantError
from agent.providers.provider import ProviderInfo, Usage
from agent.spans import Span, SpanKind

_logger = logging.getLogger(__name__)

# MLflow prices a span by a catalogue that it fetches from the internet while it stores the trace, with retries of many
# seconds where there is none. The catalogue it ships with serves as well, unless the operator names another.
os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")

CANCELLED = "assistant.cancelled"
"""Attribute of a span, and tag of a trace, whose turn the client left."""


class TracedSpan:
    """A span of MLflow behind the port `agent.spans.Span`."""

    def __init__(self, live: LiveSpan) -> None:
        self._live = live

    @contextmanager
    def span(self, name: str, kind: SpanKind, inputs: Any = None) -> Generator[Span]:
        live = mlflow.start_span_no_context(name, span_type=kind, parent_span=self._live, inputs=inputs)
        child = TracedSpan(live)
        try:
            yield child
        except BaseException as error:
            child.fail(error)
            raise
        finally:
            live.end()

    def outputs(self, value: Any) -> None:
        self._live.set_outputs(value)

    def documents(self, documents: list[tuple[str, dict[str, str]]]) -> None:
        self._live.set_outputs([Document(page_content=text, metadata={**metadata}) for text, metadata in documents])

    def model(self, provider: ProviderInfo) -> None:
        attributes = {
            SpanAttributeKey.MODEL_PROVIDER: provider.name,
            "assistant.protocol": provider.protocol,
            "assistant.note": provider.note,
        }
        if provider.model:
            attributes[SpanAttributeKey.MODEL] = provider.model
        self._live.set_attributes({key: value for key, value in attributes.items() if value})

    def usage(self, usage: Usage) -> None:
        tokens = {
            TokenUsageKey.INPUT_TOKENS: usage.input_tokens,
            TokenUsageKey.OUTPUT_TOKENS: usage.output_tokens,
            TokenUsageKey.TOTAL_TOKENS: usage.total_tokens,
        }
        if usage.cached_tokens:
            tokens[TokenUsageKey.CACHE_READ_INPUT_TOKENS] = usage.cached_tokens
        self._live.set_attribute(SpanAttributeKey.CHAT_USAGE, tokens)

    def fail(self, error: BaseException) -> None:
        """Marks the span by what ended it. Only public messages are recorded: any other text may hold a secret."""
        if isinstance(error, GeneratorExit | asyncio.CancelledError):
            self._live.set_attribute(CANCELLED, True)
            return
        message = (
            error.public_message if isinstance(error, AssistantError) else "unexpected error, see the server's log"
        )
        self._live.add_event(
            SpanEvent(
                name="exception",
                attributes={"exception.type": type(error).__name__, "exception.message": message},
            )
        )
        # MLflow names the enum and text in its signature, and takes a SpanStatus with its message all the same.
        self._live.set_status(SpanStatus(SpanStatusCode.ERROR, message))  # pyright: ignore[reportArgumentType]


class TurnTrace(TracedSpan):
    """The trace of one turn: its root span, and what is known of the whole."""

    def __init__(self, name: str, *, user: str | None, session: str | None, tags: Mapping[str, str]) -> None:
        live = mlflow.start_span_no_context(
            name,
            span_type="AGENT",
            parent_span=mlflow.get_current_active_span(),
            tags={**tags},
            metadata=_without_none({TraceMetadataKey.TRACE_USER: user, TraceMetadataKey.TRACE_SESSION: session}),
        )
        super().__init__(live)
        self._session = session
        self.trace_id = str(live.trace_id)

    def inputs(self, value: Any) -> None:
        """The redacted request."""
        self._live.set_inputs(value)

    def session(self, session_id: str | None) -> None:
        """Names the session of the provider, unless the caller named the conversation."""
        if session_id and not self._session:
            self._metadata(TraceMetadataKey.TRACE_SESSION, session_id)

    def answered_by(self, provider: ProviderInfo) -> None:
        """Who answered, as tags to search by."""
        tags = {
            "assistant.provider": provider.name,
            "assistant.protocol": provider.protocol,
            "assistant.model": provider.model,
        }
        self._tags({key: value for key, value in tags.items() if value})

    def cancel(self) -> None:
        """Marks the trace as left by its client."""
        self._live.set_attribute(CANCELLED, True)
        self._tags({CANCELLED: "true"})

    def end(self) -> None:
        """Ends the root span, which hands the trace to the exporter."""
        self._live.end()

    def _metadata(self, key: str, value: str) -> None:
        InMemoryTraceManager.get_instance().set_trace_metadata(self.trace_id, key, value)

    def _tags(self, tags: Mapping[str, str]) -> None:
        with InMemoryTraceManager.get_instance().get_trace(self.trace_id) as trace:
            if trace:  # None when tracing is off
                trace.info.tags.update(tags)


def configure(*, experiment: str | None = None, timeout: float = 2.0) -> None:
    """Decides once where traces go, without holding up the start when the tracking server is down.

    `experiment` defaults to MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID, which are then taken out of the
    environment: left there, MLflow looks the experiment up on every request (and hangs with the server down).
    """
    name = os.environ.pop("MLFLOW_EXPERIMENT_NAME", None)
    experiment_id = os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    experiment = experiment or name
    bounds = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(int(timeout), 1))}
    before = {key: os.environ.get(key) for key in bounds}
    os.environ.update(bounds)
    try:
        if experiment:
            mlflow.set_experiment(experiment)
        elif experiment_id:
            mlflow.set_experiment(experiment_id=experiment_id)
    except mlflow.MlflowException as error:
        _logger.warning("Traces are kept in the default experiment: %s", error.error_code)
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def flush(timeout: float = 5.0) -> bool:
    """Writes out the traces that are still in memory. False when `timeout` seconds were not enough."""
    import threading

    done = threading.Event()

    def run() -> None:
        mlflow.flush_trace_async_logging(terminate=False)
        done.set()

    threading.Thread(target=run, name="flush-traces", daemon=True).start()
    return done.wait(timeout)


def _without_none(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}
