"""All secrets of a text.

Owns the order of the detectors and which of them are worth running; each knows its own kind of secret.
"""

import re
from collections.abc import Iterator

from agent.redaction.assignments import assignments
from agent.redaction.commands import command_lines
from agent.redaction.documents import documents
from agent.redaction.encodings import encoded_texts
from agent.redaction.formats import tokens
from agent.redaction.locators import locators
from agent.redaction.pem import private_keys
from agent.redaction.spans import SecretSpan, merged
from agent.redaction.spellings import unescape
from agent.redaction.tables import tables
from agent.redaction.words import PASSWORD_PHRASES, PASSWORD_TRANSLATIONS
from agent.redaction.wrapping import wrapped

# Numbers, times, addresses, and short words without a sign: nearly all strings of a manifest. A secret has a name
# before it, joined to it by a blank or a sign, or else the length of a key.
_ORDINARY = re.compile(r"[\d:.TZ+\-/]*|[A-Za-z\d_.\-/]{0,19}")
_LONG_WORD = re.compile(r"\S{20}")
# Without any of these a text gives a secret neither a name nor a place. In lower case.
_SIGNS = re.compile(
    r"pass|pwd|pw|secret|token|cred|key|auth|dsn|conn|jwt|cookie|salt|seed|mnemonic|kubeconfig|session|webhook|psw|psk|sessid|sas"
    r"|sig|pat|otp|sid|basic|bearer|identified|log|://|@|code=|assertion=|ticket=|response=|unseal|:5432:|[\s\"']-[a-z\-]"
    r"|pin(?![a-z])|community|kty|\s>\S|\" \"|sed\s"
    r"|login|base64|pdo|mysql|----|alias\s|_user\s|obscure\s|(?:recovery|backup|verification) (?:code|phrase)"
)
# Words, where `_SIGNS` has none of them: a search for each in turn is faster than a pattern of all.
_ABROAD = (*PASSWORD_TRANSLATIONS, *PASSWORD_PHRASES)
_ABROAD_IN_ASCII = tuple(word for word in _ABROAD if word.isascii())


_LAYERS = 2
"""So often a text is decoded: the base64 of a Secret whose data are base64. Each layer is shorter by a quarter."""


_SPELLINGS = 2
"""So often a text is unescaped: JSON in a string of JSON, of which the inner one is escaped twice."""


def find_secrets(text: str, *, layers: int = _LAYERS, spellings: int = _SPELLINGS) -> list[SecretSpan]:
    """Where the secrets of `text` stand, in order and without overlap. Takes linear time on any text. What is encoded
    is read up to so many `layers` deep, and hidden whole; what is spelt otherwise up to so many `spellings`."""
    if _ORDINARY.fullmatch(text):
        return []
    spans = _secrets(text, layers)
    if spellings and (plain := unescape(text)):
        spans += plain.original_spans(find_secrets(plain.text, layers=layers, spellings=spellings - 1))
    return [wrapped(span, text) for span in merged(spans, text)] if spans else spans


def _secrets(text: str, layers: int) -> list[SecretSpan]:
    spans: list[SecretSpan] = []
    if _LONG_WORD.search(text):
        spans += tokens(text)
        spans += private_keys(text)
        spans += _encoded(text, layers) if layers else ()
    lowered = _lowered(text)
    if _SIGNS.search(lowered) or _is_abroad(lowered):
        spans += documents(text)
        spans += locators(text, lowered)
        spans += command_lines(text)
        spans += tables(text, lowered)
        spans += assignments(text, lowered)
    return spans


def _is_abroad(lowered: str) -> bool:
    return any(map(lowered.__contains__, _ABROAD_IN_ASCII if lowered.isascii() else _ABROAD))


def _encoded(text: str, layers: int) -> Iterator[SecretSpan]:
    for run in encoded_texts(text):
        if inner := find_secrets(run.plain, layers=layers - 1):
            yield run.hidden(inner[0])


def _lowered(text: str) -> str:
    """`text` in lower case, with each character in its place: this one capital alone becomes two characters."""
    return text.lower() if text.isascii() else text.replace("İ", "I").lower()
