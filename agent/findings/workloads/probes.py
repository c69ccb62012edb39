"""Probes that fail: the request, the answer, and whether the container only needs longer to start.

Owns the wording of the kubelet's Unhealthy events (Kubernetes' pkg/kubelet/prober and pkg/probe) and the settings of
probes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from agent.context.model import Event
from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, object_at, objects_at, text_at
from agent.objects.times import moment

type ProbeField = Literal["readinessProbe", "livenessProbe", "startupProbe"]

_FIELDS: dict[str, ProbeField] = {
    "Readiness": "readinessProbe",
    "Liveness": "livenessProbe",
    "Startup": "startupProbe",
}

# Defaults of the API server (Kubernetes' pkg/apis/core/v1/defaults.go, SetDefaults_Probe).
_DEFAULTS = {"failureThreshold": 3, "periodSeconds": 10, "timeoutSeconds": 1, "initialDelaySeconds": 0}

_ANSWERS: tuple[tuple[str, str], ...] = (
    (r"statuscode: (\d{3})", "HTTP status {0}"),
    (r"connection refused", "connection refused"),
    (r"server gave HTTP response to HTTPS client", "the server speaks HTTP, the probe HTTPS"),
    (r"malformed HTTP|transport connection broken", "the server does not speak HTTP there"),
    (r"deadline exceeded|timed? ?out|Client\.Timeout", "no answer in time"),
    (r"NOT_SERVING", "it answers NOT_SERVING"),
    (r"connection reset|EOF", "the connection is dropped"),
    (r"no route to host|network is unreachable", "the pod cannot be reached"),
    (r"no such file or directory|executable file not found", "its command is not in the image"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFailure:
    """A probe that fails. `request` is what the probe does (`GET /ready on port 8080`), `answer` the result, ""
    where unknown. `hint` is a sentence where the settings alone show the fault, `step` the correction.
    """

    event: Event
    field: ProbeField
    request: str
    answer: str
    hint: str = ""
    step: str = ""

    @property
    def name(self) -> str:
        return self.field.removesuffix("Probe")

    def __str__(self) -> str:
        request = f" ({self.request})" if self.request else ""
        return f"{self.name} probe{request} fails" + (f": {self.answer}" if self.answer else "")


def probe_failure(container: Container, *kinds: str) -> ProbeFailure | None:
    """The newest failure of a probe of these kinds (`Readiness`, `Liveness`, `Startup`), of any where none is named."""
    events = [event for event in container.events if event.reason == "Unhealthy"]
    for event in events:
        kind = event.message.partition(" ")[0]
        if kind in (kinds or _FIELDS):
            field = _FIELDS.get(kind, "readinessProbe")
            # The event does not name the container; it cannot be one without such a probe.
            if container.spec_path and len(_containers(container)) > 1 and not container.quote_spec(field):
                continue
            return _failure(container, event, field)
    # A kubelet with another wording: only the event is known.
    return _failure(container, events[0], "readinessProbe") if events and not kinds else None


def _containers(container: Container) -> list[Manifest]:
    return objects_at(container.pod, "spec", "containers")


def _failure(container: Container, event: Event, field: ProbeField) -> ProbeFailure:
    settings = object_at(container.spec, field)
    answers = ((words, re.search(pattern, event.message[:4_000])) for pattern, words in _ANSWERS)
    answer = next((words.format(*match.groups()) for words, match in answers if match), "")
    refused = answer in ("connection refused", "")
    undeclared = _undeclared(container, settings) if refused else None
    hint, step = _listens_elsewhere(container, settings, field) if refused else ("", "")
    return ProbeFailure(
        event=event,
        field=field,
        request=_request(settings),
        answer=answer,
        hint=hint or (undeclared.hint if undeclared else ""),
        step=step or (undeclared.step(container, field) if undeclared else ""),
    )


# What servers log when they start: ASP.NET Core, Spring Boot, Uvicorn, Node.js, Go, nginx, PostgreSQL.
_LISTENS = re.compile(r"\b(?:listening|listens?|running|started|serving|ready)\b(?P<where>[^\n]{1,160})", re.IGNORECASE)
_PORT = re.compile(r"(?:port(?:\(s\)|s)?[\s:=\"']{1,3}|:)(\d{2,5})\b(?![.:\d])")
# The lowest number of a server's port; what is below it is the minute or second of a time.
_LOWEST_PORT = 80
_STARTING_LINES = 2_000


def _listens_elsewhere(container: Container, settings: Manifest, field: ProbeField) -> tuple[str, str]:
    """A sentence and a step where the log says that the program listens on other ports than the probe's."""
    probed = _port_of(container, settings)
    ports = _listening_ports(container)
    if not probed or not ports or probed in ports:
        return "", ""
    named = one_line(", ".join(ports[:3]), 40)
    return (
        f"Its log says that the program listens on port {named}, and the probe asks port {probed}.",
        f"Let the probe (and the Service's targetPort) use port {named}, or let the program listen on {probed} (for "
        "ASP.NET "
        "Core ASPNETCORE_HTTP_PORTS; else its own setting or argument).",
    )


