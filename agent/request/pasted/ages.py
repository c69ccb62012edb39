"""Ages and counts as kubectl prints them: `5m`, `3d4h`, `92s (x9 over 3m40s)`."""

import re
from datetime import datetime, timedelta

AGE = r"(?:<unknown>|<invalid>|(?:\d+[ydhms]){1,4})(?: ago)?(?: \(x\d+ over [0-9ydhms]+\))?"
"""An age with its repetitions (kubectl's `translateTimestampSince` and the events printer)."""

_UNITS = {
    "y": timedelta(days=365),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_REPEATED = re.compile(r"\(x(\d+) over ([0-9ydhms]+)\)")
_STEP = re.compile(r"(\d{1,6})([ydhms])")


def time_fields(age: str, now: datetime) -> dict[str, object]:
    """The times and the count of an event as its fields; without those that the age does not hold."""
    repeated = _REPEATED.search(age)
    last = time_before(age.partition("(")[0], now)
    first = time_before(repeated[2], now) if repeated else last
    fields: dict[str, object] = {"count": int(repeated[1][:9])} if repeated else {}
    return fields | ({"lastTimestamp": last} if last else {}) | ({"firstTimestamp": first} if first else {})


def time_before(age: str, now: datetime) -> str:
    """The time (RFC 3339) that is `age` before `now`, "" where it is no age."""
    steps = _STEP.findall(age)
    if not steps:
        return ""
    try:
        return (now - sum((int(number) * _UNITS[unit] for number, unit in steps), timedelta())).isoformat()
    except OverflowError:
        return ""
