"""The assistant answers questions, one turn each. Owns what turns share; `agent.turn.pipeline` has the steps."""

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
    """Answers questions. Holds connections and no data of a user. Construction does no I/O.

    `instructions` returns the instructions of a turn and must not wait for long; unset: the built-in ones. `sinks` make
    the sinks of every turn. Raises SettingsError for an ARGOCD_SERVER that is no address.
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
        """Return the events of the answer to one question. `sinks` receive them too, with those of the Assistant. Close
        the iterator to cancel: the upstream request ends with it.

        Raises SessionError, and, after the Report, ProviderError or the provider's SettingsError; ProviderUnreachable
        only after text was sent.
        """
        return Turn(question, self._shared, (*sinks, *(make(question) for make in self._sinks))).events()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.provider.aclose()
        await self._collector.aclose()
