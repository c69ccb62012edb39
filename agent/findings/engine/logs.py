"""Lines of a log that tell of a fatal fault, and a finding from them where nothing else explains what is wrong.

Owns the patterns of fatal lines; folding and cutting of logs are not its business.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.context.model import ContainerLog, Context, LogLine
from agent.findings.engine.evidence import quote_lines
from agent.findings.engine.health import pod_is_well, workload_is_well
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, text_at

# A line is read up to here; a stack trace on one line says its fault at the start.
_READ_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of fatal line. A line without any of `words` (lower case) is none of it, and is not searched further."""

    name: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    meaning: str

    def matches(self, text: str, lowered: str) -> bool:
        return any(word in lowered for word in self.words) and self.pattern.search(text) is not None


# Most telling first.
_KINDS: tuple[_Kind, ...] = tuple(
    _Kind(name, tuple(words.split(",")), re.compile(pattern, re.IGNORECASE), meaning)
    for name, words, pattern, meaning in (
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
            "The Kubernetes API refuses what it asks: its ServiceAccount lacks the right.",
        ),
        (
            "authentication",
            "authentication,access denied,credentials,unauthorized,permission denied for",
            r"password authentication failed|authentication failed|access denied for user|invalid credentials|"
            r"\b401 Unauthorized|permission denied for (table|database|schema|relation)",
            "The other side refuses the credentials.",
        ),
        (
            "constraint",
            "sqlstate,violates,null value,duplicate,constraint,child row",
            r"SQLSTATE\W{0,3}23[0-9A-Z]{3}\b|violates (not-null|unique|foreign key|check|exclusion) constraint|"
            r"contains null values|null value in column|duplicate key value|Duplicate entry .{1,120} for key|"
            r"(unique|not null|foreign key|check) constraint failed|Cannot add or update a child row",
            "The database refuses a statement, as data that is there or is written breaks a constraint.",
        ),
        (
            "tls",
            "x509,certificate,sslhandshake",
            r"x509:|certificate (has expired|verify failed|is not trusted)|SSLHandshakeException",
            "TLS fails.",
        ),
        ("port", "address already,eaddrinuse", r"address already in use|\bEADDRINUSE\b", "Its port is taken already."),
        ("disk", "no space,enospc", r"no space left on device|\bENOSPC\b", "A volume or the node's disk is full."),
        (
            "read-only",
            "read-only,erofs",
            r"read-only file ?system|\bEROFS\b",
            "It writes where the file system is read-only.",
        ),
        (
            "permission",
            "permission denied,eacces,not permitted",
            r"permission denied|\bEACCES\b|Operation not permitted",
            "It lacks a permission: on a file, a port or an operation.",
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
            "It misses a setting.",
        ),
        (
            "end",
            "panic,fatal,critical,segfault,segmentation,unhandled,uncaught,exception in thread",
            r"^panic:|\bpanicked at\b|^fatal error:|\bFATAL\b|level=panic|\"level\": ?\"panic\"|\bCRITICAL\b|"
            r"Segmentation fault|segfault|unhandled (exception|promise|rejection)|Uncaught \w+|Exception in thread \"",
            "The process gave up.",
        ),
    )
)

_ERROR = re.compile(r"\bERROR\b|\bSEVERE\b|\blevel=error\b|\"level\": ?\"error\"|^[Ee]rror:")
_TRACEBACK = "Traceback (most recent call last):"
_PYTHON_ERROR = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?::|$)")
# A server that tells of a refused client or of a retry that went well is not dying of it.
_HARMLESS = re.compile(
    r"\blevel=(?:info|debug)\b|\"level\": ?\"(?i:info|debug)\"|\b(?:INFO|DEBUG|TRACE)\b|\b0 errors?\b"
)


def fatal_lines(log: ContainerLog, limit: int = 3) -> tuple[LogLine, ...]:
    """The last `limit` different lines of the log that tell of a fatal fault, oldest first.

    Of a Python traceback it is the line with the exception.
    """
    return _last_different(list(_candidates(log.lines)), limit)


def error_lines(log: ContainerLog, limit: int = 2) -> tuple[LogLine, ...]:
    """The last `limit` different lines that the program itself calls errors, oldest first."""
    return _last_different([line for line in log.lines if _ERROR.search(line.text, 0, _READ_LIMIT)], limit)


