"""Untrusted text inside Markdown: as code it cannot get out of, as prose that stays prose.

Owns the escaping for CommonMark with GitHub's extensions; decides no layout. What comes from a cluster may hold
anything: links, images, HTML, fences, terminal escapes, characters that reverse the reading direction.
"""

import re
import unicodedata

# Characters that reorder or hide their neighbours (Unicode bidirectional controls, TR9, and the line separators).
_DECEPTIVE = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
# What starts emphasis, links, HTML, entities, tables, formulas; `_` only where it is not inside a word.
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# What starts a block at the beginning of a line.
_BLOCK = re.compile(r"^(?:[#+>=-]|\d{1,9}(?=[.)]))")
_CODE = re.compile(r"`([^`]+)`")
# What GitHub and most renderers make a link of by themselves.
_LINK = re.compile(r"(?:[A-Za-z][\w+.-]*://|www\.|mailto:|xmpp:)\S+|\S+@\S+", re.IGNORECASE)


def visible(text: str) -> str:
    """`text` with control characters, lone surrogates and deceptive ones written out; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_plain(char) else _written_out(char) for char in text)


def code(text: str) -> str:
    """`text` as a code span on one line."""
    line = " ".join(visible(text).split("\n")).replace("\t", " ")
    if not line.strip():
        return "(empty)"
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fenced(text: str, indent: str = "") -> str:
    """`text` as a fenced code block, each line after `indent`."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = [f"{fence}text", *visible(text).strip("\n").split("\n"), fence]
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def prose(text: str) -> str:
    """`text` as one line of prose: what is between single backticks stays code, addresses become code, all else is
    taken literally."""
    line = " ".join(visible(text).split())
    pieces: list[str] = []
    end = 0
    for match in _CODE.finditer(line):
        if match[1].strip():
            pieces += [_literal(line[end : match.start()], start=not end), code(match[1])]
            end = match.end()
    return _joined([*pieces, _literal(line[end:], start=not end)])


def _joined(pieces: list[str]) -> str:
    """The pieces in a row; where two would share a run of backticks, a blank parts them."""
    joined = ""
    for piece in pieces:
        joined += " " + piece if joined.endswith("`") and piece.startswith("`") else piece
    return joined


def _literal(text: str, *, start: bool) -> str:
    pieces: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        pieces += [_escaped(text[end : match.start()]), code(match[0])]
        end = match.end()
    pieces.append(_escaped(text[end:]))
    literal = _joined(pieces)
    if start and (block := _BLOCK.match(literal)):
        digits = len(block[0]) if block[0].isdigit() else 0
        literal = f"{literal[:digits]}\\{literal[digits:]}"
    return literal


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _is_plain(char: str) -> bool:
    return char in "\n\t" or not (unicodedata.category(char) in ("Cc", "Cs") or _DECEPTIVE.match(char))


def _written_out(char: str) -> str:
    code_point = ord(char)
    return f"\\x{code_point:02x}" if code_point < 0x100 else f"\\u{code_point:04x}"
