"""Which provider answers: the configured one, or the findings alone if it fails. Owns that decision."""

from dataclasses import dataclass

from agent.errors import AssistantError, ProviderError, ProviderUnreachable, SettingsError
from agent.providers.offline import Offline
from agent.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to answer the turn. `outage` is the error of the provider that this one replaces; `failure` ends the
    turn once the findings were reported."""

    provider: Provider
    outage: ProviderUnreachable | None = None
    failure: AssistantError | None = None

    def check(self) -> None:
        """Raises `failure`, if the attempt only serves to report the findings."""
        if self.failure:
            raise self.failure


def after_failure(error: ProviderError | SettingsError, failed: Attempt, *, reported: bool, answered: bool) -> Attempt:
    """Return the next attempt after one failed. `reported`: the findings were sent; `answered`: text of the answer was.

    After an outage the findings answer, unless text was sent already; any other failure ends the turn once the findings
    were reported. Raises `error` when there is nothing more to send.
    """
    if error is failed.failure or answered:
        raise error
    if isinstance(error, ProviderUnreachable):
        note = f"{error.public_message} This answer was put together from the findings of the built-in analyzers."
        return Attempt(provider=Offline(note=note), outage=error)
    if not reported:
        return Attempt(provider=Offline(), failure=error)
    raise error
