"""Secrets with a fixed position in a sentence, an SQL statement, a protocol's command or a line of a configuration
file: `IDENTIFIED BY 'x'`, "login admin password x", `AUTH x`.

Owns these positions; `agent.redaction.assignments` reads a name and its value.
"""

import re
from collections.abc import Iterator

from agent.redaction.names import HintStrength, name_hint
from agent.redaction.spans import Detector, SearchedText, SecretSpan, first_group
from agent.redaction.values import STATUS_WORDS, is_masked, is_plain, is_reference, looks_random, looks_secret

# `sentinel auth-pass mymaster x`, and a line of an access list: `user app on >x ~* +@all`,
# https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
_REDIS = re.compile(
    r"\bauth-pass[ \t]+\S{1,128}[ \t]+(\S{4,256})"
    r"|\buser[ \t]+\S{1,128}[ \t][^\n>]{0,128}>(\S{4,256})(?=[^\n]{0,256}[~+])"
)
# A line of PgBouncer's userlist.txt, https://www.pgbouncer.org/config.html#authentication-file-format
_USERLIST = re.compile(r"^\"[\w.@-]{1,63}\" \"([^\"\n]{4,256})\"[ \t\r]*$", re.MULTILINE)
# Commands of SMTP (RFC 4954), IMAP (RFC 9051), POP3 (RFC 1939) and Redis, in capitals.
_WIRE = re.compile(
    r"\bAUTH PLAIN ([A-Za-z0-9+/]{8,1024}={0,2})"
    r"|\b(?:LOGIN [\w.@-]{1,128}|PASS|AUTH(?: [\w.-]{1,64})?) ([^\s\"']{6,256})"
    r"|[\"']AUTH[\"'](?: [\"'][\w.-]{1,64}[\"'])? [\"']([^\s\"']{6,256})[\"']",
)
_CLOUD_INIT = re.compile(
    r"chpasswd:[ \t]*\n(?:[^\n]{0,128}\n){0,2}?[ \t]*list:[ \t]*\|?[ \t]*\n"
    r"((?:[ \t]+[\w.-]{1,64}:\S{1,256}(?:\n|$)){1,64})"
)
_USER_LINE = re.compile(r"[ \t]+[\w.-]{1,64}:(\S{1,256})")
# The API server's error about a field: `env[0].value: Invalid value: "x": DB_PASSWORD must come from a Secret`.
_REFUSED = re.compile(r"(?:nvalid|nsupported|uplicate) value: \\{0,8}\"([^\"\n\\]{4,1024})")
_NAME = re.compile(r"[A-Za-z][\w.\-\[\]]{2,80}")

