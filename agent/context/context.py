"""The context of a turn: all that is known of the target, part by part, and how a part is declared: once, with all
that the rest of the code needs to know of it.

Owns the form of a declaration and what holds where it is silent; `agent.context.parts` has the declarations.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from agent.context.model import (
    ContainerLog,
    Event,
    Fleet,
    Gap,
    ManagedResource,
    PartName,
    PartResult,
    Reading,
    Revision,
    SourceName,
    SyncWindows,
    TreeNode,
)
from agent.objects.manifest import Manifest
from agent.objects.target import Target
from agent.request.question import Question


class Redaction(Protocol):
    """What hides secrets in the values of a part. It never changes a value in place."""

    def value[V](self, value: V) -> V:
        """A JSON-like value with the secrets in its strings hidden; Kubernetes objects in it are understood."""
        ...

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Texts that belong together, one for each given, with their secrets hidden."""
        ...


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SuppliedAs:
    """How a caller supplies a part in `custom_inputs`: the key, the type that pydantic checks, and what is expected
    where the shape is wrong (by the path below the key, `*` for any index or name)."""

    key: str
    schema: Any
    expected: Mapping[tuple[str, ...], str]
    tag_at: int | None = None
    """The place in pydantic's path of an error that holds the tag of a union, None for none."""
    option: str = ""
    """The option of `ask` that supplies it, "" for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSection:
    """The section of a prompt that shows a part line by line: its title and its share of the token budget."""

    title: str
    share: float
    lines: Callable[[Any], Iterable[str]]


def _as_it_is(value: Any, _: Question) -> Reading[Any]:
    return Reading(value=value)


def _redacted(value: Any, redaction: Redaction) -> Any:
    if isinstance(value, tuple):  # JSON knows lists alone
        return tuple(redaction.value(entry) for entry in cast("tuple[Any, ...]", value))
    return redaction.value(value)


def _itself(value: Any) -> Any:
    return value


def _nothing(_: Any) -> Iterable[Any]:
    return ()


def _entries(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)


def objects_in(value: Any) -> Iterable[Manifest]:
    """The objects of a JSON-like value: itself, or the entries of a sequence."""
    return (cast("Manifest", entry) for entry in _entries(value) if isinstance(entry, dict))


def texts_in(value: Any) -> Iterable[str]:
    """The texts of a JSON-like value: itself, or the entries of a sequence."""
    return (entry for entry in _entries(value) if isinstance(entry, str))


def no_weight(_: Any) -> int:
    """Nothing: parsing takes no time worth a thread."""
    return 0


DECLARED: dict[PartName, "Part[Any]"] = {}
"""Every part that was declared, by its name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Part[T]:
    """A part of the context. Where nothing is declared, its value is JSON-like: all of its strings are redacted, every
    object and text in it counts as read, and its trace document is the value itself.

    `name` is used in gaps, origins and documents; `title` in messages ("the sync windows"); `empty` is its value where
    it is missing. `collect` reads it, by default from the first source that offers a reader under its name. `further`
    parts complete the picture: their gaps are dropped where the Application failed for the same reason.
    """

    name: PartName
    title: str
    empty: T
    supplied: SuppliedAs | None = None
    parse: Callable[[Any, Question], Reading[T]] = _as_it_is
    """The value of what a caller supplied, checked against the schema already."""
    weight: Callable[[Any], int] = no_weight
    """How many characters parsing what was supplied goes through, about."""
    collect: "Callable[[Any, Part[Any]], Awaitable[PartResult[Any]]] | None" = None
    """Reads it for the turn that it is given, an `agent.context.source.Collecting`."""
    further: bool = True
    redact: Callable[[T, Redaction], T] = _redacted
    names: Callable[[T], Iterable[str]] = _nothing
    """Names of objects in it, which are never taken for secrets."""
    objects: Callable[[T], Iterable[Manifest]] = objects_in
    texts: Callable[[T], Iterable[str]] = texts_in
    """What an answer may quote of it beside the values of its objects."""
    document: Callable[[T], Any] = _itself
    """What the trace shows of it."""
    evidence: str = ""
    """What evidence out of it is called; "": its name."""
    quotable: Callable[[T], Iterable[Mapping[str, str]]] = _nothing
    """The fields that evidence may quote, by their paths, of each object in it that is no manifest."""
    section: PartSection | None = None
    """Its section in the prompt, None where `agent.prompt.sections` has one of its own for it."""

    def __post_init__(self) -> None:
        if self.name in DECLARED:
            raise ValueError(f"a part named {self.name!r} is declared already")
        object.__setattr__(self, "evidence", self.evidence or self.name)
        DECLARED[self.name] = self

    def __repr__(self) -> str:
        return f"Part({self.name!r})"


class _Value[T]:
    """The value of a part that is missing. A value that is there is an attribute of the context itself, which Python
    looks up first."""

    def __init__(self, empty: T) -> None:
        self._empty = empty

    def __get__(self, context: "Context", owner: type) -> T:
        return self._empty


@dataclass(frozen=True, init=False)
class Context:
    """All that was read or supplied about the target in this turn.

    `parts` has the value of each part that is not empty, `gaps` what could not be read, `origins` the source of each
    part, `read_at` when it was read (RFC 3339, "" where unknown). The constructor takes parts by their names as well:
    `Context(target=..., events=...)`. Raises TypeError for a name that no part has.
    """

    target: Target
    parts: Mapping[Part[Any], Any]
    gaps: tuple[Gap, ...]
    origins: Mapping[PartName, SourceName]
    read_at: str
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
    messages = _Value[tuple[str, ...]](())
    """The error messages in the question."""

    def __init__(
        self,
        *,
        target: Target,
        parts: Mapping[Part[Any], Any] | None = None,
        gaps: tuple[Gap, ...] = (),
        origins: Mapping[PartName, SourceName] | None = None,
        read_at: str = "",
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
        vars(self).update(
            {part.name: value for part, value in kept.items() if isinstance(vars(Context).get(part.name), _Value)}
        )
        object.__setattr__(self, "gaps", gaps)
        object.__setattr__(self, "origins", dict(origins or {}))
        object.__setattr__(self, "read_at", read_at)

    def with_gaps(self, *gaps: Gap) -> "Context":
        """Return the same context with more gaps."""
        return Context(
            target=self.target,
            parts=self.parts,
            gaps=(*self.gaps, *gaps),
            origins=self.origins,
            read_at=self.read_at,
        )

    @property
    def is_empty(self) -> bool:
        """Whether no part of the target was read or supplied."""
        return not any(self.parts.values())

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every manifest but the Application's: the resource first, then its children, then the related."""
        return ((self.manifest,) if self.manifest else ()) + self.children + self.related
