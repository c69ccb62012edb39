"""Lightspeed over HTTP: opens sessions, posts the query of a turn and streams its answer."""

import json
import secrets
import ssl
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, aclosing, asynccontextmanager, contextmanager

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent.errors import (
    ProviderUnreachable,
    ResponseCut,
    ResponseFailed,
    SessionBusy,
    SessionNotFound,
    SettingsError,
)
from agent.prompt.prompt import Prompt
from agent.providers.events import ProviderEvent, ProviderInfo, SessionRequest, TurnCompleted, TurnStarted
from agent.providers.lightspeed.events import EventReader, WireEvent, provider_events
from agent.providers.lightspeed.failures import QueryContext, event_error, refused, translated
from agent.providers.lightspeed.query import Query, compose_query
from agent.providers.lightspeed.session_id import SessionIds, is_conversation_id
from agent.request.caller import Caller
from agent.request.conversation import Message
from agent.settings import Settings

# Of an error's body no more than this is read.
_LONGEST_ERROR = 64_000
# Most seconds between tries: the first, doubled with each try up to the second.
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0


class Lightspeed:
    """OpenShift Lightspeed. Construction does no I/O; an instance belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = (settings.lightspeed_url or "").removesuffix("/v1")
        self._model = f"{settings.lightspeed_provider}/{settings.lightspeed_model}" if settings.lightspeed_model else ""
        self._opened: httpx.AsyncClient | None = None
        self._busy: set[str] = set()

    @asynccontextmanager
    async def open(self, request: SessionRequest) -> AsyncGenerator["LightspeedSession"]:
        """Open or continue a session; nothing is sent before the turn.

        Raises SessionNotFound, SessionForbidden, SessionBusy, and SettingsError without a token.
        """
        ids = SessionIds(self.token)
        conversation, nonce = None, secrets.token_hex(16)
        if request.session_id is not None:
            conversation, nonce = ids.parse(request.session_id, caller=request.caller)
        with ExitStack() as held:
            if conversation:
                held.enter_context(self.hold(conversation))
            yield LightspeedSession(self, ids, held, conversation_id=conversation, nonce=nonce, caller=request.caller)

    async def check(self) -> ProviderInfo:
        """Return who answers if Lightspeed is ready. Raises ProviderError, and SettingsError without a token."""
        with self._translated(answering=False):
            response = await self._client.get(f"{self._url}/readiness", headers=self._headers())
        if not response.is_success:
            raise refused(response.status_code, _parsed(response.content), self.query_context(continuing=False))
        return self.info()

    async def aclose(self) -> None:
        """Closes connections."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    def info(self, note: str = "") -> ProviderInfo:
        return ProviderInfo(name="lightspeed", protocol="streaming-query", model=self._model, note=note)

    def compose(self, prompt: Prompt, *, conversation_id: str | None) -> Query:
        return compose_query(
            prompt,
            conversation_id=conversation_id,
            provider=self._settings.lightspeed_provider,
            model=self._settings.lightspeed_model,
        )

    @property
    def token(self) -> str:
        """The bearer token. Raises SettingsError where none is set, or none that a header can carry."""
        secret = self._settings.lightspeed_token
        token = secret.get_secret_value().strip() if secret else ""
        if not token:
            raise SettingsError(
                "LIGHTSPEED_TOKEN: is not set, and Lightspeed answers nobody without one; set it to a bearer token of "
                "Kubernetes or OpenShift (`oc whoami -t` prints one)"
            )
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise SettingsError("LIGHTSPEED_TOKEN: holds characters that no token has")
        return token

    @contextmanager
    def hold(self, conversation_id: str) -> Generator[None]:
        """Keep other turns out of the conversation for the length of the block. Raises SessionBusy."""
        if conversation_id in self._busy:
            raise SessionBusy("custom_inputs.session_id: a turn is running in this session; wait for its end")
        self._busy.add(conversation_id)
        try:
            yield
        finally:
            self._busy.discard(conversation_id)

    def query_context(self, *, continuing: bool) -> QueryContext:
        return QueryContext(continuing=continuing, model=self._model, token=self.token)

    @asynccontextmanager
    async def answer(self, query: Query, query_context: QueryContext) -> AsyncGenerator[AsyncGenerator[WireEvent]]:
        """Posts the query; the events of its answer while the block runs. An unreachable server is tried again."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(1 + self._settings.provider_retries),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT),
            retry=retry_if_exception_type(ProviderUnreachable),
            reraise=True,
        )
        response: httpx.Response = await retrying(self._post, query, query_context)
        try:
            async with aclosing(self._events(response)) as events:
                yield events
        finally:
            await response.aclose()

    async def _events(self, response: httpx.Response) -> AsyncGenerator[WireEvent]:
        reader = EventReader()
        with self._translated(answering=True):
            async for chunk in response.aiter_bytes():
                for event in reader.feed(chunk):
                    yield event

    async def _post(self, query: Query, query_context: QueryContext) -> httpx.Response:
        """The answer with its head read. Raises the error of `refused` for any status but 200."""
        with self._translated(answering=False):
            request = self._client.build_request(
                "POST", f"{self._url}/v1/streaming_query", json=query.body, headers=self._headers()
            )
            response = await self._client.send(request, stream=True)
            if response.status_code == 200:
                return response
            try:
                body = await _beginning(response)
            finally:
                await response.aclose()
        raise refused(response.status_code, _parsed(body), query_context)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _translated(self, *, answering: bool) -> AbstractContextManager[None]:
        settings = self._settings
        return translated(
            connect_timeout=settings.connect_timeout, timeout=settings.provider_timeout, answering=answering
        )

    @property
    def _client(self) -> httpx.AsyncClient:
        """Opened at the first use. The number of turns at once is the server's to limit, not the pool's."""
        if self._opened is None:
            self._opened = httpx.AsyncClient(
                verify=_certificates(self._settings.lightspeed_ca_bundle),
                timeout=httpx.Timeout(self._settings.provider_timeout, connect=self._settings.connect_timeout),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            )
        return self._opened


class LightspeedSession:
    """A conversation of Lightspeed in the hands of its user."""

    def __init__(
        self,
        lightspeed: Lightspeed,
        ids: SessionIds,
        held: ExitStack,
        *,
        conversation_id: str | None,
        nonce: str,
        caller: Caller,
    ) -> None:
        self._lightspeed = lightspeed
        self._ids = ids
        self._held = held
        self._conversation = conversation_id
        self._continues = conversation_id is not None
        self._nonce = nonce
        self._caller = caller

    @property
    def redaction_key(self) -> bytes:
        """Keyed by the token and the nonce that the session id carries."""
        return self._ids.redaction_key(self._nonce)

    @property
    def model(self) -> str:
        return self._lightspeed.info().model

    @property
    def window(self) -> None:
        """Unknown: Lightspeed counts and shortens by itself, and refuses with 413 what it cannot."""

    def learn_window(self, tokens: int) -> None:
        """Nothing: Lightspeed shortens by itself."""

    @property
    def history_tokens(self) -> int:
        """None of ours: Lightspeed compresses its conversations by itself."""
        return 0

    @property
    def previous_fingerprint(self) -> str:
        """Nothing: Lightspeed has no place for it."""
        return ""

    async def earlier(self) -> Sequence[Message] | None:
        """None where Lightspeed continues a conversation: it does not return what that holds."""
        return None if self._continues else ()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ProviderEvent]:
        """One turn. Raises ProviderError, SessionNotFound, SessionBusy, and RequestError for too long a question."""
        query = self._lightspeed.compose(prompt, conversation_id=self._conversation)
        query_context = self._lightspeed.query_context(continuing=self._conversation is not None)
        started = False
        async with self._lightspeed.answer(query, query_context) as events:
            async for event in events:
                if event.name == "start":
                    self._adopt(event)
                if not started:
                    started = True
                    yield self._started(query)
                if event.name == "error":
                    raise event_error(event.data, query_context)
                if event.name == "approval_required":
                    raise ResponseFailed(
                        "Lightspeed wants a tool call to be approved, which is not supported here: let it run its "
                        "tools without approval."
                    )
                for read in provider_events(event):
                    yield read
                    if isinstance(read, TurnCompleted):
                        return
        raise ResponseCut("Lightspeed's answer ended before it was complete.")

    def _adopt(self, event: WireEvent) -> None:
        """Takes the conversation that the server names; a session that it does not continue is lost."""
        named = event.data.get("conversation_id")
        if not isinstance(named, str) or not is_conversation_id(named):
            raise ResponseFailed("Lightspeed names no usable conversation_id at the start of its answer.")
        if self._conversation is None:
            self._held.enter_context(self._lightspeed.hold(named))
            self._conversation = named
        elif named != self._conversation:
            raise SessionNotFound(
                "custom_inputs.session_id: Lightspeed no longer has this conversation; leave it out to start one"
            )

    def _started(self, query: Query) -> TurnStarted:
        note = f"Over Lightspeed's limits, left out: {query.left_out}" if query.left_out else ""
        session_id = None
        if self._conversation:
            session_id = self._ids.issue(self._conversation, nonce=self._nonce, caller=self._caller)
        return TurnStarted(provider=self._lightspeed.info(note), session_id=session_id)


def _certificates(ca_bundle: str | None) -> ssl.SSLContext | bool:
    if ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:  # SSLError is one
        raise SettingsError(
            f"LIGHTSPEED_CA_BUNDLE: {ca_bundle!r} cannot be read as PEM ({type(error).__name__})"
        ) from None


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LONGEST_ERROR:
            break
    return body


def _parsed(body: bytes) -> object:
    """An error's body as JSON, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
