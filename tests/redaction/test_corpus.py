"""The shares that the corpus measures: nearly every planted secret hidden, hardly an ordinary value."""

from agent.redaction import Redactor
from tests.redaction.corpus import KINDS, Planted, everything, ordinary, planted


def read(case: Planted) -> str:
    redactor = Redactor(b"session")
    return everything(redactor.context(case.context), redactor.text(case.question))


def _leaks(case: Planted) -> bool:
    text = read(case)
    return any(needle in text for needle in case.needles)


def test_the_corpus_is_as_large_as_the_shares_need() -> None:
    assert len({kind.name for kind in KINDS}) >= 40
    assert sum(1 for _ in planted(1)) >= 400


def test_every_planted_value_can_be_found_before_redaction() -> None:
    for case in planted(1):
        text = everything(case.context, case.question)
        assert any(needle in text for needle in case.needles), case


def test_at_least_99_percent_of_the_planted_secrets_are_hidden() -> None:
    cases = [case for seed in (1, 2) for case in planted(seed)]
    leaks = [case for case in cases if _leaks(case)]
    assert len(leaks) <= 0.01 * len(cases), [(case.kind, case.place, case.value) for case in leaks]


def test_at_most_half_a_percent_of_the_ordinary_values_are_hidden() -> None:
    cases = [case for seed in (1, 2) for case in ordinary(seed, each=6)]
    lost = [case for case in cases if read(case) != everything(case.context, case.question)]
    assert len(lost) <= 0.005 * len(cases), [(case.kind, case.place, case.value) for case in lost]
