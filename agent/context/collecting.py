"""How each built-in part is collected: from which sources, after which other parts, and when it is not needed.

Owns those conditions; `fallback` has the order of the sources. Every `collect_*` returns the part with its gaps and
raises nothing for what cannot be read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.context.clean import cleaned, cleaned_application
from agent.context.context import Part
from agent.context.events import merge_events
from agent.context.fallback import (
    NOTHING,
    Refused,
    first_available,
    from_all_sources,
    from_the_only_source,
    not_configured,
    not_refused,
)
from agent.context.log_choice import LogChoice, choose_logs
from agent.context.log_lines import distilled
from agent.context.model import ContainerLog, Event, Gap, ManagedResource, PartResult, Reading
from agent.context.resolve_target import application_object
from agent.context.selection import is_at_odds, is_out_of_sync
from agent.context.source import MAX_CHILDREN, Collecting, Source, gap
from agent.errors import SourceError
from agent.objects.manifest import Manifest, text_at
from agent.objects.pods import has_events, is_pod, is_workload, none_has_run
from agent.objects.target import ResourceRef, Target
from agent.request.question import LogRequest

MANY_EVENTS = 500
"""More events than this are merged in a thread: 500 take some 15 ms."""

type _Manifests = tuple[Manifest, ...]


async def collect_messages(turn: Collecting, part: Part[tuple[str, ...]]) -> PartResult[tuple[str, ...]]:
    """Return the error messages of the question; a gap for each pasted form that holds only a part."""
    question = turn.question
    gaps = tuple(Gap(part=part.name, source="supplied", reason="left_out", message=note) for note in question.notes)
    return PartResult(value=question.messages or None, source="supplied" if question.messages else None, gaps=gaps)


async def collect_application(turn: Collecting, part: Part[Manifest | None]) -> PartResult[Manifest]:
    """Return the target's Application, without fields that no analyzer reads."""
    if turn.target.application is None:
        return NOTHING
    result: PartResult[Manifest] = await _from_the_first(turn, part, refused=not_refused)
    return replace(result, value=cleaned_application(result.value)) if result.value else result


async def collect_manifest(turn: Collecting, part: Part[Manifest | None]) -> PartResult[Manifest]:
    """Return the live manifest of the target's resource."""
    if turn.target.resource is None:
        return NOTHING

    async def refused() -> bool:
        return (await turn.result("application")).refused

    result: PartResult[Manifest] = await _from_the_first(turn, part, refused=refused)
    return replace(result, value=cleaned(result.value)) if result.value else result


async def collect_state(turn: Collecting, part: Part[Any]) -> PartResult[Any]:
    """Return a part that only Argo CD has, of any Application."""
    return await from_the_only_source(turn, part.name)


async def collect_managed(turn: Collecting, part: Part[tuple[ManagedResource, ...]]) -> PartResult[Any]:
    """Return the resources that differ between Git and the cluster."""
    if not turn.sources:
        return NOTHING
    application = await turn.application()
    if not turn.offering(part.name):
        differs = turn.target.resource is None and is_out_of_sync(application)
        return PartResult(gaps=(not_configured(part, turn.target),)) if differs else NOTHING
    return await from_the_only_source(turn, part.name) if application is not None else NOTHING


async def collect_sync_state(turn: Collecting, part: Part[Any]) -> PartResult[Any]:
    """Return revisions or sync windows: always for an Application, for a resource only while the Application is not
    synced or its last sync failed."""
    if not turn.offering(part.name):
        return NOTHING
    application = await turn.application()
    if application is None or not (turn.target.resource is None or is_at_odds(application)):
        return NOTHING
    return await from_the_only_source(turn, part.name)


async def collect_children(turn: Collecting, part: Part[_Manifests]) -> PartResult[_Manifests]:
    """Return the Pods below a workload; for an Application, its unhealthy Pods."""
    sources = turn.offering(part.name)
    if turn.target.resource is None:
        if await turn.tree() is None:  # the gap of the tree says why
            refused = (await turn.result("tree")).refused or await turn.refused()
            sources = [] if refused else [source for source in sources if "tree" not in source.readers]
        if not sources:
            return NOTHING
    elif not await _is_workload(turn):
        return NOTHING
    if not sources:
        return PartResult(gaps=(not_configured(part, turn.target),))
    result: PartResult[_Manifests] = await first_available(
        sources, part.name, lambda source: source.readers[part.name](), refused=turn.refused
    )
    return replace(result, value=tuple(map(cleaned, result.value or ())))


async def collect_related(turn: Collecting, part: Part[_Manifests]) -> PartResult[_Manifests]:
    """Return what the target depends on or belongs to, from every source."""
    result = await from_all_sources(
        turn.offering(part.name),
        part.name,
        lambda source, manifests: source.readers[part.name](manifests),
        refused=turn.refused,
    )
    return replace(result, value=tuple(map(cleaned, result.value or ())))


