"""Asking the sources for a part of the context: the first that has it gives it, each that fails leaves a gap.

Owns that order and the words for a part nobody can be asked for; knows no part's content.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.context.model import Gap, Part, SourceName
from agent.context.source import Reading, Source, gap
from agent.errors import SourceError
from agent.manifest import Manifest
from agent.target import Target

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

# What fails for one object fails alike for the next.
_GENERAL = frozenset({"unreachable", "unauthorized", "forbidden", "timeout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found[T]:
    """A part of the context: who gave it (None: nobody) and what is missing of it."""

    value: T | None = None
    source: SourceName | None = None
    gaps: tuple[Gap, ...] = ()


async def first[T](
    sources: Sequence[Source], part: Part, ask: Callable[[Source], Awaitable[Reading[T]]], *, target: Target
) -> Found[T]:
    """The part from the first source that has it, with a gap for each that failed."""
    if not sources:
        return Found(gaps=(not_configured(part, target),))
    gaps: list[Gap] = []
    for source in sources:
        try:
            reading = await ask(source)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
        else:
            return Found(value=reading.value, source=source.name, gaps=(*gaps, *reading.gaps))
    return Found(gaps=tuple(gaps))


async def argocd_only[T](part: Part, asked: Awaitable[Reading[T]]) -> Found[T]:
    """A part that only Argo CD has."""
    try:
        reading = await asked
    except SourceError as error:
        return Found(gaps=(gap(part, "argocd", error),))
    return Found(value=reading.value, source="argocd" if reading.value else None, gaps=reading.gaps)


async def from_all(
    sources: Sequence[Source],
    part: Part,
    ask: Callable[[Source, Sequence[Manifest] | None], Awaitable[Reading[tuple[Manifest, ...]]]],
) -> Found[tuple[Manifest, ...]]:
    """A part to which every source adds what those before it did not have."""
    manifests: list[Manifest] | None = None
    gaps: list[Gap] = []
    name: SourceName | None = None
    for source in sources:
        try:
            reading = await ask(source, manifests)
        except SourceError as error:
            gaps.append(gap(part, source.name, error))
        else:
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
