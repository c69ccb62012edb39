"""Values and differences in words. Owns their form and length on one line; judges nothing."""

import json
from typing import Any

from agent.drift.model import ABSENT, Difference

_LONGEST = 80


def value_text(value: Any, limit: int = _LONGEST) -> str:
    """A value on one line: text as it is, anything else as JSON, at most `limit` characters; "absent" for nothing."""
    if value is ABSENT:
        return "absent"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text[: 4 * limit].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def difference_text(difference: Difference, limit: int = _LONGEST) -> str:
    """`spec.replicas is 5 in the cluster and 2 in Git (reason)`."""
    return f"{_sides(difference, limit)} ({difference.reason})" if difference.reason else _sides(difference, limit)


def _sides(difference: Difference, limit: int) -> str:
    path = f"`{difference.path}`" if difference.path else "It"
    if difference.hidden or not difference.path:
        return f"{path} differs"
    live, git = value_text(difference.live, limit), value_text(difference.git, limit)
    if difference.live is ABSENT:
        return f"{path} is {git} in Git and absent in the cluster"
    if difference.git is ABSENT:
        return f"{path} is {live} in the cluster and absent in Git"
    return f"{path} is {live} in the cluster and {git} in Git"
