"""The request and the response of a trace in plain words: what the list of traces in MLflow shows of a turn.

Owns these sentences. MLflow's own preview is the beginning of the answer as it is, in Markdown, or nothing where a turn
failed.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from agent.objects.target import Target

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Characters of a preview; MLflow's store has room for 1,000.
_LENGTH = 500
_BREAKS = ("softbreak", "hardbreak")


def response_preview(markdown: str, *, failure: str = "", left: bool = False) -> str:
    """Return the beginning of an answer as plain sentences. `failure` is the public message of the error that ended
    the turn; `left` marks an answer whose client left before its end."""
    answer = plain_text(markdown)
    if failure:
        return _sentences((f"Not answered: {failure}", f"The answer had begun: {answer}" if answer else ""))
    if left:
        return _sentences(("The client left before the end of the answer", answer))
    return answer


def request_preview(target: Target) -> str:
    """Return what stands for a question that was never read, because the turn failed before: its secrets are not
    known by then."""
    return f"A question about {target}" if target else "A general question"


def plain_text(markdown: str) -> str:
    """Return the beginning of a Markdown text as one line without its marks, 500 characters at most; a heading ends
    like a sentence."""
    return _sentences(
        _inline(token.children or []) if token.type == "inline" else " ".join(token.content.split())
        for token in _parser().parse(markdown[: 2 * _LENGTH])
        if token.content
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _inline(children: "Iterable[Token]") -> str:
    return "".join(" " if child.type in _BREAKS else child.content for child in children).strip()


def _sentences(pieces: Iterable[str]) -> str:
    ended = [piece if piece[-1] in ".:;!?" else f"{piece}." for piece in pieces if piece]
    text = " ".join(ended)
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"
