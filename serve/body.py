"""The body of a request, read within the limit and parsed as JSON. Owns the HTTP side; `agent.request.body` and
`agent.request.question` define its content.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from agent.errors import BodyTooLarge
from agent.request.body import decode_body
from serve.failures import UnsupportedMediaType


async def read_body(request: Request, *, limit: int) -> Mapping[str, Any]:
    """The JSON object of the body, of at most `limit` bytes.

    Raises UnsupportedMediaType, BodyTooLarge (before the first byte is read where the length is declared, else with
    the first byte too many) and RequestError. What is left of a refused body is never kept: the HTTP server reads past
    it.
    """
    _check_headers(request, limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
    return decode_body(b"".join(parts))


def _check_headers(request: Request, limit: int) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType("Content-Type", f"{media_type[:100]!r} is not understood; send application/json")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMediaType("Content-Encoding", f"{coding[:100]!r} is not understood; send the body as it is")
    # The HTTP server has refused a length that is no number.
    if int(request.headers.get("content-length", "0")) > limit:
        raise BodyTooLarge(limit)
