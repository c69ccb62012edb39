"""Schedules of CronJobs, parsed as the CronJob controller does.

The grammar is that of https://github.com/robfig/cron v3 (`ParseStandard`), which Kubernetes uses: five fields or a
descriptor, names for months and days, and an optional time zone first. Days of the week are 0 to 6: Sunday is never 7.
"""

import re

_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = re.compile(r"@every (?:\d{1,10}(?:\.\d{1,10})?(?:ns|us|µs|ms|s|m|h))+")
_ZONE = re.compile(r"(?:CRON_)?TZ=\S+\s+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# No real schedule is longer.
_LIMIT = 500


def schedule_fault(schedule: str) -> str:
    """Why a schedule is invalid or never due (`minute 61 is not within 0 to 59`), "" where it is valid."""
    text = _ZONE.sub("", schedule.strip()[:_LIMIT], count=1).strip()
    if text.startswith("@"):
        is_known = text in _DESCRIPTORS or _EVERY.fullmatch(text)
        return "" if is_known else f"{text.split()[0]} is no descriptor such as @daily"
    words = text.split()
    if len(words) != len(_FIELDS):
        return f"it has {len(words)} fields and not 5 (minute, hour, day of month, month, day of week)"
    for word, (name, low, high, names) in zip(words, _FIELDS, strict=True):
        for part in word.split(","):
            if fault := _part_fault(part, low, high, names):
                return f"{name} {fault}"
    return _never(*words[2:])


def _part_fault(part: str, low: int, high: int, names: dict[str, int]) -> str:
    """What is wrong with one part of a field: `*`, `5`, `mon-fri`, `*/15`, `0-30/10`."""
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step[:9]) > 0):
        return f"{part} has no step above 0"
    if span in ("*", "?"):
        return ""
    ends = [names.get(end.lower(), _number(end)) for end in span.split("-")]
    first, last = ends[0], ends[-1]
    if len(ends) > 2 or first is None or last is None:
        return f"{part} is no number or name"
    if first < low or last > high:
        return f"{part} is not within {low} to {high}"
    return f"{part} begins after its end" if first > last else ""


def _number(text: str) -> int | None:
    return int(text[:9]) if text.isascii() and text.isdigit() else None


def _never(day: str, month: str, weekday: str) -> str:
    """The fault of a day that none of its months has (`0 0 31 2 *`). With a day of the week either suffices."""
    if weekday[:1] not in ("*", "?") or not (day.isdigit() and month.replace(",", "").isdigit()):
        return ""
    lengths = [_LENGTHS[int(each) - 1] for each in month.split(",") if each]
    return f"day {day} is in none of its months ({month})" if int(day) > max(lengths) else ""
