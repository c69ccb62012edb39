"""Prints the findings of manifests: in blocks on a terminal, as tab-separated lines into a pipe, or as JSON lines.

Owns standard output (the findings) and standard error (progress, the count, errors) of `findings`.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.status import Status
from rich.table import Table
from rich.text import Text

from agent.cli.screen import ESCAPES, STYLES, plain
from agent.findings.as_json import finding_as_json
from agent.findings.engine.evidence import one_line
from agent.findings.model import Finding

# Blocks printed at a time: a long file is shown while it is read.
_AT_ONCE = 200
_SEVERITY = len("  warning")
# Evidence shown of a finding; `--json` has all.
_QUOTED = 3


class FindingsPrinter(Protocol):
    """Prints the findings manifest by manifest. Leaving its block ends the output."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def add(self, label: str, findings: Sequence[Finding], *, is_event: bool = False, is_live: bool = True) -> None:
        """The findings of a manifest, none where it is well."""
        ...

    def failed(self, message: str) -> None:
        """Print why it ended early."""
        ...


class JsonLines:
    """One object a manifest: `id` and `findings`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def add(self, label: str, findings: Sequence[Finding], *, is_event: bool = False, is_live: bool = True) -> None:
        line = {"id": label, "findings": [finding_as_json(finding) for finding in findings]}
        sys.stdout.write(json.dumps(line, ensure_ascii=False).translate(ESCAPES) + "\n")

    def failed(self, message: str) -> None:
        _fail(message)


class Lines:
    """A finding a line: severity, manifest, title and each quotation with its place, parted by tabs."""

    def __init__(self) -> None:
        self._count = _Count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()
        if kind is None:
            self._count.print()

    def add(self, label: str, findings: Sequence[Finding], *, is_event: bool = False, is_live: bool = True) -> None:
        self._count.add(findings, is_event=is_event, is_live=is_live)
        for finding in findings:
            cells = (finding.severity, label, finding.title, *_quotations(finding))
            sys.stdout.write("\t".join(" ".join(plain(cell).split()) for cell in cells) + "\n")

    def failed(self, message: str) -> None:
        _fail(message)


class Blocks:
    """For people: a heading for each manifest with findings, a block for each finding, the count at the end."""

    def __init__(self) -> None:
        self._console = Console()
        self._count = _Count()
        self._blocks: list[RenderableType] = []
        self._status: Status = Console(stderr=True).status("Reading ...")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        self._show()
        if kind is None:
            self._count.print()

    def add(self, label: str, findings: Sequence[Finding], *, is_event: bool = False, is_live: bool = True) -> None:
        self._count.add(findings, is_event=is_event, is_live=is_live)
        self._status.update(f"Reading: {_many(self._count.manifests, 'manifest')}")
        if findings:
            self._blocks += [Text(plain(label), "bold"), *map(_block, findings)]
        if len(self._blocks) >= _AT_ONCE:
            # The status line is erased first: it is on the same screen, written by the other stream.
            self._status.stop()
            self._show()
            self._status.start()

    def failed(self, message: str) -> None:
        _fail(message)

    def _show(self) -> None:
        for block in self._blocks:
            self._console.print(block)
        self._blocks.clear()


def _block(finding: Finding) -> Table:
    """A row of severity and text: title, quotations, first next step. The text has a column of its own, so that it
    wraps between words."""
    text = Text(plain(finding.title))
    for quotation in _quotations(finding):
        text.append(f"\n{plain(quotation)}", "dim")
    if finding.next_steps:
        text.append("\nnext: ", "bold").append(plain(one_line(finding.next_steps[0], 500)))
    block = Table.grid(padding=(0, 1, 0, 0))
    block.add_column(width=_SEVERITY, no_wrap=True)
    block.add_column(overflow="fold")
    block.add_row(Text(f"  {finding.severity}", STYLES[finding.severity]), text)
    block.add_row("", "")
    return block


class _Count:
    """Counts manifests, events and findings by severity."""

    def __init__(self) -> None:
        self.manifests = 0
        self.without_status = 0
        self._events = 0
        self._severities: Counter[str] = Counter()

    def add(self, findings: Sequence[Finding], *, is_event: bool, is_live: bool) -> None:
        self.manifests += not is_event
        self.without_status += not is_event and not is_live
        self._events += is_event
        self._severities.update(finding.severity for finding in findings)

    def _unapplied(self) -> str:
        if not self.without_status:
            return ""
        which = "" if self.without_status == self.manifests else f"{self.without_status:,} of them have "
        return (
            f"; {which}no status, so never applied: only what the API server would refuse was checked "
            "(`kubectl get ... -o yaml` has the live objects)"
        )

    def print(self) -> None:
        read = _many(self.manifests, "manifest")
        if self._events:
            read += f" with {_many(self._events, 'event')}"
        severities = [_many(count, each) for each in STYLES if (count := self._severities[each])]
        if severities:
            summary = f"{read}: {', '.join(severities)}"
        else:
            summary = f"nothing wrong in {read}" if self.manifests else f"{read}: there was nothing to judge"
        summary += self._unapplied()
        sys.stderr.write(f"{summary}\n")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _quotations(finding: Finding) -> list[str]:
    return [f"{evidence.path}: {one_line(evidence.text, 300)}" for evidence in finding.evidence[:_QUOTED]]


def _fail(message: str) -> None:
    sys.stderr.write(f"error: {' '.join(plain(message).split())}\n")
