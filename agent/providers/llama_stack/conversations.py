"""The conversations of a server: made, found, read and kept up to date, each with the record of its session.

Owns these requests and their retries; which conversation a turn belongs to is `responses`' to find out.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Sequence
from typing import Any, cast

import anyio

from agent.errors import SessionNotFound
from agent.objects.manifest import objects_at, text_at
from agent.providers.llama_stack.connection import SHORT_REQUEST, ServerConnection
from agent.providers.llama_stack.failures import LOST_SESSION, foreign_errors
from agent.providers.llama_stack.history import in_turns, message_item
from agent.providers.llama_stack.ownership import Record
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
        """What was said, oldest first. Raises SessionNotFound and ProviderError."""
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
