"""The values that make up a context. Owns no reading and no rendering."""

from dataclasses import dataclass, field, replace
from typing import Literal

from agent.manifest import Manifest
from agent.target import ResourceRef, Target

type Part = Literal["application", "manifest", "children", "events", "logs"]
"""A part of the context that is read, supplied, or missing."""

type SourceName = Literal["supplied", "argocd", "kubernetes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read.

    `part` is what is missing, `source` who was asked or could have been, `message` a sentence for people, `reason` a
    short code: `unreachable`, `unauthorized`, `forbidden`, `not_found`, `timeout`, `invalid`, `unavailable`;
    `waiting` (the container has no log yet), `left_out` (read, but not all of it) and `not_configured` (there is
    nothing to read it from).
    """

    part: Part
    source: SourceName
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A Kubernetes event, merged with its repetitions.

    `count` adds up the repetitions; `first_seen` and `last_seen` are RFC 3339 in UTC or "" where unknown.
    """

    type: str
    reason: str
    message: str
    involved: ResourceRef | None = None
    count: int = 1
    first_seen: str = ""
    last_seen: str = ""
    reporter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a container. `timestamp` is RFC 3339 or ""."""

    text: str
    timestamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLog:
    """The tail of one container's log, oldest line first. `left_out` counts older lines known to be missing."""

    container: str
    pod: str = ""
    previous: bool = False
    lines: tuple[LogLine, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that is known of the target in this turn.

    `application` is the Argo CD Application, `manifest` the live manifest of the target's resource, `children` the
    live manifests below it (a workload's Pods), `events` newest first, `logs` one entry a container. `origins` names
    the source of each part that is there.
    """

    target: Target
    application: Manifest | None = None
    manifest: Manifest | None = None
    children: tuple[Manifest, ...] = ()
    events: tuple[Event, ...] = ()
    logs: tuple[ContainerLog, ...] = ()
    gaps: tuple[Gap, ...] = ()
    origins: dict[Part, SourceName] = field(default_factory=dict[Part, SourceName])

    def with_gaps(self, *gaps: Gap) -> "Context":
        """The same context with more gaps."""
        return replace(self, gaps=(*self.gaps, *gaps))

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every manifest but the Application's: the resource first, then its children."""
        return ((self.manifest,) if self.manifest else ()) + self.children
