"""Drift as text within a token limit: real changes with both values, all else by what it is. Owns its form."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from agent.findings.drift.model import Category, Difference, Drift, Item
from agent.findings.drift.wording import Fold, folded, sides_text, value_text
from agent.prompt.rendering.rendered import Rendered, cut, well_formed
from agent.prompt.tokens import count_tokens

RESOURCE_LIMIT = 1_400
"""Most tokens that one resource takes, however large it is and however much room there is."""

_SHOWN = 3  # examples of differences that are alike
_LISTED = 8  # paths on a line of noise
_RESERVE = 60  # for the line that says what was left out

_HEADINGS: dict[Category, str] = {
    "change": "changed",
    "missing": "missing in the cluster",
    "prune": "no longer in Git",
    "mutated": "by a controller or webhook",
    "defaulted": "default of the API server",
    "ignorable": "without meaning",
}


def render_drift(drifts: Sequence[Drift], limit: int) -> Rendered:
    """Each drifted resource, those with real changes first; of a resource what matters first, alike folded."""
    ordered = sorted(drifts, key=lambda drift: drift.is_noise)
    texts: list[str] = []
    left_out: list[str] = []
    left = limit
    for index, drift in enumerate(ordered):
        if left < 2 * _RESERVE and texts:
            left_out.append(f"{len(ordered) - index} resources that differ")
            break
        part = _resource(drift, min(max(left // (len(ordered) - index), 2 * _RESERVE), left, RESOURCE_LIMIT))
        texts.append(part.text)
        left -= part.tokens + 1
        left_out += [part.left_out] if part.left_out else []
    text = "\n".join(texts)
    return Rendered(text=text, tokens=count_tokens(text), left_out="; ".join(left_out))


def _resource(drift: Drift, limit: int) -> Rendered:
    head = f"# {drift.resource}: cluster against Git"
    kept, tokens = [head], count_tokens(head) + 1
    missing: dict[Category, int] = defaultdict(int)
    for category, count, line in _lines(drift):
        cost = count_tokens(line) + 1
        if tokens + cost > limit - _RESERVE:
            missing[category] += count
            continue
        kept.append(line)
        tokens += cost
    note = ", ".join(f"{count} {_HEADINGS[category]}" for category, count in missing.items())
    if drift.more:
        note = f"{note}, and more that were not counted" if note else "more differences than were counted"
    left_out = f"differences of {drift.resource}: {note}" if note else ""
    text = "\n".join([*kept, *([f"# left out: {note}"] if note else [])])
    text = text if count_tokens(text) <= limit else cut(text, limit)
    return Rendered(text=text, tokens=count_tokens(text), left_out=left_out)


def _lines(drift: Drift) -> Iterator[tuple[Category, int, str]]:
    """Each line with its category and how many differences it covers."""
    for fold in folded(drift.of("change", "missing", "prune")):
        yield fold.category, len(fold.differences), well_formed(_fold(fold))
    noise: dict[tuple[Category, str], list[Fold]] = defaultdict(list)
    for fold in folded(drift.of("mutated", "defaulted", "ignorable")):
        noise[fold.category, fold.differences[0].reason].append(fold)
    for (category, reason), folds in noise.items():
        count = sum(len(fold.differences) for fold in folds)
        yield category, count, well_formed(f"- {_HEADINGS[category]} ({reason}): {_listed(category, folds)}")


def _listed(category: Category, folds: list[Fold]) -> str:
    """Paths of noise; with both values where a controller decided otherwise."""
    texts = [
        _noise(fold.differences[0]) if len(fold.differences) == 1 and category == "mutated" else _place(fold)
        for fold in folds[:_LISTED]
    ]
    more = len(folds) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def _noise(difference: Difference) -> str:
    if isinstance(difference.live, dict | tuple) or isinstance(difference.git, dict | tuple):
        return difference.path
    return f"{difference.path} {sides_text(difference, 40)}".rstrip()


def _place(fold: Fold) -> str:
    return f"{fold.path} ({len(fold.differences)} times)" if len(fold.differences) > 1 else fold.path


def _fold(fold: Fold) -> str:
    first = fold.differences[0]
    if len(fold.differences) == 1:
        reason = first.reason if first.owner or first.hidden or not first.path else ""
        parts = [first.path, sides_text(first, 160), f"({reason})" if reason else ""]
        return "- " + " ".join(part for part in parts if part)
    what = {"git": "only in Git", "live": "only in the cluster", "both": "differ"}[fold.side]
    examples = "; ".join(f"{_entry(d)} {_value(d, fold.side)}".strip() for d in fold.differences[:_SHOWN])
    more = len(fold.differences) - _SHOWN
    return f"- {fold.path}: {len(fold.differences)} {what}: {examples}" + (f"; and {more} more" if more > 0 else "")


def _entry(difference: Difference) -> str:
    """The part of the path in which alike differences differ: the last entry of a list, or the key."""
    items = [step for step in difference.steps if not isinstance(step, str)]
    return value_text(str(items[-1] if items else difference.steps[-1]), 60)


def _value(difference: Difference, side: str) -> str:
    """The values of one of many; of an entry that only one side has, what does not already name it."""
    value, last = difference.git if side == "git" else difference.live, difference.steps[-1]
    if side == "both" or difference.hidden:
        return sides_text(difference, 60)
    if isinstance(last, Item) and isinstance(value, dict):
        value = {k: v for k, v in cast("dict[str, Any]", value).items() if k not in last.fields}
    return value_text(value, 60)
