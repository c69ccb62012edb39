"""Where a secret is in a text, the shape of a detector of secrets, and the merging of what several detectors found.

Owns the values that detectors share; each detector is declared in the module of its patterns.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

PLACEHOLDER = re.compile(r"\[REDACTED:[a-z-]{1,32}:[0-9a-f]{6}\]")
"""What replaces a secret."""


class SecretSpan(NamedTuple):
    """`text[start:end]` is a secret of the kind `what`.

    `plain` is the value itself where the text writes it in another form (percent-encoded), "" where it is the text.
    """

    start: int
    end: int
    what: str
    plain: str = ""


class SearchedText(NamedTuple):
    """A text, and the same in lower case with each character at the same position."""

    text: str
    lowered: str

    @staticmethod
    def of(text: str) -> "SearchedText":
        """`text` with its lower case."""
        # The only capital letter whose lower case has two characters.
        return SearchedText(text, text.lower() if text.isascii() else text.replace("İ", "I").lower())


type Find = Callable[[SearchedText], Iterable[SecretSpan]]


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """Finds the secrets of one form.

    It runs on the texts whose lower case contains one of `signs`, and without signs on every text. A sign missing here
    makes `find` never see a text, so every text in which `find` finds something must contain one.
    """

    name: str
    signs: tuple[str, ...]
    find: Find

    def runs_on(self, lowered: str) -> bool:
        """Whether a text with this lower case contains one of the signs."""
        return not self.signs or any(map(lowered.__contains__, self.signs))


def first_group(
    pattern: re.Pattern[str], what: str, accepts: Callable[[str], bool] = bool, *, in_lower_case: bool = False
) -> Find:
    """A `find` that returns group 1 of each match of `pattern` whose text `accepts`. `in_lower_case` patterns are
    matched against the text in lower case."""

    def find(searched: SearchedText) -> Iterator[SecretSpan]:
        for match in pattern.finditer(searched.lowered if in_lower_case else searched.text):
            if accepts(searched.text[slice(*match.span(1))]):
                yield SecretSpan(*match.span(1), what)

    return find


def merged(spans: Iterable[SecretSpan], text: str) -> list[SecretSpan]:
    """The spans in order. Overlapping ones become one; those that overlap a placeholder are left out."""
    ordered = sorted((span for span in spans if span.end > span.start), key=lambda span: (span.start, -span.end))
    if not ordered:
        return []
    kept: list[SecretSpan] = []
    for span in _outside_placeholders(ordered, text):
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            if span.end > last.end:
                kept[-1] = SecretSpan(last.start, span.end, last.what)
        else:
            kept.append(span)
    return kept


def _outside_placeholders(ordered: list[SecretSpan], text: str) -> list[SecretSpan]:
    if "[REDACTED" not in text:
        return ordered
    placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
    kept: list[SecretSpan] = []
    first = 0
    for span in ordered:
        while first < len(placeholders) and placeholders[first][1] <= span.start:
            first += 1
        if first == len(placeholders) or placeholders[first][0] >= span.end:
            kept.append(span)
    return kept


def run_end(pattern: re.Pattern[str], text: str, at: int, limit: int | None = None) -> int:
    """The end of the match of `pattern` that begins at `at`, `at` itself where it does not match there."""
    match = pattern.match(text, at) if limit is None else pattern.match(text, at, limit)
    return match.end() if match else at
