"""The order of Argo CD's health codes."""

from agent.objects.health import WORST_FIRST, badness


def test_the_codes_are_ordered_and_what_is_none_is_no_trouble() -> None:
    assert sorted(WORST_FIRST, key=badness, reverse=True) == list(WORST_FIRST)
    assert badness("") == badness("Fine") == badness("Healthy") == 0
