"""Where a secret stands in a text, and how several findings of the same stretch become one.

Owns the span and its arithmetic; finds nothing.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from agent.redaction.values import PLACEHOLDER


class SecretSpan(NamedTuple):
    """`text[start:end]` is a secret of the kind `what`.

    `plain` is the value itself where the text spells it otherwise (percent-encoded), "" where it is the text.
    """

    start: int
    end: int
    what: str
    plain: str = ""


def merged(spans: Iterable[SecretSpan], text: str) -> list[SecretSpan]:
    """The spans in order, those that overlap made one, those that touch a placeholder left out."""
    ordered = sorted((span for span in spans if span.end > span.start), key=lambda span: (span.start, -span.end))
    if not ordered:
        return []
    kept: list[SecretSpan] = []
    for span in _beside_placeholders(ordered, text):
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            if span.end > last.end:
                kept[-1] = SecretSpan(last.start, span.end, last.what)
        else:
            kept.append(span)
    return kept


def _beside_placeholders(ordered: list[SecretSpan], text: str) -> list[SecretSpan]:
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
    """Where the run of `pattern` ends that begins at `at`: `at` itself where there is none."""
    match = pattern.match(text, at) if limit is None else pattern.match(text, at, limit)
    return match.end() if match else at
