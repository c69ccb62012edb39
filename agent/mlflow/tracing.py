"""Traces of turns in MLflow. The steps of a turn are recorded while it runs and written as spans when it has ended.

Owns every use of MLflow's tracing. MLflow's decorators are not used: they record the raw request, one span event per
chunk of a stream, and lose the trace of a stream that is closed early. Creating spans takes milliseconds per turn, most
of them before the first token, so a background thread creates them after the answer.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import contextvars
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import mlflow
from mlflow.entities import (
    AssessmentError,
    AssessmentSource,
    AssessmentSourceType,
    Document,
    Feedback,
    LiveSpan,
    NoOpSpan,
    SpanEvent,
    SpanStatus,
    SpanStatusCode,
)
from mlflow.entities.model_registry import PromptVersion
from mlflow.tracing.constant import SpanAttributeKey, TokenUsageKey, TraceMetadataKey
from mlflow.tracing.trace_manager import InMemoryTraceManager

from agent.errors import AssistantError
from agent.mlflow.previews import request_preview, response_preview
from agent.mlflow.response_events import ResponseStream, noted_first
from agent.mlflow.store import missing_package
from agent.objects.manifest import objects_at, text_at
from agent.objects.target import Target
from agent.providers.events import (
    ProviderInfo,
    SessionStarted,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.redaction import Redacted
from agent.request.question import Question
from agent.turn.events import Outcome, Report, SinkEvent, StepEnded, TurnEnded
from agent.turn.grounding import Grounding, GroundingStatus
from agent.turn.outputs import OutputsSoFar

_logger = logging.getLogger(__name__)

# MLflow prices a span by a catalogue that it fetches from the internet while it stores the trace, with retries of many
# seconds where there is none. The catalogue it ships with serves as well, unless the operator names another.
os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")

_WHILE_IT_STREAMS = 0.3
"""Seconds from the start of an answer until its root span is created."""

# Why an assessment has no value, by the status of the check.
_NO_SHARE: dict[GroundingStatus, str] = {
    "off_topic": "The answer names no resource, cause or evidence of the findings",
    "nothing_checked": "The answer contains nothing that could be looked up",
}

CANCELLED = "assistant.cancelled"
"""Attribute of a span and tag of a trace whose turn the client cancelled."""


@dataclass(slots=True)
class SpanRecord:
    """A span before it is written to MLflow; times are nanoseconds since the epoch."""

    name: str
    kind: str
    inputs: Any = None
    result: Any = None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    failure: tuple[str, str] | None = None
    children: list["SpanRecord"] = field(default_factory=list["SpanRecord"])
    started: int = field(default_factory=time.time_ns)
    ended: int = 0

    @staticmethod
    def of(step: StepEnded) -> "SpanRecord":
        """The span of a step that has ended."""
        result = step.outputs
        if step.kind == "RETRIEVER" and result is not None:
            result = [Document(page_content=text, metadata={**metadata}) for text, metadata in result]
        record = SpanRecord(step.name, step.kind, step.inputs, result, started=step.started, ended=step.ended)
        record.fail(step.error)
        return record

    def fail(self, error: BaseException | None) -> None:
        """Record the error that ended the span. Only public messages are kept: any other text may hold a secret."""
        if isinstance(error, GeneratorExit | asyncio.CancelledError):
            self.facts[CANCELLED] = True
        elif isinstance(error, AssistantError):
            self.failure = (type(error).__name__, error.public_message)
        elif error is not None:
            self.failure = (type(error).__name__, "unexpected error, see the server's log")

    def write(self, live: LiveSpan) -> None:
        """Copy the record and its children into a span of MLflow, and end that span."""
        for child in self.children:
            below = mlflow.start_span_no_context(
                child.name, span_type=child.kind, parent_span=live, inputs=child.inputs, start_time_ns=child.started
            )
            child.write(below)
        if self.result is not None:
            live.set_outputs(self.result)
        live.set_attributes(self.facts)
        if self.failure:
            name, message = self.failure
            noted: dict[str, Any] = {"exception.type": name, "exception.message": message}
            live.add_event(SpanEvent(name="exception", attributes=noted))
            # The signature of MLflow names the enum and text only, but it takes a SpanStatus with a message.
            live.set_status(SpanStatus(SpanStatusCode.ERROR, message))  # pyright: ignore[reportArgumentType]
        live.end(end_time_ns=self.ended)


class TurnTrace:
    """The trace of one turn: a sink of its events. `name` is that of the root span, `model_id` is MLflow's id of the
    logged model that answers, None for code that was not loaded from a logged model."""

    def __init__(self, name: str, question: Question, *, model_id: str | None = None) -> None:
        self._root = SpanRecord(name, "AGENT")
        self._question = question
        self._tags = _tags(question)
        self._session = question.conversation_id or question.session_id
        self._outputs = OutputsSoFar()
        self._tools: dict[str, SpanRecord] = {}
        self._model_facts: dict[str, Any] = {}
        # Another thread writes the trace; the caller's context says whether and where to trace, below which span.
        self._caller = contextvars.copy_context()
        self._live: LiveSpan | None = None
        self._starting: asyncio.TimerHandle | None = None
        self._grounding: Grounding | None = None
        self._note = ""
        self._model_id = model_id
        self._instructions = ""

    @property
    def trace_id(self) -> str:
        """MLflow's id of the trace. The first access creates the root span."""
        if self._live is None:
            self._live = self._caller.run(self._start)
        return str(self._live.trace_id)

    def take(self, event: Redacted[SinkEvent]) -> None:
        """Record an event. The last event of the turn queues the trace for writing."""
        value = event.value
        if type(value) is TextDelta:  # nearly all of them
            return
        self._outputs.take(value)
        match value:
            case Report():
                self._root.inputs = _redacted_request(value, self._question)
                self._instructions = value.plan.instructions
            case TurnStarted():
                self._start_soon()
                self._session = self._session or value.session_id
                self._answered_by(value.provider)
            case SessionStarted():
                self._session = self._session or value.session_id
            case ToolCall() | ToolResult():
                self._tool(value)
            case TurnCompleted() if value.usage:
                self._model_facts[SpanAttributeKey.CHAT_USAGE] = _tokens(value.usage)
            case Outcome():
                self._grounding = value.grounding if value.provider.protocol != "none" else None
                self._note = value.note
            case StepEnded():
                self._step(value)
            case TurnEnded():
                self._end(value)
            case _:
                pass

    def _start_soon(self) -> None:
        """Create the root span while the answer streams, so that the end of the stream need not wait for it."""
        self._starting = asyncio.get_running_loop().call_later(_WHILE_IT_STREAMS, lambda: self.trace_id)

    def _answered_by(self, provider: ProviderInfo) -> None:
        """Record the provider and model, as attributes of the model's span and as tags to search by."""
        facts = {
            SpanAttributeKey.MODEL_PROVIDER: provider.name,
            SpanAttributeKey.MODEL: provider.model,
            "assistant.protocol": provider.protocol,
            "assistant.note": provider.note,
        }
        self._model_facts |= {key: value for key, value in facts.items() if value}
        tags = {
            "assistant.provider": provider.name,
            "assistant.protocol": provider.protocol,
            "assistant.model": provider.model,
        }
        self._tags |= {key: value for key, value in tags.items() if value}

    def _tool(self, event: ToolCall | ToolResult) -> None:
        if isinstance(event, ToolCall):
            self._tools[event.call_id] = SpanRecord(event.name, "TOOL", event.arguments)
        elif event.call_id in self._tools:
            tool = self._tools[event.call_id]
            tool.result, tool.ended = event.output, time.time_ns()

    def _step(self, step: StepEnded) -> None:
        span = SpanRecord.of(step)
        if step.kind == "CHAT_MODEL":
            span.facts |= self._model_facts
            span.children = list(self._tools.values())
            for tool in span.children:
                tool.ended = tool.ended or step.ended
            self._model_facts, self._tools = {}, {}
        self._root.children.append(span)

    def _end(self, ended: TurnEnded) -> None:
        """Complete the root span and queue the trace for writing."""
        self._root.fail(ended.error)
        if CANCELLED in self._root.facts:
            self._tags[CANCELLED] = "true"
        if self._outputs.value:
            writer = ResponseStream()
            for event in ended.answered:
                deque(writer.take(event), maxlen=0)
            output = noted_first(writer.output_so_far(), self._note)
            self._root.result = {"output": output, "custom_outputs": self._outputs.value}
        self._root.ended = time.time_ns()
        if self._starting:
            self._starting.cancel()
        if ended.error:
            _ = self.trace_id  # an error names its trace, and only this thread may make it
        _WRITER.put(self)

    def store(self) -> None:
        """Create the spans, which MLflow's exporter then stores. Raises what MLflow raises, which is not documented."""
        trace_id = self.trace_id
        assert self._live is not None  # noqa: S101 - made by the line above
        self._live.set_inputs(self._root.inputs or {"target": _target(self._question.target)})
        manager = InMemoryTraceManager.get_instance()
        with manager.get_trace(trace_id) as trace:
            if trace:  # None when tracing is off
                trace.info.response_preview = self._response_preview()
                if self._root.inputs is None:
                    trace.info.request_preview = request_preview(self._question.target)
                if prompt := _registered_prompt(self._instructions):
                    manager.register_prompt(trace_id, prompt)
                trace.info.tags.update(self._tags)
                trace.info.trace_metadata.update(self._metadata())
                trace.info.assessments.extend(self._assessments(trace_id))
        self._caller.run(self._root.write, self._live)

    def _response_preview(self) -> str:
        messages = [item for item in objects_at(self._root.result, "output") if text_at(item, "type") == "message"]
        text = "".join(text_at(part, "text") for part in objects_at(messages[-1], "content")) if messages else ""
        failure = self._root.failure[1] if self._root.failure else ""
        return response_preview(text, failure=failure, left=CANCELLED in self._root.facts)

    def _assessments(self, trace_id: str) -> Iterator[Feedback]:
        grounding = self._grounding
        if grounding is None:
            return
        groups = (
            ("Not in what was read", grounding.unsupported),
            ("Only in earlier answers", grounding.earlier),
            ("Not checked, for earlier turns could not be looked at", grounding.unchecked),
        )
        listed = [f"{what}: {', '.join(f'{c.kind} {c.text!r}' for c in claims)}" for what, claims in groups if claims]
        why = _NO_SHARE.get(grounding.status)
        yield Feedback(
            name="grounded",
            value=None if grounding.share is None else round(grounding.share, 3),
            error=AssessmentError(error_code=grounding.status.upper(), error_message=why) if why else None,
            source=AssessmentSource(source_type=AssessmentSourceType.CODE, source_id="agent.grounding"),
            rationale=". ".join([*([why] if why else []), *listed]) or "Every claim was read.",
            trace_id=trace_id,
            metadata={
                "status": grounding.status,
                "checked": str(grounding.checked),
                "supported": str(grounding.supported),
            },
        )

    def _start(self) -> LiveSpan:
        if reason := missing_package():
            _warn_of_no_traces(reason)
            return cast("LiveSpan", NoOpSpan())  # as MLflow does with tracing off
        return mlflow.start_span_no_context(
            self._root.name,
            span_type=self._root.kind,
            parent_span=mlflow.get_current_active_span(),
            start_time_ns=self._root.started,
        )

    def _metadata(self) -> dict[str, str]:
        values = {
            TraceMetadataKey.TRACE_USER: self._question.caller.subject,
            TraceMetadataKey.TRACE_SESSION: self._session,
            TraceMetadataKey.MODEL_ID: self._model_id,
        }
        return {key: value for key, value in values.items() if value is not None}


