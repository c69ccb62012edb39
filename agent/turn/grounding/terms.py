"""The terms of a text, and how telling each is. Owns the splitting of a text into terms and their rarity.

A term that findings of many kinds have (`container`, `check`, `kubectl`) says little about one of them; a name, a code
or a rare word says much. How often findings have a term was counted over the scenarios of `tests/scenarios/own`
(`term_frequencies.txt`; `python -m tests.turn.grounding.term_frequencies` writes it). A term that is not in the file is
rare. Terms are compared as they are spelled, so names, codes and numbers count in any language.
"""

import math
import re
from functools import cache
from pathlib import Path

_FREQUENCIES = Path(__file__).with_name("term_frequencies.txt")

# Names with their dashes, dots and humps (`checkout-api-7d9f`, `web:2.0`, `OOMKilled`), and words: runs of Latin
# letters and digits, or of another script (`容器OOMKilled` is two).
_TOKEN = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+(?:[-._:/@]+[A-Za-z0-9\u00c0-\u024f]+)*|[^\W\dA-Za-z_\u00c0-\u024f]+")
_PART = re.compile(r"[-._:/@]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_READ = 200_000
"""Characters of a text that are looked at."""


def terms(text: str) -> dict[str, frozenset[str]]:
    """The terms of `text` in lower case, each with its parts: a name as it is written has its words and numbers (by
    their stems), of which the longer ones are terms of their own as well. A word has no parts."""
    found: dict[str, frozenset[str]] = {}
    for token in set(_TOKEN.findall(text[:_READ])):
        pieces = [part for part in _PART.split(token) if part]
        if len(pieces) > 1:
            found[token.lower()] = frozenset(map(_word, pieces))
        # Two digits alone are a number (`exit code 28`), as a part of a name they are any version's.
        least = 2 if len(pieces) == 1 and token.isdigit() else 3
        for piece in pieces:
            if len(piece) >= least:
                found.setdefault(_word(piece), frozenset())
    return found


def rarity(term: str) -> float:
    """How telling a term is: 0 for one that all findings have, 1 for one that hardly any has."""
    counted, of = _frequencies()
    return 1 - math.log(counted.get(term, 1)) / math.log(of)


def _word(word: str) -> str:
    """The stem of an English word: without its commonest endings (`failing`, `failed`, `fails`: `fail`)."""
    word = word.lower()
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            doubled = ending in ("ing", "ed") and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls"
            return word[:-1] if doubled else word
    return word


@cache
def _frequencies() -> tuple[dict[str, int], int]:
    """The counts of the terms that several findings have, and how many were counted."""
    first, *lines = _FREQUENCIES.read_text("utf-8").splitlines()
    counted: dict[str, int] = {}
    for line in lines:
        count, *words = line.split()
        counted |= dict.fromkeys(words, int(count))
    return counted, int(first)
