"""Logs as programs write them, with one planted cause: by seed the framework, the place and form of the cause, and the
noise, which speaks of errors as well.

The words of the causes are those of real programs, and not taken from what `agent.context.distillation` looks for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from tests.context.distillation.stack_traces import TRACES

type Write = Callable[[Random, int, str, str, str], str]
"""A line from the time in seconds, the level, the part of the program, and the message."""

_SUBJECTS = (
    "order",
    "basket",
    "invoice",
    "customer",
    "stock",
    "shipment",
    "session",
    "cache",
    "queue",
    "index",
    "report",
    "voucher",
    "price",
    "route",
)
_VERBS = (
    "loaded",
    "stored",
    "refreshed",
    "accepted",
    "published",
    "consumed",
    "scheduled",
    "merged",
    "validated",
    "archived",
    "resolved",
)
_TAILS = (
    "in",
    "for tenant",
    "from shard",
    "via replica",
    "on worker",
    "at revision",
    "with key",
    "after attempt",
    "of batch",
)
_PARTS = (
    "api",
    "pool",
    "sync",
    "worker",
    "billing",
    "search",
    "gateway",
    "scheduler",
    "audit",
    "mailer",
)
_NAMES = (
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "niaj",
    "olivia",
    "peggy",
    "rupert",
    "sybil",
)

# What looks like a fault and is none, or is everyday business.
_NOISY: tuple[tuple[str, str], ...] = (
    ("INFO", "0 errors in batch {n}"),
    ("INFO", "error budget at {n} percent for {name}"),
    ("DEBUG", "no error handler registered for {hex}, using default"),
    ("WARN", "retrying {subject} after error, attempt {n}"),
    ("WARN", "slow query took {n} ms, error threshold not reached"),
    ("ERROR", "upstream error for client {ip}, fell back to cache"),
    ("ERROR", "failed to send metrics point {n}, dropped"),
    ("INFO", "recovered from error {hex} of {name}"),
)

# As programs word it: the last thing an operator wants to miss.
_CAUSES: tuple[str, ...] = (
    'password authentication failed for user "orders"',
    "dial tcp: lookup orders-db.shop.svc on 10.96.0.10:53: no such host",
    "connect ECONNREFUSED 10.3.0.7:6379",
    "x509: certificate has expired or is not yet valid",
    "open /etc/orders/config.yaml: permission denied",
    "required variable ORDERS_URL is not set",
    "listen tcp :8080: bind: address already in use",
    "write /data/wal-0007: no space left on device",
    'relation "orders" does not exist',
    "migration 42_add_index is dirty, fix and force version",
    "java.lang.OutOfMemoryError: Java heap space",
    "license key for module billing ran out yesterday",
    "leader election lost",
    "schema version 7 is newer than this binary understands (5)",
    "cannot unmarshal string into Go struct field Config.port of type int",
    "too many open files",
    "the peer closed the handshake: tls: unknown certificate authority",
    "kafka: client has run out of available brokers to talk to",
    "Access denied for user 'app'@'10.0.1.4' (using password: YES)",
    "etcdserver: mvcc: database space exceeded",
    'secret "orders-tls" has no key tls.crt',
    "context deadline exceeded while waiting for pool",
    "unknown flag: --enable-quue",
    "vault sealed, giving up",
    "checksum of segment 19 differs, refusing to start",
    "NOAUTH Authentication required.",
    "gave up on topic orders-v2 after 5 rebalances",
    "unsupported protocol version 771 from broker",
    "image registry says: toomanyrequests: You have reached your pull rate limit",
    "found 2 nodes with the same id orders-0, shutting down",
)
_LEVELS = ("ERROR",) * 9 + ("FATAL",) * 5 + ("WARN",) * 3 + ("INFO",) * 1 + ("",) * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A log, and the lines of its cause as they stand in it. `place` is from 0 (start) to 1 (end)."""

    lines: list[str]
    cause: list[str]
    telling: str
    place: float

    @property
    def text(self) -> str:
        """The log as a file."""
        return "\n".join(self.lines) + "\n"


def _time(at: int) -> str:
    return f"2026-11-28 {at // 3600 % 24:02d}:{at // 60 % 60:02d}:{at % 60:02d}"


def _log4j(random: Random, at: int, level: str, part: str, message: str) -> str:
    time = f"{_time(at)},{random.randrange(1000):03d}"
    return f"{time} {level:5} [exec-{random.randrange(16)}] com.shop.{part}.Service - {message}"


def _zap(random: Random, at: int, level: str, part: str, message: str) -> str:
    fields = {"level": level.lower(), "ts": 1764313200 + at + random.random(), "logger": part, "msg": message}
    return json.dumps(fields | {"trace": f"{random.getrandbits(64):016x}"}, separators=(",", ":"))


def _pino(random: Random, at: int, level: str, part: str, message: str) -> str:
    number = {"DEBUG": 20, "INFO": 30, "WARN": 40, "ERROR": 50, "FATAL": 60}[level]
    return json.dumps({"level": number, "time": 1764313200000 + at * 1000, "pid": 1, "name": part, "msg": message})


