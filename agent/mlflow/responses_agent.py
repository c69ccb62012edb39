"""The turn as an MLflow ResponsesAgent, whose synchronous methods run the asynchronous core.

Owns the trace of a turn and the translation of errors for MLflow. `respond` and `respond_stream` are the asynchronous
methods, for servers with an event loop of their own.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import asyncio
import atexit
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
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

from agent.errors import AssistantError, RequestError
from agent.mlflow.background_loop import BackgroundLoop
from agent.mlflow.prompt_registry import RegisteredInstructions
from agent.mlflow.response_events import ResponseStream, StreamEvent, noted_first
from agent.mlflow.tracing import TurnTrace, written
from agent.prompt.instructions import InstructionsSource
from agent.redaction import Redacted
from agent.request.question import Question
from agent.settings import Settings, load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Outcome, TurnEvent
from agent.turn.outputs import Answered, provider_as_json
from agent.turn.parse import parse_question
from agent.turn.sinks import SinkFactory

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
    """MLflow's error code for `http_status`, the one for 500 where it has none (413, 502)."""
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that `predict` and `predict_stream` opened; a later call opens them again. Called when
        the process ends, too."""
        self._loop.close(self.aclose)

    async def aclose(self) -> None:
        raise NotImplementedError

    def predict(self, request: ResponsesAgentRequest | Mapping[str, Any]) -> ResponsesAgentResponse:
        """Return the whole answer. Raises PredictError."""
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
    """Raises RequestError for what is no request, such as a bare question."""
    if isinstance(request, ResponsesAgentRequest):
        return request.model_dump(exclude_none=True)
    if not isinstance(request, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise RequestError.at("request", f"must be an object: {_EXAMPLE}")
    if "input" not in request:
        raise RequestError.at("input", f"is missing: {_EXAMPLE}")
    return request


_EXAMPLE = (
    '{"input": [{"role": "user", "content": "Why is it degraded?"}], "custom_inputs": {"application": "argocd/web"}}'
)


def _closed_at_exit(assistant: "weakref.ref[ArgoCDAssistant]") -> None:
    if (alive := assistant()) is not None:
        alive.close()


class ArgoCDAssistant(_SyncFace, ResponsesAgent):
    """The assistant as an MLflow model. Construction does no I/O; connections are opened with the first turn.

    `model_id` is MLflow's id of the logged model that this is, which its traces are linked to; None: no logged model.
    """

    def __init__(self, settings: Settings, *, sinks: Sequence[SinkFactory] = (), model_id: str | None = None) -> None:
        self.settings = settings
        self.sinks = sinks
        self.model_id = model_id
        self.instructions: InstructionsSource | None = None
        if settings.instructions:
            registered = RegisteredInstructions(settings.instructions, team=settings.team_instructions or "")
            self.instructions = registered.current
        self._loop = BackgroundLoop()
        atexit.register(_closed_at_exit, weakref.ref(self))
        # One Assistant an event loop: connections belong to the loop that opened them.
        self._assistants: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Assistant] = weakref.WeakKeyDictionary()

    @classmethod
    def from_environment(
        cls,
        defaults: Mapping[str, Any] | None = None,
        *,
        sinks: Sequence[SinkFactory] = (),
        model_id: str | None = None,
    ) -> Self:
        """The assistant with the settings of the environment, `defaults` below them. Raises SettingsError."""
        return cls(load_settings(defaults), sinks=sinks, model_id=model_id)

    async def respond(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer as the object of a response with `custom_outputs`. Raises AssistantError."""
        return (await self.answer(body)).response

    async def answer(self, body: Mapping[str, Any]) -> Answered:
        """Return the answer as a response and as the turn's Outcome. Raises AssistantError."""
        writer, turn = self._open("predict", self._question(body))
        outcome: Outcome | None = None
        async with aclosing(turn) as events:
            async for event in events:
                writer.write(event)
                if isinstance(event.value, Outcome):
                    outcome = event.value
        assert outcome is not None  # noqa: S101 - the last event of every turn that raises nothing
        return Answered(
            outcome=outcome, response=writer.response | {"output": noted_first(writer.response["output"], outcome.note)}
        )

    def respond_stream(self, body: Mapping[str, Any]) -> AsyncGenerator[StreamEvent]:
        """Return the answer as stream events in the shape of the Responses API.

        Raises RequestError at once and other AssistantErrors before the first event; a later failure is the last
        event, of type `error`.
        """
        return self._one_by_one(self._question(body))

    def respond_in_batches(self, body: Mapping[str, Any]) -> AsyncGenerator[Sequence[StreamEvent]]:
        """The same with those events together that one event of the turn becomes. Raises as `respond_stream` does."""
        return self._batches(self._question(body))

    async def _one_by_one(self, question: Question) -> AsyncGenerator[StreamEvent]:
        async with aclosing(self._batches(question)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def _batches(self, question: Question) -> AsyncGenerator[Sequence[StreamEvent]]:
        writer, turn = self._open("predict_stream", question)
        try:
            async with aclosing(turn) as events:
                async for event in events:
                    yield writer.write(event)
        except AssistantError as error:
            if not writer.opened:
                raise
            yield list(writer.fail(error))

    def _open(self, name: str, question: Question) -> tuple[ResponseStream, AsyncGenerator[Redacted[TurnEvent]]]:
        """A turn, traced, and the writer of its events."""
        trace = TurnTrace(name, question, model_id=self.model_id)
        return ResponseStream(trace_id=lambda: trace.trace_id), self._assistant().turn(question, trace)

    async def warm_up(self) -> None:
        """Load what the first question would wait for: imports, rule tables, instructions. Traces nothing."""
        alone = {"provider": "offline", "argocd_server": None, "kubernetes": "off", "instructions": None}
        rehearsal = ArgoCDAssistant(self.settings.model_copy(update=alone))

        def rehearse() -> None:
            with mlflow.tracing.context(enabled=False):
                self._loop.run(rehearsal.respond(_REHEARSAL))

        await asyncio.to_thread(rehearse)
        if self.instructions:
            await self.instructions()

    async def check(self) -> dict[str, Any]:
        """Return which provider would answer now. Raises ProviderError, or SettingsError for a missing token."""
        return provider_as_json(await self._assistant().provider.check())

    async def aclose(self) -> None:
        """Close the connections that this event loop opened."""
        assistant = self._assistants.pop(asyncio.get_running_loop(), None)
        if assistant:
            await assistant.aclose()

    def new_assistant(self) -> Assistant:
        """Return an Assistant with these settings; a subclass may give it another provider."""
        return Assistant(self.settings, instructions=self.instructions, sinks=self.sinks)

    def _assistant(self) -> Assistant:
        loop = asyncio.get_running_loop()
        if loop not in self._assistants:
            self._assistants[loop] = self.new_assistant()
        return self._assistants[loop]

    def _question(self, body: Mapping[str, Any]) -> Question:
        return parse_question(body, tail_lines_max=self.settings.log_tail_lines_max)