async def collect_events(turn: Collecting, part: Part[tuple[Event, ...]]) -> PartResult[tuple[Event, ...]]:
    """Return the events of the target, its Pods, and the related objects that may explain its failures."""
    if not turn.target:
        return NOTHING
    involved = await _involved(turn)
    result: PartResult[_Manifests] = await _from_the_first(turn, part, involved, refused=turn.refused)
    raw = result.value or ()
    events = await asyncio.to_thread(merge_events, raw) if len(raw) > MANY_EVENTS else merge_events(raw)
    return PartResult(value=events, source=result.source, gaps=result.gaps)


async def collect_logs(turn: Collecting, part: Part[tuple[ContainerLog, ...]]) -> PartResult[tuple[ContainerLog, ...]]:
    """Return the logs of the containers that need reading, distilled unless the request names a number of lines."""
    if not turn.target or not await _may_have_logs(turn):
        return NOTHING
    request = turn.question.log_request
    resource = turn.target.resource
    manifest = await turn.manifest() if resource and is_pod(resource.kind) else None
    pods = ([manifest] if manifest else []) + await _pods_below(turn)
    if none_has_run(pods) and request.container is None:
        return NOTHING
    sources = turn.offering("log")
    if not sources:
        return PartResult(gaps=(not_configured(part, turn.target),))
    result = await _read_logs(sources, turn.target, pods, request, turn.tail_lines, refused=turn.refused)
    logs = result.value
    if not logs or request.tail_lines is not None:
        return result
    return replace(result, value=await asyncio.to_thread(lambda: tuple(map(distilled, logs))))


async def _from_the_first(turn: Collecting, part: Part[Any], *wanted: Any, refused: Refused) -> PartResult[Any]:
    sources = turn.offering(part.name)
    if not sources:
        return PartResult(gaps=(not_configured(part, turn.target),))
    return await first_available(sources, part.name, lambda source: source.readers[part.name](*wanted), refused=refused)


async def _involved(turn: Collecting) -> list[ResourceRef]:
    """The objects whose events are read: the target, its Pods, and related objects that may explain its failures."""
    target = await turn.completed_target()
    manifests = await _pods_below(turn)
    related: _Manifests = (await turn.result("related")).value or ()
    manifests += [each for each in related if has_events(each)][:MAX_CHILDREN]
    itself = target.resource or application_object(target.application, await turn.application())
    return [itself, *filter(None, map(ResourceRef.of, manifests))]


async def _may_have_logs(turn: Collecting) -> bool:
    resource = turn.target.resource
    if resource is None:
        return bool(await _pods_below(turn))
    return is_pod(resource.kind) or await _is_workload(turn)


async def _is_workload(turn: Collecting) -> bool:
    resource = turn.target.resource
    if resource is None or is_pod(resource.kind):
        return False
    return is_workload(resource.kind) or is_workload(resource.kind, await turn.manifest())


async def _pods_below(turn: Collecting) -> list[Manifest]:
    return [child for child in await turn.children() if is_pod(text_at(child, "kind"))]


async def _read_logs(
    sources: Sequence[Source],
    target: Target,
    pods: Sequence[Manifest],
    request: LogRequest,
    tail_lines: int,
    *,
    refused: Refused = not_refused,
) -> PartResult[tuple[ContainerLog, ...]]:
    """The logs that the request names or that `pods` need, the most informative first. `sources` is not empty."""
    try:
        choices = choose_logs(pods, request, tail_lines=tail_lines) if pods else [_named(target, request, tail_lines)]
    except SourceError as error:
        return PartResult(gaps=(gap("logs", sources[0].name, error),))

    async def read(choice: LogChoice) -> PartResult[ContainerLog]:
        return await first_available(sources, "logs", lambda source: _read_log(source, choice), refused=refused)

    results = await asyncio.gather(*map(read, choices))
    return PartResult(
        value=tuple(result.value for result in results if result.value),
        source=next((result.source for result in results if result.source), None),
        gaps=tuple(each for result in results for each in result.gaps),
    )


def _named(target: Target, request: LogRequest, tail_lines: int) -> LogChoice:
    """The choice for a Pod whose manifest was not read. Raises SourceError if the target names no Pod and container."""
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
    raise SourceError(f"No Pod of {resource} was read, so there is no log to read", code="not_found")


async def _read_log(source: Source, choice: LogChoice) -> Reading[ContainerLog]:
    """The chosen log, or that of the current run if the previous one is gone and was not requested."""
    log = source.readers["log"]
    try:
        return await log(choice)
    except SourceError as error:
        if not (choice.previous and choice.chosen and error.code == "not_found"):
            raise
        current = await log(replace(choice, previous=False))
        return Reading(value=current.value, gaps=(gap("logs", source.name, error), *current.gaps))
