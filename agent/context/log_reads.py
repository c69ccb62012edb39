"""The logs of a target: whose are read, and the reading of each from the first source that has it.

Owns what happens where no Pod is known, or where the previous run's log is gone; `log_choice` chooses the containers.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from agent.context.fallback import Refused, first_available, not_refused
from agent.context.log_choice import LogChoice, choose_logs
from agent.context.model import ContainerLog
from agent.context.source import PartResult, Reading, Source, gap
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.pods import is_pod
from agent.objects.target import Target
from agent.request.question import LogRequest


async def read_logs(
    sources: Sequence[Source],
    target: Target,
    pods: Sequence[Manifest],
    request: LogRequest,
    tail_lines: int,
    *,
    refused: Refused = not_refused,
) -> PartResult[tuple[ContainerLog, ...]]:
    """The logs that the request names or that `pods` need, the most informative first. There is at least one source."""
    try:
        choices = choose_logs(pods, request, tail_lines=tail_lines) if pods else [_named(target, request, tail_lines)]
    except SourceError as error:
        return PartResult(gaps=(gap("logs", sources[0].name, error),))

    async def read(choice: LogChoice) -> PartResult[ContainerLog]:
        return await first_available(sources, "logs", lambda source: _read(source, choice), refused=refused)

    found = await asyncio.gather(*map(read, choices))
    return PartResult(
        value=tuple(each.value for each in found if each.value),
        source=next((each.source for each in found if each.source), None),
        gaps=tuple(each for one in found for each in one.gaps),
    )


def _named(target: Target, request: LogRequest, tail_lines: int) -> LogChoice:
    """The log of a Pod whose manifest is not known."""
    resource = target.resource
    if resource and is_pod(resource.kind) and resource.namespace and request.container:
        return LogChoice(
            namespace=resource.namespace,
            pod=resource.name,
            container=request.container,
            previous=request.previous,
            tail_lines=tail_lines,
            since_seconds=request.since_seconds,
        )
    raise SourceError(f"No Pod of {resource} is known, so there is no log to read", code="not_found")


async def _read(source: Source, choice: LogChoice) -> Reading[ContainerLog]:
    """The log chosen, or the current run's where the previous one is gone and was not asked for."""
    log = source.readers["log"]
    try:
        return await log(choice)
    except SourceError as error:
        if not (choice.previous and choice.chosen and error.code == "not_found"):
            raise
        current = await log(replace(choice, previous=False))
        return Reading(value=current.value, gaps=(gap("logs", source.name, error), *current.gaps))
