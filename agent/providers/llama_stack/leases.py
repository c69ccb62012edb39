"""The conversation that a turn holds: found, made, read and kept up to date, with the record of its session.

A session that has grown beyond its limit continues, shortened, in a successor that its id leads to. One that is lost is
replaced by a new one. A new conversation is made after its first turn was answered, from that turn's messages: making
it earlier would cost the server time before the first token. Owns these requests, their retries and which conversation
a turn belongs to; the fields of a record are `ownership`'s.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, cast

import anyio

from agent.errors import SessionNotFound
from agent.objects.manifest import objects_at, text_at
from agent.prompt.compaction import compacted
from agent.providers.events import SessionRequest
from agent.providers.llama_stack.connection import SHORT_REQUEST, ServerConnection
from agent.providers.llama_stack.failures import LOST_SESSION, foreign_errors
from agent.providers.llama_stack.history import gathered, in_turns, message_item, tokens_of
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.request.caller import Caller
from agent.request.conversation import Message

logger = logging.getLogger(__name__)

_ID = re.compile(r"conv_[A-Za-z0-9]{1,200}")
# More than any conversation holds that is made shorter in time. llama-stack gives no further page.
_MOST_ITEMS = 10_000
# Seconds for giving a session back at the end of a turn; the hold expires by itself.
_RELEASE = 2.0


def require_id(session_id: str) -> str:
    """`session_id`, if it has the form of a conversation's. Raises SessionNotFound for any other."""
    if not _ID.fullmatch(session_id):
        raise SessionNotFound(LOST_SESSION)
    return session_id


