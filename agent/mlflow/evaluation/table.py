"""Results as Markdown: a row for each family and the whole, and what changed between two runs. Owns the columns."""

from collections.abc import Iterable, Mapping, Sequence

from agent.mlflow.evaluation.results import Result, Score, by, score
from agent.prompt.markdown import prose

_HEAD = (
    "family",
    "scenarios",
    "right",
    "root cause first",
    "fix named",
    "evidence cited",
    "nothing forbidden",
    "nothing found on healthy",
    "tokens",
    "seconds",
)
_SET_HEAD = ("set", "scenarios", "right", "root cause first", "fix named", "wrong finding first", "nothing found")
TOTAL = "**all**"


def score_table(results: Sequence[Result]) -> str:
    """A row for each family by name, then all of them; tokens and seconds are medians of a turn."""
    families = by(results, lambda result: result.family)
    rows = [_row(family, score(families[family])) for family in sorted(families)]
    return _table(_HEAD, [*rows, _row(TOTAL, score(results))])


def set_table(results: Mapping[str, Sequence[Result]]) -> str:
    """A row for each set by its name, and none over all of them: the scores of two sets mean different things."""
    rows: list[Sequence[str]] = []
    for name, scored in ((name, score(each)) for name, each in results.items()):
        shares = (scored.right, scored.rules["root_cause_first"], scored.rules["fix_named"])
        counts = (scored.mistaken, scored.silent)
        rows.append((name, str(scored.scenarios), *map(_percent_or_blank, shares), *map(str, counts)))
    return _table(_SET_HEAD, rows)


def wrong_list(results: Iterable[Result]) -> str:
    """The answers that are not right, each with the reason; "" where all are."""
    lines = [f"- {r.scenario}{_repetition(r)}: {prose(r.wrong_because)}\n" for r in results if not r.right]
    return "".join(lines)


def comparison_table(before: Sequence[Result], now: Sequence[Result]) -> str:
    """What became of each scenario: broken ones first, then fixed, then those that stayed wrong, then the rest."""
    earlier, later = by(before, lambda r: r.scenario), by(now, lambda r: r.scenario)
    rows: list[tuple[int, str, Sequence[str]]] = []
    for name in sorted({*earlier, *later}):
        rank, what = _change(earlier.get(name), later.get(name))
        why = next((r.wrong_because for r in (*later.get(name, ()), *earlier.get(name, ())) if not r.right), "")
        rows.append((rank, name, (name, what, _share(earlier.get(name)), _share(later.get(name)), _cell(why))))
    rows.sort(key=lambda row: row[:2])
    counts = [sum(1 for _, _, row in rows if row[1] == what) for what in ("fixed", "broken", "unchanged")]
    summary = "\n{} fixed, {} broken, {} unchanged\n".format(*counts)
    return _table(("scenario", "change", "before", "now", "why it is or was wrong"), [r for *_, r in rows]) + summary


def _change(before: list[Result] | None, now: list[Result] | None) -> tuple[int, str]:
    if before is None:
        return 2, "new"
    if now is None:
        return 3, "gone"
    earlier, later = score(before).right, score(now).right
    if later < earlier:
        return 0, "broken"
    if later > earlier:
        return 1, "fixed"
    return (4 if later < 1 else 5), "unchanged"


def _share(results: list[Result] | None) -> str:
    return percent(score(results).right) if results else ""


def _row(name: str, scored: Score) -> tuple[str, ...]:
    rules = map(_percent_or_blank, scored.rules.values())
    return (
        name,
        str(scored.scenarios),
        percent(scored.right),
        *rules,
        f"{scored.tokens:,.0f}",
        f"{scored.seconds:.2f}",
    )


def percent(share: float) -> str:
    """`0.956` as `95 %`: rounded down, so that only all is 100 %."""
    return f"{int(share * 100 + 1e-9)} %"


def _percent_or_blank(share: float | None) -> str:
    return "" if share is None else percent(share)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cell(text: str, limit: int = 160) -> str:
    folded = " ".join(text.split())
    return prose(folded if len(folded) <= limit else folded[: limit - 1] + "…")


def _repetition(result: Result) -> str:
    return f" ({result.repetition})" if result.repetition > 1 else ""
