"""Server-sent events as they arrive: the JSON object of each `data` field. Owns no meaning of them."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

# The longest event is the last of a turn, which repeats the whole answer; no answer is longer than this.
_LONGEST_EVENT = 64_000_000


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, Any]]:
    """The objects of a stream of server-sent events; ends with the stream or with `[DONE]`.

    Lines end at CR or LF only: httpx's own line reader also splits at characters that JSON text may hold.
    Raises json.JSONDecodeError for data that is no JSON object, or an event without end.
    """
    rest, data = b"", b""
    async for chunk in chunks:
        received = rest + chunk
        # A CR at the end may be half of a CRLF: it waits for what follows.
        waiting = b"\r" if received.endswith(b"\r") else b""
        received = received.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = received.split(b"\n")
        rest += waiting
        for line in lines:
            if line.startswith(b"data:"):
                data += line[5:].removeprefix(b" ") + b"\n"
            elif not line and data:
                if data.startswith(b"[DONE]"):
                    return
                yield _object(data)
                data = b""
        if len(rest) + len(data) > _LONGEST_EVENT:
            raise json.JSONDecodeError("event too long", "", 0)
    if data and not data.startswith(b"[DONE]"):
        yield _object(data)


def _object(data: bytes) -> dict[str, Any]:
    try:
        parsed: object = json.loads(data)
    except RecursionError:
        parsed = None
    if not isinstance(parsed, dict):
        raise json.JSONDecodeError("no object", "", 0)
    return cast("dict[str, Any]", parsed)
