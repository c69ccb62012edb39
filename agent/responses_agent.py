"""MLflow's face of the turn: a ResponsesAgent whose synchronous methods step the asynchronous core.

Owns the trace of a turn and the translation of errors for MLflow. `respond` and `respond_stream` are the asynchronous
face, for servers with an event loop of their own.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing
from typing import Any, Self

import mlflow
import mlflow.tracing
from mlflow.exceptions import ERROR_CODE_TO_HTTP_STATUS, MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode
from mlflow.pyfunc.model import ResponsesAgent
from mlflow.types.responses import (
    ResponsesAgentRequest,
    ResponsesAgentResponse,
    ResponsesAgentStreamEvent,
)

from agent.answer import early_outputs, final_outputs, provider_as_json
from agent.assistant import Assistant, Outcome, Report
from agent.background_loop import BackgroundLoop
from agent.errors import AssistantError
from agent.providers.provider import TurnStarted
from agent.request import Question, parse_question
from agent.response_events import ResponseStream, StreamEvent, response_object
from agent.settings import Settings, load_settings
from agent.tracing import TurnTrace

_REHEARSAL: dict[str, Any] = {
    "input": [{"role": "user", "content": "Why?"}],
    "custom_inputs": {"manifest": {"kind": "Pod", "metadata": {"name": "rehearsal"}}, "logs": {"app": "error: none"}},
}


class PredictError(MlflowException):
    """An AssistantError for callers of `predict`: `code` and the public message, with MLflow's own error code.

    `message` cannot be changed: MLflow's scoring server would write the whole request, secrets included, into it.
    """

    def __init__(self, error: AssistantError) -> None:
        self.code = error.code
        self._text = f"{error.public_message} ({error.code})"
        super().__init__(self._text, error_code=_error_code(error.http_status))

    @property
    def message(self) -> str:
        """The public message."""
        return self._text

    @message.setter
    def message(self, value: str) -> None: ...


def _error_code(http_status: int) -> int:
    """MLflow's error code that becomes `http_status`; 500 where it has none (it knows no 413 and no 502)."""
    preferred = {400: "INVALID_PARAMETER_VALUE", 404: "RESOURCE_DOES_NOT_EXIST", 409: "RESOURCE_CONFLICT"}
    names = [name for name, status in ERROR_CODE_TO_HTTP_STATUS.items() if status == http_status]
    name = preferred.get(http_status) or (names[0] if names else "INTERNAL_ERROR")
    return int(ErrorCode.Value(name))


