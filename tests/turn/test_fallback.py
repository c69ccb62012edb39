"""Which attempt follows one that failed."""

import pytest

from agent.errors import ProviderError, ProviderUnreachable, RateLimited, SettingsError
from agent.providers.offline import Offline
from agent.turn.fallback import Attempt, after_failure
from tests.fakes.provider import ScriptedProvider

OUTAGE = ProviderUnreachable("llama-stack does not answer.")
FIRST = Attempt(provider=ScriptedProvider())


@pytest.mark.parametrize("reported", [False, True])
def test_after_an_outage_the_findings_answer_in_the_place_of_the_provider(reported: bool) -> None:
    following = after_failure(OUTAGE, FIRST, reported=reported, answered=False)

    assert isinstance(following.provider, Offline)
    assert (following.outage, following.failure) == (OUTAGE, None)
    following.check()


@pytest.mark.parametrize("error", [RateLimited("slow down"), SettingsError("LIGHTSPEED_TOKEN: is not set")])
def test_any_other_failure_ends_the_turn_once_the_findings_were_reported(error: ProviderError | SettingsError) -> None:
    following = after_failure(error, FIRST, reported=False, answered=False)

    assert isinstance(following.provider, Offline)
    assert (following.outage, following.failure) == (None, error)
    with pytest.raises(type(error)) as raised:
        following.check()
    assert raised.value is error


@pytest.mark.parametrize(
    ("error", "reported", "answered"),
    [(RateLimited("slow down"), True, False), (RateLimited("slow down"), True, True), (OUTAGE, True, True)],
)
def test_a_failure_is_raised_where_nothing_is_left_to_send(
    error: ProviderError, reported: bool, answered: bool
) -> None:
    with pytest.raises(type(error)) as raised:
        after_failure(error, FIRST, reported=reported, answered=answered)
    assert raised.value is error


def test_an_attempt_that_only_reports_is_not_followed_by_another() -> None:
    error = RateLimited("slow down")
    reporting = after_failure(error, FIRST, reported=False, answered=False)

    with pytest.raises(RateLimited):
        after_failure(error, reporting, reported=False, answered=False)


def test_the_first_attempt_has_nothing_to_check() -> None:
    FIRST.check()
