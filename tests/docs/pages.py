"""The Markdown pages of the repository: their text, tables, links, headings and code blocks. Owns no expectation."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)


def name_of(page: Path) -> str:
    """The path of a page from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def marked(page: Path, mark: str) -> str:
    """The text between `<!-- mark -->` and `<!-- /mark -->`."""
    return text_of(page).split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]


def rows(table: str) -> Iterator[list[str]]:
    """The cells of each row of a table, without its head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" | ")]


def first_cells(page: Path, mark: str) -> list[str]:
    """The first cell of each row of the marked table, without backticks."""
    return [row[0].strip("`") for row in rows(marked(page, mark))]


@cache
def tokens_of(page: Path) -> tuple[Token, ...]:
    return tuple(MarkdownIt("commonmark").enable("table").parse(text_of(page)))


def links_of(page: Path) -> Iterator[str]:
    """Where the links and images of a page lead."""
    for token in tokens_of(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target is not None:
                yield str(target)


def headings_of(page: Path) -> list[str]:
    """The headings of a page as plain text, in order."""
    tokens = tokens_of(page)
    return [
        "".join(child.content for child in following.children or ())
        for token, following in pairwise(tokens)
        if token.type == "heading_open"
    ]


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings_of(page)}


def code_blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return [token.content for token in tokens_of(page) if token.type == "fence" and token.info == language]


def code_spans(page: Path) -> Iterator[str]:
    """The inline code of a page."""
    for token in tokens_of(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    return text_of(page).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