@cache
def _warn_of_no_traces(reason: str) -> None:
    """Warn once, not in every turn."""
    _logger.warning("Turns are not traced: %s", reason)


def _tokens(usage: Usage) -> dict[str, int]:
    tokens = {
        TokenUsageKey.INPUT_TOKENS: usage.input_tokens,
        TokenUsageKey.OUTPUT_TOKENS: usage.output_tokens,
        TokenUsageKey.TOTAL_TOKENS: usage.total_tokens,
    }
    if usage.cached_tokens:
        tokens[TokenUsageKey.CACHE_READ_INPUT_TOKENS] = usage.cached_tokens
    return tokens


def _redacted_request(report: Report, question: Question) -> dict[str, Any]:
    named = {"conversation_id": question.conversation_id, "user_id": question.caller.subject}
    request = {
        "input": [
            *({"role": message.role, "content": message.text} for message in report.history),
            {"role": "user", "content": report.question},
        ],
        "target": _target(report.target),
        "context": {key: value for key, value in named.items() if value},
        "session_id": question.session_id,
    }
    return {key: value for key, value in request.items() if value}


def _target(target: Target) -> dict[str, Any]:
    return target.model_dump(exclude_defaults=True)


def _registered_prompt(version: str) -> PromptVersion | None:
    """The entry of the prompt registry that `prompts:/name/3` names, to link it; None for the built-in text."""
    name, _, number = version.removeprefix("prompts:/").rpartition("/")
    if not version.startswith("prompts:/") or not number.isdecimal():
        return None
    return PromptVersion(name=name, version=int(number), template="")


