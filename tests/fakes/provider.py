"""A provider in the process that says what a test tells it to: a stand-in for a model, with no server in between."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agent.prompt.prompt import Prompt
from agent.providers.events import (
    ProviderEvent,
    ProviderInfo,
    SessionRequest,
    TextDelta,
    TurnCompleted,
    TurnStarted,
    Usage,
)
from agent.request.conversation import Message

SCRIPTED = ProviderInfo(name="llama-stack", protocol="responses", model="scripted")


class ScriptedProvider:
    """Streams `deltas`, `pause` seconds apart, then completes; an exception in `deltas` or `on_open` is raised.

    `prompts` holds every prompt that was asked, `closed` counts the streams that were closed, `open_streams` those that
    are running; `earlier` is what the session holds, `asked_for_earlier` counts how often it was asked for.
    """

    def __init__(
        self,
        deltas: Sequence[str | ProviderEvent | Exception] = ("All ", "is ", "well."),
        *,
        pause: float = 0.0,
        usage: Usage | None = None,
        on_open: Exception | None = None,
        session_id: str | None = "session-1",
        window: int | None = None,
        history_tokens: int = 0,
        previous_fingerprint: str = "",
        earlier: Sequence[Message] | Exception | None = (),
    ) -> None:
        self.deltas = deltas
        self.pause = pause
        self.usage = usage
        self.on_open = on_open
        self.session_id = session_id
        self.window = window
        self.history_tokens = history_tokens
        self.previous_fingerprint = previous_fingerprint
        self.earlier = earlier
        self.asked_for_earlier = 0
        self.prompts: list[Prompt] = []
        self.requests: list[SessionRequest] = []
        self.open_streams = 0
        self.closed = 0

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["ScriptedSession"]:
        self.requests.append(request)
        if self.on_open:
            raise self.on_open
        yield ScriptedSession(self)

    async def check(self) -> ProviderInfo:
        return SCRIPTED

    async def aclose(self) -> None: ...


class ScriptedSession:
    """One session of a ScriptedProvider."""

    redaction_key = b"scripted"
    model = SCRIPTED.model

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider
        self.window = provider.window
        self.history_tokens = provider.history_tokens
        self.previous_fingerprint = provider.previous_fingerprint

    def learn_window(self, tokens: int) -> None:
        self._provider.window = self.window = tokens

    async def earlier(self) -> Sequence[Message] | None:
        self._provider.asked_for_earlier += 1
        if isinstance(self._provider.earlier, Exception):
            raise self._provider.earlier
        return self._provider.earlier

    async def stream(self, prompt: Prompt) -> AsyncIterator[ProviderEvent]:
        provider = self._provider
        provider.prompts.append(prompt)
        provider.open_streams += 1
        try:
            yield TurnStarted(provider=SCRIPTED, session_id=provider.session_id)
            for delta in provider.deltas:
                await asyncio.sleep(provider.pause)
                if isinstance(delta, Exception):
                    raise delta
                yield TextDelta(delta) if isinstance(delta, str) else delta
            yield TurnCompleted(usage=provider.usage)
        finally:
            provider.open_streams -= 1
            provider.closed += 1
