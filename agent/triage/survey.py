"""Looking at troubled Applications one by one: a bounded number at once, and nothing kept of each but its findings.

Owns that loop. What is read of an Application is the collector's, what is wrong with it the analyzers'.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, replace

from agent.context.collect import Collector
from agent.context.model import Context, Fleet, FleetApplication, Gap
from agent.errors import SourceError
from agent.findings import analyze
from agent.findings.model import Finding
from agent.redaction import Redactor
from agent.request import LogRequest, Question
from agent.target import Target

AT_ONCE = 4
"""Applications that are looked at at the same time; each makes a bounded number of requests."""
_TAIL_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found out about one Application, redacted. `closely` False: by the list alone."""

    application: str
    project: str
    health: str
    sync: str
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...] = ()
    closely: bool = True


class Survey:
    """Surveys what the collector's Argo CD token may read. Holds nothing between surveys."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def fleet(self, *, projects: Sequence[str] = (), selector: str = "") -> Fleet:
        """The list. Raises SourceError."""
        if self._collector.argocd is None:
            raise SourceError(
                "No Argo CD is configured to list Applications from: set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN",
                code="not_configured",
            )
        return await self._collector.argocd.fleet(projects=projects, selector=selector)

    async def examine(
        self,
        fleet: Fleet,
        redactor: Redactor,
        *,
        limit: int,
        user_id: str | None = None,
        refresh: bool = False,
        known: Collection[str] = (),
        at_once: int = AT_ONCE,
    ) -> AsyncGenerator[Examined]:
        """The troubled Applications as they are done, but for those `known` by `namespace/name` already.

        The first `limit` (the worst) are looked at closely, the others told by the list. Never raises for one of them:
        what could not be read of it are its gaps.
        """
        waiting = [each for each in fleet.troubled if each.name not in known]
        for application in waiting[limit:]:
            yield _by_list(application, redactor)
        running: set[asyncio.Task[Examined]] = set()
        try:
            for application in waiting[:limit]:
                running.add(asyncio.create_task(self._closely(application, redactor, user_id=user_id, refresh=refresh)))
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
        self, application: FleetApplication, redactor: Redactor, *, user_id: str | None, refresh: bool
    ) -> Examined:
        question = Question(
            text="",
            target=Target(application=application.reference),
            log_request=LogRequest(tail_lines=_TAIL_LINES),
            user_id=user_id,
            refresh=refresh,
        )
        collected = await self._collector.collect(question)
        return await asyncio.to_thread(_examined, application, collected, redactor)


def _examined(application: FleetApplication, collected: Context, redactor: Redactor) -> Examined:
    if collected.application is None:  # unreadable by itself: what the list told is better than nothing
        collected = replace(collected, application=application.manifest)
    context = redactor.context(collected)
    return _told(application, analyze(context), gaps=context.gaps, closely=True)


def _by_list(application: FleetApplication, redactor: Redactor) -> Examined:
    context = Context(target=Target(application=application.reference), application=application.manifest)
    return _told(application, analyze(redactor.context(context)), gaps=(), closely=False)


def _told(
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