def _tags(question: Question) -> dict[str, str]:
    target = question.target
    tags: dict[str, str] = {}
    if target.application:
        tags["argocd.application"] = "/".join(filter(None, (target.application.namespace, target.application.name)))
        tags["argocd.project"] = target.application.project
    if target.resource:
        resource = target.resource
        tags["kubernetes.resource"] = f"{resource.kind}/{resource.name}"
        tags["kubernetes.namespace"] = resource.namespace
        tags["kubernetes.group"] = resource.group
    return {key: value for key, value in tags.items() if value}


class _Writer:
    """Writes traces in a thread of its own, `DELAY` seconds after they ended: streams that end together would
    otherwise wait for each other's traces. `drain` does not wait for the delay."""

    DELAY = 0.25

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[TurnTrace] = deque()
        self._writing = False
        self._urgent = 0
        self._thread: threading.Thread | None = None

    def put(self, trace: TurnTrace) -> None:
        with self._changed:
            self._waiting.append(trace)
            if len(self._waiting) > 1 and self._urgent == 0:
                return  # the thread waits for more already, and waking it takes time from the event loop
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="write-traces", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until every trace that was put is written. Returns False when `timeout` seconds were not enough."""
        with self._changed:
            self._urgent += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._waiting and not self._writing, timeout)
            finally:
                self._urgent -= 1

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                self._changed.wait_for(lambda: self._urgent > 0, self.DELAY)
                batch, self._waiting = self._waiting, deque()
                self._writing = True
            for trace in batch:
                self._write(trace)
            batch.clear()
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    @staticmethod
    def _write(trace: TurnTrace) -> None:
        try:
            trace.store()
        except Exception as error:  # noqa: BLE001 - MLflow may raise anything; the thread must outlive it
            # The type alone: its text may hold what was to be written.
            _logger.warning("A trace was lost: MLflow raised %s", type(error).__name__)


_WRITER = _Writer()


def written(timeout: float | None = None) -> bool:
    """Wait until MLflow has the traces of all turns that ended. Returns False after `timeout` seconds."""
    return _WRITER.drain(timeout)


def flush(timeout: float = 5.0) -> bool:
    """Write the traces that are still in memory to the store. Returns False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    if not written(timeout):
        return False
    done = threading.Event()

    def run() -> None:
        mlflow.flush_trace_async_logging(terminate=False)
        done.set()

    threading.Thread(target=run, name="flush-traces", daemon=True).start()
    return done.wait(max(deadline - time.monotonic(), 0))