# These are matched against the text in lower case.
_SQL = re.compile(
    r"(?:identified[ \t]+(?:with[ \t]+\S{1,64}[ \t]+)?(?:by|as)(?:[ \t]+password)?|password)"
    r"(?:[ \t]+(?:=[ \t]*)?|[ \t]?\([ \t]?)'([^'\n]{1,256})'"
)
_LOGIN = re.compile(
    r"(?:login|user(?:name)?|account)[ \t\x1f]+[\"'`]?\S{1,128}[\s,]+(?:with[ \t]+|and[ \t]+)?(?:the[ \t]+)?"
    r"(?:password|passwd|pass|pw)[ \t\x1f:=]+[\"'`]?([^\s\"'`,;]{4,256})"
)
_AS_PASSWORD = re.compile(
    r"[\"'`]([^\s\"'`]{6,128})[\"'`][^\n\"'`]{0,40}?\b(?:as|is)(?:[ \t]+(?:my|the|a|our|its|your))?[ \t]+(?:\w+[ \t]+)?"
    r"(?:password|passphrase|token)\b"
)
_AS_UNQUOTED = re.compile(
    r"\b(?:uses?|used|using|set|with|enter|entered|chose|gave)[ \t]+([^\s\"'`]{6,128})[ \t]+as"
    r"(?:[ \t]+(?:my|the|a|our|its|your))?[ \t]+(?:\w+[ \t]+)?(?:password|passphrase|token)\b"
)
# `use the following password to proceed:`, and the password on a line of its own below.
_BELOW = re.compile(
    r"(?:password|passphrase|token|secret|key)\b[^\n:]{0,120}:[ \t\r]*\n(?:[ \t\r]*\n){0,2}[ \t]*"
    r"([^\s:\"']{12,256})[ \t\r]*(?=\n|$)"
)
# The output on the line below the command.
_PRINTED = re.compile(r"\bbase64[ \t]+(?:-d|--decode)\b[^\n]{0,64}\n[ \t]*([^\s:\"']{6,256})[ \t\r]*(?=\n|$)")
# A PHP stack trace contains the arguments of a call.
_PHP = re.compile(
    r"(?:\b(?:pdo|mysqli)(?:->__construct|->real_connect)?|\bmysqli?_connect)\("
    r"[ ]?'[^'\n]{0,256}',[ ]?'[^'\n]{0,128}',[ ]?'([^'\n]{1,256})'"
)
_CHANGED = re.compile(
    r"(?:password|passwd|passphrase|pwd|pass|token|secret|[_-]key)\b[\"'`]?[ \t]{1,4}(?:\w{1,12}[ \t]{1,4}){0,3}?"
    r"from[ \t]{1,4}[\"'`]?([^\s\"'`]{1,256})[\"'`]?,?[ \t]{1,4}to[ \t]{1,4}[\"'`]?([^\s\"'`]{1,256})"
)
# Twelve to twenty-four words of a wallet, https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki.
_MNEMONIC = re.compile(
    r"(?:mnemonic|(?:seed|recovery|backup|secret) (?:phrase|words))[ \t]{0,4}(?:is[ \t])?[:=]{0,2}"
    r"[ \t]{0,4}\\{0,8}[\"'`]?"
    r"((?:[a-z]{3,8}[ \t]){11,23}[a-z]{3,8})\b"
)
_PAIR_IN_WORDS = re.compile(
    r"(?:credentials?|creds?|log(?:ged|ging)?[ \t]?in|sign(?:ed)?[ \t]in)(?:[ \t]+(?:are|is|as|with|using))?"
    r"[ \t:=]{1,4}[\"'`]?[\w.@-]{2,64}[ \t]?[:/][ \t]?([^\s\"'`/,;:]{6,128})(?![:/])"
)


def _is_given(value: str) -> bool:
    """Whether the value itself is there, not a mask or a reference."""
    return not is_masked(value) and not is_reference(value)


def _looks_generated(value: str) -> bool:
    return looks_secret(value) or looks_random(value)


def _redis(searched: SearchedText) -> Iterator[SecretSpan]:
    text, lowered = searched
    if "auth-pass" not in lowered and "user" not in lowered:
        return
    for match in _REDIS.finditer(text):
        group = 1 if match[1] else 2
        if _is_given(match[group]) and not is_plain(match[group]):
            yield SecretSpan(*match.span(group), "password")


def _wire(searched: SearchedText) -> Iterator[SecretSpan]:
    text = searched.text
    if "AUTH" not in text and "LOGIN" not in text and "PASS" not in text:
        return
    for match in _WIRE.finditer(text):
        group = next(group for group in (1, 2, 3) if match[group])
        if group == 1 or _looks_generated(match[group]):
            yield SecretSpan(*match.span(group), "password")


