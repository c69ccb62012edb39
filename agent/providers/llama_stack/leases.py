"""The lease of a turn: the conversation that its session's id leads to, held until the turn has ended.

A session that has grown beyond its limit goes on, shortened, in a successor that its id leads to. One that is lost is
replaced by a new one. What is new is made when its first turn was answered, from what was said: until then nobody
knows of it, and a conversation would cost the server a good deal before the first token. Owns this way; the requests
are `conversations`', the fields `ownership`'s.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from agent.errors import SessionNotFound
from agent.prompt.compaction import compacted
from agent.providers.llama_stack.conversations import Conversations, require_id
from agent.providers.llama_stack.failures import LOST_SESSION
from agent.providers.llama_stack.history import gathered, message_item, tokens_of
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.providers.provider import SessionRequest
from agent.request.conversation import Message

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
        """What the conversation holds or is given beside the question."""
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
        said = tokens_of(*given, Message("user", question), Message("assistant", answer))
        return self.record.holding(self.history_tokens + said, previous_fingerprint=previous_fingerprint).released()

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
    """Finds and takes the lease of a turn. `seconds` is how long a turn may hold it, `limit` the most tokens that a
    session may hold before it is made shorter."""

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
            return ConversationLease(record=Record.new(request.user_id))
        session_id = require_id(request.session_id)
        try:
            return await self._followed(session_id, request.user_id, held)
        except SessionNotFound:
            return ConversationLease(record=Record.new(request.user_id), lost=session_id)

    async def take(self, lease: ConversationLease) -> None:
        """Writes the hold, for other replicas to see."""
        if lease.conversation_id:
            await self._conversations.keep(lease.conversation_id, lease.record)

    async def within_limit(self, lease: ConversationLease) -> ConversationLease:
        """The lease itself, or the successor of one that holds too much."""
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

    async def _followed(self, session_id: str, user_id: str | None, held: ExitStack) -> ConversationLease:
        """The conversation that a session's id leads to: its successor's successor."""
        seen: set[str] = set()
        first: tuple[str, Record] | None = None
        for _ in range(_MOST_HOPS):
            if session_id not in seen:
                held.enter_context(self._holds.hold(session_id))
                seen.add(session_id)
            record = check_owner(await self._conversations.find(session_id), user_id)
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