def _klog(random: Random, at: int, level: str, part: str, message: str) -> str:
    letter = {"DEBUG": "I", "INFO": "I", "WARN": "W", "ERROR": "E", "FATAL": "F"}[level]
    time = f"{_time(at)[11:]}.{random.randrange(10**6):06d}"
    return f"{letter}1128 {time}       1 {part}.go:{random.randrange(90, 99)}] {message}"


def _logfmt(random: Random, at: int, level: str, part: str, message: str) -> str:
    quoted = message.replace('"', '\\"')
    fields = f"component={part} id={random.getrandbits(32):08x}"
    return f'time="{_time(at).replace(" ", "T")}Z" level={level.lower()} msg="{quoted}" {fields}'


def _python(random: Random, at: int, level: str, part: str, message: str) -> str:
    return f"{_time(at)},{random.randrange(1000):03d} - shop.{part} - {level.replace('WARN', 'WARNING')} - {message}"


def _stamped(random: Random, at: int, level: str, part: str, message: str) -> str:
    return f"{_time(at).replace(' ', 'T')}.{random.randrange(10**9):09d}Z {level.lower()}: {part}: {message}"


def _plain(random: Random, at: int, level: str, part: str, message: str) -> str:
    return f"[{part}] {message}" if level in ("INFO", "DEBUG") else f"[{part}] {level.lower()}: {message}"


FRAMEWORKS: dict[str, tuple[Write, str]] = {
    "log4j": (_log4j, "java"),
    "zap": (_zap, "go"),
    "pino": (_pino, "node"),
    "klog": (_klog, "go"),
    "logfmt": (_logfmt, "rust"),
    "python": (_python, "python"),
    "stamped": (_stamped, "dotnet"),
    "plain": (_plain, "ruby"),
}


def generated(seed: int, *, lines: int = 20_000, templates: int = 40) -> Generated:
    """The log of a seed: `lines` lines of noise of `templates` templates, the frequent ones far ahead, and a cause."""
    random = Random(seed)
    write, runtime = FRAMEWORKS[random.choice(sorted(FRAMEWORKS))]
    noise = _noise(random, write, lines, templates)
    cause, telling = _cause(random, write, runtime, lines)
    place = random.random()
    at = int(place * len(noise))
    return Generated(lines=[*noise[:at], *cause, *noise[at:]], cause=cause, telling=telling, place=place)


def _noise(random: Random, write: Write, lines: int, templates: int) -> list[str]:
    kinds = [_template(random) for _ in range(templates - len(_NOISY))] + list(_NOISY)
    random.shuffle(kinds)
    # A few make most of the log, as in any program; none is rarer than some dozen in ten thousand lines.
    weights = [1 / (rank + 3) for rank in range(len(kinds))]
    parts = {message: random.choice(_PARTS) for _, message in kinds}
    written = [
        write(random, n // 7, "INFO", "main", f"starting {part} with {random.randrange(99)} threads")
        for n, part in enumerate(_PARTS)
    ]
    for n, (level, message) in enumerate(random.choices(kinds, weights, k=lines - len(written))):
        written.append(write(random, 2 + n // 11, level, parts[message], _filled(random, message)))
    return written


def _template(random: Random) -> tuple[str, str]:
    level = random.choices(("INFO", "DEBUG", "WARN", "ERROR"), (75, 15, 8, 2))[0]
    fields = random.sample(("{n}", "{hex}", "{ip}", "{name}", "{uuid}", "{path}"), 2)
    tails = random.sample(_TAILS, 2)
    return level, f"{random.choice(_SUBJECTS)} {random.choice(_VERBS)} {tails[0]} {fields[0]} {tails[1]} {fields[1]}"


def _filled(random: Random, message: str) -> str:
    return message.format(
        n=random.randrange(5_000),
        hex=f"{random.getrandbits(40):x}",
        ip=f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}:{random.randrange(65536)}",
        name=random.choice(_NAMES),
        subject=random.choice(_SUBJECTS),
        uuid=str(UUID(int=random.getrandbits(128), version=4)),
        path=f"/v1/{random.choice(_SUBJECTS)}/{random.randrange(10**6)}",
    )


def _cause(random: Random, write: Write, runtime: str, lines: int) -> tuple[list[str], str]:
    """The lines of the cause, and the one that must not be missed."""
    at = random.randrange(2, 2 + lines // 11)
    if random.random() < 0.35:
        trace = TRACES[runtime].split("\n")
        telling = {"java": "Caused by:", "python": "orders.errors", "dotnet": "System.Invalid", "node": "Error: "}
        return trace, next(line for line in trace if telling.get(runtime, "") in line)
    message = random.choice(_CAUSES)
    level = random.choice(_LEVELS)
    line = write(random, at, level, random.choice(_PARTS), message) if level else message
    return [line], line
