"""Lets the turns of an event loop begin one after the other.

To prepare a turn is a millisecond or two of work without a pause. Of many that arrive at once all would be prepared
before the first one's request could leave, while the model server waits. Behind a queue a turn is on its way before
the next one is prepared.
"""

import asyncio
from collections import deque

_LOOP_ITERATIONS = 3
"""Passes of the event loop that a turn gets to be on its way: an HTTP client takes some steps from a request to its
bytes in the socket, and each waits for the next pass. With more of them the last of many begins too late."""


class StartQueue:
    """First come, first served; belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_turning = False

    async def enter(self) -> None:
        """Returns when it is the caller's turn. The next one's comes some passes later, whatever the caller does."""
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
