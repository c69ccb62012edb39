"""The level and the time that a line of a log states.

Owns the levels of the common formats (JSON, logfmt, klog, log4j, .NET, Ruby, nginx, plain) and the words of faults in
lines without a level.
"""

import re
from enum import IntEnum
from typing import NamedTuple

_READ_LIMIT = 2_000
_NEAR_START = 200


class LogSeverity(IntEnum):
    """How severe a line is. A line without a level is INFO, or WARNING where its words name a fault."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


class LogLevel(NamedTuple):
    """The severity of a line, and whether its words name a fault."""

    severity: LogSeverity
    mentions_fault: bool


_NAMES: dict[str, LogSeverity] = {
    name: severity
    for names, severity in (
        ("trace trce finest finer fine verbose vrb debug dbug dbg d", LogSeverity.DEBUG),
        ("info information informational inf notice config log i", LogSeverity.INFO),
        ("warn warning wrn w", LogSeverity.WARNING),
        ("error err fail severe e", LogSeverity.ERROR),
        ("fatal ftl crit critical panic dpanic emerg emergency alert f a", LogSeverity.FATAL),
    )
    for name in names.split()
}
# pino and bunyan have levels from 10 to 60, https://github.com/pinojs/pino/blob/main/docs/api.md#logger-level.
# 60 is FATAL.
_NUMBERED = {
    "1": LogSeverity.DEBUG,
    "2": LogSeverity.DEBUG,
    "3": LogSeverity.INFO,
    "4": LogSeverity.WARNING,
    "5": LogSeverity.ERROR,
}

_STATED: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"\"(?:@?level|lvl|severity|levelname|log\.level|log_?level|@l)\" ?: ?\"?([A-Za-z]+|\d0)\b", re.IGNORECASE
    ),
    re.compile(r"(?:^|[\s\[])(?:level|lvl|severity)=\"?([A-Za-z]+)\b", re.IGNORECASE),
)
_NEAR: tuple[re.Pattern[str], ...] = (
    re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d"),  # klog
    re.compile(r"^([DIWEFA]), \["),  # Ruby
    # Monolog's LineFormatter: `[time] channel.LEVEL: message`
    re.compile(r"^\[[^\]]{8,40}\] [\w-]{1,60}\.(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY): "),
    re.compile(
        r"(?<![\w.$/-])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|FATAL|PANIC|LOG)(?![\w.$/])"
    ),
    re.compile(
        r"\[(?:[\w-]+:)?(trace|debug|info|notice|warn(?:ing)?|error|err|crit|alert|emerg|fatal)\]", re.IGNORECASE
    ),
    re.compile(
        r"^[\W\d]*(?:T[\d:.,+]+Z?\W+)?(trce|dbug|debug|info|warn(?:ing)?|error|fail|crit|fatal)[:\s]", re.IGNORECASE
    ),
)
_FATAL = re.compile(
    r"^panic: |^fatal error: |\bpanicked at\b|[Uu]nhandled (?:exception|promise|rejection)|\bUncaught \w|"
    r"Exception in thread \"|[Ss]egmentation fault|\bSIGSEGV\b|OutOfMemoryError|\bOOMKilled\b"
)
_ERROR = re.compile(
    r"^Traceback \(most recent|^(?:Caused by: )?(?:[A-Za-z_$][\w$]*[.:]+)*[A-Z]\w*(?:Error|Exception)\b(?::|$)"
)
# Both are matched against text in lower case.
_FAULT_WORDS = re.compile(
    r"exception|error|fail|fatal|panic|abort|crash|denied|refus|reject|unauthori[sz]ed|forbidden|time[d -]?out|unable|"
    r"cannot|can't|could ?n[o']t|not found|no such|missing|invalid|unknown|unreachable|out of memory|oom\b|killed|"
    r"exceed|exhaust|expired|corrupt|conflict|mismatch|unsupported|not (?:permitted|allowed|set|available|valid|exist)|"
    r"does not|did not|giving up|gave up|no space|too many|deadlock|segfault|core dumped|x509|\bbad\b|lost|stuck|"
    r"exit(?:ed)? (?:with )?(?:code|status):? [1-9]|ehost|econn|enotfound|eacces|enoent|eaddr"
)
_HARMLESS_WORDS = re.compile(
    r"\b(?:no|0|zero|without)\s+(?:\w+\s+)?(?:errors?|failures?|exceptions?)\b|\b(?:errors?|failed|failures?|timeouts?|"
    r"rejected)\"?[=:]\s*(?:0\b|null|nil|false|none|\"\")|\btimeout\"?[=:]|\berror[-_ ]?(?:budget|rate|page|handler|"
    r"reporting)"
)
FAILED_STATUS = re.compile(r"HTTP/[\d.]+\" 5\d\d\b|\bstatus(?:[_ ]?code)?\"?[=: ]+\"?5\d\d\b", re.IGNORECASE)
"""The status of a request that the server failed to answer."""

_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?|"
    r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?|"
    r"(?:\b[A-Z][a-z]{2} [ \d]\d )?\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
)


def level_of(text: str) -> LogLevel:
    """The level that a line states, else the one that its words suggest."""
    text = text[:_READ_LIMIT]
    lowered = text.lower()
    # Most lines name no fault, and need no second search.
    mentions_fault = (
        _FAULT_WORDS.search(lowered) is not None and _FAULT_WORDS.search(_HARMLESS_WORDS.sub("", lowered)) is not None
    )
    severity = _stated(text)
    if severity is None or severity in (LogSeverity.ERROR, LogSeverity.WARNING):
        if _FATAL.search(text):
            severity = LogSeverity.FATAL
        elif severity is None and _ERROR.match(text):
            severity = LogSeverity.ERROR
    if severity is None:
        severity = LogSeverity.WARNING if mentions_fault else LogSeverity.INFO
    if severity < LogSeverity.WARNING and FAILED_STATUS.search(text):
        severity = LogSeverity.WARNING
    return LogLevel(severity, mentions_fault)


def states_level(text: str) -> bool:
    """Whether the line states a level of its own."""
    return _stated(text[:_READ_LIMIT]) is not None


def time_of(text: str) -> str:
    """The time in a line, verbatim; "" where there is none near its start."""
    found = _TIME.search(text, 0, _NEAR_START)
    return found[0] if found else ""


def _stated(text: str) -> LogSeverity | None:
    if "=" in text or '"' in text:
        for pattern in _STATED:
            if found := pattern.search(text):
                name = found[1].lower()
                return _NUMBERED.get(name[0], LogSeverity.FATAL) if name.isdigit() else _NAMES.get(name)
    for pattern in _NEAR:
        if found := pattern.search(text, 0, _NEAR_START):
            return _NAMES.get(found[1].lower())
    return None
