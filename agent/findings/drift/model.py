"""The values of drift: one difference between cluster and Git, and all differences of a resource."""

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from agent.context.model import ManagedResource
from agent.objects.manifest import path_text
from agent.objects.target import ResourceRef

type Category = Literal["change", "missing", "prune", "mutated", "defaulted", "ignorable"]
"""What a difference is.

change: the cluster was edited or Git moved on; missing: not in the cluster; prune: no longer in Git; mutated: set by a
controller or an admission webhook, or written in another form; defaulted: filled in by the API server; ignorable:
status, bookkeeping, or the order of a set.
"""

CATEGORIES: Final[tuple[Category, ...]] = ("change", "missing", "prune", "mutated", "defaulted", "ignorable")
"""The most important first."""

WANTED: Final[frozenset[Category]] = frozenset({"change", "missing", "prune"})
"""The categories for which a sync (or a change in Git) is the remedy; the others come back after every sync."""


SAME_VALUE: Final = "the same value, as the API server writes it"
"""The reason of a difference in form only: `1000m` and `1`."""


class Item(NamedTuple):
    """A step to an entry of a list by what identifies it: `containers[name=api]`."""

    fields: tuple[str, ...]
    values: tuple[str | int | bool, ...]

    def __str__(self) -> str:
        pairs = zip(self.fields, self.values, strict=True)
        return "[" + ",".join(f"{field}={value}" for field, value in pairs) + "]"


type Step = str | int | Item
type FieldPath = tuple[str | int, ...]
"""A path by keys and positions, as `agent.objects.manifest.lookup` takes it."""


class Absent:
    """The type of ABSENT: the field does not exist, which is not the same as null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who last set a field, from the live object's managedFields: manager, operation, time (RFC 3339 or "")."""

    manager: str
    operation: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between the cluster and Git.

    `steps` lead to the field, with entries of lists by what identifies them; `live_path` and `git_path` are its paths
    on each side, None where that side does not have it. `live` and `git` are the values, ABSENT where there is none;
    both are ABSENT where they must not be shown (`hidden`: a Secret's). `reason` is why it is in its category.
    """

    category: Category
    steps: tuple[Step, ...]
    reason: str
    live: Any = ABSENT
    git: Any = ABSENT
    live_path: FieldPath | None = None
    git_path: FieldPath | None = None
    owner: Owner | None = None
    hidden: bool = False

    @property
    def is_same_value(self) -> bool:
        """Whether only the form differs: `1000m` and `1`."""
        return self.reason == SAME_VALUE

    @property
    def path(self) -> str:
        """`spec.template.spec.containers[name=api].image`, "" for the whole resource."""
        return steps_text(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The differences of one resource, the most important first. `more`: there are further ones, not counted."""

    managed: ManagedResource
    differences: tuple[Difference, ...]
    more: bool = False

    @property
    def resource(self) -> ResourceRef:
        return self.managed.resource

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories of its differences, the most important first."""
        present = {difference.category for difference in self.differences}
        return tuple(category for category in CATEGORIES if category in present)

    @property
    def is_noise(self) -> bool:
        """Whether a sync could settle none of the differences."""
        return bool(self.differences) and not WANTED.intersection(self.categories)

    def of(self, *categories: Category) -> tuple[Difference, ...]:
        """The differences of these categories."""
        return tuple(difference for difference in self.differences if difference.category in categories)


def steps_text(steps: tuple[Step, ...]) -> str:
    """The steps as one path."""
    text = ""
    for step in steps:
        part = str(step) if isinstance(step, Item) else path_text((step,))
        text += part if not text or part.startswith("[") else f".{part}"
    return text
