"""Prints a triage: a table of causes on a terminal, plain lines into a pipe, or one JSON object.

Owns standard output (the groups) and the progress on standard error.
"""

import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from agent.cli.screen import ESCAPES, STYLES, plain
from agent.context.model import Fleet
from agent.findings.engine.evidence import one_line
from agent.turn.triage.examined import Examined
from agent.turn.triage.grouping import CauseGroup

_NAMED = 5


class TriagePrinter(Protocol):
    """Prints a triage."""

    @contextmanager
    def progress(self, *, total: int, done: int) -> Generator[Callable[[str], None]]:
        """A bar over `total` Applications, of which `done` are done; call it with the name of each further one."""
        ...

    def done(self, fleet: Fleet, examined: Sequence[Examined], groups: Sequence[CauseGroup]) -> None:
        """The result."""
        ...

    def failed(self, message: str) -> None:
        """Print why it ended early."""
        ...

    def noted(self, message: str) -> None:
        """Print what could not be read of the list."""
        ...


class _Bar:
    @contextmanager
    def progress(self, *, total: int, done: int) -> Generator[Callable[[str], None]]:
        console = Console(stderr=True)
        columns = (TextColumn("Looking at"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, TextColumn("{task.fields[name]}"), console=console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done, name="")
            yield lambda name: bar.update(task, advance=1, name=one_line(name, 50))

    def noted(self, message: str) -> None:
        print(plain(f"note: {message}"), file=sys.stderr)  # noqa: T201 - the command's own words

    def failed(self, message: str) -> None:
        print(plain(f"error: {message}"), file=sys.stderr)  # noqa: T201 - the command's own words


class JsonTriagePrinter(_Bar):
    """One object: `applications`, `health`, `sync`, `groups`, `unexplained`, `gaps`."""

    def done(self, fleet: Fleet, examined: Sequence[Examined], groups: Sequence[CauseGroup]) -> None:
        result: dict[str, Any] = {
            "applications": fleet.total,
            "health": dict(fleet.health),
            "sync": dict(fleet.sync),
            "troubled": len(fleet.troubled),
            "looked_at_closely": sum(each.closely for each in examined),
            "groups": [group.as_json() for group in groups],
            "unexplained": [each.application for each in examined if not each.findings],
            "gaps": [
                {"application": each.application, "part": gap.part, "reason": gap.reason, "message": gap.message}
                for each in examined
                for gap in each.gaps
            ],
        }
        sys.stdout.write(json.dumps(result, ensure_ascii=False).translate(ESCAPES) + "\n")
        sys.stdout.flush()


class TableTriagePrinter(_Bar):
    """A table on a terminal, a line a group into a pipe; what could not be read is counted on standard error."""

    def done(self, fleet: Fleet, examined: Sequence[Examined], groups: Sequence[CauseGroup]) -> None:
        if sys.stdout.isatty():
            Console().print(_table(groups) if groups else "Nothing is wrong with any Application.")
        else:
            for group in groups:
                fields = (group.severity, str(len(group.applications)), group.title, ", ".join(group.applications))
                sys.stdout.write("\t".join(plain(one_line(field, 2_000)) for field in fields) + "\n")
            sys.stdout.flush()
        errors = Console(stderr=True, highlight=False)
        errors.print(Text(_summary(fleet, examined)))
        for reason, count in _gaps(examined).items():
            errors.print(Text(plain(f"not read: {reason} ({count} Applications)"), style="yellow"))


def _table(groups: Sequence[CauseGroup]) -> Table:
    table = Table(show_lines=True, expand=True)
    for title, ratio in (("", 1), ("Applications", 4), ("Cause", 7), ("What to do next", 6)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for group in groups:
        count = len(group.applications)
        more = f"\n… and {count - _NAMED} more" if count > _NAMED else ""
        names = "\n".join(plain(name) for name in group.applications[:_NAMED]) + more
        quoted = plain(one_line(group.evidence[0].text, 200)) if group.evidence else ""
        shared = f"\nIn common: {plain(', '.join(group.shared))}" if group.shared else ""
        table.add_row(
            Text(group.severity, style=STYLES[group.severity]),
            Text(f"{count}\n", style="bold") + Text(names, style="none"),
            Text(plain(one_line(group.title, 300)), style="bold") + Text(f"\n{quoted}{shared}", style="none"),
            Text(plain(group.next_steps[0]) if group.next_steps else ""),
        )
    return table


def _summary(fleet: Fleet, examined: Sequence[Examined]) -> str:
    closely = sum(each.closely for each in examined)
    by_list = len(examined) - closely
    rest = f", {by_list} judged by the list alone" if by_list else ""
    return (
        f"{fleet.total} Applications: {_counted(fleet.health)}; {_counted(fleet.sync)}. "
        f"{len(fleet.troubled)} are not well, {closely} looked at{rest}."
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"


def _gaps(examined: Sequence[Examined]) -> dict[str, int]:
    """What could not be read, by part and reason, with the number of Applications."""
    counts: dict[str, int] = {}
    for each in examined:
        for reason in {f"{gap.part} ({gap.reason})" for gap in each.gaps}:
            counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
