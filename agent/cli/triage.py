"""`triage`: which Applications are not well and why, grouped by cause. Owns the run; the table is `triage_table`'s."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from pathlib import Path

from agent.cli.commands import Verdict
from agent.cli.triage_table import JsonReport, Report, TableReport
from agent.context.collect import Collector
from agent.context.model import Fleet
from agent.errors import AssistantError, SettingsError
from agent.redaction import Redactor
from agent.settings import Settings, load_settings
from agent.turn.triage import Examined, Survey, grouped
from agent.turn.triage.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged:
    """The options of `triage`. `limit` Applications are looked at closely, 0 for none."""

    projects: tuple[str, ...] = ()
    selector: str = ""
    limit: int = 1_000
    resume: Path | None = None


def triage(asked: Triaged, *, as_json: bool) -> Verdict:
    """Prints the groups on standard output, progress and all else on standard error; returns the exit code."""
    report: Report = JsonReport() if as_json else TableReport()
    try:
        return asyncio.run(_triage(asked, load_settings(), report))
    except AssistantError as error:
        report.failed(error.public_message)
        return Verdict.WRONG_INPUT
    except BrokenPipeError:  # the reader of the pipe has gone: say no more, not even at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Verdict.INTERRUPTED
    except KeyboardInterrupt:
        further = " Give the same --resume to go on." if asked.resume else " With --resume FILE it could go on later."
        report.failed("Interrupted." + further)
        return Verdict.INTERRUPTED


async def _triage(asked: Triaged, settings: Settings, report: Report) -> Verdict:
    collector = Collector(settings)
    try:
        if collector.argocd is None:
            raise SettingsError("No Argo CD is configured: set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN")
        survey = Survey(collector)
        fleet = await survey.fleet(projects=asked.projects, selector=asked.selector)
        with ExitStack() as stack:
            checkpoint = None
            if asked.resume:
                of = f"{collector.argocd.identity} {','.join(asked.projects)} {asked.selector}"
                checkpoint = stack.enter_context(closing(Checkpoint(asked.resume, of=of)))
            examined = await _examined(asked, settings, survey, fleet, checkpoint, report)
        groups = grouped(examined)
        report.done(fleet, examined, groups)
    finally:
        await collector.aclose()
    return Verdict.ERROR if any(group.severity == "error" for group in groups) else Verdict.NO_ERROR


async def _examined(
    asked: Triaged,
    settings: Settings,
    survey: Survey,
    fleet: Fleet,
    checkpoint: Checkpoint | None,
    report: Report,
) -> Sequence[Examined]:
    """What is known of each troubled Application: noted by an earlier run, or looked at now."""
    troubled = {each.name for each in fleet.troubled}
    noted = [each for each in checkpoint.read() if each.application in troubled] if checkpoint else []
    redactor = Redactor(secrets.token_bytes(32), enabled=settings.redaction)
    found = list(noted)
    known = {each.application for each in noted}
    with report.progress(total=len(troubled), done=len(noted)) as advance:
        async with aclosing(survey.examine(fleet, redactor, limit=asked.limit, known=known)) as examining:
            async for each in examining:
                found.append(each)
                if checkpoint and each.closely:
                    checkpoint.note(each)
                advance(each.application)
    return found
