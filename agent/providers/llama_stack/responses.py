"""Turns over Responses and Conversations (llama-stack since 0.3, OGX): a session is a conversation.

The resource's context rides in the turn's instructions, which the server neither stores nor carries over. Who owns a
session and who holds it is kept in the conversation's metadata. Of llama_stack_client only `conversations` and
`responses` are used; its Agent class is not.
"""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import httpx

from agent.errors import ProviderError, SessionNotFound
from agent.prompt import Prompt
from agent.providers.llama_stack.connection import SHORT_REQUEST, Connection
from agent.providers.llama_stack.failures import LOST_SESSION, foreign_errors
from agent.providers.llama_stack.history import response_input
from agent.providers.llama_stack.model_choice import ModelChoice
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.providers.llama_stack.responses_turn import ResponsesTurn
from agent.providers.provider import ProviderEvent, ProviderInfo, SessionRequest, TurnCompleted, TurnStarted
from agent.settings import Settings

if TYPE_CHECKING:
    from llama_stack_client import AsyncLlamaStackClient

logger = logging.getLogger(__name__)

_CONVERSATION_ID = re.compile(r"conv_[A-Za-z0-9]{1,200}")
# Seconds for giving a session back at the end of a turn; the hold expires by itself.
_RELEASE = 2.0


class Responses:
    """The protocol of one server."""

    def __init__(
        self, connection: Connection, models: ModelChoice, holds: Holds, settings: Settings, *, note: str = ""
    ) -> None:
        self.connection = connection
        self.models = models
        self.holds = holds
        self.turn_timeout = settings.turn_timeout
        self._note = note

    def info(self, model: str) -> ProviderInfo:
        return ProviderInfo(name="llama-stack", protocol="responses", model=model, note=self._note)

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["ResponsesSession"]:
        """Makes a conversation, or takes the one that is named."""
        model = await self.models.current()
        client = await self.connection.client()
        with ExitStack() as held:
            if request.session_id is None:
                record = Record.new(request.user_id).held(seconds=self.turn_timeout)
                session = ResponsesSession(self, client, record, model, await self._make(client, record))
                held.enter_context(self.holds.hold(session.conversation_id))
            else:
                held.enter_context(self.holds.hold(request.session_id))
                record = await self._find(client, request.session_id, request.user_id)
                record = record.held(seconds=self.turn_timeout)
                session = ResponsesSession(self, client, record, model, request.session_id)
            try:
                if request.session_id is not None:
                    await session.take()
                yield session
            finally:
                await session.release()

    async def _make(self, client: "AsyncLlamaStackClient", record: Record) -> str:
        made = await self.connection.attempt(
            lambda: client.conversations.create(metadata=dict(record.metadata), timeout=SHORT_REQUEST)
        )
        return made.id

    async def _find(self, client: "AsyncLlamaStackClient", conversation_id: str, user_id: str | None) -> Record:
        if not _CONVERSATION_ID.fullmatch(conversation_id):
            raise SessionNotFound(LOST_SESSION)
        found = await self.connection.attempt(
            lambda: client.conversations.retrieve(conversation_id, timeout=SHORT_REQUEST)
        )
        return check_owner(Record.of(found.metadata or {}), user_id)


class ResponsesSession:
    """A conversation in the hands of one turn."""

    def __init__(
        self,
        protocol: Responses,
        client: "AsyncLlamaStackClient",
        record: Record,
        model: str,
        conversation_id: str,
    ) -> None:
        self._protocol = protocol
        self._client = client
        self._record = record
        self._model = model
        self.conversation_id = conversation_id
        self._answered = False

    @property
    def redaction_key(self) -> bytes:
        return self._record.key

    @property
    def model(self) -> str:
        return self._model

    @property
    def window(self) -> int | None:
        return self._protocol.models.window_of(self._model)

    @property
    def history_tokens(self) -> int:
        return 0

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """One turn, as `Session.stream` says."""
        yield TurnStarted(provider=self._protocol.info(self._model), session_id=self.conversation_id)
        turn = ResponsesTurn(self._protocol.connection.upstream_of(self._model))
        try:
            async with aclosing(self._turn(turn, prompt)) as told:
                async for event in told:
                    if isinstance(event, TurnCompleted):
                        self._protocol.models.worked(self._model)
                    self._answered = turn.is_stored
                    yield event
        except ProviderError as error:
            self._answered = turn.is_stored
            if turn.text_sent:
                raise
            raise self._protocol.models.failed(self._model, error) from None

    async def _turn(self, turn: ResponsesTurn, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        history = () if self._record.answered else prompt.history

        async def start() -> httpx.Response:
            opening = self._client.responses.with_streaming_response.create(
                model=self._model,
                input=response_input(history, prompt.question),
                instructions=prompt.system_text,
                conversation=self.conversation_id,
                store=True,  # without it the turn is not added to the conversation
                stream=True,
            )
            return (await opening.__aenter__()).http_response

        upstream = self._protocol.connection.upstream_of(self._model)
        async with self._protocol.connection.answer(start, upstream) as received:
            async for event in received:
                for told in turn.read(event):
                    yield told
                    if isinstance(told, TurnCompleted):
                        return
        raise turn.cut()

    async def take(self) -> None:
        """Writes the hold of this turn, for other replicas to see."""
        metadata = dict(self._record.metadata)
        await self._protocol.connection.attempt(
            lambda: self._client.conversations.update(self.conversation_id, metadata=metadata, timeout=SHORT_REQUEST)
        )

    async def release(self) -> None:
        """Gives the session back, within bounded time and whatever ended the turn."""
        if self._record.is_over:
            return
        released = self._record.released(answered=self._answered)
        try:
            with anyio.move_on_after(_RELEASE, shield=True) as scope:
                await self._client.conversations.update(self.conversation_id, metadata=dict(released.metadata))
            if scope.cancelled_caught:
                logger.warning("%s stays held until its hold expires: no answer in time", self.conversation_id)
        except foreign_errors() as error:
            logger.warning("%s stays held until its hold expires: %s", self.conversation_id, type(error).__name__)
