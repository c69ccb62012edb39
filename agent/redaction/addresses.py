"""Finds secrets by their position in URLs, connection strings, XML elements and HTTP headers, such as the password of
`scheme://user:password@host` or the credentials of `Authorization` and `Cookie`.

Owns the patterns of these positions. Host and user names are kept.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from agent.redaction.names import HintStrength, name_hint
from agent.redaction.spans import Detector, SearchedText, SecretSpan, first_group
from agent.redaction.values import ORDINARY_WORDS, is_masked, is_reference, is_uuid, looks_random, looks_secret
from agent.redaction.verdict import Syntax, is_basic, is_secret

# Up to the last @ before the path, because a password may contain an unescaped @ or colon.
_USERINFO = re.compile(r"://([^\s/?#\"'`<>@:\\]{0,128}):([^\s/?#\"'`<>]{1,1024})@")
# A password with an unescaped slash or question mark; the lookahead excludes ports.
_ODD_USERINFO = re.compile(
    r"://[^\s/?#\"'`<>@:\\]{0,128}:(?!\d{1,5}(?:[/?#,;\"'`<>)\]}\s]|$))([^\s\"@]{1,256})@(?=[\w.\-]+(?:[:/?,\s\"']|$))"
)
_TOKEN_AS_USER = re.compile(r"://([^\s/?#\"'`<>@:\\]{16,1024})@")
# `/reset-password/Zm9v...`: a token after a path segment that announces one.
_STEP = re.compile(
    r"/[\w-]{0,32}(?:token|password|passwd|invite|invitation|magic|verify|confirm|unsubscribe|hooks?|incoming|integration|key)/"
    r"([A-Za-z0-9_-]{16,512}(?:/[A-Za-z0-9_-]{16,512})?+)"
    r"(?=[\s/?#\"'`<>)\],;.]|$)"
)
_ADDRESS = re.compile(
    r"@(?:(?P<go>(?:tcp|unix|udp)\()|(?!sha\d)[a-z][\w-]{0,62}(?:(?:\.[\w-]{1,63}){1,8}+|(?P<short>(?=[:/]\w|[\s\"'`,;)]|$))))"
)
_ORACLE = re.compile(r"jdbc:oracle:\w{1,8}:[\w.$#\"-]{1,64}/([^\s@\"'/]{1,128})@")
# A line of a password file, https://www.postgresql.org/docs/current/libpq-pgpass.html
_PGPASS = re.compile(
    r"(?:^|(?<=\s))[\w.*-]{1,253}+:(?:\d{2,5}|\*):[\w.*-]{1,64}:[\w.*-]{1,64}:(\S{4,256})$", re.MULTILINE
)
_CODE = re.compile(r"(?:^|[?&\s\"'])(?:code|assertion|ticket|samlresponse)=([\w%.~+/=-]{16,4096})", re.IGNORECASE)

# The patterns from here on are matched against the lower-case text.
_ELEMENT = re.compile(
    r"<(?:\w{1,32}:)?([\w.-]{2,64}+)(?:[ \t][^<>\n]{0,256})?>[ \t]*(?:<!\[cdata\[)?"
    r"([^<>\s\]]{1,1024}+)(?:\]\]>)?[ \t]*</"
)
# RFC 6750, RFC 7617, RFC 7616 and RFC 6265.
_BEARER = re.compile(r"\bbearer[ \t\x1f]{1,4}\\{0,8}[\"'`]?([a-z0-9\-._~+/]{8,}+={0,2}+)(?![\w])")
_BASIC = re.compile(r"\bbasic[ \t\x1f]{1,4}([a-z0-9+/_-]{6,}+={0,2})")
_AUTHORIZATION = re.compile(
    r"authorization\\{0,8}[\"']?[ \t]{0,4}(?:[:=]|\x1f)[ \t]{0,4}\\{0,8}[\"'\[]{0,2}"
    r"(?:[a-z][a-z0-9_-]{1,24}[ \t]+)?([^\s\"'`\\,;\]<>]{6,}+)"
)
_PARAMETER = re.compile(r"[A-Za-z]{1,16}=")
_DIGEST = re.compile(r"\bdigest[ \t][^\n]{0,512}?response=\\{0,8}\"?([0-9a-f]{32,128})")
_COOKIE = re.compile(r"cookies?\\{0,8}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,8}[\"'\[{]{0,2}")
_COOKIE_PAIR = re.compile(r"([\w.\-]{1,128})(?:=([^\s;,\"'\\\]}]{0,4096}))?(?:;[ \t]{0,4}|$|(?=[\s,\"'\\\]}]))")
_COOKIE_SETTINGS = frozenset({"path", "domain", "expires", "max-age", "samesite", "version", "comment", "priority"})


def _urls(searched: SearchedText) -> Iterator[SecretSpan]:
    text = searched.text
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


def _data_source_names(searched: SearchedText) -> Iterator[SecretSpan]:
    """Addresses without a scheme: `user:password@db.example.com`, or `user:password@tcp(host:3306)/name` as Go's MySQL
    driver takes it."""
    text = searched.text
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


def _elements(searched: SearchedText) -> Iterator[SecretSpan]:
    for match in _ELEMENT.finditer(searched.lowered):
        hint = name_hint(searched.text[slice(*match.span(1))])
        value = searched.text[slice(*match.span(2))]
        if hint and hint.strength >= HintStrength.MEDIUM and is_secret(value, hint, Syntax.ASSIGNMENT):
            yield SecretSpan(*match.span(2), hint.what)


def _authorization(searched: SearchedText) -> Iterator[SecretSpan]:
    yield from _authorization_credentials(searched)
    yield from _digest_response(searched)


def _is_credential(value: str) -> bool:
    if _PARAMETER.fullmatch(value):
        return False  # `Digest username="x"`
    if value.lower() in ORDINARY_WORDS:
        return False
    if value.endswith(":") and value[:-1].isalpha():
        return False  # the next clause of a message: `may require authorization: server message: denied`
    return looks_secret(value) or looks_random(value) or is_basic(value) or is_uuid(value)


def _cookies(searched: SearchedText) -> Iterator[SecretSpan]:
    for header in _COOKIE.finditer(searched.lowered):
        yield from _cookie_values(searched.text, header.end())


def _cookie_values(text: str, at: int) -> Iterator[SecretSpan]:
    while pair := _COOKIE_PAIR.match(text, at):
        name, value = pair[1].lower(), pair[2] or ""
        if name not in _COOKIE_SETTINGS and (looks_secret(value) or looks_random(value)):
            yield SecretSpan(*pair.span(2), "cookie")
        if pair.end() == at or not text[pair.start() : pair.end()].rstrip(" \t").endswith(";"):
            return
        at = pair.end()


_authorization_credentials = first_group(_AUTHORIZATION, "token", _is_credential, in_lower_case=True)
_digest_response = first_group(_DIGEST, "credential", in_lower_case=True)

DETECTORS = (
    Detector("URL", ("://",), _urls),
    Detector("address without a scheme", ("@",), _data_source_names),
    Detector(
        "JDBC address of Oracle",
        ("jdbc:oracle:",),
        first_group(_ORACLE, "password", lambda value: not is_reference(value)),
    ),
    Detector("XML element", ("</",), _elements),
    Detector(
        "code in a query",
        ("code=", "assertion=", "ticket=", "samlresponse="),
        first_group(_CODE, "token", lambda value: looks_random(unquote(value))),
    ),
    # The pattern matches any port; the text must contain PostgreSQL's default one somewhere.
    Detector("line of .pgpass", (":5432:",), first_group(_PGPASS, "password", lambda value: not is_masked(value))),
    Detector("bearer token", ("bearer",), first_group(_BEARER, "token", _is_credential, in_lower_case=True)),
    Detector("basic credentials", ("basic",), first_group(_BASIC, "credential", is_basic, in_lower_case=True)),
    Detector("Authorization header", ("authorization",), _authorization),
    Detector("cookies", ("cookie",), _cookies),
)
