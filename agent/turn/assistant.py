"""The assistant: answers questions, a turn at a time. Owns what turns share; `agent.turn.pipeline` has the steps."""

from collections.abc import AsyncGenerator, Sequence

from agent.context.collect import Collector
from agent.findings import analyze
from agent.prompt.instructions import InstructionsSource, built_in
from agent.providers.choice import choose_provider
from agent.providers.provider import Provider
from agent.redaction import Redacted
from agent.request.question import Question
from agent.settings import Settings
from agent.turn.admission import StartQueue
from agent.turn.composing import Composer
from agent.turn.events import TurnEvent
from agent.turn.pipeline import Equipment, Turn
from agent.turn.sinks import Sink, SinkFactory
from agent.turn.triage.survey import Survey


class Assistant:
    """Answers questions. Holds connections and nothing of any user. Construction does no I/O.

    `instructions` gives the instructions of a turn at once, whatever it does to know them; unset: the built-in ones.
    `sinks` make what receives the events of every turn.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        provider: Provider | None = None,
        collector: Collector | None = None,
        instructions: InstructionsSource | None = None,
        sinks: Sequence[SinkFactory] = (),
    ) -> None:
        self.settings = settings
        self.provider = provider or choose_provider(settings)
        self._sinks = sinks
        self._collector = collector or Collector(settings)
        self._shared = Equipment(
            settings=settings,
            provider=self.provider,
            collector=self._collector,
            survey=Survey(self._collector, analyze),
            composer=Composer(settings),
            queue=StartQueue(),
            instructions=instructions or built_in(team=settings.team_instructions or ""),
        )

    def turn(self, question: Question, *sinks: Sink) -> AsyncGenerator[Redacted[TurnEvent]]:
        """Answers one question; `sinks` receive the events of this turn beside those of the Assistant. Close the
        iterator to cancel: the upstream request ends with it.

        Raises SessionError, and, after the Report, ProviderError or the provider's SettingsError; ProviderUnreachable
        only after text was sent.
        """
        return Turn(question, self._shared, (*sinks, *(make(question) for make in self._sinks))).events()

    async def aclose(self) -> None:
        """Closes connections."""
        await self.provider.aclose()
        await self._collector.aclose()
