"""Lines of a log that report a fatal fault.

Owns the patterns of fatal lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.context.context import Context
from agent.context.model import ContainerLog, LogLine
from agent.findings.engine.evidence import quote_lines
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, text_at

# Characters of a line that are read; a stack trace on one line begins with its fault.
_READ_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of fatal line. `words` (lower case) are a fast filter: a line of this kind has at least one of them."""

    name: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    meaning: str

    def matches(self, text: str, lowered: str) -> bool:
        return any(word in lowered for word in self.words) and self.pattern.search(text) is not None


# The most specific first.
_KINDS: tuple[_Kind, ...] = tuple(
    _Kind(name, tuple(words.split(",")), re.compile(pattern, re.IGNORECASE), meaning)
    for name, words, pattern, meaning in (
        (
            "threads",
            "native thread,pthread_create",
            r"unable to create (?:new )?native thread|pthread_create failed",
            "The limit of processes and threads is reached (podPidsLimit of the kubelet, or ulimit -u): it is no "
            "want of "
            "memory.",
        ),
        (
            "memory",
            "memory,oom",
            r"out of memory|\bOOM\b|OutOfMemoryError|Cannot allocate memory|MemoryError\b",
            "The process ran out of memory.",
        ),
        (
            "refused",
            "refused,can't connect to mysql",
            r"connection refused|\bECONNREFUSED\b|Connection to \S{1,200} refused|can't connect to MySQL server",
            "Nothing listens at the address it connects to: the other side is down, not ready, or the port is wrong.",
        ),
        (
            "dns",
            "no such host,enotfound,not known,resolution,unknownhost,could not translate,eai_again,nodename,"
            "bad address,resolve,host not found,unknown mysql",
            r"no such host|\bENOTFOUND\b|Name or service not known|Temporary failure in name resolution|"
            r"UnknownHostException|could not translate host name|\bEAI_AGAIN\b|nodename nor servname|\bbad address '|"
            r"could ?n[o']t resolve|failed to resolve|does not resolve|host not found in upstream|"
            r"Unknown MySQL server host",
            "A host name does not resolve: the Service does not exist, is spelled wrongly, or DNS fails.",
        ),
        (
            "timeout",
            "timeout,timed out,time out,etimedout,deadline exceeded,no route,ehostunreach",
            r"(connect\w*|dial|read|i/o)\W.{0,80}time(d )?-? ?out|i/o timeout|\bETIMEDOUT\b|context deadline exceeded|"
            r"SocketTimeoutException|no route to host|\bEHOSTUNREACH\b",
            "The other side does not answer in time: it is overloaded, down, or a NetworkPolicy or firewall is in "
            "between.",
        ),
        (
            "rights",
            "cannot ,forbidden",
            r"\bUser \"[^\"]{1,200}\" cannot \w+ resource|\bis forbidden: User ",
            "The Kubernetes API refuses its request: its ServiceAccount does not have the permission.",
        ),
        (
            "authentication",
            "authentication,access denied,credentials,unauthorized,permission denied for",
            r"password authentication failed|authentication failed|access denied for user|invalid credentials|"
            r"\b401 Unauthorized|permission denied for (table|database|schema|relation)",
            "The other side refuses the credentials.",
        ),
        (
            "service",
            "403,401",
            r"(?:\b|\\n)(?:Code|status|status ?code|HTTP(?:/\d(?:\.\d)?)?)\W{0,3}(?:40[13])\b",
            "The service that it calls refuses its login or its rights.",
        ),
        (
            "constraint",
            "sqlstate,violates,null value,duplicate,constraint,child row",
            r"SQLSTATE\W{0,3}23[0-9A-Z]{3}\b|violates (not-null|unique|foreign key|check|exclusion) constraint|"
            r"contains null values|null value in column|duplicate key value|Duplicate entry .{1,120} for key|"
            r"(unique|not null|foreign key|check) constraint failed|Cannot add or update a child row",
            "The database refuses a statement, as existing or new data violates a constraint.",
        ),
        (
            "tls",
            "x509,certificate,sslhandshake",
            r"x509:|certificate (has expired|verify failed|is not trusted)|SSLHandshakeException",
            "The TLS connection fails: a certificate is invalid or not trusted, or the versions differ.",
        ),
        ("port", "address already,eaddrinuse", r"address already in use|\bEADDRINUSE\b", "Its port is already in use."),
        ("disk", "no space,enospc", r"no space left on device|\bENOSPC\b", "A volume or the node's disk is full."),
        (
            "read-only",
            "read-only,erofs",
            r"read-only file ?system|\bEROFS\b",
            "It writes to a read-only file system.",
        ),
        (
            "permission",
            "permission denied,eacces,not permitted",
            r"permission denied|\bEACCES\b|Operation not permitted",
            "It does not have a permission: for a file, a port or an operation.",
        ),
        (
            "file",
            "no such file,enoent,notfound,cannot find module,shared libraries",
            r"no such file or directory|\bENOENT\b|FileNotFoundError|ClassNotFoundException|ModuleNotFoundError|"
            r"Cannot find module|error while loading shared libraries",
            "A file or module that it needs is not in the image or not mounted.",
        ),
        (
            "setting",
            "environment,env var,config,variable,keyerror,required key",
            r"\bKeyError: ['\"](?-i:[A-Z][A-Z0-9_]{2,80})['\"]|\brequired key (?-i:[A-Z][A-Z0-9_]{2,80}) missing|"
            r"(missing|required|undefined|must set|not set).{0,40}(environment|env(ironment)? ?var|config|variable)|"
            r"(environment|env ?var|config\w*|variable).{0,60}(missing|required|undefined|not set|must be set)",
            "A setting that it needs is missing.",
        ),
        (
            "end",
            "panic,fatal,critical,segfault,segmentation,unhandled,uncaught,exception in thread",
            r"^panic:|\bpanicked at\b|^fatal error:|\bFATAL\b|level=panic|\"level\": ?\"panic\"|\bCRITICAL\b|"
            r"Segmentation fault|segfault|unhandled (exception|promise|rejection)|Uncaught \w+|Exception in thread \"",
            "The process stopped on a fatal error.",
        ),
    )
)

