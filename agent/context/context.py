"""The context of a turn: all that is known of the target, part by part. Owns no reading and no rendering."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

from agent.context import parts as declared
from agent.context.model import Gap, PartName, SourceName
from agent.context.part import Part
from agent.objects.manifest import Manifest
from agent.objects.target import Target

_BY_NAME: Mapping[PartName, Part[Any]] = {part.name: part for part in declared.PARTS}


class _Value[T]:
    """A part by its name: `context.events` for `context.parts[EVENTS]`, or what is there without it."""

    def __init__(self, part: Part[T]) -> None:
        self._part = part

    @overload
    def __get__(self, context: None, owner: type) -> Part[T]: ...

    @overload
    def __get__(self, context: "Context", owner: type) -> T: ...

    def __get__(self, context: "Context | None", owner: type) -> T | Part[T]:
        return self._part if context is None else context.parts.get(self._part, self._part.empty)


@dataclass(frozen=True, init=False)
class Context:
    """All that is known of the target in this turn.

    `parts` holds what is there by its declaration, `gaps` what could not be read, `origins` the source of each part.
    The constructor takes the built-in parts by their names as well: `Context(target=..., events=...)`.
    """

    target: Target
    parts: Mapping[Part[Any], Any]
    gaps: tuple[Gap, ...]
    origins: Mapping[PartName, SourceName]

    application = _Value(declared.APPLICATION)
    """The Argo CD Application."""
    manifest = _Value(declared.MANIFEST)
    """The live manifest of the target's resource."""
    children = _Value(declared.CHILDREN)
    """The live manifests below it (a workload's Pods)."""
    related = _Value(declared.RELATED)
    """The live manifests of what it depends on or belongs to (owners, Services and their endpoints, claims,
    autoscalers, quotas, nodes); of an Application, of its unhealthy resources."""
    tree = _Value(declared.TREE)
    """The Application's whole resource tree."""
    managed = _Value(declared.MANAGED)
    """What differs between Git and the cluster, of the target or of the Application."""
    revisions = _Value(declared.REVISIONS)
    """The deployed ones, newest first."""
    sync_windows = _Value(declared.SYNC_WINDOWS)
    fleet = _Value(declared.FLEET)
    """All Applications, where the question names no target."""
    events = _Value(declared.EVENTS)
    """Newest first."""
    logs = _Value(declared.LOGS)
    """One entry a container."""

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
            if name not in _BY_NAME:
                raise TypeError(f"{name!r} is no part of a context; there are: {', '.join(_BY_NAME)}")
            values[_BY_NAME[name]] = value
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "parts", {part: value for part, value in values.items() if value != part.empty})
        object.__setattr__(self, "gaps", gaps)
        object.__setattr__(self, "origins", dict(origins or {}))

    def with_gaps(self, *gaps: Gap) -> "Context":
        """The same context with more gaps."""
        return Context(target=self.target, parts=self.parts, gaps=(*self.gaps, *gaps), origins=self.origins)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known of the target."""
        return not any(self.parts.values())

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every manifest but the Application's: the resource first, then its children, then the related."""
        return ((self.manifest,) if self.manifest else ()) + self.children + self.related
