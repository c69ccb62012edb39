"""The connection to the server: one pool of HTTP connections, llama_stack_client on top of it, bounded retries.

Owns addresses, credentials, certificates and time limits; knows no wire protocol beyond JSON and event streams.
"""

import asyncio
import importlib
import logging
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from agent.errors import ProviderUnauthorized, SettingsError
from agent.providers.llama_stack.event_stream import events
from agent.providers.llama_stack.failures import Upstream, retry_after, translated
from agent.providers.llama_stack.http_client import HttpClient
from agent.settings import Settings

if TYPE_CHECKING:
    from llama_stack_client import AsyncLlamaStackClient

# Seconds for one short request (lists, metadata), where an answer takes milliseconds.
SHORT_REQUEST = 15.0
# Seconds between tries when the server names none, and the longest Retry-After that is waited for.
_BACKOFF = wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1)
_LONGEST_PAUSE = 3.0
# Seconds for which an idle connection is kept: people read an answer before they ask on. One that the server has closed
# meanwhile is noticed and replaced.
_KEPT = 60.0
# Seconds for the end of a response whose last event has been read.
_REST = 0.5
_loading = threading.Lock()


class ServerConnection:
    """One server's. Everything is opened at the first use and belongs to that event loop."""

    def __init__(self, settings: Settings) -> None:
        if not settings.llamastack_base_url:
            raise SettingsError("LLAMASTACK_BASE_URL is not set: the llama-stack provider needs the server's address")
        self._settings = settings
        self.root = settings.llamastack_base_url.removesuffix("/v1")
        self.upstream = Upstream(
            server=_address(self.root), connect_timeout=settings.connect_timeout, timeout=settings.provider_timeout
        )
        self.server_version = ""
        self._http: httpx.AsyncClient | None = None
        self._client: AsyncLlamaStackClient | None = None

    @property
    def is_ogx(self) -> bool:
        """Whether the server is OGX, as llama-stack is called since 1.0 (0.7.3 is the last of the old name)."""
        return self.server_version.partition(".")[0].isdecimal() and not self.server_version.startswith("0.")

    def upstream_of(self, model: str) -> Upstream:
        return replace(self.upstream, model=model)

    async def get(self, path: str) -> object:
        """The parsed JSON at `path`. Raises ProviderError."""
        return await self._json("GET", path)

    async def get_if_there(self, path: str) -> object | None:
        """The parsed JSON at `path`, None where the server has no such path. Raises ProviderError."""

        async def send() -> object | None:
            response = await self.http.get(f"{self.root}{path}", timeout=self._short)
            if response.status_code in (404, 405):
                return None
            return response.raise_for_status().json()

        return await self.attempt(send)

    async def offers(self, path: str) -> bool:
        """Whether the server has `path`, for whatever method: 405 counts too. Raises ProviderError."""

        async def send() -> bool:
            response = await self.http.head(f"{self.root}{path}", timeout=self._short)
            if response.status_code in (401, 403) or response.status_code >= 500:
                response.raise_for_status()
            return response.status_code in (400, 405, 422) or response.is_success

        return await self.attempt(send)

    async def post(self, path: str, body: dict[str, Any]) -> object:
        """The parsed JSON answer to `body`. Raises ProviderError or SessionNotFound."""
        return await self._json("POST", path, body)

    async def delete(self, path: str) -> None:
        """Deletes once, without another try. Raises httpx.HTTPError."""
        (await self.http.delete(f"{self.root}{path}", timeout=self._short)).raise_for_status()

    async def _json(self, method: str, path: str, body: dict[str, Any] | None = None) -> object:
        async def send() -> object:
            response = await self.http.request(method, f"{self.root}{path}", json=body, timeout=self._short)
            return response.raise_for_status().json()

        return await self.attempt(send)

    async def post_for_stream(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """An open response with its head read; to be used with `answer`. Raises httpx.HTTPError."""
        request = self.http.build_request("POST", f"{self.root}{path}", json=body)
        response = await self.http.send(request, stream=True)
        if not response.is_success:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response.raise_for_status()

    @asynccontextmanager
    async def answer(
        self, start: Callable[[], Awaitable[httpx.Response]], upstream: Upstream, *, any_500: bool = False
    ) -> AsyncGenerator[AsyncGenerator[dict[str, Any]]]:
        """The events of the response that `start` opens; it is closed at the end of the block, read or not."""
        response = await self.attempt(start, upstream, any_500=any_500)
        try:
            chunks = response.aiter_bytes()
            async with aclosing(_received(chunks, upstream)) as received:
                yield received
            await _read_rest(chunks)
        finally:
            await response.aclose()

    async def attempt[T](
        self, operation: Callable[[], Awaitable[T]], upstream: Upstream | None = None, *, any_500: bool = False
    ) -> T:
        """Runs `operation`, again while the server cannot be reached or asks for a short pause; with `any_500` after
        each HTTP 500 too.

        Only for what has not begun to answer. Raises our errors for the last try's.
        """

        async def run() -> T:  # tenacity awaits only what is defined as a coroutine
            return await operation()

        retrying = AsyncRetrying(
            stop=stop_after_attempt(1 + self._settings.provider_retries),
            wait=_pause,
            retry=retry_if_exception(lambda error: _is_worth_another_try(error, any_500=any_500)),
            reraise=True,
        )
        with translated(upstream or self.upstream):
            return await retrying(run)

    @property
    def http(self) -> httpx.AsyncClient:
        """The pool. How many turns run at once is the server's to limit, not the pool's."""
        if self._http is None:
            settings = self._settings
            self._http = HttpClient(
                headers=_credentials(settings),
                verify=_certificates(self.root, settings.llamastack_ca_bundle),
                timeout=httpx.Timeout(settings.provider_timeout, connect=settings.connect_timeout),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=_KEPT),
                event_hooks={"request": [self._pass_version_gate]},
            )
        return self._http

    async def client(self) -> "AsyncLlamaStackClient":
        """llama_stack_client on the same pool; loading it takes a second, on another thread."""
        if self._client is None:
            client_class = await asyncio.to_thread(_load_client)
            self._client = client_class(
                base_url=self.root,
                http_client=self.http,
                timeout=self.http.timeout,
                max_retries=0,
                _strict_response_validation=True,
            )
            # The pool carries the credentials; the client would take others from its own environment variables.
            self._client.api_key = None
        return self._client

    async def aclose(self) -> None:
        """Close the pool."""
        opened, self._http, self._client = self._http, None, None
        if opened is not None:
            await opened.aclose()

    @property
    def _short(self) -> httpx.Timeout:
        read = min(SHORT_REQUEST, self._settings.provider_timeout)
        return httpx.Timeout(read, connect=self._settings.connect_timeout)

    async def _pass_version_gate(self, request: httpx.Request) -> None:
        """0.x servers answer 426 to a client whose version is not theirs."""
        if "X-LlamaStack-Client-Version" in request.headers and self.server_version:
            request.headers["X-LlamaStack-Client-Version"] = self.server_version


