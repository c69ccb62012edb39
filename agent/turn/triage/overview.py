"""The fleet for one turn: the context of a question about all Applications, in bounded time.

Owns how a survey becomes part of a context: counts and names, findings by cause, and gaps where something failed.
"""

import re
from contextlib import aclosing
from dataclasses import dataclass, replace

from agent.context.model import Fleet, Gap
from agent.errors import SourceError
from agent.findings.model import Finding
from agent.request.caller import Caller
from agent.turn.triage.grouping import as_findings, grouped
from agent.turn.triage.survey import ContextRedaction, Survey

# Gaps of single Applications that are listed; what fails for one mostly fails for all.
_GAPS = 5


# Words of a question about how the Applications are, in the larger languages.
_ABOUT_APPLICATIONS = re.compile(
    r"\bapps?\b|\bappli[ck]a|\baplica|\bprilozh|прилож|应用|應用|アプリ|애플리케이션"
    r"|\b(?:everything|fleet|degraded|out ?of ?sync|unhealthy|failing|broken|what(?:'s| is) wrong)\b",
    re.IGNORECASE,
)
_READ = 10_000  # characters of a question


def asks_about_applications(question: str) -> bool:
    """Whether a question without a target may be about the fleet. A survey takes hundreds of requests, which "what is a
    sync wave?" does not need."""
    return _ABOUT_APPLICATIONS.search(question, 0, _READ) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The fleet without its manifests (None if it could not be listed), the findings about it, and the gaps."""

    fleet: Fleet | None = None
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


async def overview(
    survey: Survey, redactor: ContextRedaction, *, limit: int, caller: Caller, refresh: bool = False
) -> Overview:
    """Survey the fleet, with the `limit` worst Applications read one by one. What cannot be read is a gap, never an
    error."""
    try:
        fleet = await survey.fleet()
    except SourceError as error:
        return Overview(
            gaps=(Gap(part="fleet", source="argocd", reason=error.code, message=redactor.text(error.public_message)),)
        )
    async with aclosing(survey.examine(fleet, redactor, limit=limit, caller=caller, refresh=refresh)) as examining:
        examined = [each async for each in examining]
    gaps = dict.fromkeys(gap for each in sorted(examined, key=lambda one: one.application) for gap in each.gaps)
    return Overview(
        fleet=replace(
            fleet,
            troubled=tuple(replace(each, manifest={}) for each in fleet.troubled),
            examined=sum(each.closely for each in examined),
            gaps=(),
        ),
        findings=as_findings(grouped(examined)),
        gaps=(*(replace(each, message=redactor.text(each.message)) for each in fleet.gaps), *gaps)[:_GAPS],
    )
