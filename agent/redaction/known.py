"""Values that were recognised as secrets, found again in any text: a log line, an event, an answer.

Owns the memory of them and the search, and which values may be learned: not words and names, since hiding each of their
occurrences would hide the language itself.
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from agent.redaction.spans import SecretSpan, run_end
from agent.redaction.values import (
    COMMON_VALUES,
    STATUS_WORDS,
    encoded,
    is_masked,
    is_number,
    is_ordinary,
    is_plain,
    is_reference,
)

SHORTEST = 6
"""Characters of the shortest value that is searched for."""
_HEAD = 128
"""A longer value is recognised by this many of its first characters, and hidden to the end of its word."""
_FEW = 64
"""Up to so many spellings, looking for each in turn is faster than looking at each place of the text."""
_MOST = 10_000
"""Values that are learned; any further one is hidden where it was recognised only."""
_ALONE = 12
"""A shorter value of letters and digits only is no occurrence within a longer word."""
_PART = re.compile(r"[^-._/:@]+")
_WORD_REST = re.compile(r"[^\s\"'`,;]*+")


class KnownValues:
    """The secrets of a session so far, by their spellings: as they are, base64, percent-encoded and escaped in JSON."""

    def __init__(self) -> None:
        self._heads: dict[str, str] = {}
        self._lengths: dict[str, list[int]] = {}
        self._values: set[str] = set()
        self._names: set[str] = set()
        self._unread_names: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._heads)

    def learn(self, value: str, *, trusted: bool) -> None:
        """Remember `value`, which is hidden as itself. `trusted`: the structure of an object makes it a secret, so
        that it may look like a name."""
        if value in self._values or len(self._values) >= _MOST or not _is_learnable(value, trusted=trusted):
            return
        self._values.add(value)
        base64_of = (encoded(value), encoded(f"{value}\n"))
        for spelling in (value, *base64_of, quote(value, safe="", errors="replace"), json.dumps(value)[1:-1]):
            self._spell(spelling, value)

    def learn_spelling(self, spelling: str, value: str) -> None:
        """Remember another spelling of a value that was learned."""
        if value.strip() in self._values and len(spelling) >= SHORTEST:
            self._spell(spelling, value.strip())

    def _spell(self, spelling: str, value: str) -> None:
        head = spelling[:_HEAD]
        self._heads.setdefault(head, value)
        lengths = self._lengths.setdefault(head[:SHORTEST], [])
        if len(head) not in lengths:
            lengths.append(len(head))
            lengths.sort(reverse=True)

    def protect(self, name: str) -> None:
        """The name of an object is never taken for a secret, nor are its parts."""
        self._unread_names.add(name)

    def find(self, text: str) -> Iterator[SecretSpan]:
        """The known values in `text`."""
        if len(text) < SHORTEST or not self._heads:
            return
        self._read_names()
        done = 0
        for start, head in self._few(text) if len(self._heads) <= _FEW else self._many(text):
            end = start + len(head)
            value = self._heads[head]
            if value in self._names or (len(head) < _ALONE and head.isalnum() and not _stands_alone(text, start, end)):
                continue
            if len(head) == _HEAD:
                if end <= done:
                    continue  # within the word that was hidden already
                done = end = run_end(_WORD_REST, text, end)
            yield SecretSpan(start, end, "secret", plain=value)

    def _read_names(self) -> None:
        for name in self._unread_names:
            self._names.add(name)
            for part in _PART.finditer(name[:512]):
                self._names.update((part[0], name[: part.end()], name[part.start() :]))
        self._unread_names.clear()

    def _few(self, text: str) -> Iterator[tuple[int, str]]:
        for head in self._heads:
            start = text.find(head)
            while start >= 0:
                yield start, head
                start = text.find(head, start + len(head))

    def _many(self, text: str) -> Iterator[tuple[int, str]]:
        lengths = self._lengths
        for start in range(len(text) - SHORTEST + 1):
            for length in lengths.get(text[start : start + SHORTEST], ()):
                head = text[start : start + length]
                if head in self._heads:
                    yield start, head
                    break


def _is_learnable(value: str, *, trusted: bool) -> bool:
    if len(value) < SHORTEST or value.lower() in COMMON_VALUES or value.lower() in STATUS_WORDS or is_masked(value):
        return False
    if "-----BEGIN" in value or is_number(value) or is_plain(value) or is_reference(value):
        return False
    return trusted or not is_ordinary(value)


def _stands_alone(text: str, start: int, end: int) -> bool:
    if text[end : end + 1].isalnum():
        return False
    if not text[start - 1 : start].isalnum() or start == 0:
        return True
    # After an escaped line break, a percent escape or a colour of a terminal.
    return (
        text[max(0, start - 2) : start] in ("\\n", "\\t", "\\r")
        or text[max(0, start - 3) : start - 2] == "%"
        or text[start - 1] == "m"
    )
