"""Who asks: a caller as he was authenticated. Owns no authentication."""

from dataclasses import dataclass
from typing import Literal

type Authentication = Literal["none", "claimed", "proxy"]
"""How the caller was identified: not at all, by his own word (the body of the request), or by a trusted proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `subject` identifies him (None: anonymous), `groups` are those that the authentication gave.

    What is kept (sessions, cached answers) belongs to the subject; anonymous callers share theirs.
    """

    subject: str | None = None
    groups: tuple[str, ...] = ()
    authentication: Authentication = "none"

    @staticmethod
    def claimed(subject: str | None) -> "Caller":
        """The caller that a request names by itself; anonymous where it names none."""
        return ANONYMOUS if subject is None else Caller(subject=subject, authentication="claimed")


ANONYMOUS = Caller()
