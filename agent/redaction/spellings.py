"""Texts with escapes: coloured by a terminal, percent-encoded, escaped in JSON or HTML.

Owns the removal of one layer of escapes, and the way back to the original positions.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from agent.redaction.spans import SecretSpan

# Not a quotation mark that JSON escapes: the detectors read it themselves.
_HIDING_ESCAPE = re.compile(
    r"\x1b\[|\\(?:u001b|x1b|033|e)\[|%(?:3[Dd]|3[Aa]%2[Ff]|22)|&(?:quot|#\d\d|#x[0-9A-Fa-f]{2});|\\u00[2-7]"
    r"|:(?: [|>]-?)?(?:\\r)?\\n"  # a block or a list of YAML in a string of JSON
)
_ESCAPE = re.compile(
    r"(?P<colour>(?:\x1b|\\u001b|\\x1b|\\033|\\e)\[[0-9;?]{0,32}[A-Za-z])"
    r"|(?P<percent>%[2-7][0-9A-Fa-f])|(?P<entity>&(?:quot|apos|amp|lt|gt|#\d{2,3}|#x[0-9A-Fa-f]{2});)"
    r"|\\u00(?P<code>[2-7][0-9A-Fa-f])|\\(?P<escape>[nrt\"\\/])"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class UnescapedText:
    """`text` without its escapes, and the place that each character had before."""

    def __init__(self, spelt: str) -> None:
        self._offsets: list[int] = []
        self._origins: list[tuple[int, int]] = []  # where the piece begins, and where it ends if it is one sign
        pieces: list[str] = []
        at = size = 0
        for match in _ESCAPE.finditer(spelt):
            sign = _character(match)
            for piece, origin in ((spelt[at : match.start()], (at, 0)), (sign, match.span())):
                if piece:
                    self._offsets.append(size)
                    self._origins.append(origin)
                    pieces.append(piece)
                    size += len(piece)
            at = match.end()
        self._offsets.append(size)
        self._origins.append((at, 0))
        self.text = "".join((*pieces, spelt[at:]))

    def original_spans(self, spans: Iterable[SecretSpan]) -> Iterator[SecretSpan]:
        """The places in the original text of spans of the unescaped one."""
        for span in spans:
            start = self._place(span.start)[0]
            end = self._place(span.end - 1)[1]
            yield SecretSpan(start, end, span.what, plain=span.plain or self.text[span.start : span.end])

    def _place(self, at: int) -> tuple[int, int]:
        index = bisect_right(self._offsets, at) - 1
        start, end = self._origins[index]
        within = start + at - self._offsets[index]
        return (start, end) if end else (within, within + 1)


def unescape(text: str) -> UnescapedText | None:
    """`text` without its escapes, None where it has none that could hide a secret."""
    return UnescapedText(text) if _HIDING_ESCAPE.search(text) else None


def _character(match: re.Match[str]) -> str:
    if match["colour"]:
        return ""
    if match["percent"]:
        return unquote(match[0])
    if match["entity"]:
        return html.unescape(match[0])
    if match["code"]:
        return chr(int(match["code"], 16))
    return _ESCAPES.get(match["escape"], match["escape"])
