"""How the findings of manifests are listed: tables on a terminal, tab-separated lines into a pipe, or JSON lines.

Owns standard output (the findings) and what `findings` tells on standard error.
"""

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from agent.cli.screen import ESCAPES, STYLES, plain
from agent.findings import finding_as_json
from agent.findings.evidence import one_line
from agent.findings.model import Finding

# So many rows make one table, so that a long file is shown while it is read.
_ROWS = 200
# Of a finding so much evidence is shown; `--json` has all.
_QUOTED = 3


class Listing(Protocol):
    """Takes manifest after manifest. Leaving its block ends the output."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def add(self, label: str, findings: Sequence[Finding]) -> None:
        """The findings of a manifest, none where it is well."""
        ...

    def failed(self, message: str) -> None:
        """It ended before its end."""
        ...


class JsonLines:
    """One object a manifest: `id` and `findings`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def add(self, label: str, findings: Sequence[Finding]) -> None:
        told = {"id": label, "findings": [finding_as_json(finding) for finding in findings]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False).translate(ESCAPES) + "\n")

    def failed(self, message: str) -> None:
        _fail(message)


class Lines:
    """A finding a line: severity, manifest, title and each quotation with its place, parted by tabs."""

    def __init__(self) -> None:
        self._told = _Count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()
        if kind is None:
            self._told.say()

    def add(self, label: str, findings: Sequence[Finding]) -> None:
        self._told.add(findings)
        for finding in findings:
            cells = (finding.severity, label, finding.title, *_quotations(finding))
            sys.stdout.write("\t".join(" ".join(plain(cell).split()) for cell in cells) + "\n")

    def failed(self, message: str) -> None:
        _fail(message)


class Tables:
    """Tables for people, with the number of manifests read below them."""

    def __init__(self) -> None:
        self._console = Console()
        self._told = _Count()
        self._rows: list[tuple[Finding, str]] = []
        self._status: Status = Console(stderr=True).status("Reading ...")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        self._status.stop()
        if kind is None:
            self._told.say()

    def add(self, label: str, findings: Sequence[Finding]) -> None:
        self._told.add(findings)
        self._status.update(f"Reading: {self._told.manifests:,} manifests")
        self._rows += [(finding, label) for finding in findings]
        if len(self._rows) >= _ROWS:
            self._show()

    def failed(self, message: str) -> None:
        _fail(message)

    def _show(self) -> None:
        if not self._rows:
            return
        table = Table(show_lines=True)
        for column, ratio in (("severity", None), ("resource", 2), ("title", 3), ("evidence", 5)):
            table.add_column(column, overflow="fold", ratio=ratio, no_wrap=ratio is None)
        for finding, label in self._rows:
            table.add_row(
                Text(finding.severity, STYLES[finding.severity]),
                Text(plain(label)),
                Text(plain(finding.title)),
                Text(plain("\n".join(_quotations(finding)))),
            )
        self._console.print(table)
        self._rows.clear()


class _Count:
    """How many manifests and findings there were."""

    def __init__(self) -> None:
        self.manifests = 0
        self._severities: list[str] = []

    def add(self, findings: Sequence[Finding]) -> None:
        self.manifests += 1
        self._severities += [finding.severity for finding in findings]

    def say(self) -> None:
        counted = (f"{self._severities.count(each)} {each}" for each in ("error", "warning", "info"))
        told = ", ".join(each for each in counted if not each.startswith("0 ")) or "no findings"
        sys.stderr.write(f"{self.manifests} {'manifest' if self.manifests == 1 else 'manifests'}: {told}\n")


def _quotations(finding: Finding) -> list[str]:
    return [f"{evidence.path}: {one_line(evidence.text, 300)}" for evidence in finding.evidence[:_QUOTED]]


def _fail(message: str) -> None:
    sys.stderr.write(f"error: {' '.join(plain(message).split())}\n")
