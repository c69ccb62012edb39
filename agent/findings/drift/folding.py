"""Differences that are alike as one: the same field of many entries, many keys of one map. Words none of them."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from agent.findings.drift.model import ABSENT, Category, Difference, Item, Step, steps_text

_EVERY = Item(("*",), ("",))

# So many alike are told as one.
_ENTRIES = 4
_KEYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Differences of one category that are told together; `path` has `[*]` or `*` where their paths differ."""

    path: str
    differences: tuple[Difference, ...]

    @property
    def category(self) -> Category:
        return self.differences[0].category

    @property
    def side(self) -> str:
        """`live` or `git` where only that side has something there, else `both`."""
        return _side(self.differences[0])


def folded(differences: Iterable[Difference]) -> list[Fold]:
    """The differences in their order, those alike at the place of the first of them."""
    found: list[Fold] = []
    for path, group in _groups(differences, lambda d: _pattern(d.steps)):
        found += [Fold(path=path, differences=tuple(group))] if len(group) >= _ENTRIES else _singly(group)
    singles = [fold for fold in found if len(fold.differences) == 1]
    keyed = _groups([fold.differences[0] for fold in singles], lambda d: (*_pattern(d.steps[:-1]), "*"))
    many = [Fold(path=path, differences=tuple(group)) for path, group in keyed if len(group) >= _KEYS]
    taken = {id(difference): fold for fold in many for difference in fold.differences}
    result: dict[int, Fold] = {}
    for fold in found:
        kept = taken.get(id(fold.differences[0]), fold)
        result.setdefault(id(kept), kept)
    return list(result.values())


def _groups(
    differences: Iterable[Difference], pattern: Callable[[Difference], tuple[Step, ...]]
) -> list[tuple[str, list[Difference]]]:
    groups: dict[Hashable, list[Difference]] = defaultdict(list)
    for difference in differences:
        steps = pattern(difference)
        groups[difference.category, _side(difference), _why(difference), steps].append(difference)
    return [(_text(pattern(group[0])), group) for group in groups.values()]


def _why(difference: Difference) -> str:
    """The reason, without the time at which somebody changed it."""
    manager = difference.owner.manager if difference.owner else ""
    return manager if manager and difference.category == "change" else difference.reason


def _singly(group: list[Difference]) -> list[Fold]:
    return [Fold(path=difference.path, differences=(difference,)) for difference in group]


def _pattern(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step if isinstance(step, str) else _EVERY for step in steps)


def _text(steps: tuple[Step, ...]) -> str:
    return steps_text(steps).replace(str(_EVERY), "[*]").replace('["*"]', ".*")


def _side(difference: Difference) -> str:
    if difference.live is ABSENT and difference.live_place is None:
        return "git"
    return "live" if difference.git is ABSENT and difference.git_place is None else "both"
