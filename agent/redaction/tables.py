"""Secrets that the place in a table names: a column of comma-separated or framed lines, a row of name and value, the
values of an SQL `INSERT`.

Owns the reading of rows; `agent.redaction.verdict` decides whether a value is a secret.
"""

import re
from collections.abc import Iterator, Sequence

from agent.redaction.names import HintStrength, NameHint, name_hint
from agent.redaction.spans import Detector, SearchedText, SecretSpan
from agent.redaction.verdict import Syntax, is_secret

type _Cell = tuple[int, int]

_LONGEST_LINE = 2048
_MOST_CELLS = 64
_HEADING = re.compile(r"[ \t\"']*[A-Za-z][\w .\-]{0,40}[ \t\"']*")
_FRAME = re.compile(r"[|│┃]")
_FRAMED = re.compile(r"^[ \t]*[|│┃]", re.MULTILINE)
# A heading on lower-cased text, with a line below it.
_COMMA_SEPARATED = re.compile(
    r"^(?=[^\n]{0,2048}(?:pass|pwd|secret|token))[\w .\-\"']{1,48}+(?:,[\w .\-\"']{1,48}+){1,63}+\r?\n", re.MULTILINE
)
_RULE = re.compile(r"[\s|│┃├┼┤╞╪╡+:=─━-]+")
_INSERT = re.compile(
    r"\b(?:insert|replace)[ \t]+into[ \t]+[^\s(]{1,128}[ \t]*\(([^()\n]{1,2048})\)[ \t\n]*values[ \t\n]*", re.IGNORECASE
)
_TUPLE = re.compile(r"\(((?:[^()'\n]|'[^'\n]{0,1024}'){1,4096}+)\)[ \t\n]*,?[ \t\n]*")
_SQL_CELL = re.compile(r"(?:[^,']|'[^']*')+")


def _inserts(searched: SearchedText) -> Iterator[SecretSpan]:
    if "values" in searched.lowered:
        for match in _INSERT.finditer(searched.text):
            yield from _inserted(searched.text, match)


def _rows(searched: SearchedText) -> Iterator[SecretSpan]:
    text, lowered = searched
    if _FRAMED.search(text) or ("," in text and _COMMA_SEPARATED.search(lowered)):
        yield from _lines(text)


def _inserted(text: str, insert: re.Match[str]) -> Iterator[SecretSpan]:
    columns = [_strong(column.strip(" \t`\"'[]")) for column in insert[1].split(",")]
    if not any(columns):
        return
    at = insert.end()
    while row := _TUPLE.match(text, at):
        cells = [(row.start(1) + m.start(), row.start(1) + m.end()) for m in _SQL_CELL.finditer(row[1])]
        if len(cells) == len(columns):
            yield from _named_cells(text, cells, columns)
        at = row.end()


def _lines(text: str) -> Iterator[SecretSpan]:
    """Each line by the heading above it, or as a row of name and value."""
    columns: Sequence[NameHint | None] = ()
    framed = False
    at = 0
    for line in text.split("\n"):
        cells = _cells(line, at) if len(line) <= _LONGEST_LINE else []
        is_framed = bool(cells) and _FRAME.match(line.lstrip()) is not None
        if columns and len(cells) == len(columns) and framed == is_framed:
            if not _RULE.fullmatch(line):
                yield from _named_cells(text, cells, columns)
        elif not (columns and _RULE.fullmatch(line)):
            columns, framed = _headings(text, cells), is_framed
            if is_framed and len(cells) == 2 and (hint := _strong(text[slice(*cells[0])])) is not None:
                yield from _named_cells(text, cells[1:], [hint])
        at += len(line) + 1


def _cells(line: str, at: int) -> list[_Cell]:
    """The positions of the cells of a line, [] where it is no row."""
    framed = _FRAME.match(line.lstrip()) is not None
    pieces = _FRAME.split(line) if framed else line.split(",")
    if not 2 <= len(pieces) <= _MOST_CELLS:
        return []
    cells: list[_Cell] = []
    for piece in pieces:
        start = at + len(piece) - len(piece.lstrip(" \t\"'"))
        cells.append((start, max(start, at + len(piece.rstrip(" \t\r\"'")))))
        at += len(piece) + 1
    return cells[1:-1] if framed else cells


def _headings(text: str, cells: Sequence[_Cell]) -> Sequence[NameHint | None]:
    names = [text[start:end] for start, end in cells]
    if len(names) < 2 or not all(_HEADING.fullmatch(name) for name in names):
        return ()
    columns = [_strong(name) for name in names]
    return columns if any(columns) and not all(columns) else ()


def _strong(name: str) -> NameHint | None:
    hint = name_hint(name)
    return hint if hint and hint.strength is HintStrength.STRONG and len(name.split()) <= 2 else None


def _named_cells(text: str, cells: Sequence[_Cell], columns: Sequence[NameHint | None]) -> Iterator[SecretSpan]:
    for (start, end), hint in zip(cells, columns, strict=True):
        if hint is None:
            continue
        value = text[start:end]
        start += len(value) - len(value.lstrip(" \t'\""))
        value = value.strip(" \t'\"")
        if value and " " not in value and is_secret(value, hint, Syntax.ASSIGNMENT):
            yield SecretSpan(start, start + len(value), hint.what)


DETECTORS = (
    Detector("INSERT", ("into",), _inserts),
    Detector("table", ("|", "│", "┃", "pass", "pwd", "secret", "token"), _rows),
)
