"""A client for many streams at once, in a process of its own: raw sockets, no parsing on the way.

    python -m tests.benchmarks.load URL STREAMS < body.json

prints a JSON object: seconds to the first delta and to the end of each stream, and how many came whole.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

_DELTA = b'"response.output_text.delta"'
# Our own streams end with [DONE]; llama-stack's end with their last event.
_ENDS = (b"data: [DONE]", b'"type":"response.completed"', b'"type": "response.completed"')


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as the client saw it: seconds since all were started, and the number of deltas."""

    first: float
    total: float
    deltas: int
    whole: bool


async def _stream(url: str, body: bytes, begin: asyncio.Event, start: list[float]) -> Stream:
    reader, writer = await _connected(url)
    await begin.wait()
    loop = asyncio.get_running_loop()
    writer.write(_request(url, body))
    first, deltas, rest, ended = 0.0, 0, b"", False
    while chunk := await reader.read(65536):
        text = rest + chunk
        seen = text.count(_DELTA)
        if seen and not deltas:
            first = loop.time() - start[0]
        deltas += seen
        ended = ended or any(mark in text for mark in _ENDS)
        # What follows the last delta's mark may be the beginning of another one.
        rest = text[max(text.rfind(_DELTA) + len(_DELTA), len(text) - 64) :] if seen else text[-64:]
    writer.close()
    return Stream(first, loop.time() - start[0], deltas, ended)


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname or "127.0.0.1", parts.port or 80, limit=2**20)


def _request(url: str, body: bytes) -> bytes:
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(url: str, body: bytes, streams: int) -> list[Stream]:
    """Opens the connections, then starts all streams at once."""
    begin, start = asyncio.Event(), [0.0]
    tasks = [asyncio.create_task(_stream(url, body, begin, start)) for _ in range(streams)]
    await asyncio.sleep(0.2)  # the connections; not part of what is measured
    start[0] = asyncio.get_running_loop().time()
    begin.set()
    return await asyncio.gather(*tasks)


def main() -> None:
    """The command line above."""
    url, streams = sys.argv[1], int(sys.argv[2])
    results = asyncio.run(load(url, sys.stdin.buffer.read(), streams))
    print(json.dumps([asdict(result) for result in results]))


if __name__ == "__main__":
    main()