FAULT_WORDS = re.compile(
    r"error|fail|exception|fatal|panic|denied|refused|unsupported|not supported|invalid|cannot|can't|could not|unable|"
    r"unexpected|not found|missing|unknown|must |expected|illegal|abort|mismatch",
    re.IGNORECASE,
)
"""Words of lines that report a fault of no known kind."""

_ERROR = re.compile(r"\bERROR\b|\bSEVERE\b|\blevel=error\b|\"level\": ?\"error\"|^[Ee]rror:")
_TRACEBACK = "Traceback (most recent call last):"
# In a traceback the first line that is not indented: any class may be raised.
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?::|$)")
# A server that logs a refused client or a successful retry at these levels is not failing.
_HARMLESS = re.compile(
    r"\blevel=(?:info|debug)\b|\"level\": ?\"(?i:info|debug)\"|\b(?:INFO|DEBUG|TRACE)\b|\b0 errors?\b"
)


def fatal_lines(log: ContainerLog, limit: int = 3) -> tuple[LogLine, ...]:
    """The last `limit` different lines of the log that report a fatal fault, oldest first.

    For a Python traceback this is the line with the exception.
    """
    return _last_distinct(list(_candidates(log.lines)), limit)


def error_lines(log: ContainerLog, limit: int = 2) -> tuple[LogLine, ...]:
    """The last `limit` different lines that the program logs as errors, oldest first."""
    return _last_distinct([line for line in log.lines if _ERROR.search(line.text, 0, _READ_LIMIT)], limit)


