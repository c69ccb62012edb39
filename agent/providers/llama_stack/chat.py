"""Turns over chat completions: any OpenAI-compatible server (vLLM, Ollama, ...). It keeps no sessions, so the
request's own messages are the history. Owns that protocol's chunks and ends
(https://platform.openai.com/docs/api-reference/chat-streaming)."""

import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from agent.errors import AssistantError, ProviderError, ResponseCut, ResponseFailed, ResponseIncomplete, SessionNotFound
from agent.objects.manifest import integer_at, lookup, object_at, text_at
from agent.prompt.prompt import Prompt
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    ReasoningDelta,
    SessionRequest,
    TextDelta,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.providers.llama_stack.connection import ServerConnection
from agent.providers.llama_stack.failures import Upstream, error_of, error_of_turn
from agent.providers.llama_stack.models import ModelChoice
from agent.request.conversation import Message

_NO_SESSIONS = (
    "custom_inputs.session_id: this model server keeps no sessions; leave it out and send the earlier messages in "
    "`input`"
)


class ChatCompletions:
    """The protocol of one server. `path` is that of its chat completions."""

    def __init__(self, connection: ServerConnection, models: ModelChoice, *, path: str, note: str) -> None:
        self.connection = connection
        self.models = models
        self.path = path
        self._note = note

    def info(self, model: str) -> ProviderInfo:
        return ProviderInfo(name="llama-stack", protocol="chat-completions", model=model, note=self._note)

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["ChatSession"]:
        """A turn of its own. Raises SessionNotFound for any session id, and ProviderError."""
        if request.session_id is not None:
            raise SessionNotFound(_NO_SESSIONS)
        yield ChatSession(self, await self.models.current())


class ChatSession:
    """One turn; nothing lasts beyond it."""

    def __init__(self, protocol: ChatCompletions, model: str) -> None:
        self._protocol = protocol
        self._model = model
        self._key = secrets.token_bytes(32)

    @property
    def redaction_key(self) -> bytes:
        return self._key

    @property
    def model(self) -> str:
        return self._model

    @property
    def window(self) -> int | None:
        return self._protocol.models.window_of(self._model)

    def learn_window(self, tokens: int) -> None:
        self._protocol.models.learn_window(self._model, tokens)

    @property
    def history_tokens(self) -> int:
        return 0

    @property
    def previous_fingerprint(self) -> str:
        """Nothing: there is no session to keep it."""
        return ""

    async def earlier(self) -> Sequence[Message]:
        """Nothing: the messages of the request are all there is."""
        return ()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """One turn, as described in `Session.stream`."""
        yield TurnStarted(provider=self._protocol.info(self._model), session_id=None)
        turn = _ChatTurn(self._protocol.connection.upstream_of(self._model))
        try:
            async with aclosing(self._turn(turn, prompt)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            if turn.text_sent:
                raise
            raise self._protocol.models.failed(self._model, error) from None
        self._protocol.models.worked(self._model)

    async def _turn(self, turn: "_ChatTurn", prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        messages = [{"role": "system", "content": prompt.system_text}]
        messages += [{"role": message.role, "content": message.text} for message in prompt.history]
        messages += [{"role": "user", "content": prompt.question}]
        body = {
            "model": self._model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            # The name that vLLM, Ollama, llama.cpp and llama-stack take alike.
            **prompt.sampling.named(max_output_tokens="max_tokens"),
        }
        connection = self._protocol.connection
        upstream = connection.upstream_of(self._model)
        async with connection.answer(
            lambda: connection.post_for_stream(self._protocol.path, body), upstream
        ) as received:
            async for chunk in received:
                for event in turn.read(chunk):
                    yield event
        yield turn.end()


class _ChatTurn:
    """Reads the chunks of one completion in their order."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._finish_reason = ""
        self._usage: Usage | None = None
        self.text_sent = False

    def read(self, chunk: dict[str, Any]) -> Iterator[ProviderEvent]:
        if lookup(chunk, "error") is not None:
            raise self._failed(object_at(chunk, "error"))
        delta = object_at(chunk, "choices", 0, "delta")
        if thought := text_at(delta, "reasoning_content") or text_at(delta, "reasoning"):
            yield ReasoningDelta(thought)
        if text := text_at(delta, "content") or text_at(delta, "refusal"):
            self.text_sent = True
            yield TextDelta(text)
        self._finish_reason = text_at(chunk, "choices", 0, "finish_reason") or self._finish_reason
        self._usage = _usage(object_at(chunk, "usage")) or self._usage

    def end(self) -> TurnCompleted:
        """The end of a stream. Raises the error of one that is not whole."""
        match self._finish_reason:
            case "":
                raise error_of(ResponseCut, self._upstream)
            case "length":
                raise error_of(ResponseIncomplete, self._upstream)
            case "content_filter":
                raise error_of(ResponseFailed, self._upstream, reason="a content filter withheld the answer")
            case _ if not self.text_sent:
                raise error_of(ResponseFailed, self._upstream, reason="the model's answer was empty")
            case _:
                return TurnCompleted(usage=self._usage)

    def _failed(self, error: dict[str, Any]) -> AssistantError:
        return error_of_turn(
            text_at(error, "message"), self._upstream, code=text_at(error, "code"), text_sent=self.text_sent
        )


def _usage(usage: dict[str, Any]) -> Usage | None:
    tokens_in, tokens_out = integer_at(usage, "prompt_tokens"), integer_at(usage, "completion_tokens")
    if tokens_in is None or tokens_out is None:
        return None
    return Usage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cached_tokens=integer_at(usage, "prompt_tokens_details", "cached_tokens") or 0,
        reasoning_tokens=integer_at(usage, "completion_tokens_details", "reasoning_tokens") or 0,
    )
