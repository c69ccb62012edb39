"""Private keys in PEM: whole, in one line with escaped breaks, base64-encoded once more, or spread over log lines of
which some may be missing.

The form is RFC 7468's, with the labels of OpenSSL, OpenSSH and PGP. Certificates and public keys are no secrets.
"""

import re
import string
from collections.abc import Iterator

from agent.redaction.spans import Detector, SearchedText, SecretSpan, first_group
from agent.redaction.values import decoded

_EDGE = re.compile(r"-----? ?(BEGIN|END) (?:[A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)? ?-?----")
_LONGEST = 65536
"""Characters between two edges. A PGP block with 4096-bit subkeys, the longest in use, has about 12,000."""
_BODY_SIGNS = string.ascii_letters + string.digits + "+/=\\"
_BODY_LINE = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_LAST_LINE = re.compile(r"[A-Za-z0-9+/]{1,76}={0,2}[ \t\r]*")
_HEADER_LINE = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version|Subject|Hash): [^\n]*|[ \t\r]*")
_PUTTY = re.compile(r"Private-Lines: \d+\s+((?:[A-Za-z0-9+/=]{1,64}\s+){0,200}[A-Za-z0-9+/=]{1,64})")
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/])(LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}+={0,2})")


def _begins_a_private_key(base64: str) -> bool:
    return "PRIVATE KEY" in (decoded(base64[:64]) or "")


def _between_edges(searched: SearchedText) -> Iterator[SecretSpan]:
    """The bodies of private keys; the lines that begin and end them stay readable."""
    text = searched.text
    edges = [(match[1], match.start(), match.end()) for match in _EDGE.finditer(text)]
    for index, (edge, start, end) in enumerate(edges):
        before = edges[index - 1] if index else ("", 0, 0)
        after = edges[index + 1] if index + 1 < len(edges) else ("", len(text), len(text))
        if edge == "BEGIN" and after[0] == "END" and after[1] - end <= _LONGEST:
            yield from _trimmed(text, end, after[1])
        elif edge == "BEGIN":
            yield from _trimmed(text, end, _body_end(text, end, min(after[1], end + _LONGEST)))
        elif before[0] != "BEGIN" or start - before[2] > _LONGEST:
            yield from _trimmed(text, _body_start(text, start, max(before[2], start - _LONGEST)), start)


def _trimmed(text: str, start: int, end: int) -> Iterator[SecretSpan]:
    """The span without blanks and escaped line breaks at its ends."""
    while start < end and (step := _blank_step(text, start)):
        start += step
    while start < end and (text[end - 1] in " \t\r\n" or text[max(start, end - 2) : end] in ("\\n", "\\r")):
        end -= 1 if text[end - 1] in " \t\r\n" else 2
    if end > start:
        yield SecretSpan(start, end, "private-key")


def _blank_step(text: str, at: int) -> int:
    return 1 if text[at] in " \t\r\n" else 2 if text[at : at + 2] in ("\\n", "\\r") else 0


def _body_end(text: str, start: int, limit: int) -> int:
    """Where the lines of a key end that has no last line: the first line that does not look like base64."""
    at = text.find("\n", start, limit)
    if at < 0:
        return limit
    end = at
    full = True
    while at < limit:
        line_end = text.find("\n", at + 1, limit)
        line_end = limit if line_end < 0 else line_end
        line = text[at + 1 : line_end]
        if _BODY_LINE.search(line):
            end = line_end
        elif full and _LAST_LINE.fullmatch(line):
            end, full = line_end, False
        elif not _HEADER_LINE.fullmatch(line):
            break
        at = line_end
    return end


def _body_start(text: str, end: int, limit: int) -> int:
    """Where the lines of a key begin whose first line is missing."""
    line_start = max(limit, text.rfind("\n", limit, end) + 1)
    start = line_start + len(text[line_start:end].rstrip(_BODY_SIGNS))
    last = True
    while line_start > limit:
        line_end = line_start - 1
        line_start = max(limit, text.rfind("\n", limit, line_end) + 1)
        line = text[line_start:line_end]
        if not (_BODY_LINE.search(line) or (last and _LAST_LINE.fullmatch(line))):
            break
        start, last = line_start, False
    return start


DETECTORS = (
    Detector("private key", ("private key",), _between_edges),
    Detector("private key of PuTTY", ("private-lines: ",), first_group(_PUTTY, "private-key")),
    Detector("private key in base64", ("ls0tls1crudjti",), first_group(_ENCODED, "private-key", _begins_a_private_key)),
)
