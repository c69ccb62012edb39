"""A field whose value has another type than its schema wants: a number in quotes, a mapping for a list.

Sources: encoding/json's UnmarshalTypeError, which the API server passes on, and structured-merge-diff of server-side
apply (typed/validate.go).
"""

import re
from dataclasses import dataclass

from agent.findings.engine.evidence import one_line

# The first name is the Go type that holds the field.
_DECODED = re.compile(
    r"cannot unmarshal (\w{1,20}) into Go struct field [A-Za-z]\w{0,80}\.([\w.]{1,253}) of type (\S{1,80})"
)
_APPLIED = re.compile(r"(?:^|\s)\.([\w.\[\]=\"-]{1,253}): expected ([\w ()]{1,40}), got (\w{1,20})")

_WANTED = (
    (re.compile(r"^\*?u?int\d*$|^numeric"), "a number without quotes"),
    (re.compile(r"^\*?float\d*$"), "a number without quotes"),
    (re.compile(r"^\*?string$"), "a string, in quotes"),
    (re.compile(r"^\*?bool"), "true or false without quotes"),
    (re.compile(r"^\*?\[\]|^list"), "a list"),
    (re.compile(r"^\*?map|^\*?[\w/]+\.\w+$"), "a mapping"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongType:
    """`field` is written as `given`, its schema wants `wanted` (of Go or of structured-merge-diff)."""

    field: str
    given: str
    wanted: str

    @property
    def name(self) -> str:
        return f"`{self.field}` is {_article(self.given)} and must be {self.wanted}"

    @property
    def step(self) -> str:
        form = next((words for pattern, words in _WANTED if pattern.search(self.wanted)), self.wanted)
        return f"In Git, write `{self.field}` as {form}."


def wrong_type(message: str) -> WrongType | None:
    """The field of the wrong type in a message, None without one."""
    if match := _DECODED.search(message):
        given, field, wanted = match.groups()
    elif match := _APPLIED.search(message):
        field, wanted, given = match.groups()
    else:
        return None
    return WrongType(field=one_line(field, 120), given=given, wanted=one_line(wanted.rstrip(".,;"), 80).strip())


def _article(given: str) -> str:
    return f"{'an' if given[:1] in 'aeiou' else 'a'} {given}"