EXPERIMENT = "argocd-assistant"
"""The experiment of a server's traces where none is named."""


def configure(*, experiment: str | None = None, timeout: float = 2.0) -> None:
    """Prepare a server for traces: look the experiment up once; a tracking server that is down is a warning only.

    `experiment` defaults to MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID, then to `argocd-assistant`. Without
    this, MLflow looks the experiment up on every request, and hangs with the tracking server down.
    """
    if reason := missing_package():
        _warn_of_no_traces(reason)
        return
    # Writing a trace to SQLite costs tens of milliseconds of Python: ten threads of it, MLflow's default, starve the
    # event loop that is answering, and a database takes one writer at a time anyway.
    os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_WORKERS", "1")
    # Spans of several traces written together cost a third less than trace by trace (MLflow's default is 5 spans), and
    # what waits to be written waits in memory.
    os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_SPAN_BATCH_SIZE", "50")
    os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_INTERVAL_MILLIS", "1000")
    name = experiment or os.environ.pop("MLFLOW_EXPERIMENT_NAME", None)
    experiment_id = os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    bounds = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(int(timeout), 1))}
    before = {key: os.environ.get(key) for key in bounds}
    os.environ.update(bounds)
    try:
        if experiment_id and name is None:
            mlflow.set_experiment(experiment_id=experiment_id)
        else:
            mlflow.set_experiment(name or EXPERIMENT)
    except mlflow.MlflowException as error:
        _logger.warning("The experiment of the traces could not be looked up now: %s", error.error_code)
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
