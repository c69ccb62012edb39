"""Which provider answers: the configured one, or the findings alone if it fails. Owns that decision."""

from dataclasses import dataclass

from agent.errors import AssistantError, ContextTooLong, ProviderError, ProviderUnreachable, SettingsError
from agent.providers.offline import Offline
from agent.providers.provider import Provider

LEARNED = (
    "the model server refused the first prompt as too long for the model's window, so it was composed anew; set "
    "ASSISTANT_MODEL_WINDOW to the window with which the model is served"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to answer the turn. `outage` is the error of the provider that this one replaces; `failure` ends the
    turn once the findings were reported; `note` is what the reader should know of the attempt."""

    provider: Provider
    outage: ProviderUnreachable | None = None
    failure: AssistantError | None = None
    note: str = ""
    is_second: bool = False

    def check(self) -> None:
        """Raises `failure`, if the attempt only serves to report the findings."""
        if self.failure:
            raise self.failure


def after_failure(error: ProviderError | SettingsError, failed: Attempt, *, reported: bool, answered: bool) -> Attempt:
    """Return the next attempt after one failed. `reported`: the findings were sent; `answered`: text of the answer was.

    After an outage the findings answer, unless text was sent already. A prompt that was too long is composed once more
    for the window that the refusal taught. Any other failure ends the turn once the findings were reported. Raises
    `error` when there is nothing more to send.
    """
    if error is failed.failure or answered:
        raise error
    if isinstance(error, ContextTooLong) and error.was_learned and not failed.is_second:
        return Attempt(provider=failed.provider, note=LEARNED, is_second=True)
    if isinstance(error, ProviderUnreachable):
        note = f"{error.public_message} This answer was put together from the findings of the built-in analyzers."
        return Attempt(provider=Offline(note=note), outage=error)
    if not reported:
        return Attempt(provider=Offline(), failure=error)
    raise error
