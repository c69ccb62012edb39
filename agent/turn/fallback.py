"""Which provider answers: the configured one, or the findings alone where it fails. The one place that decides it."""

from dataclasses import dataclass

from agent.errors import AssistantError, ProviderError, ProviderUnreachable, SettingsError
from agent.providers.offline import Offline
from agent.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to answer the turn. `outage` is the error of the provider that this one stands in for; `failure` ends the
    turn once the findings were reported."""

    provider: Provider
    outage: ProviderUnreachable | None = None
    failure: AssistantError | None = None

    def check(self) -> None:
        """Raises `failure`, where reporting the findings was all that this attempt is for."""
        if self.failure:
            raise self.failure


def after_failure(error: ProviderError | SettingsError, failed: Attempt, *, reported: bool, answered: bool) -> Attempt:
    """What to do after an attempt failed: whether the findings were `reported`, and any text `answered`.

    An outage is bridged by the findings until text was sent; any other failure ends the turn after the findings were
    reported. Raises `error` where nothing is left to say.
    """
    if error is failed.failure or answered:
        raise error
    if isinstance(error, ProviderUnreachable):
        note = f"{error.public_message} This answer was put together from the findings of the built-in analyzers."
        return Attempt(provider=Offline(note=note), outage=error)
    if not reported:
        return Attempt(provider=Offline(), failure=error)
    raise error