def _port_of(container: Container, settings: Manifest) -> str:
    """The number of the probe's port, "" where it is unknown."""
    port = next((p for kind in ("httpGet", "tcpSocket", "grpc") if (p := lookup(settings, kind, "port"))), "")
    named = {text_at(each, "name"): text_at(each, "containerPort") for each in objects_at(container.spec, "ports")}
    number = named.get(str(port), str(port))
    return number if number.isdigit() else ""


def _listening_ports(container: Container) -> list[str]:
    """The ports that the container's log says the program listens on."""
    found: dict[str, None] = {}
    for log in container.inventory.context.logs:
        if log.container == container.name and log.pod in ("", text_at(container.pod, "metadata", "name")):
            for line in log.lines[:_STARTING_LINES]:
                if match := _LISTENS.search(line.text, 0, 2_000):
                    found |= {port: None for port in _PORT.findall(match["where"]) if int(port) >= _LOWEST_PORT}
    return list(found)


def _request(settings: Manifest) -> str:
    if http := object_at(settings, "httpGet"):
        return one_line(f"GET {text_at(http, 'path') or '/'} on port {text_at(http, 'port')}", 80)
    if tcp := object_at(settings, "tcpSocket"):
        return one_line(f"TCP port {text_at(tcp, 'port')}", 40)
    if grpc := object_at(settings, "grpc"):
        return one_line(f"gRPC on port {text_at(grpc, 'port')}", 40)
    command = [word for word in list_at(settings, "exec", "command") if isinstance(word, str)]
    return one_line("exec " + " ".join(command), 80) if command else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undeclared:
    """A probe's port that its container does not declare. `place` is its path in the probe."""

    place: str
    port: str
    declared: tuple[str, ...]

    @property
    def hint(self) -> str:
        return f"The container declares port {one_line(', '.join(self.declared), 60)}, not {self.port}."

    def step(self, container: Container, field: ProbeField) -> str:
        """The change of the probe, "" unless the container declares exactly one port."""
        if len(self.declared) != 1:
            return ""
        changed = container.change(f"{field}.{self.place}", one_line(self.declared[0], 20))
        return f"{changed} (The container declares no {self.port}.)"


def _undeclared(container: Container, settings: Manifest) -> _Undeclared | None:
    declared = objects_at(container.spec, "ports")
    kinds = ("httpGet", "tcpSocket", "grpc")
    kind, port = next(((k, p) for k in kinds if (p := lookup(settings, k, "port"))), ("", None))
    if not declared or port is None:
        return None
    names = {text_at(each, "name") for each in declared} | {text_at(each, "containerPort") for each in declared}
    if str(port) in names:
        return None
    ports = tuple(text_at(each, "containerPort") for each in declared[:5])
    return _Undeclared(place=f"{kind}.port", port=one_line(str(port), 40), declared=ports)


def allowed_failures(containers: Iterable[Manifest]) -> int:
    """How often probes of these containers (of a Pod's spec) may fail before the kubelet acts."""
    probes = (object_at(container, field) for container in containers for field in _FIELDS.values())
    return max((_setting(probe, "failureThreshold") for probe in probes), default=_DEFAULTS["failureThreshold"])


def may_become_ready(container: Container) -> bool:
    """Whether a container that runs and is not ready may become so, as its probes had no time to fail for good.

    Compares the events (number and time of failures) with failureThreshold, periodSeconds and initialDelaySeconds.
    """
    if integer_at(container.status, "restartCount"):
        return False
    failed = [event for event in container.events if event.reason == "Unhealthy"]
    if sum(event.count for event in failed) >= allowed_failures([container.spec]):
        return False
    patience = max(_patience(object_at(container.spec, field)) for field in _FIELDS.values())
    started = moment(text_at(container.status, "state", "running", "startedAt"))
    seen = [time for event in container.events if (time := moment(event.last_seen))]
    if started is None or not seen:
        return False
    return (max(seen) - started).total_seconds() < patience


def _patience(probe: Manifest) -> int:
    """The seconds for which a probe may fail without consequence."""
    delay, period, threshold = (
        _setting(probe, key) for key in ("initialDelaySeconds", "periodSeconds", "failureThreshold")
    )
    return delay + period * threshold


def _setting(probe: Manifest, key: str) -> int:
    value = integer_at(probe, key)
    return _DEFAULTS[key] if value is None else min(max(value, 0), 100_000)
