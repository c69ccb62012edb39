"""Secrets that a text gives to a name: `password=x`, `"token": "x"`, `secretKey: x` in YAML, `<password>x</password>`,
`--token x`, "the password is x".

Owns the reading of names and values in running text; `agent.redaction.verdict` decides whether a value is a secret.
"""

import re
import string
from collections.abc import Iterator
from functools import lru_cache

from agent.redaction.names import PASSWORD_PHRASES, PASSWORD_TRANSLATIONS, HintStrength, NameHint, name_hint
from agent.redaction.spans import Detector, SearchedText, SecretSpan, run_end
from agent.redaction.values import looks_random, looks_secret
from agent.redaction.verdict import Syntax, is_secret

# What names of secrets contain, and what follows where the letters alone are too common. In lower case.
_KEYWORDS = {
    **dict.fromkeys((*PASSWORD_PHRASES, "parola d'ordine", "secret id"), ""),
    **dict.fromkeys(
        ("pass", "pwd", "secret", "token", "cred", "dsn", "jwt", "cookie", "salt", "seed", "session", "sessid"), ""
    ),
    **dict.fromkeys(("mnemonic", "webhook", "connection string", "community string", "keytab"), ""),
    **dict.fromkeys(sorted(PASSWORD_TRANSLATIONS), ""),
    **dict.fromkeys(("recovery code", "backup code", "verification code"), ""),
    **dict.fromkeys(("pw", "psw", "psk", "sas", "sig", "signature", "pat", "otp", "sid", "pin"), "(?![a-z])"),
    "key": "(?!word|space|board)",
    "auth": "(?!or|ent)",
    "conn": "(?:ection|ect)?[_-]?str",
}
# The rest of a name up to what joins it with a value. Its repetitions are bounded and possessive, so that a hostile
# text is read in linear time.
_REST_OF_NAME = (
    r"[\w.\-]{0,64}+(?:[ ]#?\d{1,2}(?=[ ]?[:=]))?+(?P<close>\\{0,8}+[\"'`]?[\])]?)"
    r"(?:[ \t]{0,8}+(?P<sign>::?=|!=|=>|={1,3}|[:：＝]|>|,(?=[ \t]?\\{0,8}[\"'`]))|(?P<gap>[ \t\x1f\n]))"
)
_LONGEST_NAME = 100
_LONGEST_JUDGED = 1024
"""So many characters of a bare value decide; then it is hidden to its end."""
_NAME_SIGNS = string.ascii_letters + string.digits + "_.-/"
_QUOTE = re.compile(r"(\\{0,8})([\"'`])")
_PREFIXED_QUOTE = re.compile(r"[bBuUrR@](\\{0,8})([\"'])")  # of a Python or C# string
_RUN = re.compile(r"[^\s\"'`<,;&|]{0,1024}+")
_WHOLE_RUN = re.compile(r"\S*+")
_NEXT_NAME = re.compile(r"[,;&|]+[ \t]*\\{0,8}[\"']?[\w.\-]{1,64}\\{0,8}[\"']?[ \t]?[=:]")
_YAML_LINE = re.compile(r"[ \t]*(?:- +)*(?:\\{0,8}[\"'])?$")
_YAML_TAG = re.compile(r"!!\w{1,16}[ \t]{1,4}")
_TYPE = re.compile(r"(?:str|string|String|Optional\[str\]|str \| None)\??[ \t]*=[ \t]*(?=[\"'])")
_COMPOUND = re.compile(r"[_.-]|[a-z][A-Z]")  # `api_key`: no word of a sentence
_BLANKS = re.compile(r"[ \t]*+")
_YAML_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?[ \t]*(?:#.*)?")
_COPULA = re.compile(
    r"(?:[ \t]*(?:is|was|has been) (?:generated|created|set|reset))?"
    r"[ \t]*(?:(?:for|of|to|on|in|from)[ \t]+[\w.@/:'\"-]{1,64}(?<!\.)(?:[ \t]+[\w.@/'\"-]{1,64})??"
    r"|(?:(?:that|which) )?(?:i|we|you|they) \w{2,12}"
    r"|(?:secure)?string|[^\W\x00-\x7f]\w{1,24})?"  # a type, or of another language: its word for "user"
    r"[ \t]*(?:(?:(?:has been |is |was )?(?:re)?set to|is now|is|was|are|equals|being|has been"
    r"|lautet|ist|est|es|è|é|->|→)[ \t]*:?"
    r"|[=:]|(?P<to>to|with))[ \t]+",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[\"'`)\]]?[.,;!?)]*(?:\s*$|[.,;!?]|\s+(?:and|but|for|so|if|why|can|should|still|in|on|when|yesterday|today|now|again|because|as|then|before|after|since|last)\b|\s*\n)"
)
_ARN = re.compile(r"arn:[\w-]{2,16}:[\w:/-]{0,140}$")
# A word that is alone on the next line: no key, no entry of a list of objects.
_ALONE = re.compile(
    r"\r?\n(?P<indent>[ \t]{0,64})(?P<item>- +)?(?P<quote>[\"'])?(?P<word>[^\s\"'#{\[-][^\s\"']{0,1023}(?<!:))"
    r"(?(quote)[\"'])[ \t\r]*(?=\n|$)"
)
_ITEM_BEFORE = re.compile(r"\n[ \t]{0,32}- {1,8}[\"']?$")
_FURTHER_ITEM = re.compile(
    r"[\"']?[ \t\r]*\n[ \t]{0,64}- +[\"']?(?P<word>[^\s\"'#{\[-][^\s\"']{0,1023}(?<!:))(?=[\"']?[ \t\r]*(?:\n|$))"
)
_FURTHER_ELEMENT = re.compile(r"[\"'],\s{0,64}[\"'](?P<word>[^\"'\n]{1,1024})(?=[\"'])")
_PARSED = frozenset({"unexpected", "illegal", "expected"})  # tokens of a language
_DIRECTIVES = frozenset({"requirepass", "masterauth"})


def _assignments(searched: SearchedText) -> Iterator[SecretSpan]:
    return _Reader(searched.text).read(searched.lowered)


@lru_cache(maxsize=512)
def _named(keywords: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern of names with any of `keywords`: the fewer there are, the faster it finds."""
    return re.compile(f"(?:{'|'.join(word + _KEYWORDS[word] for word in keywords)}){_REST_OF_NAME}")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = -1

    def read(self, lowered: str) -> Iterator[SecretSpan]:
        keywords = tuple(word for word in _KEYWORDS if word in lowered)
        done = 0
        for match in _named(keywords).finditer(lowered) if keywords else ():
            if match.start() < done:
                continue
            start = self._name_start(match.start())
            if self._text.endswith("[REDACTED:", 0, start):
                continue
            hint = self._name_hint(start, match.start("close"))
            if hint is None or hint.what == "authorization":  # a header: agent.redaction.addresses
                continue
            found = self._value(match, start, hint)
            if found is not None:
                done = found.end
                yield found
                for further in self._further(found, hint):
                    done = further.end
                    yield further

    def _further(self, found: SecretSpan, hint: NameHint) -> Iterator[SecretSpan]:
        """The other items of the list that a value is the first of: `tokens: ["a", "b"]`, or each on its line."""
        text = self._text
        pattern = _FURTHER_ITEM if _ITEM_BEFORE.search(text, max(0, found.start - 66), found.start) else None
        if text[max(0, found.start - 2) : found.start] in ('["', "['"):
            pattern = _FURTHER_ELEMENT
        end = found.end
        while pattern and (item := pattern.match(text, end)):
            end = item.end()
            if span := self._accepted(*item.span("word"), hint, Syntax.ASSIGNMENT):
                yield span

    def _name_start(self, at: int) -> int:
        before = self._text[max(0, at - _LONGEST_NAME) : at]
        return at - len(before) + len(before.rstrip(_NAME_SIGNS))

    def _name_hint(self, start: int, end: int) -> NameHint | None:
        if end - start > _LONGEST_NAME:
            return None  # a word within a blob
        name = self._text[start:end].strip("-.")
        word, _, number = name.partition(" ")
        if word.lower() in ("key", "seed", "token") and self._text[start - 1 : start] == " ":
            before = self._text[max(0, start - 25) : start].rpartition("\n")[2].split()
            if word.lower() == "token":
                return None if before and before[-1].lower() in _PARSED else name_hint(word)
            name = f"{before[-1]}_{word}" if before and before[-1].isalpha() else word
        elif number.lstrip("#").isdigit():
            name = word
        return name_hint(name)

    def _value(self, match: re.Match[str], name_start: int, hint: NameHint) -> SecretSpan | None:
        text, at = self._text, match.end()
        match match["sign"]:
            case None:
                return self._after_gap(name_start, match.start("close"), at, hint)
            case ">":
                if text[name_start - 1 : name_start] != "<":
                    return None
                end = min(self._end_of_line(at), at + 4096)
                return self._accepted(at, text.find("<", at, end), hint, Syntax.ASSIGNMENT)
            case ":" | "：":
                if text[name_start : match.start("close")] == "PASS" and not looks_secret(
                    text[slice(*self._token(self._skip_blanks(at)))]
                ):
                    return None  # of a test
                return None if self._within_arn(name_start) else self._after_colon(match, name_start, hint)
            case ",":
                return self._after_comma(name_start, at, hint)
            case _:
                start = self._skip_blanks(at)
                if text.startswith(("\\\n", "\\\r\n"), start):  # the line goes on below
                    return self._next_line(start + 1, -1, hint)
                if start > at and text[match.start("sign") - 1] not in " \t" and _assigns(text, start):
                    return None  # `PASSWORD= USER=x`: it is empty
                return self._accepted(*self._token(start), hint, Syntax.ASSIGNMENT)

    def _after_colon(self, match: re.Match[str], name_start: int, hint: NameHint) -> SecretSpan | None:
        text, start = self._text, self._skip_blanks(match.end())
        if tag := _YAML_TAG.match(text, start) or _TYPE.match(text, start):
            start = tag.end()
        line_start = text.rfind("\n", max(0, name_start - 64), name_start) + 1
        own_line = (line_start or name_start < 64) and _YAML_LINE.fullmatch(text, line_start, name_start)
        if text[start : start + 2] in ('["', "['"):
            start += 1
        elif text[start : start + 2] in ('{"', "{'") or text.startswith('{\\"', start):
            return None  # what is in an object has names of its own
        if _QUOTE.match(text, start):
            return self._accepted(*self._token(start), hint, Syntax.ASSIGNMENT)
        end = self._end_of_line(start)
        line = text[start:end] if end - start <= 4096 else ""
        if _YAML_BLOCK.fullmatch(line.rstrip()):
            return self._block(end, self._indent(name_start), hint)
        if not line.strip():
            syntax = Syntax.ASSIGNMENT if own_line else Syntax.PROSE  # `Error: password:` is either
            return self._next_line(end, self._indent(name_start), hint, syntax)
        if not own_line:
            glued = start == match.end() or text[name_start - 1 : name_start] in ("{", ",", "(")
            alone = " " not in line.strip() and _COMPOUND.search(text, name_start, match.start("close"))
            return self._accepted(*self._token(start), hint, Syntax.ASSIGNMENT if glued or alone else Syntax.PROSE)
        comment = line.find(" #")
        value = (line if comment < 0 else line[:comment]).rstrip()
        if value and (" " not in value or hint.what == "password"):
            return self._accepted(start, start + len(value), hint, Syntax.ASSIGNMENT)
        return self._accepted(*self._token(start), hint, Syntax.PROSE)

    def _within_arn(self, at: int) -> bool:
        """Whether the name is a step of `arn:aws:secretsmanager:...:secret:shop-Ab12Cd`, which only names a secret."""
        return self._text[at - 1 : at] == ":" and _ARN.search(self._text, max(0, at - 160), at) is not None

    def _after_comma(self, name_start: int, at: int, hint: NameHint) -> SecretSpan | None:
        """The next argument of a call or of a list: `define("DB_PASSWORD", "x")`, `["--password", "x"]`."""
        text = self._text
        before = text[max(0, name_start - 9) : name_start - 1].rstrip(" \t")
        called = before.endswith("(") and text[name_start - 1 : name_start] in "\"'`"
        if not called and text[name_start : name_start + 1] != "-":
            return None
        return self._accepted(*self._token(self._skip_blanks(at)), hint, Syntax.ASSIGNMENT)

    def _indent(self, at: int) -> int:
        """How far the line of `at` is indented. A key may be further right: after `- `, or after words."""
        start = self._text.rfind("\n", 0, at) + 1
        return run_end(_BLANKS, self._text, start) - start

    def _next_line(
        self, line_end: int, indent: int, hint: NameHint, syntax: Syntax = Syntax.ASSIGNMENT
    ) -> SecretSpan | None:
        """A value on a line of its own, indented deeper than the line of its key."""
        line = _ALONE.match(self._text, line_end)
        if line is None or len(line["indent"]) + bool(line["item"]) <= indent:
            return None
        return self._accepted(*line.span("word"), hint, syntax)

    def _block(self, line_end: int, indent: int, hint: NameHint) -> SecretSpan | None:
        """The lines of a YAML block that are indented deeper than the line of its key."""
        text, start, end = self._text, line_end + 1, line_end
        while end < len(text):
            stop = text.find("\n", end + 1)
            stop = len(text) if stop < 0 else stop
            line = text[end + 1 : stop]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            end = stop
        start += len(text[start:end]) - len(text[start:end].lstrip())
        return self._accepted(start, start + len(text[start:end].rstrip()), hint, Syntax.FIELD)

    def _after_gap(self, name_start: int, name_end: int, at: int, hint: NameHint) -> SecretSpan | None:
        """What follows a name and a blank: the argument of a flag, or a sentence."""
        text = self._text
        start = self._skip_blanks(at)
        before = text[name_start - 1 : name_start]
        if text[at - 1] == "\n":  # arguments that are listed one a line
            argument = _ALONE.match(text, at - 1) if text[name_start : name_start + 1] == "-" else None
            return self._accepted(*argument.span("word"), hint, Syntax.ASSIGNMENT) if argument else None
        flag = text[name_start : name_start + 1] == "-" and (not before.strip() or before in "\"'[(`,=")
        if flag or text[name_start:name_end].lower() in _DIRECTIVES:
            if text[start : start + 1] == "-":
                return None
            return self._accepted(*self._token(start), hint, Syntax.ASSIGNMENT)
        if hint.strength is HintStrength.WEAK or name_end - name_start > 40:
            return None
        copula = _COPULA.match(text, at - 1, at + 200)
        first, last = self._token(copula.end() if copula else start)
        value = text[first:last].strip("()[]*_.,;:?!\"'")
        if _assigns(text, first) or "](" in value:
            return None
        if any(word in text[name_start:name_end].lower() for word in PASSWORD_TRANSLATIONS):
            ordinary = not (looks_secret(value) or looks_random(value))  # its sentences are not read
            return None if ordinary else self._accepted(first, last, hint, Syntax.PROSE)
        mixed = hint.what == "password" and any(map(str.isdigit, value)) and any(map(str.isalpha, value))
        if copula:
            ends = (mixed or not copula["to"]) and _CLAUSE_END.match(text, last, last + 40)
            clear = ends or looks_secret(value) or looks_random(value)
            return self._accepted(first, last, hint, Syntax.PROSE) if clear else None
        if text[name_start:name_end].lower() == "pass" and not any(sign.isdigit() for sign in value):
            return None  # the verb
        clear = looks_random(value) or (hint.strength is HintStrength.STRONG and (mixed or looks_secret(value)))
        return self._accepted(first, last, hint, Syntax.PROSE) if clear else None

    def _accepted(self, start: int, end: int, hint: NameHint, syntax: Syntax) -> SecretSpan | None:
        value = self._text[start:end] if end > start else ""
        if not value or (hint.what == "cookie" and "=" in value) or not is_secret(value, hint, syntax):
            return None
        if end - start >= _LONGEST_JUDGED and self._text[start - 1 : start] not in ('"', "'", "`", "\n", ">"):
            end = run_end(_WHOLE_RUN, self._text, end)
        return SecretSpan(start, end, hint.what)

    def _token(self, start: int) -> tuple[int, int]:
        """The span of the value that begins at `start`: between its quotes, or up to what ends a bare one."""
        text = self._text
        quote = _QUOTE.match(text, start) or _PREFIXED_QUOTE.match(text, start)
        if quote:
            return quote.end(), self._closing(quote)
        end = run_end(_RUN, text, start)
        while end < len(text) and not text[end].isspace() and end - start < _LONGEST_JUDGED:
            following = text[end + 1 : end + 2]
            ends = not following.isalnum() if text[end] in "\"'`<" else not following.strip()
            if ends or _NEXT_NAME.match(text, end):
                break
            end = max(end + 1, run_end(_RUN, text, end + 1))
        return start, start + len(_unbracketed(text[start:end]))

    def _closing(self, quote: re.Match[str]) -> int:
        """Where the quotation ends: before the same quote, escaped as often, or at the end of the line."""
        depth, sign = len(quote[1]), quote[2]
        limit = self._end_of_line(quote.end())
        for match in _QUOTE.finditer(self._text, quote.end(), limit):
            if match[2] == sign and (len(match[1]) == depth or (depth == 0 and len(match[1]) % 2 == 0)):
                return match.start() if depth or not match[1] else match.start(2)
        return limit

    def _skip_blanks(self, at: int) -> int:
        while self._text[at : at + 1] in (" ", "\t", "\x1f"):
            at += 1
        return at

    def _end_of_line(self, at: int) -> int:
        if at > self._line_end:
            end = self._text.find("\n", at)
            self._line_end = len(self._text) if end < 0 else end
        return self._line_end


def _assigns(text: str, start: int) -> bool:
    return re.match(r"[\w.\-]{1,64}=", text[start : start + 66]) is not None


def _unbracketed(value: str) -> str:
    """The value without the signs of the sentence or structure around it."""
    value = value.rstrip(".,;:")
    for opening, closing in ("()", "[]", "{}"):
        while value.endswith(closing) and value.count(closing) > value.count(opening):
            value = value[:-1].rstrip(".,;:")
    return value


DETECTORS = (Detector("assignment", tuple(_KEYWORDS), _assignments),)
