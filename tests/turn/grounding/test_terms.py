"""Texts split into terms, and how telling a term is."""

import pytest

from agent.turn.grounding.terms import rarity, terms
from tests.turn.grounding.scenario_findings import scenarios
from tests.turn.grounding.term_frequencies import FILE, counted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was OOMKilled.", {"oomkilled", "oom", "kill", "was"}),
        ("容器因为OOMKilled被终止", {"容器因为", "oomkilled", "oom", "kill", "被终止"}),
        ("registry.example.com/web:2.0", {"registry.example.com/web:2.0", "registry", "exampl", "com", "web"}),
        ("port 8080, 3 times", {"port", "8080", "tim"}),
        ("failing failed fails stopped", {"fail", "stop"}),
        ("Der Name lässt sich nicht auflösen", {"der", "nam", "lässt", "sich", "nicht", "auflösen"}),
    ],
)
def test_names_are_terms_as_they_are_written_and_in_parts(text: str, expected: set[str]) -> None:
    assert set(terms(text)) == expected


def test_a_name_has_its_parts() -> None:
    assert terms("checkout-api")["checkout-api"] == {"checkout", "api"}


def test_a_word_that_all_findings_have_says_less_than_a_rare_one() -> None:
    assert rarity("the") < rarity("container") < rarity("memory") < rarity("quorum") == 1


def test_the_counts_are_those_of_the_scenarios() -> None:
    """A changed wording may move a count a little; the file is written anew when it no longer fits."""
    stored = {
        word: int(line.split()[0]) for line in FILE.read_text("utf-8").splitlines()[1:] for word in line.split()[1:]
    }
    counts, of = counted(scenarios())
    moved = [word for word, count in stored.items() if abs(counts[word] - count) > max(2, 0.1 * count)]
    assert len(moved) <= 0.05 * len(stored), f"run python -m tests.turn.grounding.term_frequencies: {moved}"
    assert abs(int(FILE.read_text("utf-8").split()[0]) - of) <= 0.1 * of
