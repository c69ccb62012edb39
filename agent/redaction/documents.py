"""Secrets in objects within a text: the data of a Secret, `name: X` with `value: Y`, a JSON web key; as YAML, as
JSON (however often escaped), as Go prints it, whole or cut.

Owns these structures; it parses no document, so that a cut or broken one is read as well.
"""

import re
from collections.abc import Iterator

from agent.redaction.names import name_hint
from agent.redaction.spans import Detector, SearchedText, SecretSpan, first_group, run_end
from agent.redaction.values import decoded, is_masked
from agent.redaction.verdict import Syntax, is_secret

_YAML_SECRET = re.compile(r"^([ \t]*(?:- )?)kind:[ \t]*[\"']?Secret[\"']?[ \t\r]*$", re.MULTILINE)
_YAML_DATA = re.compile(r"^([ \t]*(?:- )?)(data|stringData):[ \t\r]*$", re.MULTILINE)
_YAML_DOCUMENT_END = re.compile(r"^---", re.MULTILINE)
_YAML_ENTRY = re.compile(r"[ \t]*[\"']?[\w.\-]{1,253}[\"']?:(?:[ \t]+|$)")
_JSON_SECRET = re.compile(r"\"kind\\{0,16}\"\s{0,4}:\s{0,4}\\{0,16}\"Secret\\{0,16}\"")
_JSON_DATA = re.compile(r"(\\{0,16})\"(data|stringData)\1\"\s{0,4}:\s{0,4}\{")
_JSON_BLANK = re.compile(r"(?:[\s,:]|\\{1,16}[nrt])*+")
_NAME_FIELD = r"{}\\{{0,16}}[\"']?[ \t]{{0,4}}[:=][ \t]{{0,4}}\\{{0,16}}[\"']?(?P<name>[\w./\-]{{2,253}}+)"
_VALUE_FIELD = r"(?:[A-Z]\w{0,16})?[Vv]alue\\{0,16}[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
_BETWEEN = r"(?P<between>(?:\s|\\{1,16}n|(?<=\n)[-+]){0,80}+)\\{0,16}[\"']?"
_PAIR = re.compile(
    rf"{_NAME_FIELD.format('(?:[Nn]ame|[Kk]ey|path)')}\\{{0,16}}[\"']?,?{_BETWEEN}{_VALUE_FIELD}(?P<quote>\\{{0,16}}[\"'])?"
)
_OTHER_SIDE = re.compile(
    rf"[\"']?[ \t]*\n\+[ \t]*{_VALUE_FIELD}(?P<quote>[\"'])?(?P<value>[^\s\"']{{1,1024}})"
)  # of a diff
# `kubectl describe configmap`
_DESCRIBED = re.compile(r"^(?P<name>[\w.\-]{2,253}+):[ \t]*\n-{4}[ \t]*\n(?P<value>[^\n]{1,1024})", re.MULTILINE)
# iscsiadm; its short options in a text with the word "value" only, since `-n` and `-v` are common.
_OPTIONS = re.compile(r"(?:--name|-n)[ =](?P<name>[\w.\-]{2,253}+)[ ](?:--value|-v)[ =](?P<value>[^\s\"']{1,1024})")
# The same with the value first, as a program sorts its fields.
_REVERSED = re.compile(
    rf"{_VALUE_FIELD}(?:\\{{0,16}}\"(?P<double>[^\"\n]{{1,1024}}+)\"|'(?P<single>[^'\n]{{1,1024}}+)'"
    rf"|(?P<bare>[^\s,}}\]\"'\\]{{1,1024}}+)),?{_BETWEEN}{_NAME_FIELD.format('(?:[Nn]ame|[Kk]ey)')}"
)
# What opens or signs in a JSON web key; `x`, `y`, `n`, `e` are public.
_KEY_TYPE = re.compile(r"[\"']kty\\{0,16}[\"']")
_KEY_PART = re.compile(r"[\"'](?:d|p|q|dp|dq|qi|k)\\{0,16}[\"']\s{0,4}:\s{0,4}\\{0,16}[\"']([A-Za-z0-9_-]{16,4096}+)")
_BARE = re.compile(r"[^\s,}\]]*+")
_LINE = re.compile(r"[^\n]*+")


def _secret_objects(searched: SearchedText) -> Iterator[SecretSpan]:
    text = searched.text
    if _JSON_SECRET.search(text):
        done = 0
        for match in _JSON_DATA.finditer(text):
            if match.start() >= done:
                for span in _json_data(text, match.end(), match[1] + '"', encoded=match[2] == "data"):
                    done = span.end
                    yield span
    yield from _yaml_secrets(text)


