"""Turns over Responses and Conversations (llama-stack since 0.3, OGX): a session is a conversation.

The resource's context rides in the turn's instructions, which the server neither stores nor carries over. Of
llama_stack_client only `conversations` and `responses` are used; its Agent class is not.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from agent.errors import AssistantError, ProviderError, ProviderTimeout, ResponseCut
from agent.prompt.prompt import Prompt
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    SessionRequest,
    SessionStarted,
    TurnCompleted,
    TurnStarted,
)
from agent.providers.llama_stack.connection import ServerConnection
from agent.providers.llama_stack.history import history_limit, notice, notice_to_user, notice_tokens
from agent.providers.llama_stack.leases import ConversationLease, Conversations, Leases
from agent.providers.llama_stack.models import ModelChoice
from agent.providers.llama_stack.ownership import Holds, Record
from agent.providers.llama_stack.responses_turn import ResponsesTurn
from agent.request.conversation import Message
from agent.settings import Settings

if TYPE_CHECKING:
    from llama_stack_client import AsyncLlamaStackClient

logger = logging.getLogger(__name__)

_SHORTENED = "the earlier turns were shortened to fit the model's window; the session goes on under a new id"


_NOT_KEPT = "this turn could not be kept, the next question will not know of it"


class Responses:
    """The protocol of one server."""

    def __init__(
        self, connection: ServerConnection, models: ModelChoice, holds: Holds, settings: Settings, *, note: str = ""
    ) -> None:
        self.connection = connection
        self.models = models
        self.conversations = Conversations(connection)
        self._holds = holds
        self._settings = settings
        self._note = note

    def info(self, model: str, *, note: str = "") -> ProviderInfo:
        """Who answers; `note` is added to the note on the server."""
        notes = "; ".join(filter(None, (self._note, note)))
        return ProviderInfo(name="llama-stack", protocol="responses", model=model, note=notes)

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["ResponsesSession"]:
        """Take the conversation that the session's id leads to; without an id nothing is asked yet.

        Raises SessionNotFound, SessionForbidden, SessionBusy and ProviderError.
        """
        model = await self.models.current()
        client = await self.connection.client()
        if self.connection.is_ogx:
            await self.models.probe_window(model)
        limit = history_limit(self.models.window_of(model))
        leases = Leases(self.conversations, self._holds, seconds=self._settings.turn_timeout, limit=limit)
        with ExitStack() as held:
            lease = await leases.find(request, held)
            session = ResponsesSession(self, client, lease, model)
            try:
                await leases.take(lease)
                session.lease = await leases.within_limit(lease)
                yield session
            finally:
                if lease.conversation_id and not lease.record.is_over:
                    await self.conversations.give_back(*session.records())


class ResponsesSession:
    """A conversation in the hands of one turn."""

    def __init__(
        self, protocol: Responses, client: "AsyncLlamaStackClient", lease: ConversationLease, model: str
    ) -> None:
        self.lease = lease
        self._protocol = protocol
        self._client = client
        self._model = model
        self._prompt: Prompt | None = None
        self._turn = ResponsesTurn(protocol.connection.upstream_of(model))
        self._has_failed = False
        self._made: Record | None = None

    @property
    def redaction_key(self) -> bytes:
        return self.lease.record.key

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
        return self.lease.history_tokens + (notice_tokens() if self.lease.lost else 0)

    @property
    def previous_fingerprint(self) -> str:
        return self.lease.record.previous_fingerprint

    async def earlier(self) -> Sequence[Message]:
        """What the conversation holds, without the turn that the server has added to it by now."""
        lease, answer = self.lease, self._turn.text
        if lease.earlier:
            return [Message("assistant", lease.earlier)]
        if not lease.history_tokens:
            return ()
        held = await self._protocol.conversations.messages(lease.conversation_id)
        return [message for message in held if message.role == "user" or message.text.strip() not in answer]

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """One turn, as described in `Session.stream`."""
        info = self._protocol.info(self._model, note=self._note(prompt))
        yield TurnStarted(provider=info, session_id=self._known_id)
        self._prompt = prompt
        try:
            completed = TurnCompleted()
            async with aclosing(self._events(prompt)) as events:
                async for event in events:
                    if isinstance(event, TurnCompleted):
                        completed = event  # passed on when the response's connection is free for the session's requests
                    else:
                        yield event
            self._protocol.models.worked(self._model)
            if not self.lease.conversation_id:
                yield await self._start_session(prompt)
            yield completed
        except ProviderError as error:
            self._has_failed = not isinstance(error, ResponseCut | ProviderTimeout)
            if self._turn.is_stored and self._turn.text_sent and not self.lease.conversation_id:
                yield await self._start_session(prompt)
            if self._turn.text_sent:
                raise
            raise self._protocol.models.failed(self._model, error) from None

    def records(self) -> tuple[tuple[str, Record], ...]:
        """What is to be kept with the conversations now that the turn has ended, in whatever way."""
        prompt = self._prompt
        if self._made:  # its own is written already
            return self.lease.records(self._made)[1:]
        if prompt is None or not self._turn.is_stored:
            # A turn that failed is not added to the conversation; one that was left may have been.
            return self.lease.records(self.lease.unanswered(certain=prompt is None or self._has_failed))
        return self.lease.records(self._answered(prompt))

    @property
    def _known_id(self) -> str | None:
        """The session's id before its conversation is made: the one that a successor succeeds."""
        return self.lease.conversation_id or (self.lease.old[0] if self.lease.old else None)

    def _answered(self, prompt: Prompt) -> Record:
        return self.lease.answered(
            prompt.history, prompt.question, self._turn.output, previous_fingerprint=prompt.fingerprint
        )

    async def _start_session(self, prompt: Prompt) -> SessionStarted:
        """Make the conversation of this turn's messages. A failure to make it does not fail the answer."""
        messages = (*self.lease.given(prompt.history, prompt.question), Message("assistant", self._turn.text))
        record = self._answered(prompt)
        try:
            conversation_id = await self._protocol.conversations.make(record, *messages)
        except AssistantError as error:
            logger.warning("an answered turn could not be kept: %s", error)
            return SessionStarted(session_id=self._known_id, note=f"{_NOT_KEPT}: {error.public_message}")
        self.lease, self._made = replace(self.lease, conversation_id=conversation_id), record
        return SessionStarted(session_id=conversation_id)

    def _note(self, prompt: Prompt) -> str:
        """What the user should know of the session."""
        if self.lease.lost:
            return notice_to_user(self.lease.lost, rebuilt=bool(prompt.history))
        return _SHORTENED if self.lease.old else ""

    async def _events(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        instructions = prompt.system_text
        if self.lease.lost:
            instructions = f"{instructions}\n\n{notice(rebuilt=bool(prompt.history))}"

        async def start() -> httpx.Response:
            opening = self._client.responses.with_streaming_response.create(
                model=self._model,
                input=self.lease.input(prompt.history, prompt.question),
                instructions=instructions,
                conversation=self.lease.conversation_id or None,
                store=True,  # without it the turn is not added to the conversation
                stream=True,
                max_output_tokens=prompt.sampling.max_output_tokens,
                temperature=prompt.sampling.temperature,
                top_p=prompt.sampling.top_p,
            )
            return (await opening.__aenter__()).http_response

        connection = self._protocol.connection
        # An HTTP 500 is the server's own: an error of the model's backend comes within the stream.
        async with connection.answer(start, connection.upstream_of(self._model), any_500=True) as received:
            async for event in received:
                for read in self._turn.read(event):
                    yield read
                    if isinstance(read, TurnCompleted):
                        return
        raise self._turn.cut()
