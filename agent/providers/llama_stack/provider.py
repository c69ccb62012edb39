"""The llama-stack provider: finds out what the server offers, chooses the wire protocol, opens sessions on it.

Responses and Conversations (llama-stack since 0.3, OGX) before the Agents API (0.2.x) before chat completions. A
configured agent asks for the Agents API. The choice is made once, at the first turn or check, and made again only
after the server could not be reached: it may come back as another version. It is never made within a turn.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import quote

from agent.errors import ProviderUnreachable
from agent.objects.manifest import text_at
from agent.providers.events import ProviderInfo, SessionRequest
from agent.providers.llama_stack.agents import Agents, AgentsSession
from agent.providers.llama_stack.chat import ChatCompletions, ChatSession
from agent.providers.llama_stack.connection import ServerConnection
from agent.providers.llama_stack.models import ModelChoice
from agent.providers.llama_stack.ownership import Holds
from agent.providers.llama_stack.responses import Responses, ResponsesSession
from agent.settings import Settings

logger = logging.getLogger(__name__)

type Protocol = Responses | Agents | ChatCompletions
type LlamaStackSession = ResponsesSession | AgentsSession | ChatSession

# What the server offers is probed path by path: `/v1/inspect/routes` would list all of it, but making that list keeps
# the server from everything else for half a second.
_CONVERSATIONS, _RESPONSES = "/v1/conversations", "/v1/responses"
_AGENTS_TURN = "/v1/agents/none/session/none/turn"
_CHAT, _OLD_CHAT = "/v1/chat/completions", "/v1/openai/v1/chat/completions"
_EACH_ANSWER = "each answer has a session id of its own, the latest one continues the conversation"


class LlamaStack:
    """A llama-stack, OGX or OpenAI-compatible server. Construction does no I/O; an instance belongs to one event loop.

    Raises SettingsError when no usable address is configured.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = ServerConnection(settings)
        self._models = ModelChoice(self._connection, settings.llamastack_model, window=settings.model_window)
        self._holds = Holds()
        self._choosing = asyncio.Lock()
        self._protocol: Protocol | None = None
        self._announced: ProviderInfo | None = None

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator[LlamaStackSession]:
        """Open or continue a session, as described in `Provider.open`."""
        try:
            protocol = await self._chosen()
            async with protocol.open(request) as session:
                yield session
        except ProviderUnreachable:
            self._protocol = None
            raise

    async def check(self) -> ProviderInfo:
        """Whether a turn could start now; loads what the first turn would have to load. Raises ProviderError."""
        try:
            protocol = await self._chosen()
            match protocol:
                case Responses():
                    await self._connection.client()
                    model = await protocol.models.current()
                case Agents():
                    model = await protocol.model()
                case ChatCompletions():
                    model = await protocol.models.current()
        except ProviderUnreachable:
            self._protocol = None
            raise
        return protocol.info(model)

    async def aclose(self) -> None:
        """Closes connections."""
        await self._connection.aclose()

    async def _chosen(self) -> Protocol:
        if self._protocol is not None:
            return self._protocol
        async with self._choosing:  # of many first turns one asks, the others wait for what it finds
            if self._protocol is None:
                self._protocol = await self._choose()
            return self._protocol

    async def _choose(self) -> Protocol:
        version = await self._connection.get_if_there("/v1/version")
        self._connection.server_version = text_at(version, "version")
        protocol = await self._offered()
        self._announce(protocol.info(""))
        return protocol

    def _announce(self, info: ProviderInfo) -> None:
        """Logs the choice when it is another than before; a fallback is a warning."""
        if info == self._announced:
            return
        self._announced = info
        version = self._connection.server_version
        server = (
            f"{self._connection.upstream.server} (version {version})" if version else self._connection.upstream.server
        )
        note = f": {info.note}" if info.note else ""
        logger.log(logging.WARNING if note else logging.INFO, "%s is asked over %s%s", server, info.protocol, note)

    async def _offered(self) -> Protocol:
        connection, models, agent_id = self._connection, self._models, self._settings.llamastack_agent_id
        ignored = ""
        if agent_id:
            if await connection.offers(_AGENTS_TURN):
                note = f"LLAMASTACK_AGENT_ID asks for the Agents API: {_EACH_ANSWER}"
                return Agents(
                    connection, models, self._holds, self._settings, agent_id=quote(agent_id, safe=""), note=note
                )
            ignored = "LLAMASTACK_AGENT_ID is ignored: the server has no Agents API"
        if await connection.offers(_CONVERSATIONS) and await connection.offers(_RESPONSES):
            return Responses(connection, models, self._holds, self._settings, note=ignored)
        if not ignored and await connection.offers(_AGENTS_TURN):
            note = f"the server has no Conversations, so the Agents API is used: {_EACH_ANSWER}"
            return Agents(connection, models, self._holds, self._settings, agent_id=None, note=note)
        models.expect_plain()
        path = _OLD_CHAT if not await connection.offers(_CHAT) and await connection.offers(_OLD_CHAT) else _CHAT
        note = "chat completions keep no session: the messages of the request are the history"
        return ChatCompletions(connection, models, path=path, note="; ".join(filter(None, (ignored, note))))
