"""How an answer is shown: rendered on a terminal, as plain text into a pipe, or as one JSON object.

Owns what goes to standard output (the answer) and what to standard error (all else). Nothing that comes from a cluster
or a model reaches either with a control character in it.
"""

import json
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from agent.cli.gap_lines import PIPED_WIDTH, gap_lines
from agent.cli.terminal_answer import TerminalAnswer
from agent.findings.model import Severity
from agent.providers.offline import findings_in_full
from agent.turn.events import Outcome, Report
from agent.turn.grounding import Claim, Grounding, GroundingStatus
from agent.turn.notes import note_first, open_fence
from agent.turn.outputs import early_outputs, final_outputs

# Control characters other than tab and line feed: a terminal would obey them.
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])
# In JSON they are escaped; json.dumps leaves these as they are.
ESCAPES = {code: f"\\u{code:04x}" for code in range(127, 160)}
STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}


_CLAIMS = 5
"""Claims that are listed; the others are counted."""
_BROKEN_OFF = "> **There is no whole answer of the model.** This is what the built-in analyzers found:"
_STATUS: dict[GroundingStatus, str] = {
    "off_topic": "the answer names nothing of what was found",
    "nothing_checked": "the answer contains nothing that could be looked up",
}


class Screen(Protocol):
    """Shows a turn. Leaving its block ends the output."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def report(self, report: Report) -> None:
        """Show what is known before the model is asked."""
        ...

    def text(self, piece: str) -> None:
        """Show a piece of the answer."""
        ...

    def tool(self, name: str) -> None:
        """Note that the model called a tool."""
        ...

    def done(self, outcome: Outcome) -> None:
        """Show the outcome of a turn that succeeded."""
        ...

    def failed(self, code: str, message: str) -> None:
        """Show the error of a turn that failed, or whose answer is worthless; text shown before stays."""
        ...


def _listed(claims: Sequence[Claim]) -> str:
    more = f" and {len(claims) - _CLAIMS} more" if len(claims) > _CLAIMS else ""
    return "; ".join(f"{claim.kind} {claim.text}" for claim in claims[:_CLAIMS]) + more


def plain(text: str) -> str:
    """`text` without what a terminal would obey."""
    return text.translate(_CONTROLS)


class JsonScreen:
    """One object at the end: `answer` (partial when it failed, None without any), `custom_outputs`, `usage`,
    `references` and `error` (`code`, `message`, or None)."""

    def __init__(self) -> None:
        self._answer: list[str] = []
        self._result: dict[str, Any] = {"custom_outputs": None, "usage": None, "references": [], "error": None}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            result = {"answer": "".join(self._answer) or None} | self._result
            sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2).translate(ESCAPES) + "\n")
            sys.stdout.flush()

    def report(self, report: Report) -> None:
        self._result["custom_outputs"] = early_outputs(report)

    def text(self, piece: str) -> None:
        self._answer.append(piece)

    def tool(self, name: str) -> None:
        pass  # `custom_outputs` has the same shape here as everywhere

    def done(self, outcome: Outcome) -> None:
        usage = outcome.usage
        self._answer = [note_first("".join(self._answer), outcome.note)]
        self._result["custom_outputs"] = final_outputs(outcome)
        self._result["references"] = [{"title": each.title, "url": each.url} for each in outcome.references]
        if usage:
            self._result["usage"] = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}

    def failed(self, code: str, message: str) -> None:
        self._result["error"] = {"code": code, "message": message}


class TextScreen:
    """The answer on standard output, rendered on a terminal; findings, gaps, provider and session, in a few lines, on
    standard error. If both are terminals, nothing is shown twice: the findings only without an answer, the gaps only
    if a model answered, which may leave them out. `is_known` says of a provider's note that it was shown today."""

    def __init__(self, is_known: Callable[[str], bool] = lambda _: False) -> None:
        self._is_known = is_known
        self._out = Console()
        self._stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._answer: TerminalAnswer | _Piped = TerminalAnswer(self._out) if self._out.is_terminal else _Piped()
        self._tools: list[str] = []
        self._unshown: Report | None = None
        self._unfinished: Report | None = None
        self._said: list[str] = []

    def __enter__(self) -> Self:
        self._wait("Reading the context ...")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(None)
        self._answer.end()
        if kind is not None and self._unshown:
            self._show_findings(self._unshown)

    def report(self, report: Report) -> None:
        self._wait(None)
        self._unfinished = report
        if self._out.is_terminal and self._stderr.is_terminal:
            self._unshown = report
        else:
            self._show_findings(report)
            self._show_gaps(report)
        self._wait("Waiting for the answer ...")

    def _show_findings(self, report: Report) -> None:
        for finding in report.findings:
            self._note(f"finding ({finding.severity})", finding.title, STYLES[finding.severity])

    def _show_gaps(self, report: Report) -> None:
        for line in gap_lines(report.gaps, width=self._stderr.width if self._stderr.is_terminal else PIPED_WIDTH):
            self._note("not read", line, "dim")
        for section in report.sections:
            if section.left_out:
                self._note("left out", f"{section.title}: {section.left_out}", "dim")

    def text(self, piece: str) -> None:
        self._wait(None)
        self._said.append(plain(piece))
        self._answer.add(self._said[-1])

    def tool(self, name: str) -> None:
        self._tools.append(name)

    def done(self, outcome: Outcome) -> None:
        self._wait(None)
        self._answer.lead_with(plain(outcome.note))
        self._answer.end()
        provider = outcome.provider
        if provider.protocol != "none":
            self._show_check(outcome.grounding)
        if self._unshown and provider.protocol != "none":
            self._show_gaps(self._unshown)
        self._unshown = self._unfinished = None
        by = f"{provider.name} ({provider.protocol})" if provider.protocol != "none" else provider.name
        facts = [by, provider.model]
        if outcome.usage:
            facts.append(f"{outcome.usage.input_tokens:,} + {outcome.usage.output_tokens:,} tokens")
        self._note("provider", ", ".join(fact for fact in facts if fact), "dim")
        if provider.note and not self._is_known(provider.note):
            self._note("note", provider.note, "yellow")
        if self._tools:
            self._note("tools", ", ".join(self._tools), "dim")
        for reference in outcome.references:
            self._note("see", f"{reference.title} {reference.url}", "dim")
        if outcome.session_id:
            self._note("session", outcome.session_id, "dim")

    def failed(self, code: str, message: str) -> None:
        self._wait(None)
        report, self._unfinished = self._unfinished, None
        if report and report.findings and code != "interrupted":
            closing = open_fence("".join(self._said))
            self._answer.add(f"{closing}\n\n{_BROKEN_OFF}\n\n{plain(findings_in_full(report.findings))}\n")
        elif report and self._unshown:
            self._show_findings(report)
        self._answer.end()
        if self._unshown:
            self._show_gaps(self._unshown)
        self._unshown = None
        self._note("error", message, "bold red")

    def _show_check(self, grounding: Grounding) -> None:
        """What of a model's answer is not supported by what was read."""
        for what, claims in (("not in what was read", grounding.unsupported), ("not checked", grounding.unchecked)):
            if claims:
                self._note(what, _listed(claims), "yellow")
        if status := _STATUS.get(grounding.status):
            self._note("check", status, "yellow")

    def _note(self, what: str, text: str, style: str) -> None:
        self._stderr.print(Text.assemble((f"{what}: ", style), " ".join(plain(text).split())))

    def _wait(self, what: str | None) -> None:
        """Shows what is waited for, on a terminal; None: nothing any more."""
        if self._status:
            self._status.stop()
            self._status = None
        if what and self._stderr.is_terminal:
            self._status = self._stderr.status(what)
            self._status.start()


class _Piped:
    """Text as it comes."""

    def __init__(self) -> None:
        self._last = "\n"

    def add(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
        self._last = text[-1:] or self._last

    def lead_with(self, note: str) -> None:
        """The note was written where it came: last."""

    def end(self) -> None:
        if self._last != "\n":
            self.add("\n")
