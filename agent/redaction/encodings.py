"""Secrets behind base64 in a text: `echo cGFzc3dvcmQ9... | base64 -d`, a configuration file packed into one variable.

Owns finding and decoding the runs; the caller decides what is a secret in the decoded text.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.redaction.spans import SecretSpan
from agent.redaction.values import decoded

# A run of base64 that a text of ASCII characters may be encoded as. Each group of four characters begins with the upper
# six bits of a byte: C (a tab, a line feed), I to Z and a to f encode the others. Lines that follow belong to it
# where they are nothing but base64, as `base64` wraps its output.
_SIGN = "[A-Za-z0-9+/_-]"
_GROUP = f"(?:[CI-Za-f]{_SIGN}{{3}})"
_RUN = re.compile(
    rf"(?:(?<!{_SIGN})|(?<=\\[nrt])){_GROUP}{{4}}{_SIGN}{{4,}}+={{0,2}}+"
    rf"(?:\n[ \t]{{0,32}}+{_SIGN}{{4,76}}+={{0,2}}+(?!\S))*+"
)
_LINE = re.compile(rf"{_SIGN}{{20,}}={{0,2}}")
_HEAD = 16
_URL_SAFE = str.maketrans("-_", "+/")


class DecodedRun(NamedTuple):
    """`text[start:end]` is the base64 of `plain`."""

    start: int
    end: int
    plain: str

    def hidden(self, inner: SecretSpan) -> SecretSpan:
        """The whole run, of the kind of a secret in it."""
        return SecretSpan(self.start, self.end, inner.what, plain=self.plain)


def encoded_texts(text: str) -> Iterator[DecodedRun]:
    """The runs of base64 of `text` that hold readable text."""
    for match in _RUN.finditer(text):
        end = match.start() + _wrapped(match[0])
        whole = _decoded(text[match.start() : end])
        if whole is not None:
            yield DecodedRun(match.start(), end, whole)
        if whole is None or end < match.end():  # words on lines of their own, or such as follow
            for line in _LINE.finditer(text, match.start() if whole is None else end, match.end()):
                plain = _decoded(line[0])
                if plain is not None:
                    yield DecodedRun(line.start(), line.end(), plain)


def _wrapped(run: str) -> int:
    """Where the lines end that are as long as the first, with a shorter one after them."""
    lines = run.split("\n")
    widths = [len(line.strip()) for line in lines]
    other = next((number for number, width in enumerate(widths) if width != widths[0]), len(lines))
    if other < len(lines) and widths[other] < widths[0]:
        other += 1
    return sum(len(line) + 1 for line in lines[:other]) - 1


def _decoded(run: str) -> str | None:
    return decoded(run.translate(_URL_SAFE).rstrip("=")) if _begins_readable(run) else None


def _begins_readable(run: str) -> bool:
    try:
        head = base64.b64decode(run[:_HEAD].translate(_URL_SAFE), validate=True)
    except binascii.Error:
        return False
    return head.isascii() and all(sign >= 32 or sign in b"\t\r\n" for sign in head)
