"""Reads server-sent events as a client does."""

import json
import socket
from collections.abc import Generator, Iterable
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from tests.fakes.server import PATIENCE

DONE = "[DONE]"


def blocks(response: httpx.Response) -> Generator[str]:
    """The blocks of a stream as they arrive: events and comments, without the blank line that ends each."""
    lines: list[str] = []
    for line in response.iter_lines():
        if line:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    assert not lines, "the stream was cut inside an event"


def data(block: str) -> Any:
    """What an event says: its JSON, or DONE."""
    text = next(line.removeprefix("data: ") for line in block.splitlines() if line.startswith("data: "))
    return DONE if text == DONE else json.loads(text)


def events(stream: Iterable[str]) -> list[dict[str, Any]]:
    """Every event of a whole stream; fails when the stream was not closed as it should be."""
    said = [data(block) for block in stream if not block.startswith(":")]
    assert said[-1:] == [DONE]
    return said[:-1]


def text(said: Iterable[dict[str, Any]]) -> str:
    """The deltas put together."""
    return "".join(cast("str", event["delta"]) for event in said if event["type"] == "response.output_text.delta")


def connect(client: httpx.Client) -> socket.socket:
    """A bare connection to the server of `client`."""
    place = urlsplit(str(client.base_url))
    return socket.create_connection((place.hostname or "", place.port or 0), timeout=PATIENCE)


def post(connection: socket.socket, body: object, *, path: str = "/invocations") -> None:
    """Sends a request and reads nothing."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    connection.sendall(head.encode() + b"\r\n" + content)


def read_until(connection: socket.socket, sign: bytes) -> bytes:
    """What arrives, up to and including `sign`."""
    received = bytearray()
    searched = 0
    while received.find(sign, searched) < 0:
        searched = max(0, len(received) - len(sign))
        part = connection.recv(1_000_000)
        assert part, f"the server closed the connection after {received[-200:]!r}"
        received += part
    return bytes(received)
