"""Times as Kubernetes and Argo CD write them."""

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
