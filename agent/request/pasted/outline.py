"""The outline of `kubectl describe` and `argocd app get`: lines `Key:  value`, what is below a key indented."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_ENTRY = re.compile(r"^(\s*)(?:- )?([A-Za-z][^:\n]{0,80}?):(?:\s+(.*?))?\s*$")


@dataclass(slots=True)
class Entry:
    """A key with its value ("" for none) and the lines below it, as they are written."""

    key: str
    value: str = ""
    below: list[str] = field(default_factory=list[str])


def entries(lines: Iterable[str]) -> list[Entry]:
    """The entries of the outermost indentation, in their order."""
    found: list[Entry] = []
    level: int | None = None
    for line in lines:
        if not line.strip():
            continue
        indentation = len(line) - len(line.lstrip())
        match = _ENTRY.match(line)
        if level is None and match:
            level = indentation
        if match and level is not None and indentation <= level:
            found.append(Entry(match[2].strip(), (match[3] or "").strip()))
        elif found:
            found[-1].below.append(line)
    return found


def value_of(found: Sequence[Entry], *keys: str) -> str:
    """The value of the first of these keys, "" where it has none; `<none>` is none."""
    value = next((each.value for each in found if each.key in keys), "")
    return "" if value in {"<none>", "<unset>", "<unknown>"} else value


def below(found: Sequence[Entry], key: str) -> list[Entry]:
    """The entries below a key."""
    return entries(lines_below(found, key))


def lines_below(found: Sequence[Entry], key: str) -> list[str]:
    """The lines below a key."""
    for each in found:
        if each.key == key:
            return each.below
    return []


def pairs(found: Sequence[Entry], key: str, sign: str = "=") -> dict[str, str]:
    """Labels or annotations: `name=value` or `name: value`, the first on the line of the key."""
    lines = [value_of(found, key), *lines_below(found, key)]
    split = (line.strip().partition(sign) for line in lines if sign in line)
    return {name.strip(): value.strip() for name, _, value in split if name.strip()}
