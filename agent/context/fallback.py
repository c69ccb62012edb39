"""Asking the sources for a part of the context: the first that has it gives it, each that fails leaves a gap.

Owns that order, that a refusal of Argo CD ends it, and the gap of a part that nobody can be asked for.
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

# What fails for one object fails alike for the next.
_GENERAL = frozenset({"unreachable", "unauthorized", "forbidden", "timeout"})

type Refused = Callable[[], Awaitable[bool]]
"""Whether Argo CD refused the target itself. It is asked only before another source is."""


async def not_refused() -> bool:
    """Nothing was refused."""
    return False


NOTHING: PartResult[Any] = PartResult()
"""A part that is not there, and not missed."""


async def first_available[T](
    sources: Sequence[Source],
    part: PartName,
    ask: Callable[[Source], Awaitable[Reading[T]]],
    *,
    refused: Refused = not_refused,
) -> PartResult[T]:
    """The part from the first source that has it, with a gap for each that failed. A refusal is the last word: the
    next source reads with the rights of the process, which may be more than those of whoever was refused."""
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
    """The gap that says why the following source was not asked, and what would help."""
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
    """A part that one source alone can give: the first that offers it. Nothing where none does."""
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
    """A part to which every source adds what those before it did not have. A refusal is the last word here too."""
    manifests: list[Manifest] | None = None
    gaps: list[Gap] = []
    name: SourceName | None = None
    for source, following in zip(sources, (*sources[1:], None), strict=False):
        try:
            reading = await ask(source, manifests)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
            if error.refused or (following and await refused()):
                if following:
                    gaps[-1] = _final(gaps[-1], error, source, following)
                return PartResult(gaps=tuple(gaps), refused=True)
        else:
            if any(each.reason == "forbidden" for each in reading.gaps):
                return PartResult(
                    value=reading.value,
                    source=source.name if reading.value else None,
                    gaps=(*gaps, *reading.gaps),
                    refused=True,
                )
            name = name or (source.name if reading.value else None)
            manifests = [*(manifests or []), *reading.value]
            gaps += reading.gaps
    return PartResult(value=tuple(manifests or ()), source=name, gaps=tuple(gaps))


def each_once(gaps: Iterable[Gap], further: frozenset[PartName]) -> tuple[Gap, ...]:
    """The gaps without those that repeat another: the same words, or of one part the same general failure of the same
    source. A gap of a `further` part is dropped where the Application failed for the same reason."""
    kept: dict[object, Gap] = {}
    words: set[str] = set()
    failed: set[tuple[SourceName, str]] = set()
    for each in sorted(gaps, key=lambda each: each.part in further):
        if each.part in further and (each.message in words or (each.source, each.reason) in failed):
            continue
        general = each.reason in _GENERAL
        kept.setdefault((each.part, each.source, each.reason) if general else (each.part, each.message), each)
        words.add(each.message)
        if each.part == "application":
            failed.add((each.source, each.reason))
    return tuple(kept.values())


def not_configured(part: Part[Any], target: Target) -> Gap:
    """The gap of a part that there is nothing to read from."""
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
