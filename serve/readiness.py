"""Whether a turn could start now, part by part. Owns the bounds and the memory of the last answer; the parts check
themselves.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agent.errors import AssistantError

type Check = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns facts about a part that is ready. Raises AssistantError for one that is not."""


class Readiness:
    """The checks of the parts, run concurrently, each for at most `bound` seconds; the result is kept for `keep`
    seconds, so that many probes cost the parts no more than one.
    """

    def __init__(self, checks: Mapping[str, Check], *, bound: float = 3.0, keep: float = 3.0) -> None:
        self._checks = checks
        self._bound = bound
        self._keep = keep
        self._lock = asyncio.Lock()
        self._report: dict[str, Any] = {}
        self._until = 0.0

    async def report(self, *, bound: float | None = None) -> dict[str, Any]:
        """`{"ready", "parts": {name: {"ready", ...facts} or {"ready", "error_code", "message"}}}`.

        `bound` replaces the limit for this call: the first check may have to create what it checks.
        """
        bound = bound or self._bound
        async with self._lock:
            if time.monotonic() >= self._until:
                parts = await asyncio.gather(*(_part(check, bound) for check in self._checks.values()))
                self._report = {
                    "ready": all(part["ready"] for part in parts),
                    "parts": dict(zip(self._checks, parts, strict=True)),
                }
                self._until = time.monotonic() + self._keep
            return self._report


async def _part(check: Check, bound: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(bound):
            return {"ready": True, **await check()}
    except TimeoutError:
        message = f"No answer within {bound:g} seconds"
        return {"ready": False, "error_code": "timeout", "message": message}
    except AssistantError as error:
        return {"ready": False, "error_code": error.code, "message": error.public_message}
