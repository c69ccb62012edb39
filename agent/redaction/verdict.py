"""Whether a value is hidden under a name.

Owns the rule that joins what the name promises with what the value looks like.
"""

from enum import Enum

from agent.redaction.names import HintStrength, NameHint
from agent.redaction.spans import PLACEHOLDER
from agent.redaction.values import (
    FUNCTION_WORDS,
    STATUS_WORDS,
    decoded,
    is_code,
    is_masked,
    is_number,
    is_ordinary,
    is_plain,
    is_reference,
    is_uuid,
    looks_random,
    looks_secret,
)

_SCHEMES = frozenset({"bearer", "basic", "token", "apikey"})


class Syntax(Enum):
    """What joins the name with the value."""

    FIELD = "a key or variable of an object: everything there is the value"
    ASSIGNMENT = "name=value, name: value on a line of its own, a flag: the value, or a word about it (token=expired)"
    PROSE = "a sentence or a log message: the value only where it is unlike a word"


def is_secret(value: str, hint: NameHint, syntax: Syntax) -> bool:
    """Whether `value`, found in `syntax` under a name that promises a secret, is one."""
    value = value.strip()
    scheme, _, credentials = value.partition(" ")
    if scheme.lower() in _SCHEMES:
        value = credentials.strip()
    if is_masked(value) or is_reference(value) or PLACEHOLDER.search(value):
        return False
    if syntax is not Syntax.FIELD and (_describes_status(value) or is_code(value) or _is_count(value)):
        return False
    match hint.strength:
        case HintStrength.STRONG:
            if is_plain(value) or (hint.what != "password" and is_number(value)):
                return False
            return syntax is not Syntax.PROSE or _is_unlike_a_word(value, hint)
        case HintStrength.MEDIUM:
            return looks_secret(value) or looks_random(value) or _is_of_its_kind(value, hint)
        case HintStrength.WEAK:
            return looks_random(value) or (hint.what == "credential" and is_basic(value))


def _describes_status(value: str) -> bool:
    """Whether it is a word about the secret: `expired`, `must not be empty`; not so `correct horse battery`."""
    first, *others = [word.strip(".,;:!?\"'()[]").lower() for word in value.split(maxsplit=2)[:2]]
    if first.endswith(("n't", "n’t")):
        return True
    return first in STATUS_WORDS and (
        first in FUNCTION_WORDS or not others or others[0] in STATUS_WORDS or not others[0].isalpha()
    )


def _is_count(value: str) -> bool:
    """Whether it counts something: `pass=12 fail=3`. No password has so few digits only."""
    return len(value) <= 3 and value.isdecimal()


def _is_of_its_kind(value: str, hint: NameHint) -> bool:
    """Whether it is what such a secret is made of, though it would be ordinary elsewhere."""
    match hint.what:
        case "pin":
            return value.isdecimal() and 4 <= len(value) <= 12
        case "secret-id":  # of Vault's AppRole, Consul and Nomad
            return is_uuid(value)
        case _:
            return False


def _is_unlike_a_word(value: str, hint: NameHint) -> bool:
    value = value.strip(".,;:!?*\"'()[]")
    word = value.lower()
    if hint.what == "password":
        return looks_secret(value) or (len(word) >= 4 and not word.endswith(("ed", "ing", "able", "ly", "tion")))
    return looks_secret(value) or looks_random(value)


def is_basic(value: str) -> bool:
    """Whether the value is the base64 of `user:password`, as in a `Basic` header."""
    text = decoded(value) if len(value) >= 6 and not is_ordinary(value) else None
    return text is not None and text.isprintable() and 0 < text.find(":") < len(text) - 1
