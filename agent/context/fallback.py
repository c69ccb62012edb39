"""Reading a part of the context from the first source that has it, with a gap for each that failed.

Owns that order, that a refusal by Argo CD ends it, and the gap of a part that no source is configured for.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from agent.context.context import Part
from agent.context.model import Gap, PartName, PartResult, Reading, SourceName
from agent.context.source import Collecting, Source, gap
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.target import Target

# Reasons that are the same for every object of a source.
_GENERAL = frozenset({"unreachable", "unauthorized", "forbidden", "timeout"})

type Refused = Callable[[], Awaitable[bool]]
"""Whether Argo CD refused the target itself. It is called only before another source is asked."""


async def not_refused() -> bool:
    """Return False: nothing was refused."""
    return False


NOTHING: PartResult[Any] = PartResult()
"""The result for a part that is not needed: no value and no gap."""


async def first_available[T](
    sources: Sequence[Source],
    part: PartName,
    ask: Callable[[Source], Awaitable[Reading[T]]],
    *,
    refused: Refused = not_refused,
) -> PartResult[T]:
    """Return the part from the first source that has it, with a gap for each that failed. A refusal is final: the next
    source reads with the rights of the process, which may exceed those that were refused."""
    gaps: list[Gap] = []
    for source, following in zip(sources, (*sources[1:], None), strict=False):
        try:
            reading = await ask(source)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
            if error.refused or (following and await refused()):
                if following:
                    gaps[-1] = _final(gaps[-1], error, source, following)
                return PartResult(gaps=tuple(gaps), refused=True)
        else:
            return PartResult(value=reading.value, source=source.name, gaps=(*gaps, *reading.gaps))
    return PartResult(gaps=tuple(gaps))


def _final(last: Gap, error: SourceError, refusing: Source, following: Source) -> Gap:
    """The gap with the reason why the following source was not asked, and what would help."""
    instead = f"not read from {following.title} instead"
    match error:
        case SourceError(code="forbidden"):
            why = f"{refusing.title} refused it, so it is {instead}: grant the right in {refusing.title}'s RBAC"
        case SourceError(refused=True):
            why = f"{refusing.title} refused it, so it is {instead}: name the Application that it is part of"
        case _:
            why = f"{instead}, since {refusing.title} refused the target"
    return replace(last, message=f"{last.message} ({why})")


async def from_the_only_source(turn: Collecting, part: PartName) -> PartResult[Any]:
    """Return a part from the first source that offers it, without a fallback. NOTHING if none does."""
    source = next(iter(turn.offering(part)), None)
    if source is None:
        return NOTHING
    try:
        reading = await source.readers[part]()
    except SourceError as error:
        return PartResult(gaps=(gap(part, source.name, error),), refused=error.refused)
    return PartResult(value=reading.value, source=source.name if reading.value else None, gaps=reading.gaps)


async def from_all_sources(
    sources: Sequence[Source],
    part: PartName,
    ask: Callable[[Source, Sequence[Manifest] | None], Awaitable[Reading[tuple[Manifest, ...]]]],
    *,
    refused: Refused = not_refused,
) -> PartResult[tuple[Manifest, ...]]:
    """Return a part to which every source adds what those before it did not have. A refusal is final here too."""
    manifests: list[Manifest] | None = None
    gaps: list[Gap] = []
    name: SourceName | None = None
    is_refused = False
    for source, following in zip(sources, (*sources[1:], None), strict=False):
        try:
            reading = await ask(source, manifests)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
            is_refused = error.refused or bool(following and await refused())
            if is_refused and following:
                gaps[-1] = _final(gaps[-1], error, source, following)
        else:
            is_refused = any(each.reason == "forbidden" for each in reading.gaps)
            name = name or (source.name if reading.value else None)
            manifests = [*(manifests or []), *reading.value]
            gaps += reading.gaps
        if is_refused:
            break
    return PartResult(value=tuple(manifests or ()), source=name, gaps=tuple(gaps), refused=is_refused)


def each_once(gaps: Iterable[Gap], further: frozenset[PartName]) -> tuple[Gap, ...]:
    """Return the gaps without repetitions: the same message of one part, or the same general failure of one source. A
    gap of a `further` part is dropped if another part has its message or the Application failed for the same
    reason. Gaps of `further` parts come last."""
    kept: dict[object, Gap] = {}
    messages: set[str] = set()
    failed: set[tuple[SourceName, str]] = set()
    for each in sorted(gaps, key=lambda each: each.part in further):
        if each.part in further and (each.message in messages or (each.source, each.reason) in failed):
            continue
        general = each.reason in _GENERAL
        kept.setdefault((each.part, each.source, each.reason) if general else (each.part, each.message), each)
        messages.add(each.message)
        if each.part == "application":
            failed.add((each.source, each.reason))
    return tuple(kept.values())


def not_configured(part: Part[Any], target: Target) -> Gap:
    """Return the gap of a part that no source is configured for, with the ways to provide it."""
    about = target.application if part.name == "application" else target.resource or target.application
    kubernetes = "let it read the Kubernetes API (KUBECONFIG, ASSISTANT_KUBERNETES)"
    argocd = "set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN"
    ways = f"{kubernetes}, or {argocd} and name the Application"
    if target.application:
        ways = argocd if part.name == "managed" else f"{argocd}, or {kubernetes}"  # only Argo CD compares with Git
    message = f"Nothing is configured to read {part.title} of {about} from: {ways}"
    if part.supplied:
        message += f", or supply `{part.supplied.key}`"
        if part.supplied.option:
            message += f" (on the command line {part.supplied.option})"
    source: SourceName = "argocd" if target.application else "kubernetes"
    return Gap(part=part.name, source=source, reason="not_configured", message=message)
