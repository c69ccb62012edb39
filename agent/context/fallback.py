"""Asking the sources for a part of the context: the first that has it gives it, each that fails leaves a gap.

Owns that order, that a refusal of Argo CD ends it, and the words for a part nobody can be asked for; knows no part's
content.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.context.model import Gap, Part, SourceName
from agent.context.source import Reading, Source, gap
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.target import Target

# How a part is called in messages, and under which name a caller supplies it.
_PARTS: dict[Part, tuple[str, str]] = {
    "application": ("the manifest", "application_manifest"),
    "manifest": ("the live manifest", "manifest"),
    "children": ("the Pods", "children"),
    "related": ("what belongs to it", "related"),
    "tree": ("the resource tree", "resource_tree"),
    "managed": ("the difference to Git", "managed_resources"),
    "revisions": ("the deployed revisions", "revisions"),
    "sync_windows": ("the sync windows", "sync_windows"),
    "fleet": ("the list of Applications", "application"),
    "events": ("the events", "events"),
    "logs": ("the logs", "logs"),
}

# The options of `ask` that supply them.
_OPTIONS: dict[Part, str] = {
    "application": "`-f FILE`",
    "manifest": "`-f FILE`",
    "children": "`-f FILE`",
    "events": "`--events FILE`",
    "logs": "`--logs FILE`",
}

# Parts that round the picture off.
_FURTHER: frozenset[Part] = frozenset({"tree", "managed", "revisions", "sync_windows", "related"})

_SOURCES: dict[SourceName, str] = {"argocd": "Argo CD", "kubernetes": "Kubernetes", "supplied": "the request"}

# What fails for one object fails alike for the next.
_GENERAL = frozenset({"unreachable", "unauthorized", "forbidden", "timeout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found[T]:
    """A part of the context: who gave it (None: nobody) and what is missing of it. `refused`: Argo CD answered that
    it is not to be had, so nobody else was asked."""

    value: T | None = None
    source: SourceName | None = None
    gaps: tuple[Gap, ...] = ()
    refused: bool = False


type Refused = Callable[[], Awaitable[bool]]
"""Whether Argo CD refused the target itself. It is asked only before another source is."""


async def never() -> bool:
    """Nothing was refused."""
    return False


NOTHING: Found[Any] = Found()
"""A part that is not there, and not missed."""


async def first[T](
    sources: Sequence[Source],
    part: Part,
    ask: Callable[[Source], Awaitable[Reading[T]]],
    *,
    target: Target,
    refused: Refused = never,
) -> Found[T]:
    """The part from the first source that has it, with a gap for each that failed. A refusal is the last word: the
    next source reads with the rights of the process, which may be more than whoever was refused has."""
    if not sources:
        return Found(gaps=(not_configured(part, target),))
    gaps: list[Gap] = []
    for source, following in zip(sources, (*sources[1:], None), strict=True):
        try:
            reading = await ask(source)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
            if error.refused or (following and await refused()):
                if following:
                    gaps[-1] = _final(gaps[-1], error, following)
                return Found(gaps=tuple(gaps), refused=True)
        else:
            return Found(value=reading.value, source=source.name, gaps=(*gaps, *reading.gaps))
    return Found(gaps=tuple(gaps))


def _final(last: Gap, error: SourceError, following: Source) -> Gap:
    """The gap that says why the following source was not asked, and what would help."""
    instead = f"not read from {_SOURCES[following.name]} instead"
    match error:
        case SourceError(code="forbidden"):
            why = f"Argo CD refused it, so it is {instead}: grant the right in Argo CD's RBAC"
        case SourceError(refused=True):
            why = f"Argo CD refused it, so it is {instead}: name the Application that it is part of"
        case _:
            why = f"{instead}, since Argo CD refused the target"
    return replace(last, message=f"{last.message} ({why})")


async def argocd_only[T](part: Part, asked: Awaitable[Reading[T]]) -> Found[T]:
    """A part that only Argo CD has."""
    try:
        reading = await asked
    except SourceError as error:
        return Found(gaps=(gap(part, "argocd", error),), refused=error.refused)
    return Found(value=reading.value, source="argocd" if reading.value else None, gaps=reading.gaps)


async def from_all(
    sources: Sequence[Source],
    part: Part,
    ask: Callable[[Source, Sequence[Manifest] | None], Awaitable[Reading[tuple[Manifest, ...]]]],
    *,
    refused: Refused = never,
) -> Found[tuple[Manifest, ...]]:
    """A part to which every source adds what those before it did not have. A refusal is the last word here too."""
    manifests: list[Manifest] | None = None
    gaps: list[Gap] = []
    name: SourceName | None = None
    for source, following in zip(sources, (*sources[1:], None), strict=True):
        try:
            reading = await ask(source, manifests)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
            if error.refused or (following and await refused()):
                if following:
                    gaps[-1] = _final(gaps[-1], error, following)
                return Found(gaps=tuple(gaps), refused=True)
        else:
            if any(each.reason == "forbidden" for each in reading.gaps):
                return Found(
                    value=reading.value,
                    source=source.name if reading.value else None,
                    gaps=(*gaps, *reading.gaps),
                    refused=True,
                )
            name = name or (source.name if reading.value else None)
            manifests = [*(manifests or []), *reading.value]
            gaps += reading.gaps
    return Found(value=tuple(manifests or ()), source=name, gaps=tuple(gaps))


def each_once(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """The gaps without those that say again what one of them said: the same words, or of one part the same general
    failure of the same source. What is read beside the essential parts says nothing where the Application failed so."""
    said: dict[object, Gap] = {}
    words: set[str] = set()
    failed: set[tuple[SourceName, str]] = set()
    for each in sorted(gaps, key=lambda each: each.part in _FURTHER):
        if each.part in _FURTHER and (each.message in words or (each.source, each.reason) in failed):
            continue
        general = each.reason in _GENERAL
        said.setdefault((each.part, each.source, each.reason) if general else (each.part, each.message), each)
        words.add(each.message)
        if each.part == "application":
            failed.add((each.source, each.reason))
    return tuple(said.values())


def not_configured(part: Part, target: Target) -> Gap:
    """The gap of a part that there is nothing to read from."""
    what, supplied_as = _PARTS[part]
    about = target.application if part == "application" else target.resource or target.application
    kubernetes = "let it read the Kubernetes API (KUBECONFIG, ASSISTANT_KUBERNETES)"
    argocd = "set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN"
    ways = f"{kubernetes}, or {argocd} and name the Application"
    if target.application:
        ways = argocd if part == "managed" else f"{argocd}, or {kubernetes}"  # only Argo CD compares with Git
    message = f"Nothing is configured to read {what} of {about} from: {ways}, or supply `{supplied_as}`"
    if option := _OPTIONS.get(part):
        message += f" (on the command line {option})"
    source: SourceName = "argocd" if target.application else "kubernetes"
    return Gap(part=part, source=source, reason="not_configured", message=message)
