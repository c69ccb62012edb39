"""The values of the parts of a context."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.objects.manifest import Manifest
from agent.objects.target import ApplicationRef, ResourceRef

type PartName = str
"""The name of a part of the context; `agent.context.parts` declares them."""

type SourceName = str
"""The source of a part: `supplied` (the request), `argocd`, `kubernetes`, or a further one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read.

    `part` is what is missing, `source` the one that failed or could be configured, `message` a sentence for people,
    `reason` a short code: `unreachable`, `unauthorized`, `forbidden`, `not_found`, `timeout`, `invalid`, `unavailable`;
    `waiting` (the container has no log yet), `left_out` (read, but not all of it) and `not_configured` (no source
    is configured for it). `absent` is an object that the cluster was asked for and does not have.
    """

    part: PartName
    source: SourceName
    reason: str
    message: str
    absent: ResourceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading[T]:
    """What a source read, and what is missing of it."""

    value: T
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult[T]:
    """A part of the context: who gave it (None: nobody) and what is missing of it. `refused`: Argo CD refused it, so
    no other source was asked."""

    value: T | None = None
    source: SourceName | None = None
    gaps: tuple[Gap, ...] = ()
    refused: bool = False


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
    """One line of a container. `timestamp` is RFC 3339 or "".

    Of a distilled log, `repeats` counts this line and those like it that were folded into it, the last of them at
    `last_timestamp` (as the log writes it, "" where unknown); `left_out_before` counts the lines between the one
    before and this one that were left out.
    """

    text: str
    timestamp: str = ""
    repeats: int = 1
    last_timestamp: str = ""
    left_out_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLog:
    """One container's log, oldest line first: its tail as it is, or what matters of it. `left_out` counts older lines
    known to be missing, `left_out_after` newer ones."""

    container: str
    pod: str = ""
    previous: bool = False
    lines: tuple[LogLine, ...] = ()
    left_out: int = 0
    left_out_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A node of the Application's resource tree.

    `health` is the health status ("" for none) and `message` its reason; `parents` are the owners in the tree;
    `info` are further facts that Argo CD shows (`Status Reason`, `Restart Count`, ...); `labels` are a Pod's,
    `target_labels` the selector of a Service, `targets` those to which an Ingress routes; `created_at` is RFC 3339 or
    "". `orphaned`: no Application has it.
    """

    resource: ResourceRef
    health: str = ""
    message: str = ""
    parents: tuple[ResourceRef, ...] = ()
    info: Mapping[str, str] = field(default_factory=dict[str, str])
    images: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    target_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    targets: tuple[ResourceRef, ...] = ()
    created_at: str = ""
    orphaned: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """The texts that can be quoted of a node, by their paths."""
        info = {f"info[{name}]": value for name, value in self.info.items()}
        labels = {f"labels[{key}]": value for key, value in self.labels.items()}
        targets = {f"target_labels[{key}]": value for key, value in self.target_labels.items()}
        return {"health.status": self.health, "health.message": self.message, **info, **labels, **targets}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedResource:
    """A resource as Argo CD compares it. The difference its UI shows is `normalized_live` against `predicted_live`.

    `target` None: it is no longer in Git, to be pruned; `live` None: it is missing in the cluster.
    """

    resource: ResourceRef
    target: Manifest | None = None
    live: Manifest | None = None
    normalized_live: Manifest | None = None
    predicted_live: Manifest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The metadata of a revision in Git. `date` is RFC 3339 or ""; unknown texts are ""."""

    revision: str
    author: str = ""
    date: str = ""
    message: str = ""
    tags: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, str]:
        """The texts that can be quoted of a revision, by their paths."""
        fields = {"author": self.author, "date": self.date, "message": self.message}
        return {f"{self.revision}.{name}": text for name, text in fields.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWindow:
    """A window of the project: `kind` allow or deny, `schedule` a cron line, `duration` like `1h`."""

    kind: str
    schedule: str = ""
    duration: str = ""
    manual_sync: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWindows:
    """The windows that concern the Application, those open now, and whether it may be synced now."""

    assigned: tuple[SyncWindow, ...] = ()
    active: tuple[SyncWindow, ...] = ()
    can_sync: bool = True

    @property
    def fields(self) -> dict[str, str]:
        """The texts that can be quoted of the windows, by their paths."""
        fields = {
            f"{name}[{index}].{key}": text
            for name, windows in (("active", self.active), ("assigned", self.assigned))
            for index, window in enumerate(windows)
            for key, text in (("kind", window.kind), ("schedule", window.schedule), ("duration", window.duration))
        }
        return {"can_sync": "true" if self.can_sync else "false", **fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetApplication:
    """An Application in the list of all. `manifest` has little more than the fields that show its state."""

    reference: ApplicationRef
    health: str
    sync: str
    operation: str = ""
    manifest: Manifest = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """`namespace/name`."""
        return f"{self.reference.namespace}/{self.reference.name}".lstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All Applications that may be read. `troubled` are those that need attention, the worst first; `examined` of them
    were read one by one; `gaps` are what the list lacks."""

    total: int
    health: Mapping[str, int]
    sync: Mapping[str, int]
    troubled: tuple[FleetApplication, ...] = ()
    examined: int = 0
    gaps: tuple[Gap, ...] = ()
