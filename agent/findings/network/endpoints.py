"""The host and port of a failed connection in a log line, and the Services that the host may be.

Owns the wording of clients (Go, Java, Node.js, Python, libpq, gRPC, nginx, curl).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

type ConnectionFailure = Literal["dns", "refused", "timeout"]

_READ_LIMIT = 2_000

_PATTERNS: tuple[tuple[ConnectionFailure, str], ...] = (
    (
        "dns",
        r"no such host|\bENOTFOUND\b|\bEAI_AGAIN\b|name or service not known|failure in name resolution|UnknownHost|"
        r"could not translate host name|\bbad address\b|nodename nor servname|name does not resolve|"
        r"could ?n[o']t resolve|failed to resolve|unknown mysql server host|host not found|server misbehaving|"
        r"can't resolve|no address associated",
    ),
    ("refused", r"refused\b|\bECONNREFUSED\b|can't connect to mysql server"),
    (
        "timeout",
        r"i/o timeout|\bETIMEDOUT\b|connect\w* (?:attempt )?timed? ?out|timeout (?:expired|exceeded)|\btimed out\b|"
        r"no route to host|\bEHOSTUNREACH\b|deadline exceeded|context deadline|connecttimeout",
    ),
)
_FAILURES: tuple[tuple[ConnectionFailure, re.Pattern[str]], ...] = tuple(
    (failure, re.compile(pattern, re.IGNORECASE)) for failure, pattern in _PATTERNS
)

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
_PORT = r"(?P<port>\d{1,5})"

# How clients name the peer, the most specific first.
_PLACES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\blookup {_HOST}(?: on \S{{1,60}})?:",
        rf"\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}(?::{_PORT})?",
        rf"host name \"{_HOST}\"",
        rf"UnknownHost(?:Exception)?: {_HOST}",
        rf"bad address '?{_HOST}",
        rf"(?:server host|host not found in upstream) ['\"]{_HOST}(?::{_PORT})?['\"]",
        rf"resolve (?:host:? )?['\"]?{_HOST}(?::{_PORT})?",
        rf"connection to server at \"{_HOST}\"(?: \([^)]{{1,60}}\))?, port {_PORT}",
        rf"on host \"{_HOST}\".{{0,80}}? port {_PORT}",
        rf"host='{_HOST}', port={_PORT}",
        rf"\bhost(?:name)?[\"']?[:=] ?[\"']?{_HOST}[\"']?, ?[\"']?port[\"']?[:=] ?{_PORT}",
        rf"MySQL server on '{_HOST}(?::{_PORT})?'",
        rf"Failed to connect to {_HOST}(?:/[\d.]{{7,15}})?(?: port |:){_PORT}",
        rf"\w{{2,20}}://(?:[^@/\s]{{0,200}}@)?{_HOST}(?::{_PORT})?",
        rf"\b(?:ipv[46]:)?{_HOST}:{_PORT}\b",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedConnection:
    """A connection that failed. `port` is None where the line does not name it; `temporary`: no name server answered,
    which does not mean that the name does not exist (EAI_AGAIN,
    https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)."""

    failure: ConnectionFailure
    host: str
    port: int | None
    temporary: bool = False

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def is_itself(self) -> bool:
        """Whether it goes to the Pod's own loopback."""
        return self.host.lower() == "localhost" or self.host.startswith("127.")


def failed_connections(line: str) -> list[FailedConnection]:
    """The failed connections of a line, most specific first; a line may name one peer by its name and its address."""
    text = line[:_READ_LIMIT]
    failure = _failure_in(text)
    if failure is None:
        return []
    found = dict.fromkeys(_places(text))
    temporary = _TEMPORARY.search(text) is not None
    return [FailedConnection(failure=failure, host=host, port=port, temporary=temporary) for host, port in found]


_TEMPORARY = re.compile(
    r"\bEAI_AGAIN\b|temporary failure in name resolution|server misbehaving|SERVFAIL|lookup .{1,300}i/o timeout",
    re.IGNORECASE,
)


def _failure_in(text: str) -> ConnectionFailure | None:
    for failure, pattern in _FAILURES:
        if pattern.search(text):
            return failure
    return None


def _places(text: str) -> Iterator[tuple[str, int | None]]:
    for place in _PLACES:
        for match in place.finditer(text):
            groups = match.groupdict()
            port = int(groups["port"]) if groups.get("port") else None
            host = groups["host"].rstrip(".")
            # Port 53 is the name server, not the peer; digits or a date before a colon are a time.
            if port == 53 or (_TIME.fullmatch(host) and port is not None):
                continue
            yield host, port


_TIME = re.compile(r"\d+|\d{4}-\d\d-\d\d(?:T\d\d)?", re.IGNORECASE)


def service_names(host: str, namespace: str) -> list[tuple[str, str]]:
    """The Services that a host name may mean in a namespace, as (namespace, name), the likeliest first; [] for a name
    outside the cluster. `db`, `db.shop`, `db.shop.svc.cluster.local`, `db-0.db.shop.svc`:
    https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/"""
    labels = host.lower().rstrip(".").split(".")
    if "svc" in labels[2:4]:
        end = labels.index("svc", 2)
        return [(labels[end - 1], labels[end - 2])]
    match labels:
        case [name]:
            return [(namespace, name)]
        case [first, second]:
            return [(second, first), (namespace, second)]
        case _:
            return []