def raised_lines(log: ContainerLog) -> Iterator[tuple[LogLine, LogLine]]:
    """The first line of each Python traceback, and the line with its exception."""
    first: LogLine | None = None
    for line in log.lines:
        if _TRACEBACK in line.text[:_READ_LIMIT]:
            first = line
        elif first is not None and _RAISED.match(line.text[:_READ_LIMIT]):
            yield first, line
            first = None


def _last_distinct(lines: list[LogLine], limit: int) -> tuple[LogLine, ...]:
    found: dict[str, LogLine] = {}
    for line in reversed(lines):
        found.setdefault(_shape(line.text), line)
        if len(found) == limit:
            break
    return tuple(reversed(found.values()))


# Lines before an exit that are quoted where none of them is known to report a fault.
_LAST_WORDS = 3


class LogErrors:
    """The fatal lines and last errors of the containers in a context; a log that several pods share is read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._logs: dict[str, list[ContainerLog]] = defaultdict(list)
        self._quoted: dict[int, tuple[Evidence, ...]] = {}
        # The previous run first: it is the one that died.
        for log in sorted(context.logs, key=lambda log: not log.previous):
            self._logs[log.container].append(log)

    def of(self, pod: Manifest, container: str) -> tuple[Evidence, ...]:
        """The fatal lines and the last errors of a container's log as evidence; of its previous run if that has any."""
        name = text_at(pod, "metadata", "name")
        quotes = (self._of(log) for log in self._logs.get(container, ()) if log.pod in ("", name))
        return next((quoted for quoted in quotes if quoted), ())

    def last_words(self, pod: Manifest, container: str) -> tuple[Evidence, ...]:
        """The last lines of a container's log as evidence, whatever they are; of its previous run if there is one."""
        name = text_at(pod, "metadata", "name")
        for log in self._logs.get(container, ()):
            written = _without_usage(log.lines)
            if log.pod in ("", name) and (lines := [line for line in written if line.text.strip()]):
                return quote_lines(self._context, log, lines[-_LAST_WORDS:])
        return ()

    def _of(self, log: ContainerLog) -> tuple[Evidence, ...]:
        key = id(log)  # the context keeps every log alive
        if key not in self._quoted:
            found = {*fatal_lines(log), *error_lines(log)}
            if found and all(is_exit_only(_text_of(line.text)) for line in found):
                found |= set(_last_distinct([line for line in log.lines if _is_fault(line.text)], 2))
            lines = _in_order(log, found)
            self._quoted[key] = quote_lines(self._context, log, lines) if lines else ()
        return self._quoted[key]


# Only that something exited, as npm, make, Go and shells report it.
_EXIT_ONLY = re.compile(
    r"(?:exit(?:ed)?|failed|return(?:ed)?)(?: with)?(?: exit)? (?:code|status):? \d{1,3}\W*$", re.IGNORECASE
)


def is_exit_only(message: str) -> bool:
    """Whether a message says no more than that a process exited."""
    return _EXIT_ONLY.search(message, 0, _READ_LIMIT) is not None


def _text_of(line: str) -> str:
    """The error of a JSON line, else the line."""
    match = _JSON_ERROR.search(line, 0, _READ_LIMIT)
    return match[1] if match else line


_JSON_ERROR = re.compile(r"\"(?:error|err)\": ?\"((?:[^\"\\]|\\.){1,1000})\"")


def _is_fault(line: str) -> bool:
    """Whether a line reports a fault, whatever its level: the output of a command that was logged as information."""
    text = line[:_READ_LIMIT]
    return any(kind.matches(text, text.lower()) for kind in _KINDS)


def _in_order(log: ContainerLog, lines: set[LogLine]) -> list[LogLine]:
    """The lines in the log's order, each at its last position."""
    last = {line: index for index, line in enumerate(log.lines) if line in lines}
    return sorted(last, key=lambda line: last[line])


