"""The contract between the assistant and a provider: a Provider opens a Session, a Session streams a turn.

Each provider maps its wire format to the events of `agent.providers.events` and its failures to `agent.errors`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agent.prompt.prompt import Prompt
from agent.providers.events import ProviderEvent, ProviderInfo, SessionRequest
from agent.request.conversation import Message


class Session(Protocol):
    """An open session, held by one turn at a time."""

    @property
    def redaction_key(self) -> bytes:
        """Secret of this session that keys the placeholders of redacted values; the same on every replica."""
        ...

    @property
    def model(self) -> str:
        """The model that will answer, "" where none is involved or known before the turn."""
        ...

    @property
    def window(self) -> int | None:
        """Tokens that the model can take, request and answer together; None where it is unknown, 0 where no model
        reads the prompt."""
        ...

    def learn_window(self, tokens: int) -> None:
        """Note that the model takes no more than `tokens`: its server refused more, or cut it. `window` is that from
        now on, for later sessions too."""
        ...

    @property
    def history_tokens(self) -> int:
        """Tokens of what the session holds already and the server sends along (`agent.prompt.tokens`' estimate)."""
        ...

    @property
    def previous_fingerprint(self) -> str:
        """The `Prompt.fingerprint` of the last turn that was answered, "" for none or where none is kept."""
        ...

    async def earlier(self) -> Sequence[Message] | None:
        """The messages of the session before this turn, as far as they are kept, oldest first; None where the server
        keeps them and does not return them. Called after the answer only. Raises ProviderError or SessionError."""
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[ProviderEvent]:
        """One turn: TurnStarted, any number of others, TurnCompleted.

        Raises ProviderError, SessionError, or RequestError for a question that the server cannot take. Closing the
        iterator ends the upstream request.
        """
        ...


class Provider(Protocol):
    """A way to have a question answered. Construction does no I/O."""

    def open(self, request: SessionRequest) -> AbstractAsyncContextManager[Session]:
        """Open or continue a session and hold it until the end of the block.

        Raises SessionNotFound, SessionForbidden, SessionBusy, ProviderError, or SettingsError for a missing token.
        """
        ...

    async def check(self) -> ProviderInfo:
        """Return who would answer a turn now. Raises ProviderError, or SettingsError for a missing token."""
        ...

    async def aclose(self) -> None:
        """Close the connections. Raises nothing."""
        ...
