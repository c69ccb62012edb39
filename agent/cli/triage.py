"""`triage`: which Applications are not well and why, grouped by cause. Owns the run; the table is `triage_table`'s."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from pathlib import Path

from agent.cli.exit_codes import FindingsExitCode
from agent.cli.triage_table import JsonTriagePrinter, TableTriagePrinter, TriagePrinter
from agent.context.collect import Collector
from agent.context.model import Fleet
from agent.errors import AssistantError, SettingsError
from agent.findings import analyze
from agent.redaction import Redactor
from agent.settings import Settings, load_settings
from agent.turn.triage.checkpoint import Checkpoint
from agent.turn.triage.examined import Examined
from agent.turn.triage.grouping import grouped
from agent.turn.triage.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageOptions:
    """The options of `triage`. `limit` Applications are looked at closely, 0 for none."""

    projects: tuple[str, ...] = ()
    selector: str = ""
    limit: int = 1_000
    resume: Path | None = None


def triage(options: TriageOptions, *, as_json: bool) -> FindingsExitCode:
    """Prints the groups on standard output, progress and all else on standard error; returns the exit code."""
    printer: TriagePrinter = JsonTriagePrinter() if as_json else TableTriagePrinter()
    try:
        return asyncio.run(_triage(options, load_settings(), printer))
    except AssistantError as error:
        printer.failed(error.public_message)
        return FindingsExitCode.WRONG_INPUT
    except BrokenPipeError:  # the reader of the pipe has gone: say no more, not even at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FindingsExitCode.INTERRUPTED
    except KeyboardInterrupt:
        further = " Give the same --resume to go on." if options.resume else " With --resume FILE it could go on later."
        printer.failed("Interrupted." + further)
        return FindingsExitCode.INTERRUPTED


async def _triage(options: TriageOptions, settings: Settings, printer: TriagePrinter) -> FindingsExitCode:
    collector = Collector(settings)
    try:
        if collector.argocd is None:
            raise SettingsError("No Argo CD is configured: set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN")
        survey = Survey(collector, analyze)
        fleet = await survey.fleet(projects=options.projects, selector=options.selector)
        for gap in fleet.gaps:
            printer.noted(gap.message)
        with ExitStack() as stack:
            checkpoint = None
            if options.resume:
                of = f"{collector.argocd.identity} {','.join(options.projects)} {options.selector}"
                checkpoint = stack.enter_context(closing(Checkpoint(options.resume, of=of)))
            examined = await _examined(options, settings, survey, fleet, checkpoint, printer)
        groups = grouped(examined)
        printer.done(fleet, examined, groups)
    finally:
        await collector.aclose()
    return FindingsExitCode.ERROR if any(group.severity == "error" for group in groups) else FindingsExitCode.NO_ERROR


async def _examined(
    options: TriageOptions,
    settings: Settings,
    survey: Survey,
    fleet: Fleet,
    checkpoint: Checkpoint | None,
    printer: TriagePrinter,
) -> Sequence[Examined]:
    """What is known of each troubled Application: noted by an earlier run, or looked at now."""
    troubled = {each.name for each in fleet.troubled}
    noted = [each for each in checkpoint.read() if each.application in troubled] if checkpoint else []
    redactor = Redactor(secrets.token_bytes(32), enabled=settings.redaction)
    found = list(noted)
    known = {each.application for each in noted}
    with printer.progress(total=len(troubled), done=len(noted)) as advance:
        async with aclosing(survey.examine(fleet, redactor, limit=options.limit, known=known)) as examining:
            async for each in examining:
                found.append(each)
                if checkpoint and each.closely:
                    checkpoint.note(each)
                advance(each.application)
    return found