def fault_meaning(*texts: str) -> str:
    """The meaning of fatal lines in a sentence, by the most specific kind among them; "" for none."""
    pairs = [(text[:_READ_LIMIT], text[:_READ_LIMIT].lower()) for text in texts]
    return next((kind.meaning for kind in _KINDS if any(kind.matches(*pair) for pair in pairs)), "")


def fault_kind(text: str) -> tuple[str, str]:
    """The name and the meaning of the kind of fault that a line reports; both "" for none."""
    text = text[:_READ_LIMIT]
    lowered = text.lower()
    return next(((kind.name, kind.meaning) for kind in _KINDS if kind.matches(text, lowered)), ("", ""))


UNEXPLAINED_EXIT = "end"
"""The kind of a line that reports the end of a process without its reason."""


# Of _KINDS: connections that fail.
_CONNECTIONS = slice(2, 5)


def reports_other_fault(text: str) -> bool:
    """Whether a line reports a fault other than a failed connection."""
    lowered = text[:_READ_LIMIT].lower()
    if any(kind.matches(text[:_READ_LIMIT], lowered) for kind in _KINDS[_CONNECTIONS]):
        return False
    return any(kind.matches(text[:_READ_LIMIT], lowered) for kind in _KINDS[:-1])


# How a program is used, which it prints beside the error about its arguments (Go's flag, argparse, getopt).
_USAGE = re.compile(r"\s*usage(?: of \S{1,200})?:", re.IGNORECASE)


def _without_usage(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """The lines but for a usage text: its first line, and the indented lines and options that follow."""
    in_usage = False
    for line in lines:
        if _USAGE.match(line.text):
            in_usage = True
        elif not in_usage or not (line.text[:1].isspace() or line.text[:1] in ("", "-")):
            in_usage = False
            yield line


# Rust prints the message of a panic in the next line (https://doc.rust-lang.org/std/macro.panic.html).
_PANICKED = re.compile(r"\bpanicked at \S{1,400}:\d{1,7}:\d{1,5}:$")


# An exception of Java and what is built on it, at the start of a line; its message may go on in the next line
# (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Throwable.html#printStackTrace()).
_JAVA_EXCEPTION = re.compile(
    r"(?:Caused by: |Exception in thread \"[^\"]{1,200}\" )?(?:[a-z_][\w$]{0,60}\.){1,12}[A-Z][\w$]{0,100}"
    r"(?:Exception|Error)\b(?::|$)"
)
_JAVA_FRAME = re.compile(r"\s*(?:at \S|\.\.\. \d)")


def _candidates(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    in_traceback = is_message = in_exception = False
    for line in _without_usage(lines):
        text = line.text[:_READ_LIMIT]
        if in_exception and text.strip() and not _JAVA_EXCEPTION.match(text):
            in_exception = False
            if FAULT_WORDS.search(text) and not _JAVA_FRAME.match(text):
                yield line
        elif (is_message and text.strip()) or _JAVA_EXCEPTION.match(text):
            in_exception = not is_message
            is_message = False
            yield line
        elif _PANICKED.search(text):
            is_message = True
        elif _TRACEBACK in text:
            in_traceback = True
        elif in_traceback and _RAISED.match(text):
            in_traceback = False
            yield line
        elif _is_fatal(text):
            yield line


# A property of an error object that Node.js prints below the line with the message
# (https://nodejs.org/api/util.html#utilinspectobject-options).
_PROPERTY = re.compile(r"\s+(?:code|errno|syscall|path|dest|address|port|hostname|host): .{1,300}$")


def _is_fatal(text: str) -> bool:
    if _PROPERTY.match(text):
        return False
    lowered = text.lower()
    return any(kind.matches(text, lowered) for kind in _KINDS) and not _HARMLESS.search(text)


def _shape(text: str) -> str:
    """The line with digits and hexadecimal replaced, which differ between repetitions."""
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", text[:200], flags=re.IGNORECASE)