class _SyncFace:
    """`predict` and `predict_stream`.

    They live outside the ResponsesAgent subclass on purpose: MLflow wraps those defined in it in spans that record
    the raw request, before anything could be redacted.
    """

    _loop: BackgroundLoop

    async def respond(self, body: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[StreamEvent]:
        raise NotImplementedError

    def predict(self, request: ResponsesAgentRequest | Mapping[str, Any]) -> ResponsesAgentResponse:
        """The whole answer. Raises PredictError."""
        try:
            return ResponsesAgentResponse(**self._loop.run(self.respond(_body(request))))
        except AssistantError as error:
            raise PredictError(error) from None

    def predict_stream(
        self, request: ResponsesAgentRequest | Mapping[str, Any]
    ) -> Generator[ResponsesAgentStreamEvent]:
        """The answer as stream events. Raises PredictError before the first; later failures are an `error` event."""
        events = self._loop.iterate(self.respond_stream(_body(request)))
        try:
            for event in events:
                yield ResponsesAgentStreamEvent(**event)
        except AssistantError as error:
            raise PredictError(error) from None
        finally:
            events.close()


def _body(request: ResponsesAgentRequest | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(request, ResponsesAgentRequest):
        return request.model_dump(exclude_none=True)
    return request


class ArgoCDAssistant(_SyncFace, ResponsesAgent):
    """The assistant as an MLflow model. Construction does no I/O; connections are opened with the first turn."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loop = BackgroundLoop()
        # One Assistant an event loop: connections belong to the loop that opened them.
        self._assistants: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Assistant] = weakref.WeakKeyDictionary()

    @classmethod
    def from_environment(cls, defaults: Mapping[str, Any] | None = None) -> Self:
        """The assistant of this process's environment. Raises SettingsError."""
        return cls(load_settings(defaults))

    async def respond(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer as the object of a response with `custom_outputs`. Raises AssistantError."""
        question = self._question(body)
        events: list[StreamEvent] = []
        async with aclosing(self._traced("predict", question)) as stream:
            async for event in stream:
                if event["type"] == "error":
                    raise event["cause"]
                events = [event]
        return response_object(events)

    async def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[StreamEvent]:
        """The answer as stream events in the Responses API's shape.

        Raises AssistantError before the first event; what fails later is the last event, of type `error`.
        """
        question = self._question(body)
        async with aclosing(self._traced("predict_stream", question)) as stream:
            async for event in stream:
                event.pop("cause", None)
                yield event

    async def warm_up(self) -> None:
        """Pays before the first question what is paid once: imports and rule tables. Asks nobody, traces nothing."""
        alone = {"provider": "offline", "argocd_server": None, "kubernetes": "off"}
        rehearsal = ArgoCDAssistant(self.settings.model_copy(update=alone))

        def rehearse() -> None:
            with mlflow.tracing.context(enabled=False):
                self._loop.run(rehearsal.respond(_REHEARSAL))

        await asyncio.to_thread(rehearse)

    async def check(self) -> dict[str, Any]:
        """Who would answer now. Raises ProviderError."""
        return provider_as_json(await self._assistant().provider.check())

    async def aclose(self) -> None:
        """Closes the connections that this event loop opened."""
        assistant = self._assistants.pop(asyncio.get_running_loop(), None)
        if assistant:
            await assistant.aclose()

    def new_assistant(self) -> Assistant:
        """An Assistant of these settings; a subclass may give it another provider."""
        return Assistant(self.settings)

    def _assistant(self) -> Assistant:
        loop = asyncio.get_running_loop()
        if loop not in self._assistants:
            self._assistants[loop] = self.new_assistant()
        return self._assistants[loop]

    def _question(self, body: Mapping[str, Any]) -> Question:
        return parse_question(body, tail_lines_max=self.settings.log_tail_lines_max)

    async def _traced(self, name: str, question: Question) -> AsyncGenerator[StreamEvent]:
        """The turn with its trace. An `error` event carries the exception as `cause`."""
        trace = TurnTrace(
            name, user=question.user_id, session=question.conversation_id or question.session_id, tags=_tags(question)
        )
        writer = ResponseStream()
        record = _Record(trace)
        opened = False
        try:
            async with aclosing(self._assistant().turn(question, trace)) as turn:
                async for event in turn:
                    match event:
                        case Report():
                            record.report(event, question)
                            opened = True
                            written = writer.open(early_outputs(event, trace_id=trace.trace_id))
                        case Outcome():
                            written = writer.complete(event, record.outcome(event))
                        case _:
                            if isinstance(event, TurnStarted):
                                record.started(event)
                            written = writer.take(event)
                    for item in written:
                        yield item
        except AssistantError as error:
            trace.fail(error)
            if not opened:
                raise
            for item in writer.fail(error, record.outputs()):
                yield item | {"cause": error} if item["type"] == "error" else item
        except (GeneratorExit, asyncio.CancelledError):
            trace.cancel()
            raise
        except Exception as error:
            trace.fail(error)
            raise
        finally:
            record.end(writer.output_so_far())


class _Record:
    """What the trace of a turn is told, as it becomes known."""

    def __init__(self, trace: TurnTrace) -> None:
        self._trace = trace
        self._report: Report | None = None
        self._outputs: dict[str, Any] = {"trace_id": trace.trace_id}

    def report(self, report: Report, question: Question) -> None:
        self._report = report
        self._outputs = early_outputs(report, trace_id=self._trace.trace_id)
        self._trace.inputs(
            {
                "input": [
                    *({"role": message.role, "content": message.text} for message in report.history),
                    {"role": "user", "content": report.question},
                ],
                "target": report.target.model_dump(exclude_defaults=True),
                "context": {"conversation_id": question.conversation_id, "user_id": question.user_id},
                "session_id": question.session_id,
            }
        )

    def started(self, event: TurnStarted) -> None:
        self._trace.session(event.session_id)
        self._trace.answered_by(event.provider)
        self._outputs |= {"session_id": event.session_id, "provider": provider_as_json(event.provider)}

    def outcome(self, outcome: Outcome) -> dict[str, Any]:
        self._outputs = final_outputs(outcome, trace_id=self._trace.trace_id)
        return self._outputs

    def outputs(self) -> dict[str, Any]:
        """`custom_outputs` as far as they are known."""
        return self._outputs

    def end(self, output: list[dict[str, Any]]) -> None:
        if self._report:
            redacted = self._report.redactor.value(output)
            self._trace.outputs({"output": redacted, "custom_outputs": self._outputs})
        self._trace.end()


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
