"""Starts the turns of an event loop one after the other.

Preparing a turn takes a millisecond or two without a pause. Without a queue, all of many turns that arrive at once are
prepared before the first request leaves, while the model server waits. With it, the request of a turn leaves before
the next turn is prepared.
"""

import asyncio
from collections import deque

_LOOP_ITERATIONS = 3
"""Iterations of the event loop between two turns: an HTTP client needs about as many until a request is in the
socket. With more of them the last of many turns starts too late."""


class StartQueue:
    """First come, first served; belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_turning = False

    async def enter(self) -> None:
        """Return when the caller may start. The next one may a few iterations later, whatever the caller does."""
        if not self._is_turning:
            self._turn(_LOOP_ITERATIONS)
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        await mine

    def _turn(self, passes: int) -> None:
        if passes:
            self._is_turning = True
            asyncio.get_running_loop().call_soon(self._turn, passes - 1)
            return
        self._is_turning = False
        while self._waiting and not self._is_turning:
            next_one = self._waiting.popleft()
            if not next_one.done():  # done: it was cancelled while it waited
                next_one.set_result(None)
                self._turn(_LOOP_ITERATIONS)
