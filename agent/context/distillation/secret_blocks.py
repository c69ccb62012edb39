"""Lines that are kept together or left out together, because redaction recognises a secret in some of them by the
others: private keys, Secret manifests, a secret's name with its value below.

Owns where such lines begin and end. It must cover each form that `agent.redaction` recognises over several lines, or
a line kept alone shows the secret: the edges of keys in `pem`, Secrets and pairs of name and value in `documents`, the
keywords of `assignments` and its values on the next line, and in `formats` the key after an AWS access key ID. A new
form of several lines there needs its mark here; tests/context/distillation/test_secrets_in_logs.py compares them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

_READ_LIMIT = 5_000
LONGEST = 1_000
"""Lines searched for the other edge of a key. The longest in use, PGP's of 4096 bits, have some 200."""


class SecretMark(IntEnum):
    """What a line is within a multi-line secret."""

    NONE = 0
    BODY = 1  # base64 alone, or a header of a key
    KEY_BEGIN = 2
    KEY_END = 3
    MANIFEST = 4  # `kind: Secret`
    OPENS = 5  # its value is the next line, or the deeper ones
    CONTINUES = 6  # `value: ...` below `name: ...`


_EDGE = re.compile(r"-----? ?(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-?----")
_BODY = re.compile(
    r"[\w.\-:\[\] ]{0,80}?[A-Za-z0-9+/]{16,}={0,2}\s*$|[A-Za-z0-9+/]{1,76}={0,2}\s*$|"
    r"(?:Proc-Type|DEK-Info|Comment|Version|Hash): |\s*$"
)
_MANIFEST = re.compile(r"[ \t]*(?:- )?\"?kind\"?: *[\"']?Secret[\"']?,?\s*$")
_OPENS = re.compile(
    r"(?:(?:pass|pwd|secret|token|key|cred|auth|cert|pem|salt|seed|dsn|sig|cookie|session|private)[\w.\-]{0,60}"
    r"[\"']?\s{0,4}[:=]\s{0,4}(?:[|>][-+\d]{0,2})?|A[KS]IA[0-9A-Z]{16}[\"'\s:,/|=]{0,8}|Private-Lines: \d+)$",
    re.IGNORECASE,
)
_OPENING_SIGNS = ":=|>-+"
_VALUE = re.compile(r"[\s\"']*[Vv]alue[\"']?\s*[:=]")
_DOCUMENT = re.compile(r"[ \t]*(?:- )?[\"']?[\w.\-/]{1,253}[\"']?:(?:\s|$)|[ \t]+\S|[{}\[\],]+\s*$|\s*$|---\s*$")


def mark_of(text: str) -> SecretMark:
    """What the line is within a multi-line secret."""
    text = text[:_READ_LIMIT]
    edges = [match[1] for match in _EDGE.finditer(text)] if "PRIVATE KEY" in text else []
    if edges and edges[-1] == "BEGIN":
        return SecretMark.KEY_BEGIN
    if edges and edges[0] == "END":
        return SecretMark.KEY_END
    if _MANIFEST.match(text):
        return SecretMark.MANIFEST
    if _VALUE.match(text):
        return SecretMark.CONTINUES
    end = text[-100:].rstrip()
    if end and (end[-1] in _OPENING_SIGNS or "KIA" in end or "SIA" in end or "Private" in end) and _OPENS.search(end):
        return SecretMark.OPENS
    return SecretMark.BODY if _BODY.match(text) else SecretMark.NONE


def sealed(marks: Sequence[SecretMark], read: Callable[[int], str]) -> Iterator[tuple[int, int]]:
    """The sealed lines as (start, end), in order and apart from each other. `read` gives the text of a line."""
    done = 0
    for at in [index for index, mark in enumerate(marks) if mark >= SecretMark.KEY_BEGIN]:
        if at < done:
            continue
        start, end = _around(marks, read, at, done)
        if end - start > 1:
            yield start, end
            done = end


def unsealed_start(lines: Sequence[str], start: int) -> int:
    """Where a tail that should begin at line `start` may begin: after the sealed lines that it would split. `lines`
    must include the LONGEST lines before it."""
    split = (end for begin, end in sealed(list(map(mark_of, lines)), lines.__getitem__) if begin < start < end)
    return next(split, start)


def _around(marks: Sequence[SecretMark], read: Callable[[int], str], at: int, limit: int) -> tuple[int, int]:
    match marks[at]:
        case SecretMark.KEY_BEGIN:
            return at, _key_end(marks, at)
        case SecretMark.KEY_END:
            start = at
            while start > limit and marks[start - 1] is SecretMark.BODY:
                start -= 1
            return start, at + 1
        case SecretMark.MANIFEST:
            start, end = at, at + 1
            while start > limit and _DOCUMENT.match(read(start - 1)[:_READ_LIMIT]):
                start -= 1
            while end < len(marks) and _DOCUMENT.match(read(end)[:_READ_LIMIT]):
                end += 1
            return start, end
        case SecretMark.OPENS:
            return at, _deeper_end(marks, read, at)
        case _:
            return max(limit, at - 1), at + 1


def _key_end(marks: Sequence[SecretMark], at: int) -> int:
    for end in range(at + 1, min(len(marks), at + LONGEST)):
        if marks[end] is SecretMark.KEY_END:
            return end + 1
        if marks[end] is SecretMark.KEY_BEGIN:
            break
    end = at + 1
    while end < len(marks) and marks[end] is SecretMark.BODY:
        end += 1
    return end


def _deeper_end(marks: Sequence[SecretMark], read: Callable[[int], str], at: int) -> int:
    """The end of the next line and of all that are indented deeper than line `at`."""
    column = _column(read(at))
    end = min(len(marks), at + 2)
    while end < len(marks) and _column(read(end)) > column:
        end += 1
    return end


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
