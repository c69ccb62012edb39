"""The terms of a text, and how telling each is. Owns the splitting of a text into terms and their rarity.

A term that findings of many kinds have (`container`, `check`, `kubectl`) says little about one of them; a name, a code or
a rare word says much. How often findings have a term was counted over the scenarios of `tests/scenarios`
(`term_frequencies.txt`; `python -m tests.turn.grounding.term_frequencies` writes it). A term that is not in the file is
rare. Terms are compared as they are spelled, so names, codes and numbers count in any language.
"""

import math
import re
from functools import cache
from pathlib import Path

_FREQUENCIES = Path(__file__).with_name("term_frequencies.txt")

# Runs of Latin letters and digits, or of another script: `容器OOMKilled` is two.
_RUN = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+|[^\W\dA-Za-z_\u00c0-\u024f]+")
# A name as it is written, with its dashes and dots: `checkout-api-7d9f`, `registry.example.com/web:2.0`.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[-._:/@](?=[A-Za-z0-9]))+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_READ = 200_000
"""Characters of a text that are looked at."""


def terms(text: str) -> frozenset[str]:
    """The terms of `text` in lower case: names as they are written, and the words and numbers in them by their stems."""
    text = text[:_READ]
    found = {name.lower() for name in _NAME.findall(text) if _is_name(name)}
    for run in _RUN.findall(text):
        for word in _HUMP.split(run):
            if word.isdigit():
                if len(word) > 1:
                    found.add(word)
            elif len(word) > 2 or not word.isascii():
                found.add(stem(word.lower()))
    return frozenset(found)


def rarity(term: str) -> float:
    """How telling a term is: 0 for one that all findings have, 1 for one that at most one of them has."""
    counted, of = _frequencies()
    return 1 - math.log(max(counted.get(term, 1), 1)) / math.log(of)


def _is_name(text: str) -> bool:
    return bool(re.search(r"[-._:/@]|\d", text)) and bool(re.search(r"[A-Za-z]", text))


def stem(word: str) -> str:
    """An English word without its commonest endings (`failing`, `failed`, `fails`: `fail`)."""
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            return word[:-1] if len(word) > 3 and word[-1] == word[-2] and ending in ("ing", "ed") else word
    return word


@cache
def _frequencies() -> tuple[dict[str, int], int]:
    """The counts of the terms that several findings have, and how many findings were counted."""
    first, *lines = _FREQUENCIES.read_text("utf-8").splitlines()
    counted: dict[str, int] = {}
    for line in lines:
        count, *words = line.split()
        counted |= dict.fromkeys(words, int(count))
    return counted, int(first)
