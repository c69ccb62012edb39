"""A part of a context as text within a token limit, and the two ways to cut one: whole items, or the first lines.

Owns the cutting; what a part looks like is its own module's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.tokens import count_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A part as text, its token estimate, and what was left out ("" when nothing was)."""

    text: str
    tokens: int
    left_out: str = ""


def well_formed(text: str) -> str:
    """`text` that can be written as UTF-8: JSON may hold half of a surrogate pair (`"\\ud800"`)."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def whole_items(items: Sequence[str], limit: int, what: str) -> Rendered:
    """As many whole items as fit; the first one is cut rather than dropped."""
    kept: list[str] = []
    tokens = 0
    for item in items:
        cost = count_tokens(item) + 1
        if tokens + cost > limit:
            if kept:
                break
            item = cut(item, limit)
            cost = count_tokens(item) + 1
        kept.append(item)
        tokens += cost
    missing = len(items) - len(kept)
    return Rendered(text="\n".join(kept), tokens=tokens, left_out=f"{missing} {what}" if missing else "")


def cut(text: str, limit: int) -> str:
    """The first lines of `text` that fit into `limit` tokens, ended by a mark."""
    kept: list[str] = []
    tokens = 4
    for line in text.splitlines(keepends=True):
        cost = count_tokens(line) + 1
        if tokens + cost > limit:
            if not kept:  # one line larger than all the room
                kept.append(_beginning(line, limit - tokens - 1) + "\n")
            break
        kept.append(line)
        tokens += cost
    return "".join(kept) + "# ... cut\n"


def _beginning(line: str, limit: int) -> str:
    """As much of one line as fits: about a token is a character, more in scripts that are spelled byte by byte."""
    line = line[: max(limit, 0)]
    while line and count_tokens(line) > limit:
        line = line[: len(line) * 3 // 4]
    return line
