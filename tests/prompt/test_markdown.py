"""Untrusted text in Markdown, read back by a CommonMark parser: it never becomes more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent.prompt.markdown import code, fenced, prose, visible

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PIECES = [
    "`",
    "``",
    "```",
    "~~~",
    "\n",
    "\n\n",
    "\\",
    "*",
    "**a**",
    "_",
    "_a_",
    "[x](http://evil.example)",
    "![x](http://evil.example/p.png)",
    "[x]: http://evil.example",
    "<script>",
    "<img src=x onerror=1>",
    "<http://evil.example>",
    "https://evil.example/a_b_c",
    "www.evil.example",
    "a@evil.example",
    "javascript:alert(1)",
    "&lt;",
    "# x",
    "- x",
    "1. x",
    "12) x",
    "> x",
    "=====",
    "---",
    "| a | b |",
    "~~x~~",
    "    x",
    "\t",
    " ",
    "word",
    "snake_case",
    "\x1b[31m",
    "\x00",
    "\r",
    "\u202e",
    "\u2028",
    "\ud800",
    "é",
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


def inline(markdown: str) -> list[Token]:
    """The inline tokens of Markdown that must be one paragraph."""
    tokens = PARSER.parse(markdown)
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"]), tokens
    return (tokens[1].children or []) if tokens else []


@given(hostile)
def test_prose_is_text_and_code_and_nothing_else(text: str) -> None:
    tokens = inline(prose(text))

    assert {token.type for token in tokens} <= {"text", "text_special", "code_inline"}
    assert _letters("".join(token.content for token in tokens)) == _letters(visible(text))


def _letters(text: str) -> str:
    """All but blanks, which prose folds, and backticks, which delimit its code."""
    return "".join(text.split()).replace("`", "")


@given(hostile)
def test_a_code_span_holds_its_text_and_cannot_be_left(text: str) -> None:
    tokens = inline(f"before {code(text)} after")

    if not visible(text).strip():
        assert tokens[0].content == "before (empty) after"
        return
    assert [token.type for token in tokens] == ["text", "code_inline", "text"]
    assert tokens[1].content == visible(text).replace("\n", " ").replace("\t", " ")


@given(hostile)
def test_a_fence_holds_its_text_and_cannot_be_left(text: str) -> None:
    tokens = PARSER.parse(f"- item\n\n{fenced(text, indent='  ')}\n\nafter")
    fences = [token for token in tokens if token.type == "fence"]

    assert len(fences) == 1
    lines = [line.rstrip() for line in visible(text).strip("\n").split("\n")]
    assert [line.rstrip() for line in fences[0].content.split("\n")][: len(lines)] == lines
    assert tokens[-2].content == "after"


def test_commands_stay_code_and_addresses_become_code() -> None:
    assert prose("Run `kubectl get pods`, see https://x.example/a*b") == (
        "Run `kubectl get pods`, see `https://x.example/a*b`"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31mb", "a\\x1b[31mb"), ("a\u202eb", "a\\u202eb"), ("a\ud800b", "a\\ud800b"), ("é\tß\n", "é\tß\n")],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown
