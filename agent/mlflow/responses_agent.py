"""MLflow's face of the turn: a ResponsesAgent whose synchronous methods step the asynchronous core.

Owns the trace of a turn and the translation of errors for MLflow. `respond` and `respond_stream` are the asynchronous
face, for servers with an event loop of their own.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
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

from agent.errors import AssistantError
from agent.mlflow.background_loop import BackgroundLoop
from agent.mlflow.prompt_registry import RegisteredInstructions
from agent.mlflow.response_events import ResponseStream, StreamEvent, response_object
from agent.mlflow.tracing import TurnTrace, written
from agent.prompt.instructions import InstructionsSource
from agent.providers.provider import SessionStarted, TextDelta, TurnStarted
from agent.request.question import Question
from agent.settings import Settings, load_settings
from agent.turn.assistant import Assistant
from agent.turn.outputs import early_outputs, final_outputs, provider_as_json
from agent.turn.parse import parse_question
from agent.turn.record import Outcome, Report, TurnEvent

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
        finally:
            written()

    def predict_stream(
        self, request: ResponsesAgentRequest | Mapping[str, Any]
    ) -> Generator[ResponsesAgentStreamEvent]:
        """The answer as stream events. Raises PredictError before the first; later failures are an `error` event."""
        try:
            with closing(self._loop.iterate(self.respond_stream(_body(request)))) as events:
                for event in events:
                    yield ResponsesAgentStreamEvent(**event)
        except AssistantError as error:
            raise PredictError(error) from None
        finally:
            written()


def _body(request: ResponsesAgentRequest | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(request, ResponsesAgentRequest):
        return request.model_dump(exclude_none=True)
    return request


class ArgoCDAssistant(_SyncFace, ResponsesAgent):
    """The assistant as an MLflow model. Construction does no I/O; connections are opened with the first turn."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.instructions: InstructionsSource | None = None
        if settings.instructions:
            registered = RegisteredInstructions(settings.instructions, team=settings.team_instructions or "")
            self.instructions = registered.current
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
        turn = _TracedTurn("predict", question)
        last: StreamEvent = {}
        async with aclosing(turn.events(self._assistant)) as events:
            async for event in events:
                last = event
        if turn.error:
            raise turn.error
        return response_object(last)

    def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[StreamEvent]:
        """The answer as stream events in the Responses API's shape.

        Raises RequestError at once and other AssistantErrors before the first event; what fails later is the last
        event, of type `error`.
        """
        return _TracedTurn("predict_stream", self._question(body)).events(self._assistant)

    async def warm_up(self) -> None:
        """Pays before the first question what is paid once: imports, rule tables, instructions. Traces nothing."""
        alone = {"provider": "offline", "argocd_server": None, "kubernetes": "off", "instructions": None}
        rehearsal = ArgoCDAssistant(self.settings.model_copy(update=alone))

        def rehearse() -> None:
            with mlflow.tracing.context(enabled=False):
                self._loop.run(rehearsal.respond(_REHEARSAL))

        await asyncio.to_thread(rehearse)
        if self.instructions:
            await self.instructions()

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
        return Assistant(self.settings, instructions=self.instructions)

    def _assistant(self) -> Assistant:
        loop = asyncio.get_running_loop()
        if loop not in self._assistants:
            self._assistants[loop] = self.new_assistant()
        return self._assistants[loop]

    def _question(self, body: Mapping[str, Any]) -> Question:
        return parse_question(body, tail_lines_max=self.settings.log_tail_lines_max)


class _TracedTurn:
    """One turn, written as stream events and noted in its trace."""

    def __init__(self, name: str, question: Question) -> None:
        self._question = question
        self._trace = TurnTrace(
            name,
            user=question.caller.subject,
            session=question.conversation_id or question.session_id,
            tags=_tags(question),
        )
        self._writer = ResponseStream()
        self._report: Report | None = None
        self._outputs: dict[str, Any] = {}
        self.error: AssistantError | None = None
        """What the turn failed with after its first event."""

    async def events(self, assistant: Callable[[], Assistant]) -> AsyncGenerator[StreamEvent]:
        """The stream events. Raises what fails before the first of them. `assistant` is asked on the loop that runs."""
        writer = self._writer
        try:
            async with aclosing(assistant().turn(self._question, self._trace)) as turn:
                async for event in turn:
                    if type(event) is TextDelta:  # nearly all of them
                        for written_event in writer.text(event.text):
                            yield written_event
                        continue
                    for written_event in self._write(event):
                        yield written_event
        except AssistantError as error:
            self._trace.fail(error)
            if self._report is None:
                raise
            self.error = error
            for written_event in writer.fail(error, self._final_outputs()):
                yield written_event
        except (GeneratorExit, asyncio.CancelledError):
            self._trace.cancel()
            raise
        except Exception as error:
            self._trace.fail(error)
            raise
        finally:
            self._end()

    def _write(self, event: TurnEvent) -> Iterator[StreamEvent]:
        match event:
            case Report():
                self._report = event
                self._outputs = early_outputs(event)
                self._trace.inputs = _redacted_request(event, self._question)
                return self._writer.open(self._outputs)
            case Outcome():
                self._trace.grounded(event.grounding)
                self._outputs = final_outputs(event)
                return self._writer.complete(event, self._final_outputs())
            case TurnStarted():
                self._trace.start_soon()
                self._trace.session(event.session_id)
                self._trace.answered_by(event.provider)
                self._outputs |= {"session_id": event.session_id, "provider": provider_as_json(event.provider)}
                return self._writer.take(event)
            case SessionStarted():
                self._trace.session(event.session_id)
                self._outputs |= {"session_id": event.session_id}
                return self._writer.take(event)
            case _:
                return self._writer.take(event)

    def _final_outputs(self) -> dict[str, Any]:
        """`custom_outputs` as far as they are known, with the trace's id."""
        self._outputs |= {"trace_id": self._trace.trace_id}
        return self._outputs

    def _end(self) -> None:
        if self._report:
            output = self._report.redactor.value(self._writer.output_so_far())
            self._trace.outputs({"output": output, "custom_outputs": self._outputs})
        self._trace.end()


def _redacted_request(report: Report, question: Question) -> dict[str, Any]:
    return {
        "input": [
            *({"role": message.role, "content": message.text} for message in report.history),
            {"role": "user", "content": report.question},
        ],
        "target": report.target.model_dump(exclude_defaults=True),
        "context": {"conversation_id": question.conversation_id, "user_id": question.caller.subject},
        "session_id": question.session_id,
    }


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
