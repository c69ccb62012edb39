"""Times as Kubernetes and Argo CD write them, and the clock."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_ZERO = "0001-01-01"  # Go's zero time, for none


def moment(text: str) -> datetime | None:
    """An RFC 3339 time, None for what is none; without a zone it is UTC."""
    if not text or text.startswith(_ZERO):
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


_AS_OF: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def now() -> datetime:
    """The time at which a question is asked and its context read, in UTC."""
    return _AS_OF.get() or datetime.now(UTC)


@contextmanager
def as_of(time: datetime | None) -> Generator[None]:
    """Ask as if it were `time`, None for the clock: what was recorded is judged by the time of its recording."""
    token = _AS_OF.set(time)
    try:
        yield
    finally:
        _AS_OF.reset(token)
