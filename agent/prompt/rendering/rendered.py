"""A part of a context as text within a token limit, and the ways to cut one: whole items, or the beginning.

Owns the cutting, and how names from a cluster are written where no fence guards them; what a part looks like is its own
module's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.objects.error_message import shorten
from agent.prompt.tokens import count_tokens

# No vocabulary joins more characters than this into one token often enough to matter.
_LONGEST_TOKEN = 8
_CUT = "# ... cut\n"
_CUT_TOKENS = count_tokens(_CUT) + 1
_LABEL_LIMIT = 80
# A smaller budget holds the mark of a cut and nothing else.
_LEAST_ITEM = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A part as text, its tokens (no fewer than `count_tokens` gives), and what was left out ("" when nothing was)."""

    text: str
    tokens: int
    left_out: str = ""


def well_formed(text: str) -> str:
    """`text` that can be written as UTF-8: JSON may hold half of a surrogate pair (`"\\ud800"`)."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def label(text: str, characters: int = _LABEL_LIMIT) -> str:
    """A name from a cluster as a word of our own sentences: one line of printable characters, not too long."""
    text = text[: 4 * characters]
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= characters else f"{line[:characters]}..."


def shortened(text: str, characters: int = 1_000) -> str:
    """`text` that takes no more than its part of a list: without command lines or as both ends, and how much more there
    was."""
    short = shorten(text, characters)
    return text if short == text else f"{short} ({len(text) - len(short)} more characters)"


def whole_items(items: Iterable[str], limit: int, what: str, *, count: int) -> Rendered:
    """As many whole items as fit, of `count`; the first one is cut rather than dropped. The rest is not even made."""
    kept: list[str] = []
    tokens = 0
    if limit < _LEAST_ITEM:
        return Rendered(text="", tokens=0, left_out=f"{count} {what}" if count else "")
    for item in items:
        cost = count_tokens(item) + 1
        if tokens + cost > limit:
            if kept:
                break
            item = cut(item, limit)
            cost = count_tokens(item) + 1
        kept.append(item)
        tokens += cost
    missing = count - len(kept)
    return Rendered(text="\n".join(kept), tokens=tokens, left_out=f"{missing} {what}" if missing else "")


def cut(text: str, limit: int) -> str:
    """The first lines of `text` that fit into `limit` tokens, ended by a mark."""
    kept: list[str] = []
    tokens = _CUT_TOKENS
    for line in text.splitlines(keepends=True):
        cost = count_tokens(line) + 1
        if tokens + cost > limit:
            if not kept:  # one line larger than the whole limit
                kept.append(beginning(line, limit - tokens - 2) + "\n")
            break
        kept.append(line)
        tokens += cost
    return "".join(kept) + _CUT


def beginning(text: str, limit: int) -> str:
    """As much of the beginning of `text` as fits into `limit` tokens."""
    if limit <= 0:
        return ""
    if len(text) <= limit * _LONGEST_TOKEN and count_tokens(text) <= limit:
        return text
    low, high = 0, min(len(text), limit * _LONGEST_TOKEN)
    while low < high:  # more text never counts less
        middle = (low + high + 1) // 2
        if count_tokens(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low]
