"""Secrets that go on in the next line: a token that a terminal or `base64` wrapped, a value that ends in a backslash.

Owns the further lines only; the detectors find where a secret begins.
"""

import re

from agent.redaction.spans import SecretSpan
from agent.redaction.values import is_identifier, looks_random, looks_secret

_WRAPS_AT = 40
"""Characters of a line that something wraps. Terminals, `base64` and `fold` wrap at 64, 76 or 80."""
_SHORTEST = 8
_FURTHER = re.compile(r"(\\?)\r?\n[ \t]{0,32}(?P<line>[A-Za-z0-9+/=_.~-]{1,4096}+)(\\?)[ \t\r]*(?=\n|$)")
_KINDS = frozenset({"token", "key", "secret", "password", "credential", "signature"})


def wrapped(span: SecretSpan, text: str) -> SecretSpan:
    """`span` with the lines below that belong to it."""
    line = text[span.start : span.end].rstrip("\\").rpartition("\n")[2].strip()
    if span.what not in _KINDS or text[span.end : span.end + 1] not in ("\n", "\r", "\\"):
        return span
    end, width = span.end, len(line)
    while further := _FURTHER.match(text, end):
        value = further["line"]
        wraps = (
            further[1]
            or text[end - 1] == "\\"
            or (width >= _WRAPS_AT and len(value) <= width and not is_identifier(value))
        )
        if not wraps or not (looks_random(value) or (len(value) >= _SHORTEST and looks_secret(value))):
            break
        end = further.end("line")
        if len(value) < width and not further[3]:
            break  # the last one
    return span if end == span.end else SecretSpan(span.start, end, span.what)
