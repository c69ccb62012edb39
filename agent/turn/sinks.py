"""Sinks receive the events of a turn as its reader does: traces, metrics, a store of runs, an audit log.

To add one, write a class with `take` in a module of its own and name it where an Assistant is made (`sinks=`). A sink
lives for one turn, is called on the event loop, must not block, and is given redacted events only.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from agent.redaction import Redacted
from agent.request.question import Question
from agent.turn.events import SinkEvent


class Sink(Protocol):
    """Receives every event of one turn. The last one is a TurnEnded, whatever happened."""

    def take(self, event: Redacted[SinkEvent]) -> None:
        """Receive an event. An exception raised here ends the turn."""
        ...


type SinkFactory = Callable[[Question], Sink]
"""Makes the sink of a turn when the turn begins. The question is as the caller sent it: not redacted."""

type Sinks = Sequence[Sink]
