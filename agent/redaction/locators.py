"""Secrets that stand in a URL, a connection string, a header or a sentence at a place of their own.

Owns those places: the password of `scheme://user:password@host`, the credentials of `Authorization` and `Cookie`
headers, `IDENTIFIED BY 'x'`, "login admin password x". Hosts and users stay readable.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from agent.redaction.names import HintStrength, name_hint
from agent.redaction.spans import SecretSpan
from agent.redaction.values import (
    ORDINARY_WORDS,
    is_masked,
    is_plain,
    is_reference,
    is_uuid,
    looks_random,
    looks_secret,
)
from agent.redaction.verdict import Syntax, is_basic, is_secret
from agent.redaction.words import STATUS_WORDS

# Up to the last @ before the path, so that a password may hold an unescaped @ or a colon.
_USERINFO = re.compile(r"://([^\s/?#\"'`<>@:\\]{0,128}):([^\s/?#\"'`<>]{1,1024})@")
# A password with an unescaped slash or question mark: what follows the colon is then no port.
_ODD_USERINFO = re.compile(
    r"://[^\s/?#\"'`<>@:\\]{0,128}:(?!\d{1,5}(?:[/?#,;\"'`<>)\]}\s]|$))([^\s\"@]{1,256})@(?=[\w.\-]+(?:[:/?,\s\"']|$))"
)
_TOKEN_AS_USER = re.compile(r"://([^\s/?#\"'`<>@:\\]{16,1024})@")
_ADDRESS = re.compile(
    r"@(?:(?P<go>(?:tcp|unix|udp)\()|(?!sha\d)[a-z][\w-]{0,62}(?:(?:\.[\w-]{1,63}){1,8}+|(?P<short>(?=[:/]\w|[\s\"'`,;)]|$))))"
)
_PGPASS = re.compile(
    r"(?:^|(?<=\s))[\w.*-]{1,253}+:(?:\d{2,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:(\S{4,256})$", re.MULTILINE
)
_ORACLE = re.compile(r"jdbc:oracle:\w{1,8}:[\w.$#\"-]{1,64}/([^\s@\"'/]{1,128})@")
_CODE = re.compile(r"(?:^|[?&\s\"'])(?:code|assertion|ticket|samlresponse)=([\w%.~+/=-]{16,4096})", re.IGNORECASE)
# `/reset-password/Zm9v...`: the step before says that what follows lets somebody in.
_STEP = re.compile(
    r"/[\w-]{0,32}(?:token|password|passwd|invite|invitation|magic|verify|confirm|unsubscribe|hooks?|incoming|integration|key)/"
    r"([A-Za-z0-9_-]{16,512}(?:/[A-Za-z0-9_-]{16,512})?+)"
    r"(?=[\s/?#\"'`<>)\],;.]|$)"
)
# What the API server says of a field: `env[0].value: Invalid value: "x": DB_PASSWORD must come from a Secret`.
_REFUSED = re.compile(r"(?:nvalid|nsupported|uplicate) value: \\{0,8}\"([^\"\n\\]{4,1024})")
_NAME = re.compile(r"[A-Za-z][\w.\-\[\]]{2,80}")

# On lower-cased text.
_BEARER = re.compile(r"\bbearer[ \t\x1f]{1,4}\\{0,8}[\"'`]?([a-z0-9\-._~+/]{8,}+={0,2}+)(?![\w])")
_BASIC = re.compile(r"\bbasic[ \t\x1f]{1,4}([a-z0-9+/_-]{6,}+={0,2})")
_AUTHORIZATION = re.compile(
    r"authorization\\{0,8}[\"']?[ \t]{0,4}(?:[:=]|\x1f)[ \t]{0,4}\\{0,8}[\"'\[]{0,2}"
    r"(?:[a-z][a-z0-9_-]{1,24}[ \t]+)?([^\s\"'`\\,;\]<>]{6,}+)"
)
_COOKIE = re.compile(r"cookies?\\{0,8}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,8}[\"'\[{]{0,2}")
_COOKIE_PAIR = re.compile(r"([\w.\-]{1,128})(?:=([^\s;,\"'\\\]}]{0,4096}))?(?:;[ \t]{0,4}|$|(?=[\s,\"'\\\]}]))")
_COOKIE_SETTINGS = frozenset({"path", "domain", "expires", "max-age", "samesite", "version", "comment", "priority"})
_SQL = re.compile(
    r"(?:identified[ \t]+(?:with[ \t]+\S{1,64}[ \t]+)?(?:by|as)(?:[ \t]+password)?|password)"
    r"(?:[ \t]+(?:=[ \t]*)?|[ \t]?\([ \t]?)'([^'\n]{1,256})'"
)
_LOGIN = re.compile(
    r"(?:login|user(?:name)?|account)[ \t\x1f]+[\"'`]?\S{1,128}[\s,]+(?:with[ \t]+|and[ \t]+)?(?:the[ \t]+)?"
    r"(?:password|passwd|pass|pw)[ \t\x1f:=]+[\"'`]?([^\s\"'`,;]{4,256})"
)
# On a line of its own below: `use the following password to proceed:`.
_BELOW = re.compile(
    r"(?:password|passphrase|token|secret|key)\b[^\n:]{0,120}:[ \t\r]*\n(?:[ \t\r]*\n){0,2}[ \t]*"
    r"([^\s:\"']{12,256})[ \t\r]*(?=\n|$)"
)
_AS_UNQUOTED = re.compile(
    r"\b(?:uses?|used|using|set|with|enter|entered|chose|gave)[ \t]+([^\s\"'`]{6,128})[ \t]+as"
    r"(?:[ \t]+(?:my|the|a|our|its|your))?[ \t]+(?:\w+[ \t]+)?(?:password|passphrase|token)\b"
)
# `sentinel auth-pass mymaster x`, and a line of an access list: `user app on >x ~* +@all`.
_REDIS = re.compile(
    r"\bauth-pass[ \t]+\S{1,128}[ \t]+(\S{4,256})"
    r"|\buser[ \t]+\S{1,128}[ \t][^\n>]{0,128}>(\S{4,256})(?=[^\n]{0,256}[~+])"
)
_USERLIST = re.compile(  # of PgBouncer
    r"^\"[\w.@-]{1,63}\" \"([^\"\n]{4,256})\"[ \t\r]*$", re.MULTILINE
)
_ELEMENT = re.compile(
    r"<(?:\w{1,32}:)?([\w.-]{2,64}+)(?:[ \t][^<>\n]{0,256})?>[ \t]*(?:<!\[cdata\[)?"
    r"([^<>\s\]]{1,1024}+)(?:\]\]>)?[ \t]*</"
)
# What a command printed below it.
_PRINTED = re.compile(r"\bbase64[ \t]+(?:-d|--decode)\b[^\n]{0,64}\n[ \t]*([^\s:\"']{6,256})[ \t\r]*(?=\n|$)")
# PHP's stack traces quote the arguments.
_PHP = re.compile(
    r"(?:\b(?:pdo|mysqli)(?:->__construct|->real_connect)?|\bmysqli?_connect)\("
    r"[ ]?'[^'\n]{0,256}',[ ]?'[^'\n]{0,128}',[ ]?'([^'\n]{1,256})'"
)
# SMTP, IMAP and Redis on the wire, in capitals.
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
_PARAMETER = re.compile(r"[A-Za-z]{1,16}=")
_DIGEST = re.compile(r"\bdigest[ \t][^\n]{0,512}?response=\\{0,8}\"?([0-9a-f]{32,128})")
_CHANGED = re.compile(
    r"(?:password|passwd|passphrase|pwd|pass|token|secret|[_-]key)\b[\"'`]?[ \t]{1,4}(?:\w{1,12}[ \t]{1,4}){0,3}?"
    r"from[ \t]{1,4}[\"'`]?([^\s\"'`]{1,256})[\"'`]?,?[ \t]{1,4}to[ \t]{1,4}[\"'`]?([^\s\"'`]{1,256})"
)
# The words of BIP 39, of which twelve to twenty-four make a wallet.
_MNEMONIC = re.compile(
    r"(?:mnemonic|(?:seed|recovery|backup|secret) (?:phrase|words))[ \t]{0,4}(?:is[ \t])?[:=]{0,2}"
    r"[ \t]{0,4}\\{0,8}[\"'`]?"
    r"((?:[a-z]{3,8}[ \t]){11,23}[a-z]{3,8})\b"
)
_LOGIN_SIGNS = ("cred", "login", "log in", "logged in", "logging in", "sign in", "signed in")
_PAIR_IN_WORDS = re.compile(
    r"(?:credentials?|creds?|log(?:ged|ging)?[ \t]?in|sign(?:ed)?[ \t]in)(?:[ \t]+(?:are|is|as|with|using))?"
    r"[ \t:=]{1,4}[\"'`]?[\w.@-]{2,64}[ \t]?[:/][ \t]?([^\s\"'`/,;:]{6,128})(?![:/])"
)
_AS_PASSWORD = re.compile(
    r"[\"'`]([^\s\"'`]{6,128})[\"'`][^\n\"'`]{0,40}?\b(?:as|is)(?:[ \t]+(?:my|the|a|our|its|your))?[ \t]+(?:\w+[ \t]+)?"
    r"(?:password|passphrase|token)\b"
)


def locators(text: str, lowered: str) -> Iterator[SecretSpan]:
    """The secrets at such places of `text`. `lowered` is the same text in lower case, place by place."""
    if "://" in text:
        yield from _urls(text)
    if "@" in text:
        yield from _data_source_names(text)
    if "</" in text:
        for match in _ELEMENT.finditer(lowered):
            hint = name_hint(text[slice(*match.span(1))])
            value = text[slice(*match.span(2))]
            if hint and hint.strength >= HintStrength.MEDIUM and is_secret(value, hint, Syntax.ASSIGNMENT):
                yield SecretSpan(*match.span(2), hint.what)
    if "=" in text:
        yield from (SecretSpan(*m.span(1), "token") for m in _CODE.finditer(text) if looks_random(unquote(m[1])))
    if ":5432:" in text:
        yield from (SecretSpan(*m.span(1), "password") for m in _PGPASS.finditer(text) if not is_masked(m[1]))
    yield from _headers(text, lowered)
    if "auth-pass" in lowered or (">" in text and "user" in lowered):
        for match in _REDIS.finditer(text):
            group = 1 if match[1] else 2
            if not is_masked(match[group]) and not is_reference(match[group]) and not is_plain(match[group]):
                yield SecretSpan(*match.span(group), "password")
    if '" "' in text:
        for match in _USERLIST.finditer(text):
            if looks_secret(match[1]) or looks_random(match[1]):
                yield SecretSpan(*match.span(1), "password")
    yield from _sentences(text, lowered)


def _urls(text: str) -> Iterator[SecretSpan]:
    for pattern in (_USERINFO, _ODD_USERINFO):
        for match in pattern.finditer(text):
            password = match[pattern.groups]
            if not is_masked(password) and not is_reference(password):
                yield SecretSpan(*match.span(pattern.groups), "password", plain=unquote(password))
    for match in _STEP.finditer(text):
        if all(looks_random(step) for step in match[1].split("/")):
            yield SecretSpan(*match.span(1), "token")
    for match in _TOKEN_AS_USER.finditer(text):
        if looks_random(match[1]):
            yield SecretSpan(*match.span(1), "token")


def _data_source_names(text: str) -> Iterator[SecretSpan]:
    """`user:password@tcp(host:3306)/name` of Go's MySQL driver, `user:password@db.example.com` without a scheme,
    and `jdbc:oracle:thin:user/password@host`."""
    for address in _ADDRESS.finditer(text):
        before = text[max(0, address.start() - 200) : address.start()]
        for sign in " \t\n\"'`<>/,\x1f":
            before = before.rpartition(sign)[2]
        password = before.partition(":")[2]
        if address["short"] is not None and text[address.end() : address.end() + 1] not in (":", "/"):
            if not looks_random(password):
                continue  # `npm:left-pad@latest`
        elif not address["go"] and not looks_secret(password):
            continue
        if password and not is_masked(password) and not is_reference(password):
            yield SecretSpan(address.start() - len(password), address.start(), "password")
    if "jdbc:oracle:" in text:
        yield from (
            SecretSpan(*match.span(1), "password") for match in _ORACLE.finditer(text) if not is_reference(match[1])
        )


def _headers(text: str, lowered: str) -> Iterator[SecretSpan]:
    if "bearer" in lowered:
        yield from _credentials(text, lowered, _BEARER)
    if "basic" in lowered:
        for match in _BASIC.finditer(lowered):
            if is_basic(text[slice(*match.span(1))]):
                yield SecretSpan(*match.span(1), "credential")
    if "authorization" in lowered:
        yield from _credentials(text, lowered, _AUTHORIZATION)
        yield from (SecretSpan(*match.span(1), "credential") for match in _DIGEST.finditer(lowered))
    if "cookie" in lowered:
        for match in _COOKIE.finditer(lowered):
            yield from _cookies(text, match.end())


def _credentials(text: str, lowered: str, pattern: re.Pattern[str]) -> Iterator[SecretSpan]:
    for match in pattern.finditer(lowered):
        value = text[slice(*match.span(1))]
        if _PARAMETER.fullmatch(value):
            continue  # `Digest username="x"`
        if value.lower() not in ORDINARY_WORDS and (
            looks_secret(value) or looks_random(value) or is_basic(value) or is_uuid(value)
        ):
            yield SecretSpan(*match.span(1), "token")


def _cookies(text: str, at: int) -> Iterator[SecretSpan]:
    while pair := _COOKIE_PAIR.match(text, at):
        name, value = pair[1].lower(), pair[2] or ""
        if name not in _COOKIE_SETTINGS and (looks_secret(value) or looks_random(value)):
            yield SecretSpan(*pair.span(2), "cookie")
        if pair.end() == at or not text[pair.start() : pair.end()].rstrip(" \t").endswith(";"):
            return
        at = pair.end()


def _sentences(text: str, lowered: str) -> Iterator[SecretSpan]:
    if "'" in text and ("identified" in lowered or "password" in lowered):
        for match in _SQL.finditer(lowered):
            value = text[slice(*match.span(1))]
            if value.lower() not in STATUS_WORDS and not is_masked(value) and not is_reference(value):
                yield SecretSpan(*match.span(1), "password")
    if "pass" in lowered or "pw" in lowered:
        for match in _LOGIN.finditer(lowered):
            value = text[slice(*match.span(1))]
            if value.strip(".!?)").lower() not in STATUS_WORDS and not is_masked(value) and not is_reference(value):
                yield SecretSpan(match.start(1), match.start(1) + len(value.rstrip(".,;:)")), "password")
        for match in _AS_PASSWORD.finditer(lowered):
            if looks_secret(text[slice(*match.span(1))]):
                yield SecretSpan(*match.span(1), "password")
        for match in _AS_UNQUOTED.finditer(lowered):
            if looks_secret(text[slice(*match.span(1))]):
                yield SecretSpan(*match.span(1), "password")
    if "\n" in text:
        for match in _BELOW.finditer(lowered):
            value = text[slice(*match.span(1))]
            if looks_random(value) or (match[0].startswith("pass") and looks_secret(value)):
                yield SecretSpan(*match.span(1), "password" if match[0].startswith("pass") else "secret")
    if "base64" in lowered:
        for match in _PRINTED.finditer(lowered):
            value = text[slice(*match.span(1))]
            if looks_secret(value) or looks_random(value):
                yield SecretSpan(*match.span(1), "secret")
    if "pdo" in lowered or "mysql" in lowered:
        for match in _PHP.finditer(lowered):
            if not is_masked(match[1]) and not is_reference(text[slice(*match.span(1))]):
                yield SecretSpan(*match.span(1), "password")
    if "chpasswd" in lowered:
        for match in _CLOUD_INIT.finditer(text):
            for line in _USER_LINE.finditer(text, match.start(1), match.end(1)):
                if not is_masked(line[1]) and line[1] not in ("R", "RANDOM"):
                    yield SecretSpan(*line.span(1), "password")
    if "AUTH" in text or "LOGIN" in text or "PASS" in text:
        for match in _WIRE.finditer(text):
            group = next(group for group in (1, 2, 3) if match[group])
            if group == 1 or looks_secret(match[group]) or looks_random(match[group]):
                yield SecretSpan(*match.span(group), "password")
    if "from" in lowered:
        for match in _CHANGED.finditer(lowered):
            for group in (1, 2):
                value = text[slice(*match.span(group))].rstrip(".,;:)!?")
                if looks_secret(value) or looks_random(value):
                    yield SecretSpan(match.start(group), match.start(group) + len(value), "secret")
    if "mnemonic" in lowered or " phrase" in lowered or " words" in lowered:
        yield from (SecretSpan(*match.span(1), "mnemonic") for match in _MNEMONIC.finditer(lowered))
    if "value: " in lowered:
        yield from _refused(text)
    if any(sign in lowered for sign in _LOGIN_SIGNS):
        for match in _PAIR_IN_WORDS.finditer(lowered):
            value = text[slice(*match.span(1))].rstrip(".,;:)!?")
            if looks_secret(value):
                yield SecretSpan(match.start(1), match.start(1) + len(value), "password")


def _refused(text: str) -> Iterator[SecretSpan]:
    for match in _REFUSED.finditer(text):
        if not looks_secret(match[1]):
            continue
        line_start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 200)
        line_end = text.find("\n", match.end(), match.end() + 200)
        line_end = match.end() + 200 if line_end < 0 else line_end
        around = f"{text[line_start : match.start()]}\n{text[match.end() : line_end]}"
        names = (name_hint(name) for name in _NAME.findall(around))
        if any(hint and hint.strength is HintStrength.STRONG for hint in names):
            yield SecretSpan(*match.span(1), "secret")