def _last_different(lines: list[LogLine], limit: int) -> tuple[LogLine, ...]:
    found: dict[str, LogLine] = {}
    for line in reversed(lines):
        found.setdefault(_shape(line.text), line)
        if len(found) == limit:
            break
    return tuple(reversed(found.values()))


class LastWords:
    """The last words of a context's containers; a log that several pods share is read once."""

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

    def _of(self, log: ContainerLog) -> tuple[Evidence, ...]:
        key = id(log)  # the context keeps every log alive
        if key not in self._quoted:
            telling = _in_order(log, {*fatal_lines(log), *error_lines(log)})
            self._quoted[key] = quote_lines(self._context, log, telling) if telling else ()
        return self._quoted[key]


def _in_order(log: ContainerLog, lines: set[LogLine]) -> list[LogLine]:
    """The lines in the log's order, each at its last place."""
    last = {line: place for place, line in enumerate(log.lines) if line in lines}
    return sorted(last, key=lambda line: last[line])


def meaning_of(*texts: str) -> str:
    """What fatal lines mean in a sentence, by the most telling of them; "" where they tell nothing general."""
    pairs = [(text[:_READ_LIMIT], text[:_READ_LIMIT].lower()) for text in texts]
    return next((kind.meaning for kind in _KINDS if any(kind.matches(*pair) for pair in pairs)), "")


def kind_of(text: str) -> tuple[str, str]:
    """The name of the kind of fault that a line tells of, and its meaning; both "" where it tells nothing general."""
    text = text[:_READ_LIMIT]
    lowered = text.lower()
    return next(((kind.name, kind.meaning) for kind in _KINDS if kind.matches(text, lowered)), ("", ""))


UNTOLD = "end"
"""The kind of a line that tells the end of a process and not its reason."""


# Of _KINDS: connections that fail, and the end that says nothing of its reason.
_CONNECTIONS = slice(1, 4)


def tells_another_fault(text: str) -> bool:
    """Whether a line tells of a fault of its own that is no failed connection."""
    lowered = text[:_READ_LIMIT].lower()
    if any(kind.matches(text[:_READ_LIMIT], lowered) for kind in _KINDS[_CONNECTIONS]):
        return False
    return any(kind.matches(text[:_READ_LIMIT], lowered) for kind in _KINDS[:-1])


def unexplained_log_errors(inventory: Inventory) -> Iterator[Finding]:
    """A warning for each container whose log tells of a fatal fault, unless what wrote it is well.

    Meant for contexts in which no other analyzer found what is broken.
    """
    context = inventory.context
    for log in context.logs:
        lines = fatal_lines(log)
        if not lines or _is_well(inventory, log):
            continue
        evidence = quote_lines(context, log, lines)
        means = meaning_of(*(line.text for line in lines))
        yield Finding(
            title=f"The log of container {log.container} tells of a fault",
            severity="warning",
            level="effect",
            explanation=means or "Nothing else in the context explains what is wrong; these lines may.",
            evidence=evidence,
            resource=evidence[0].resource,
            next_steps=("Read the lines around these in the container's whole log.",),
        )


def _candidates(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    in_traceback = False
    for line in lines:
        text = line.text[:_READ_LIMIT]
        if _TRACEBACK in text:
            in_traceback = True
        elif in_traceback and _PYTHON_ERROR.match(text):
            in_traceback = False
            yield line
        elif _is_fatal(text):
            yield line


def _is_fatal(text: str) -> bool:
    lowered = text.lower()
    return any(kind.matches(text, lowered) for kind in _KINDS) and not _HARMLESS.search(text)


def _shape(text: str) -> str:
    """The line without what differs between repetitions: digits and hexadecimal."""
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", text[:200], flags=re.IGNORECASE)


def _is_well(inventory: Inventory, log: ContainerLog) -> bool:
    """Whether what wrote the log is known to be ready or done, or to be replaced."""
    context = inventory.context
    pods = [p for p in inventory.of(("", "Pod")) if log.pod in ("", text_at(p, "metadata", "name"))]
    if pods:
        return all(pod_is_well(pod) or inventory.is_outlived(pod) for pod in pods)
    if context.manifest:
        return workload_is_well(context.manifest)
    return text_at(context.application, "status", "health", "status") in ("Healthy", "Suspended")
