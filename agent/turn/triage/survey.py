"""Examines troubled Applications one by one: a bounded number at once, and only the findings of each are kept.

Owns that loop; the collector reads an Application, and the analyzers find what is wrong with it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import replace
from itertools import batched
from typing import Protocol

from agent.context.context import Context
from agent.context.model import Fleet, FleetApplication, Gap
from agent.errors import SourceError
from agent.findings.model import Finding
from agent.objects.target import Target
from agent.request.caller import ANONYMOUS, Caller
from agent.request.question import LogRequest, Question
from agent.turn.triage.examined import Examined

AT_ONCE = 4
"""Applications that are read at the same time; each takes a bounded number of requests."""
_TAIL_LINES = 200
# Applications analyzed from the list in one go; each takes some 2 ms.
_BATCH = 50


class ContextRedaction(Protocol):
    """Hides the secrets of contexts and texts."""

    def context(self, context: Context) -> Context: ...

    def text(self, text: str) -> str: ...


class FleetSource(Protocol):
    """What lists all Applications that may be read. Raises SourceError."""

    async def fleet(self, *, projects: Sequence[str] = (), selector: str = "") -> Fleet: ...


class ContextCollector(Protocol):
    """What reads the context of a question (`agent.context.collect`). `argocd` is None where none is configured."""

    @property
    def argocd(self) -> FleetSource | None: ...

    async def collect(self, question: Question) -> Context: ...


type Analyze = Callable[[Context], Sequence[Finding]]
"""What finds the faults in a context (`agent.findings.analyze`)."""


class Survey:
    """Surveys the Applications that the collector's Argo CD token may read. Keeps nothing between surveys."""

    def __init__(self, collector: ContextCollector, analyze: Analyze) -> None:
        self._collector = collector
        self._analyze = analyze

    async def fleet(self, *, projects: Sequence[str] = (), selector: str = "") -> Fleet:
        """Return the list of Applications. Raises SourceError."""
        if self._collector.argocd is None:
            raise SourceError(
                "No Argo CD is configured to list Applications from: set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN",
                code="not_configured",
            )
        return await self._collector.argocd.fleet(projects=projects, selector=selector)

    async def examine(
        self,
        fleet: Fleet,
        redactor: ContextRedaction,
        *,
        limit: int,
        caller: Caller = ANONYMOUS,
        refresh: bool = False,
        known: Collection[str] = (),
        at_once: int = AT_ONCE,
    ) -> AsyncGenerator[Examined]:
        """Yield the troubled Applications as they are examined, except those `known` already (`namespace/name`).

        The first `limit` (the worst) are read one by one, the others examined by the list. Raises nothing for one of
        them: what could not be read of it are its gaps.
        """
        waiting = [each for each in fleet.troubled if each.name not in known]
        for some in batched(waiting[limit:], _BATCH):
            for examined in await asyncio.to_thread(_by_list, some, redactor, self._analyze):
                yield examined
        running: set[asyncio.Task[Examined]] = set()
        redacting = asyncio.Lock()
        try:
            for application in waiting[:limit]:
                looking = self._closely(application, redactor, redacting, caller=caller, refresh=refresh)
                running.add(asyncio.create_task(looking))
                if len(running) == at_once:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        yield task.result()
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _closely(
        self,
        application: FleetApplication,
        redactor: ContextRedaction,
        redacting: asyncio.Lock,
        *,
        caller: Caller,
        refresh: bool,
    ) -> Examined:
        question = Question(
            text="",
            target=Target(application=application.reference),
            log_request=LogRequest(tail_lines=_TAIL_LINES),
            caller=caller,
            refresh=refresh,
        )
        collected = await self._collector.collect(question)
        async with redacting:  # a redactor learns: it is one thread's at a time
            return await asyncio.to_thread(_examined, application, collected, redactor, self._analyze)


def _examined(
    application: FleetApplication, collected: Context, redactor: ContextRedaction, analyze: Analyze
) -> Examined:
    if collected.application is None:  # unreadable by itself: what the list told is better than nothing
        collected = replace(collected, application=application.manifest)
    context = redactor.context(collected)
    return _result(application, analyze(context), gaps=context.gaps, closely=True)


def _by_list(applications: Sequence[FleetApplication], redactor: ContextRedaction, analyze: Analyze) -> list[Examined]:
    contexts = (Context(target=Target(application=each.reference), application=each.manifest) for each in applications)
    return [
        _result(application, analyze(redactor.context(context)), gaps=(), closely=False)
        for application, context in zip(applications, contexts, strict=True)
    ]


def _result(
    application: FleetApplication, findings: Sequence[Finding], *, gaps: tuple[Gap, ...], closely: bool
) -> Examined:
    return Examined(
        application=application.name,
        project=application.reference.project,
        health=application.health,
        sync=application.sync,
        findings=tuple(findings),
        gaps=gaps,
        closely=closely,
    )
