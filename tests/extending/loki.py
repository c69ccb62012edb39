"""A source as a contributor adds one that has logs and nothing else."""

from agent.context.log_choice import LogChoice
from agent.context.logs import parse_text
from agent.context.model import ContainerLog, Reading
from agent.context.source import Source, TurnState


class LokiConnection:
    """Keeps what was logged; a real one would ask a server."""

    def __init__(self, text: str) -> None:
        self.asked: list[LogChoice] = []
        self._text = text

    def open(self, turn: TurnState) -> Source | None:
        return Source(name="loki", title="Loki", readers={"log": self._log}) if turn.target else None

    async def _log(self, choice: LogChoice) -> Reading[ContainerLog]:
        self.asked.append(choice)
        return Reading(value=parse_text(self._text, container=choice.container, pod=choice.pod, tail_lines=50).logs[0])

    def close(self) -> None: ...
