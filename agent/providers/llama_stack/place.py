"""The place of a turn: the conversation that its session's id leads to, held until the turn has ended.

A session that has grown beyond its limit goes on, shortened, in a successor that its id leads to. One that is lost is
replaced by a new one. Owns this way; the requests are `conversations`', the fields `ownership`'s.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from agent.compaction import compacted
from agent.conversation import Message
from agent.errors import SessionNotFound
from agent.providers.llama_stack.conversations import Conversations, require_id
from agent.providers.llama_stack.failures import LOST_SESSION
from agent.providers.llama_stack.history import response_input, tokens_of
from agent.providers.llama_stack.ownership import Holds, Record, check_owner
from agent.providers.provider import SessionRequest

# Successors that are followed from an old session id.
_MOST_HOPS = 50
# What is left of a session that is made shorter, as a share of its limit.
_SHORTENED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The conversation of a turn.

    `is_taken`: the server knows of this turn's hold. `earlier` is what goes before the question: the shortened history
    of `old`, the conversation that this one succeeds. `lost` is the id of the session that this one replaces. `detour`
    is the conversation of the request's id where it leads here by way of others.
    """

    conversation_id: str
    record: Record
    is_taken: bool = False
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

    def input(self, history: Sequence[Message], question: str) -> object:
        """The input of a response; `history` are the messages of the request, for a session that holds none."""
        if self.earlier:
            return f"{self.earlier}\n\n{question}"
        return response_input(() if self.record.answered else history, question)

    def unchanged(self, *, certain: bool) -> tuple[tuple[str, Record], ...]:
        """The records after a turn that was not answered; not `certain`: it may have been all the same."""
        record = self.record if certain else self.record.holding(None)
        return self._released(record, successor="" if certain else self.conversation_id)

    def answered(
        self, history: Sequence[Message], question: str, answer: str, *, remembered: str
    ) -> tuple[tuple[str, Record], ...]:
        """The records after a turn that was answered."""
        given = () if self.earlier or self.record.answered else history
        said = tokens_of(*given, Message("user", question), Message("assistant", answer))
        record = self.record.holding(self.history_tokens + said, remembered=remembered)
        return self._released(record, successor=self.conversation_id)

    def _released(self, record: Record, *, successor: str) -> tuple[tuple[str, Record], ...]:
        kept = [(self.conversation_id, record.released())]
        if self.old:
            old_id, old = self.old
            kept.append((old_id, replace(old, successor=successor).released()))
        if self.detour and successor:
            first_id, first = self.detour
            kept.append((first_id, replace(first, successor=successor)))
        return tuple(kept)


class Places:
    """Finds and takes the place of a turn. `seconds` is how long a turn may hold it, `limit` the most tokens that a
    session may hold before it is made shorter."""

    def __init__(self, conversations: Conversations, holds: Holds, *, seconds: float, limit: int) -> None:
        self._conversations = conversations
        self._holds = holds
        self._seconds = seconds
        self._limit = limit

    async def find(self, request: SessionRequest, held: ExitStack) -> Place:
        """The place for a request, held in this process until `held` ends; one that is new is taken already.

        Raises SessionNotFound for an id that is none, SessionForbidden, SessionBusy and ProviderError.
        """
        if request.session_id is None:
            return await self._new(request, held)
        session_id = require_id(request.session_id)
        try:
            return await self._followed(session_id, request.user_id, held)
        except SessionNotFound:
            return replace(await self._new(request, held), lost=session_id)

    async def take(self, place: Place) -> Place:
        """Writes the hold, for other replicas to see."""
        if not place.is_taken:
            await self._conversations.keep(place.conversation_id, place.record)
        return replace(place, is_taken=True)

    async def within_limit(self, place: Place, held: ExitStack) -> Place:
        """The place itself, or the successor of one that holds too much."""
        if place.history_tokens <= self._limit:
            return place
        messages = await self._conversations.messages(place.conversation_id)
        earlier = compacted(messages, int(self._limit * _SHORTENED))
        record = place.record.succeeding(place.conversation_id)
        conversation_id = await self._conversations.make(record)
        held.enter_context(self._holds.hold(conversation_id))
        return Place(
            conversation_id=conversation_id,
            record=record,
            is_taken=True,
            earlier=earlier,
            old=(place.conversation_id, place.record),
            detour=place.detour,
        )

    async def _new(self, request: SessionRequest, held: ExitStack) -> Place:
        record = Record.new(request.user_id).held(seconds=self._seconds)
        conversation_id = await self._conversations.make(record)
        held.enter_context(self._holds.hold(conversation_id))
        return Place(conversation_id=conversation_id, record=record, is_taken=True)

    async def _followed(self, session_id: str, user_id: str | None, held: ExitStack) -> Place:
        """The conversation that a session's id leads to: its successor's successor, or the one before a successor whose
        first turn failed."""
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
            elif record.predecessor and not record.answered:
                session_id = record.predecessor
            else:
                record = replace(record, successor="").held(seconds=self._seconds)
                direct = first is None or first[1].successor == session_id
                return Place(conversation_id=session_id, record=record, detour=None if direct else first)
        raise SessionNotFound(LOST_SESSION)
