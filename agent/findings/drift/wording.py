"""Values and differences in words. Owns their form and length on one line; judges nothing."""

import json
from collections import Counter
from itertools import takewhile
from typing import Any, cast

from agent.findings.drift.model import ABSENT, Difference

_LONGEST = 80
# Of what only one side of a list or a text has, this many are shown.
_SHOWN = 3
# A text longer than this is compared in its beginning.
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
    """`cluster 5, Git 2`; of texts of many lines and of long lists only what differs; "" where it must not be told."""
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
    """What only one of two lists holds."""
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
