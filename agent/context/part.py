"""How a part of the context is declared: once, with all that the other modules need of it.

Owns the form of a declaration and its defaults; `agent.context.parts` has the declarations.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from agent.context.model import PartName
from agent.context.source import Collecting, PartResult, Reading
from agent.objects.manifest import Manifest
from agent.request.question import Question


class Redaction(Protocol):
    """Hides secrets in the values of a part. It never changes a value in place."""

    def value[V](self, value: V) -> V:
        """Return a JSON-like value with the secrets in its strings hidden, Kubernetes objects by rules of their own."""
        ...

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Return related texts, one for each given, with their secrets hidden."""
        ...


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class SuppliedAs:
    """How a caller supplies a part in `custom_inputs`: the key, the type that pydantic checks, and the `expected` shape
    for error messages (by the path below the key, `*` for any index or name)."""

    key: str
    schema: Any
    expected: Mapping[tuple[str, ...], str]
    tag_at: int | None = None
    """The index of a union's tag in the path of a pydantic error, None for no union."""
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
    """Return the objects of a JSON-like value: itself, or the entries of a sequence."""
    return (cast("Manifest", entry) for entry in _entries(value) if isinstance(entry, dict))


def texts_in(value: Any) -> Iterable[str]:
    """Return the texts of a JSON-like value: itself, or the entries of a sequence."""
    return (entry for entry in _entries(value) if isinstance(entry, str))


def no_weight(_: Any) -> int:
    """Return 0: parsing is too fast to need a thread."""
    return 0


DECLARED: dict[PartName, "Part[Any]"] = {}
"""Every part that was declared, by its name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Part[T]:
    """A part of the context. By default its value is JSON-like: all of its strings are redacted, every object and text
    in it counts as read, and its trace document is the value itself.

    `name` is used in gaps, origins and documents; `title` in messages ("the sync windows"); `empty` is its value while
    it is missing. `collect` reads it, by default from the first source that has a reader under its name. The gaps of
    `further` parts, which only complete the picture, are dropped if the Application failed for the same reason.
    """

    name: PartName
    title: str
    empty: T
    supplied: SuppliedAs | None = None
    parse: Callable[[Any, Question], Reading[T]] = _as_it_is
    """Returns the value for what a caller supplied, which was checked against the schema."""
    weight: Callable[[Any], int] = no_weight
    """Returns about how many characters `parse` has to read."""
    collect: "Callable[[Collecting, Part[Any]], Awaitable[PartResult[Any]]] | None" = None
    further: bool = True
    redact: Callable[[T, Redaction], T] = _redacted
    names: Callable[[T], Iterable[str]] = _nothing
    """Returns the names of objects in it, which are never taken for secrets."""
    objects: Callable[[T], Iterable[Manifest]] = objects_in
    texts: Callable[[T], Iterable[str]] = texts_in
    """Returns what an answer may quote of it, in addition to the values of its objects."""
    document: Callable[[T], Any] = _itself
    """Returns what the trace shows of it."""
    evidence: str = ""
    """The source that evidence from it names; "": its name."""
    quotable: Callable[[T], Iterable[Mapping[str, str]]] = _nothing
    """Returns the fields that evidence may quote, by their paths, for each object in it that is no manifest."""
    section: PartSection | None = None
    """Its section in the prompt, None if `agent.prompt.sections` shows it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", self.evidence or self.name)
        DECLARED[self.name] = self

    def __repr__(self) -> str:
        return f"Part({self.name!r})"
