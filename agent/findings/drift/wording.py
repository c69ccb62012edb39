"""Differences as text: values and both sides on one line, and differences that are alike folded into one."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, cast

from agent.findings.drift.model import ABSENT, Category, Difference, Item, Step, steps_text

_LONGEST = 80
# Entries or lines that are shown of each side.
_SHOWN = 3
# Characters of a text that are compared.
_TEXT = 400_000


def value_text(value: Any, limit: int = _LONGEST) -> str:
    """A value on one line: text as it is, anything else as JSON, at most `limit` characters; "absent" for nothing."""
    if value is ABSENT:
        return "absent"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text[: 4 * limit].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def difference_text(difference: Difference, limit: int = _LONGEST) -> str:
    """`spec.replicas` is 5 in the cluster and 2 in Git (reason)."""
    path = f"`{difference.path}`" if difference.path else "It"
    reason = f" ({difference.reason})" if difference.reason else ""
    if difference.hidden or not difference.path:
        return f"{path} differs{reason}"
    live, git = value_text(difference.live, limit), value_text(difference.git, limit)
    if difference.live is ABSENT:
        return f"{path} is {git} in Git and absent in the cluster{reason}"
    if difference.git is ABSENT:
        return f"{path} is {live} in the cluster and absent in Git{reason}"
    if live == git or "\n" in f"{difference.live}{difference.git}"[:_TEXT]:
        return f"{path} {sides_text(difference, limit)}{reason}"
    return f"{path} is {live} in the cluster and {git} in Git{reason}"


def sides_text(difference: Difference, limit: int = _LONGEST) -> str:
    """`cluster 5, Git 2`; of long texts and lists only what differs; "" where it must not be shown."""
    live, git = difference.live, difference.git
    if difference.hidden or not difference.path:
        return ""
    if isinstance(live, tuple) and isinstance(git, tuple):
        one, other = _apart(cast("tuple[Any, ...]", live), cast("tuple[Any, ...]", git))
        if one or other:
            return _parts(one, other, limit, "entries")
    if isinstance(live, str) and isinstance(git, str) and "\n" in live + git:
        one, other = _middle(live[:_TEXT].split("\n"), git[:_TEXT].split("\n"))
        return _parts(one, other, limit, "lines")
    if live is ABSENT:
        return f"only Git: {value_text(git, limit)}"
    if git is ABSENT:
        return f"only cluster: {value_text(live, limit)}"
    return f"cluster {value_text(live, limit)}, Git {value_text(git, limit)}"


def _apart(live: tuple[Any, ...], git: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """The entries that only one of two lists holds."""
    one, other = ([value_text(item, 200) for item in items] for items in (live, git))
    return list((Counter(one) - Counter(other)).elements()), list((Counter(other) - Counter(one)).elements())


def _middle(live: list[str], git: list[str]) -> tuple[list[str], list[str]]:
    """The lines between the beginning and the end that both texts share."""
    start = sum(1 for _ in takewhile(_equal, zip(live, git, strict=False)))
    live, git = live[start:], git[start:]
    end = sum(1 for _ in takewhile(_equal, zip(reversed(live), reversed(git), strict=False)))
    return live[: len(live) - end], git[: len(git) - end]


def _equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _parts(live: list[str], git: list[str], limit: int, what: str) -> str:
    sides = [f"{name} {len(items)} {what}: {_some(items, limit)}" for name, items in _named(live, git) if items]
    return ", ".join(sides) or "white space"


def _named(live: list[str], git: list[str]) -> tuple[tuple[str, list[str]], ...]:
    return ("cluster", live), ("Git", git)


def _some(items: list[str], limit: int) -> str:
    shown = [value_text(item, max(limit // _SHOWN, 20)) for item in items[:_SHOWN]]
    return " | ".join([*shown, *(["…"] if len(items) > _SHOWN else [])])


_EVERY = Item(("*",), ("",))

# So many alike differences are folded into one.
_ENTRIES = 4
_KEYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Differences of one category shown as one; `path` has `[*]` or `*` where their paths differ."""

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
    """The differences in their order, alike ones at the position of the first of them."""
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
    """The reason, without the time of the change."""
    manager = difference.owner.manager if difference.owner else ""
    return manager if manager and difference.category == "change" else difference.reason


def _singly(group: list[Difference]) -> list[Fold]:
    return [Fold(path=difference.path, differences=(difference,)) for difference in group]


def _pattern(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step if isinstance(step, str) else _EVERY for step in steps)


def _text(steps: tuple[Step, ...]) -> str:
    return steps_text(steps).replace(str(_EVERY), "[*]").replace('["*"]', ".*")


def _side(difference: Difference) -> str:
    if difference.live is ABSENT and difference.live_path is None:
        return "git"
    return "live" if difference.git is ABSENT and difference.git_path is None else "both"