class Conversations:
    """Those of one server."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._first = asyncio.Lock()
        self._made_one = False

    async def make(self, record: Record, *messages: Message) -> str:
        """The id of a new conversation that holds `messages`, oldest first. Raises ProviderError.

        A fresh llama-stack makes its tables with the first one and answers 500 to those that come meanwhile: so the
        first one goes alone, and after another replica's it is tried again.
        """
        if self._made_one:
            return await self._make(record, messages)
        async with self._first:
            conversation_id = await self._make(record, messages)
            self._made_one = True
        return conversation_id

    async def _make(self, record: Record, messages: Sequence[Message]) -> str:
        client = await self._connection.client()
        made = await self._connection.attempt(
            lambda: client.conversations.create(metadata=dict(record.metadata), timeout=SHORT_REQUEST), any_500=True
        )
        # Added in a step of their own, they get times of their own: llama-stack sorts by nothing else.
        # With ids of their own, another try adds nothing twice: llama-stack writes one by one over what has its id, OGX
        # writes all of them or none.
        items = cast("Any", [message_item(message) | {"id": f"msg_{secrets.token_hex(24)}"} for message in messages])
        await self._connection.attempt(
            lambda: client.conversations.items.create(made.id, items=items, timeout=SHORT_REQUEST), any_500=True
        )
        return made.id

    async def find(self, conversation_id: str) -> Record | None:
        """The record of a conversation, None for one that this assistant did not make.

        Raises SessionNotFound for one that is lost, and ProviderError.
        """
        client = await self._connection.client()
        found = await self._connection.attempt(
            lambda: client.conversations.retrieve(require_id(conversation_id), timeout=SHORT_REQUEST), any_500=True
        )
        return Record.of(found.metadata or {})

    async def keep(self, conversation_id: str, record: Record) -> None:
        """Writes the record. Raises SessionNotFound and ProviderError."""
        client = await self._connection.client()
        metadata = dict(record.metadata)
        await self._connection.attempt(
            lambda: client.conversations.update(conversation_id, metadata=metadata, timeout=SHORT_REQUEST),
            any_500=True,
        )

    async def give_back(self, *records: tuple[str, Record]) -> None:
        """Writes the records at the end of a turn, in their order: within bounded time and whatever ended the turn."""
        try:
            with anyio.move_on_after(_RELEASE, shield=True) as scope:
                client = await self._connection.client()
                for conversation_id, record in records:
                    await client.conversations.update(conversation_id, metadata=dict(record.metadata))
            if scope.cancelled_caught:
                logger.warning("%s stays held until its hold expires: no answer in time", records[-1][0])
        except foreign_errors() as error:
            logger.warning("%s stays held until its hold expires: %s", records[-1][0], type(error).__name__)

    async def messages(self, conversation_id: str) -> list[Message]:
        """The messages, oldest first. Raises SessionNotFound and ProviderError."""
        path = f"/v1/conversations/{conversation_id}/items?order=asc&limit={_MOST_ITEMS}"
        items = objects_at(await self._connection.get(path), "data")
        return in_turns([message for item in items if (message := _message(item)) and message.text])


def _message(item: dict[str, object]) -> Message | None:
    role = text_at(item, "role")
    if text_at(item, "type") != "message" or role not in ("user", "assistant"):
        return None
    parts = objects_at(item, "content")
    text = "".join(text_at(part, "text") or text_at(part, "refusal") for part in parts) or text_at(item, "content")
    return Message("user" if role == "user" else "assistant", text)


# Successors that are followed from an old session id.
_MOST_HOPS = 50
# What is left of a session that is made shorter, as a share of its limit.
_SHORTENED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationLease:
    """The conversation of a turn; `conversation_id` is "" for one that is not made yet.

    `earlier` is what goes before the question: the shortened history
    of `old`, the conversation that this one succeeds. `lost` is the id of the session that this one replaces. `detour`
    is the conversation of the request's id where it leads here by way of others.
    """

    record: Record
    conversation_id: str = ""
    earlier: str = ""
    old: tuple[str, Record] | None = None
    lost: str = ""
    detour: tuple[str, Record] | None = None

    @property
    def history_tokens(self) -> int:
        """The tokens of the conversation, or of what it is given besides the question."""
        if self.earlier:
            return tokens_of(Message("user", self.earlier))
        return self.record.history_tokens or 0

    def given(self, history: Sequence[Message], question: str) -> list[Message]:
        """What a response is given; `history` are the messages of the request, for a session that holds none."""
        if self.earlier:
            return [Message("user", f"{self.earlier}\n\n{question}")]
        return [*(() if self.conversation_id else gathered(history)), Message("user", question)]

    def input(self, history: Sequence[Message], question: str) -> Any:
        """The same as the input of a response."""
        given = self.given(history, question)
        return given[0].text if len(given) == 1 else [message_item(message) for message in given]

    def answered(self, history: Sequence[Message], question: str, answer: str, *, previous_fingerprint: str) -> Record:
        """The record after a turn that was answered."""
        given = () if self.earlier or self.conversation_id else history
        added = tokens_of(*given, Message("user", question), Message("assistant", answer))
        return self.record.holding(self.history_tokens + added, previous_fingerprint=previous_fingerprint).released()

    def unanswered(self, *, certain: bool) -> Record:
        """The record after a turn that was not answered; not `certain`: it may have been all the same."""
        return (self.record if certain else self.record.holding(None)).released()

    def records(self, record: Record) -> tuple[tuple[str, Record], ...]:
        """What is to be kept at the end of the turn, `record` with the conversation itself."""
        kept = [(self.conversation_id, record)] if self.conversation_id else []
        if self.old:
            old_id, old = self.old
            kept.append((old_id, replace(old, successor=self.conversation_id).released()))
        if self.detour and self.conversation_id:
            first_id, first = self.detour
            kept.append((first_id, replace(first, successor=self.conversation_id)))
        return tuple(kept)


class Leases:
    """Finds and takes the conversation of a turn. `seconds` is how long a turn may hold it, `limit` the most tokens
    that a session may hold before it is made shorter."""

    def __init__(self, conversations: Conversations, holds: Holds, *, seconds: float, limit: int) -> None:
        self._conversations = conversations
        self._holds = holds
        self._seconds = seconds
        self._limit = limit

    async def find(self, request: SessionRequest, held: ExitStack) -> ConversationLease:
        """The lease for a request, held in this process until `held` ends.

        Raises SessionNotFound for an id that is none, SessionForbidden, SessionBusy and ProviderError.
        """
        if request.session_id is None:
            return ConversationLease(record=Record.new(request.caller))
        session_id = require_id(request.session_id)
        try:
            return await self._followed(session_id, request.caller, held)
        except SessionNotFound:
            return ConversationLease(record=Record.new(request.caller), lost=session_id)

    async def take(self, lease: ConversationLease) -> None:
        """Writes the hold, for other replicas to see."""
        if lease.conversation_id:
            await self._conversations.keep(lease.conversation_id, lease.record)

    async def within_limit(self, lease: ConversationLease) -> ConversationLease:
        """The lease itself, or one on the successor of a conversation that holds too much. Raises ProviderError."""
        if lease.history_tokens <= self._limit:
            return lease
        messages = await self._conversations.messages(lease.conversation_id)
        earlier = compacted(messages, int(self._limit * _SHORTENED))
        return ConversationLease(
            record=lease.record.succeeding(),
            earlier=earlier,
            old=(lease.conversation_id, lease.record),
            detour=lease.detour,
        )

    async def _followed(self, session_id: str, caller: Caller, held: ExitStack) -> ConversationLease:
        """The conversation that a session's id leads to: its successor's successor."""
        seen: set[str] = set()
        first: tuple[str, Record] | None = None
        for _ in range(_MOST_HOPS):
            if session_id not in seen:
                held.enter_context(self._holds.hold(session_id))
                seen.add(session_id)
            record = check_owner(await self._conversations.find(session_id), caller)
            if record.is_uncertain:
                record = record.holding(tokens_of(*await self._conversations.messages(session_id)))
            if record.successor and record.successor not in seen:
                first = first or (session_id, record)
                session_id = record.successor
            else:
                record = replace(record, successor="").held(seconds=self._seconds)
                direct = first is None or first[1].successor == session_id
                return ConversationLease(conversation_id=session_id, record=record, detour=None if direct else first)
        raise SessionNotFound(LOST_SESSION)