def _cloud_init(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _CLOUD_INIT.finditer(searched.text):
        for line in _USER_LINE.finditer(searched.text, match.start(1), match.end(1)):
            if not is_masked(line[1]) and line[1] not in ("R", "RANDOM"):
                yield SecretSpan(*line.span(1), "password")


def _logins(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _LOGIN.finditer(searched.lowered):
        value = searched.text[slice(*match.span(1))]
        if value.strip(".!?)").lower() not in STATUS_WORDS and _is_given(value):
            yield SecretSpan(match.start(1), match.start(1) + len(value.rstrip(".,;:)")), "password")


def _below(searched: SearchedText) -> Iterator[SecretSpan]:
    if "\n" not in searched.text:
        return
    for match in _BELOW.finditer(searched.lowered):
        value = searched.text[slice(*match.span(1))]
        is_password = match[0].startswith("pass")
        if looks_random(value) or (is_password and looks_secret(value)):
            yield SecretSpan(*match.span(1), "password" if is_password else "secret")


def _changed(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _CHANGED.finditer(searched.lowered):
        for group in (1, 2):
            value = searched.text[slice(*match.span(group))].rstrip(".,;:)!?")
            if _looks_generated(value):
                yield SecretSpan(match.start(group), match.start(group) + len(value), "secret")


def _refused_values(searched: SearchedText) -> Iterator[SecretSpan]:
    text = searched.text
    for match in _REFUSED.finditer(text):
        if not looks_secret(match[1]):
            continue
        line_start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 200)
        line_end = text.find("\n", match.end(), match.end() + 200)
        line_end = match.end() + 200 if line_end < 0 else line_end
        around = f"{text[line_start : match.start()]}\n{text[match.end() : line_end]}"
        hints = (name_hint(name) for name in _NAME.findall(around))
        if any(hint and hint.strength is HintStrength.STRONG for hint in hints):
            yield SecretSpan(*match.span(1), "secret")


def _pairs_in_words(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _PAIR_IN_WORDS.finditer(searched.lowered):
        value = searched.text[slice(*match.span(1))].rstrip(".,;:)!?")
        if looks_secret(value):
            yield SecretSpan(match.start(1), match.start(1) + len(value), "password")


_quotations = first_group(_AS_PASSWORD, "password", looks_secret, in_lower_case=True)
_words = first_group(_AS_UNQUOTED, "password", looks_secret, in_lower_case=True)

DETECTORS = (
    Detector("Redis configuration", ("auth-pass", ">"), _redis),
    Detector("PgBouncer user list", ('" "',), first_group(_USERLIST, "password", _looks_generated)),
    Detector(
        "SQL statement",
        ("identified", "password"),
        first_group(
            _SQL,
            "password",
            lambda value: value.lower() not in STATUS_WORDS and _is_given(value),
            in_lower_case=True,
        ),
    ),
    Detector("login with a password", ("pass", "pw"), _logins),
    # `as token` in a text with a password only: a parser's "is an unexpected token" holds no secret.
    Detector(
        "quotation as a password",
        ("pass", "pw"),
        first_group(_AS_PASSWORD, "password", looks_secret, in_lower_case=True),
    ),
    Detector(
        "word as a password", ("pass", "pw"), first_group(_AS_UNQUOTED, "password", looks_secret, in_lower_case=True)
    ),
    Detector("password on the line below", ("password", "passphrase", "token", "secret", "key"), _below),
    Detector("output of base64", ("base64",), first_group(_PRINTED, "secret", _looks_generated, in_lower_case=True)),
    Detector("stack trace of PHP", ("pdo", "mysql"), first_group(_PHP, "password", _is_given, in_lower_case=True)),
    Detector("cloud-init", ("chpasswd",), _cloud_init),
    Detector("protocol command", ("auth", "login", "pass"), _wire),
    Detector("changed value", ("from",), _changed),
    Detector("mnemonic", ("mnemonic", " phrase", " words"), first_group(_MNEMONIC, "mnemonic", in_lower_case=True)),
    Detector("refused field", ("value: ",), _refused_values),
    Detector(
        "user and password in words",
        ("cred", "login", "log in", "logged in", "logging in", "sign in", "signed in"),
        _pairs_in_words,
    ),
)
