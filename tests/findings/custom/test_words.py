"""The size of the general reading of a status, which grows by the method and never by a word per case."""

from pathlib import Path

import agent.findings.custom
from agent.findings.custom.words import KEYS, TONES


def test_the_table_has_at_most_200_words() -> None:
    assert sum(len(words.split()) for words in (*TONES.values(), *KEYS.values())) <= 200


def test_the_package_has_at_most_1000_lines() -> None:
    files = Path(agent.findings.custom.__file__).parent.glob("*.py")

    assert sum(len(file.read_text().splitlines()) for file in files) <= 1_000