async def _received(chunks: AsyncIterator[bytes], upstream: Upstream) -> AsyncGenerator[dict[str, Any]]:
    with translated(upstream, streaming=True):
        async with aclosing(events(chunks)) as received:
            async for event in received:
                yield event


async def _read_rest(chunks: AsyncIterator[bytes]) -> None:
    """Reads what follows the last event, nothing as a rule: only a response that was read whole leaves its connection
    to the next request."""
    with anyio.move_on_after(_REST), suppress(httpx.HTTPError, httpx.StreamError):
        async for _ in chunks:
            pass


def _load_client() -> "type[AsyncLlamaStackClient]":
    """The client's class. Importing it calls logging.basicConfig, which would print every request of the process."""
    root = logging.getLogger()
    placeholder = logging.NullHandler()
    with _loading:
        root.addHandler(placeholder)
        try:
            return importlib.import_module("llama_stack_client").AsyncLlamaStackClient
        finally:
            root.removeHandler(placeholder)


def _is_worth_another_try(error: BaseException, *, any_500: bool) -> bool:
    response = _response_of(error)
    if response is not None:
        if response.status_code == 500:
            return any_500
        if response.status_code in (429, 502, 503):
            pause = retry_after(response)
            return pause <= _LONGEST_PAUSE if pause is not None else response.status_code != 429
        return False
    cause = error if isinstance(error, httpx.HTTPError) else error.__cause__
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return False
    return isinstance(cause, httpx.ConnectError | httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    response = _response_of(error)
    named = None if response is None else retry_after(response)
    return _BACKOFF(state) if named is None else named


def _response_of(error: BaseException | None) -> httpx.Response | None:
    """The response that an error of httpx or of llama_stack_client carries."""
    response = getattr(error, "response", None)
    return response if isinstance(response, httpx.Response) else None


def _address(url: str) -> str:
    """Scheme, host and port: no credentials, no path."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise SettingsError("LLAMASTACK_BASE_URL is no valid URL") from None
    if not parts.hostname:
        raise SettingsError("LLAMASTACK_BASE_URL names no host")
    return f"{parts.scheme}://{parts.hostname}{port}"


def _credentials(settings: Settings) -> dict[str, str]:
    key = settings.llamastack_api_key.get_secret_value().strip() if settings.llamastack_api_key else ""
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise ProviderUnauthorized("LLAMASTACK_API_KEY holds characters that no key has")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _certificates(url: str, ca_bundle: str | None) -> ssl.SSLContext:
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody; loading the certificates takes a while
    if ca_bundle is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:  # SSLError is one
        raise SettingsError(
            f"LLAMASTACK_CA_BUNDLE: {ca_bundle!r} cannot be read as PEM ({type(error).__name__})"
        ) from None
