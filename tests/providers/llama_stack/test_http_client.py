"""The HTTP client against real sockets: its failures have the names that httpx gives them, its proxies are used."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from agent.providers.llama_stack.http_client import HttpClient
from tests.fakes.server import PATIENCE

pytestmark = pytest.mark.anyio

type Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncGenerator[str]:
    """The address of a server that does `talk` with each connection, and then closes it."""

    async def talk_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    listening = await asyncio.start_server(talk_and_close, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def saying(answer: bytes) -> Talk:
    """Reads a request's head and says `answer`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Says nothing until the client leaves."""
    await reader.read()


CUT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (saying(b""), httpx.ReadError),
        (saying(b"220 mail ESMTP\r\n\r\n"), httpx.RemoteProtocolError),
        (saying(CUT), httpx.ReadError),
        (silence, httpx.ReadTimeout),
    ],
    ids=["closed before an answer", "no HTTP", "cut", "silent"],
)
async def test_what_breaks_has_the_name_that_httpx_gives_it(talk: Talk, error: type[httpx.TransportError]) -> None:
    async with (
        server(talk) as url,
        HttpClient(timeout=httpx.Timeout(PATIENCE, read=0.2 if talk is silence else PATIENCE)) as client,
    ):
        with pytest.raises(error) as raised:
            await client.post(url, json={})

    assert type(raised.value) is error
    assert raised.value.request.url == url


async def test_a_port_that_nothing_listens_on_is_no_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with HttpClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)


async def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: user=ada\r\n\r\nok"
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    async with server(talk) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        async with HttpClient() as client:
            response = await client.get("http://models.example/v1/models")

    assert response.text == "ok"
    assert asked[0].startswith(b"GET http://models.example/v1/models HTTP/1.1\r\n")


async def test_what_comes_piece_by_piece_is_given_piece_by_piece() -> None:
    more = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CUT)
        await more.wait()
        writer.write(b"5\r\nworld\r\n0\r\n\r\n")
        await writer.drain()

    async with server(talk) as url, HttpClient() as client, client.stream("GET", url) as response:
        pieces = response.aiter_bytes()
        assert await anext(pieces) == b"hello"
        more.set()
        assert [piece async for piece in pieces] == [b"world"]