def _pairs(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _PAIR.finditer(searched.text):
        yield from _pair(searched.text, match)


def _option_pairs(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _OPTIONS.finditer(searched.text):
        yield from _named_value(match)


def _reversed_pairs(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _REVERSED.finditer(searched.text):
        yield from _reversed_pair(match)


def _described(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _DESCRIBED.finditer(searched.text):
        yield from _named_value(match)


def _web_keys(searched: SearchedText) -> Iterator[SecretSpan]:
    if _KEY_TYPE.search(searched.text):
        yield from _key_parts(searched)


def _json_data(text: str, at: int, quote: str, *, encoded: bool) -> Iterator[SecretSpan]:
    while True:
        at = _after_blanks(text, at)
        key_end = _closing(text, at + len(quote), quote) if text.startswith(quote, at) else -1
        if key_end < 0:
            return
        at = _after_blanks(text, key_end + len(quote))
        if text.startswith(quote, at):
            start = at + len(quote)
            end = _closing(text, start, quote)
            end = end if end >= 0 else len(text)
            yield from _datum(text, start, end, encoded=encoded)
            at = end + len(quote)
        elif text[at : at + 1] in ("{", "["):
            return  # no data of a Secret
        else:
            at = run_end(_BARE, text, at)


def _after_blanks(text: str, at: int) -> int:
    return run_end(_JSON_BLANK, text, at)


def _closing(text: str, at: int, quote: str) -> int:
    """The position of the next `quote` that is not escaped once more, -1 where there is none."""
    while (at := text.find(quote, at)) >= 0:
        before = len(text[max(0, at - 64) : at]) - len(text[max(0, at - 64) : at].rstrip("\\"))
        if before == 0 or (len(quote) == 1 and before % 2 == 0):
            return at
        at += len(quote)
    return -1


def _yaml_secrets(text: str) -> Iterator[SecretSpan]:
    start = 0
    for secret in _YAML_SECRET.finditer(text):
        if secret.start() < start:
            continue  # of a document that was read already
        document_start = max((m.end() for m in _YAML_DOCUMENT_END.finditer(text, start, secret.start())), default=start)
        following = _YAML_DOCUMENT_END.search(text, secret.end())
        start = following.start() if following else len(text)
        columns = {len(m[1]) for m in _YAML_SECRET.finditer(text, document_start, start)}
        for data in _YAML_DATA.finditer(text, document_start, start):
            if len(data[1]) in columns:
                yield from _yaml_data(text, data.end() + 1, start, len(data[1]), encoded=data[2] == "data")


def _yaml_data(text: str, at: int, limit: int, column: int, *, encoded: bool) -> Iterator[SecretSpan]:
    """The values below `data:`; a value's further lines belong to it."""
    entry_column = value_start = value_end = -1
    while at < limit:
        line_end = run_end(_LINE, text, at, limit)
        line = text[at:line_end]
        indent = len(line) - len(line.lstrip(" \t"))
        if line.strip() and indent <= column:
            break
        entry = _YAML_ENTRY.match(line) if entry_column in (-1, indent) else None
        if entry:
            yield from _datum(text, value_start, value_end, encoded=encoded)
            entry_column, value_start, value_end = indent, at + entry.end(), line_end
        elif line.strip():
            value_end = line_end
        at = line_end + 1
    yield from _datum(text, value_start, value_end, encoded=encoded)


def _datum(text: str, start: int, end: int, *, encoded: bool) -> Iterator[SecretSpan]:
    value = text[start:end] if start >= 0 else ""
    if value[:1] in ("|", ">"):
        first, _, value = value.partition("\n")
        start += len(first) + 1
    start += len(value) - len(value.lstrip(" \t\r\n\"'"))
    value = value.strip(" \t\r\n\"'")
    if not is_masked(value):
        yield SecretSpan(start, start + len(value), "secret", plain=(decoded(value) or value) if encoded else value)


def _pair(text: str, match: re.Match[str]) -> Iterator[SecretSpan]:
    hint = name_hint(match["name"])
    if hint is None:
        return
    start = match.end()
    if match["quote"]:
        end = _closing(text, start, match["quote"])
        end = end if end >= 0 else len(text)
    elif "\n" in match["between"]:
        end = run_end(_LINE, text, start)
        end = start + len(text[start:end].partition(" #")[0].rstrip())
    else:
        end = run_end(_BARE, text, start)
    if is_secret(text[start:end], hint, Syntax.FIELD):
        yield SecretSpan(start, end, hint.what)
    other = _OTHER_SIDE.match(text, end)
    if other and is_secret(other["value"], hint, Syntax.FIELD):
        yield SecretSpan(*other.span("value"), hint.what)


def _named_value(match: re.Match[str]) -> Iterator[SecretSpan]:
    hint = name_hint(match["name"])
    if hint and is_secret(match["value"], hint, Syntax.FIELD):
        yield SecretSpan(*match.span("value"), hint.what)


def _reversed_pair(match: re.Match[str]) -> Iterator[SecretSpan]:
    hint = name_hint(match["name"])
    group = next(group for group in ("double", "single", "bare") if match[group])
    value = match[group].rstrip("\\")
    if hint and is_secret(value, hint, Syntax.FIELD):
        yield SecretSpan(match.start(group), match.start(group) + len(value), hint.what)


_key_parts = first_group(_KEY_PART, "private-key")

DETECTORS = (
    Detector("data of a Secret", ("secret",), _secret_objects),
    Detector("name and value", ("value",), _pairs),
    Detector("options --name and --value", ("value",), _option_pairs),
    Detector("value and name", ("value",), _reversed_pairs),
    Detector("output of kubectl describe", ("\n----",), _described),
    Detector("JSON web key", ("kty",), _web_keys),
)
