"""The context of a turn: all that was read or supplied about the target, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.context.model import (
    ContainerLog,
    Event,
    Fleet,
    Gap,
    ManagedResource,
    PartName,
    Revision,
    SourceName,
    SyncWindows,
    TreeNode,
)
from agent.context.part import DECLARED, Part
from agent.objects.manifest import Manifest
from agent.objects.target import Target


class _Value[T]:
    """The value of a part by its name, `empty` where the context has none."""

    def __init__(self, empty: T) -> None:
        self._empty = empty

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, context: "Context", owner: type) -> T:
        return context.by_name.get(self._name, self._empty)


@dataclass(frozen=True, init=False)
class Context:
    """All that was read or supplied about the target in this turn.

    `parts` has the value of each part that is not empty, `gaps` what could not be read, `origins` the source of each
    part. The constructor takes parts by their names as well: `Context(target=..., events=...)`. Raises TypeError for a
    name that no part has.
    """

    target: Target
    parts: Mapping[Part[Any], Any]
    gaps: tuple[Gap, ...]
    origins: Mapping[PartName, SourceName]
    by_name: Mapping[PartName, Any] = field(init=False, repr=False, compare=False)

    application = _Value[Manifest | None](None)
    """The Argo CD Application."""
    manifest = _Value[Manifest | None](None)
    """The live manifest of the target's resource."""
    children = _Value[tuple[Manifest, ...]](())
    """The live manifests below it (a workload's Pods)."""
    related = _Value[tuple[Manifest, ...]](())
    """The live manifests of what it depends on or belongs to (owners, Services and their endpoints, claims,
    autoscalers, quotas, nodes); for an Application, those of its unhealthy resources."""
    tree = _Value[tuple[TreeNode, ...]](())
    """The Application's whole resource tree."""
    managed = _Value[tuple[ManagedResource, ...]](())
    """What differs between Git and the cluster, of the target or of the Application."""
    revisions = _Value[tuple[Revision, ...]](())
    """The deployed revisions, newest first."""
    sync_windows = _Value[SyncWindows | None](None)
    """The sync windows of the Application."""
    fleet = _Value[Fleet | None](None)
    """All Applications, if the question names no target."""
    events = _Value[tuple[Event, ...]](())
    """The events of the target and its Pods, newest first."""
    logs = _Value[tuple[ContainerLog, ...]](())
    """One log for each container that was read."""

    def __init__(
        self,
        *,
        target: Target,
        parts: Mapping[Part[Any], Any] | None = None,
        gaps: tuple[Gap, ...] = (),
        origins: Mapping[PartName, SourceName] | None = None,
        **named: Any,
    ) -> None:
        values = dict(parts or {})
        for name, value in named.items():
            if name not in DECLARED:
                raise TypeError(f"{name!r} is no part of a context; there are: {', '.join(DECLARED)}")
            values[DECLARED[name]] = value
        object.__setattr__(self, "target", target)
        kept = {part: value for part, value in values.items() if value != part.empty}
        object.__setattr__(self, "parts", kept)
        object.__setattr__(self, "by_name", {part.name: value for part, value in kept.items()})
        object.__setattr__(self, "gaps", gaps)
        object.__setattr__(self, "origins", dict(origins or {}))

    def with_gaps(self, *gaps: Gap) -> "Context":
        """Return the same context with more gaps."""
        return Context(target=self.target, parts=self.parts, gaps=(*self.gaps, *gaps), origins=self.origins)

    @property
    def is_empty(self) -> bool:
        """Whether no part of the target was read or supplied."""
        return not any(self.parts.values())

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every manifest but the Application's: the resource first, then its children, then the related."""
        return ((self.manifest,) if self.manifest else ()) + self.children + self.related
