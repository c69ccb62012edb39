"""The HTTP client of the connection: httpx's, on aiohttp's transport.

aiohttp parses HTTP in C: a streamed token costs half of what it does with httpx's own transport, and of many turns that
begin at once each one's request leaves sooner. Owns the transport's failures as httpx would name them; what is asked,
and what a failure means, is others'.
"""

import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport


class HttpClient(httpx.AsyncClient):
    """An httpx client as any other, proxies of the environment included."""

    # httpx makes its transports here, one for each proxy. httpx-aiohttp's own client overrides the same two.
    def _init_transport(self, **arguments: Any) -> httpx.AsyncBaseTransport:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Transport(arguments["verify"], arguments["limits"])

    def _init_proxy_transport(self, proxy: httpx.Proxy, **arguments: Any) -> httpx.AsyncBaseTransport:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Transport(arguments["verify"], arguments["limits"], proxy)


class _Transport(AiohttpTransport):
    def __init__(self, verify: ssl.SSLContext | bool, limits: httpx.Limits, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(verify=verify, limits=limits, proxy=proxy, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self.ssl_context,
            limit=self.limits.max_connections or 0,
            keepalive_timeout=self.limits.keepalive_expiry,
        )
        # httpx keeps the cookies, where any are kept.
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _named_as_httpx_does(request):
            response = await super().handle_async_request(request)
        response.stream = _Stream(response.stream, request)
        return response


class _Stream(httpx.AsyncByteStream):
    def __init__(self, stream: Any, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _named_as_httpx_does(self._request):
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextmanager
def _named_as_httpx_does(request: httpx.Request) -> Generator[None]:
    """The package's own table takes a refused and a broken connection for one that timed out."""
    try:
        yield
    except httpx.TransportError as error:
        cause = error.__cause__
        if not isinstance(cause, aiohttp.ClientError):
            raise
        raise _error_class(cause)(str(cause), request=request) from cause
    except aiohttp.ClientError as error:
        raise _error_class(error)(str(error), request=request) from error


def _error_class(error: aiohttp.ClientError) -> type[httpx.TransportError]:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return httpx.ProxyError
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError
        case aiohttp.InvalidURL():
            return httpx.UnsupportedProtocol
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return httpx.ReadError
        case _:
            return httpx.RemoteProtocolError
