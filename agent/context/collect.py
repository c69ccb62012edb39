"""Collecting the context of a question: each part from the first source that has it, as much as possible at once.

Owns which parts a target has and what waits for what. The order of the sources is `parts`', how a source reads its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from agent.context.argocd.source import ArgoCDConnection
from agent.context.clean import cleaned, cleaned_application
from agent.context.eager_tasks import StartedAtOnce
from agent.context.events import merge_events
from agent.context.fallback import NOTHING, Found, argocd_only, each_once, first, from_all, not_configured
from agent.context.kubernetes.source import KubernetesConnection
from agent.context.log_lines import distilled
from agent.context.log_reads import read_logs
from agent.context.model import (
    ContainerLog,
    Context,
    Event,
    ManagedResource,
    Part,
    Revision,
    SyncWindows,
    TreeNode,
)
from agent.context.resolve_target import about, application_object, refined
from agent.context.selection import is_at_odds, is_out_of_sync
from agent.context.source import MAX_CHILDREN, READS_AT_ONCE, Connection
from agent.context.supplied import MANY_EVENTS, SuppliedContext, is_heavy, read_supplied
from agent.context.tree import ResourceTree
from agent.objects.manifest import Manifest, text_at
from agent.objects.pods import has_events, is_pod, is_workload, none_has_run
from agent.objects.target import ResourceRef, Target
from agent.request.question import Question
from agent.settings import Settings


class Collector:
    """Collects contexts and keeps the connections between turns. Construction does no I/O.

    `argocd` is the connection to Argo CD, None where none is configured. Raises SettingsError when ARGOCD_SERVER is no
    address.
    """

    def __init__(self, settings: Settings) -> None:
        self._tail_lines = settings.log_lines
        self.argocd = ArgoCDConnection(settings) if settings.argocd_server else None
        self._connections: list[Connection] = [self.argocd] if self.argocd else []
        self._connections.append(KubernetesConnection(settings))

    async def collect(self, question: Question) -> Context:
        """All that is known of the question's target. What cannot be read is a gap of the context, never an error."""
        if is_heavy(question.supplied):
            supplied = await asyncio.to_thread(read_supplied, question)
        else:
            supplied = read_supplied(question)
        context = await _Turn(question, supplied, self._connections, tail_lines=self._tail_lines).collect()
        if question.supplied.logs is not None or question.log_request.tail_lines is not None or not context.logs:
            return context
        return replace(context, logs=await asyncio.to_thread(lambda: tuple(map(distilled, context.logs))))

    async def aclose(self) -> None:
        """Closes the connections. Reads under way are left behind; their timeouts end them."""
        for connection in self._connections:
            connection.close()


class _Turn:
    """One question. Each part is a task; a part that needs another one waits for it."""

    def __init__(
        self, question: Question, supplied: SuppliedContext, connections: Sequence[Connection], *, tail_lines: int
    ) -> None:
        self._question = question
        self._target = about(question.target) if question.supplied.manifest is None else question.target
        self._supplied = supplied
        self._tail_lines = question.log_request.tail_lines or tail_lines
        self._slots = asyncio.Semaphore(READS_AT_ONCE)
        self._sources = [source for source in (each.open(self) for each in connections) if source]
        self._state = next((source.state for source in self._sources if source.state), None)
        self._application: asyncio.Future[Found[Manifest]]
        self._manifest: asyncio.Future[Found[Manifest]]
        self._tree: asyncio.Future[Found[tuple[TreeNode, ...]]]
        self._children: asyncio.Future[Found[tuple[Manifest, ...]]]
        self._related: asyncio.Future[Found[tuple[Manifest, ...]]]
        self._indexed: ResourceTree | None = None

    @property
    def target(self) -> Target:
        return self._target

    @property
    def question(self) -> Question:
        return self._question

    @property
    def slots(self) -> asyncio.Semaphore:
        return self._slots

    async def application(self) -> Manifest | None:
        return (await self._application).value

    async def manifest(self) -> Manifest | None:
        return (await self._manifest).value

    async def tree(self) -> ResourceTree | None:
        nodes = (await self._tree).value
        if nodes is not None and self._indexed is None:
            self._indexed = ResourceTree(nodes)
        return self._indexed

    async def children(self) -> tuple[Manifest, ...]:
        return (await self._children).value or ()

    async def collect(self) -> Context:
        async with StartedAtOnce() as tasks:  # a part may only ask for those begun before it
            self._application = tasks.start(self._read_application())
            self._tree = self._begin(tasks, self._supplied.tree, self._read_tree)
            self._manifest = tasks.start(self._read_manifest())
            self._children = tasks.start(self._read_children())
            self._related = self._begin(tasks, self._supplied.related, self._read_related)
            managed = self._begin(tasks, self._supplied.managed, self._read_managed)
            revisions = self._begin(tasks, self._supplied.revisions, self._read_revisions)
            sync_windows = self._begin(tasks, self._supplied.sync_windows, self._read_sync_windows)
            events = tasks.start(self._read_events())
            logs = tasks.start(self._read_logs())
        parts: dict[Part, Found[Any]] = {
            "application": self._application.result(),
            "manifest": self._manifest.result(),
            "tree": self._tree.result(),
            "children": self._children.result(),
            "related": self._related.result(),
            "managed": managed.result(),
            "revisions": revisions.result(),
            "sync_windows": sync_windows.result(),
            "events": events.result(),
            "logs": logs.result(),
        }
        return Context(
            target=await self._refined(),
            application=self._application.result().value,
            manifest=self._manifest.result().value,
            children=self._children.result().value or (),
            related=self._related.result().value or (),
            tree=self._tree.result().value or (),
            managed=managed.result().value or (),
            revisions=revisions.result().value or (),
            sync_windows=sync_windows.result().value,
            events=events.result().value or (),
            logs=logs.result().value or (),
            gaps=each_once(each for found in parts.values() for each in found.gaps),
            origins={part: found.source for part, found in parts.items() if found.source},
        )

    async def _read_application(self) -> Found[Manifest]:
        if self._supplied.application is not None:
            return Found(value=self._supplied.application, source="supplied")
        if self.target.application is None:
            return NOTHING
        found = await first(self._sources, "application", lambda source: source.application(), target=self.target)
        return replace(found, value=cleaned_application(found.value)) if found.value else found

    async def _read_manifest(self) -> Found[Manifest]:
        if self._supplied.manifest is not None:
            return Found(value=self._supplied.manifest, source="supplied")
        if self.target.resource is None:
            return NOTHING
        found = await first(
            self._sources,
            "manifest",
            lambda source: source.manifest(),
            target=self.target,
            refused=self._refused_application,
        )
        return replace(found, value=cleaned(found.value)) if found.value else found

    def _begin[T](
        self, tasks: StartedAtOnce, supplied: T | None, read: Callable[[], Coroutine[Any, Any, Found[T]]]
    ) -> asyncio.Future[Found[T]]:
        """A part that rounds the picture off: as it was supplied, else as it will be read where there is a source."""
        if supplied is None and self._sources:
            return tasks.start(read())
        done: asyncio.Future[Found[T]] = asyncio.get_running_loop().create_future()
        done.set_result(NOTHING if supplied is None else Found(value=supplied, source="supplied"))
        return done

    async def _read_tree(self) -> Found[tuple[TreeNode, ...]]:
        return await argocd_only("tree", self._state.tree()) if self._state else NOTHING

    async def _read_managed(self) -> Found[tuple[ManagedResource, ...]]:
        application = await self.application()
        if self._state is None:
            differs = self.target.resource is None and is_out_of_sync(application)
            return Found(gaps=(not_configured("managed", self.target),)) if differs else NOTHING
        if application is None:
            return NOTHING
        return await argocd_only("managed", self._state.managed())

    async def _read_revisions(self) -> Found[tuple[Revision, ...]]:
        if self._state is None or not await self._concerns_the_sync():
            return NOTHING
        return await argocd_only("revisions", self._state.revisions())

    async def _read_sync_windows(self) -> Found[SyncWindows]:
        if self._state is None or not await self._concerns_the_sync():
            return NOTHING
        return await argocd_only("sync_windows", self._state.sync_windows())

    async def _concerns_the_sync(self) -> bool:
        """Whether revisions and windows matter: to an Application always, to a resource while at odds with Git."""
        application = await self.application()
        return application is not None and (self.target.resource is None or is_at_odds(application))

    async def _read_children(self) -> Found[tuple[Manifest, ...]]:
        if self._supplied.children is not None:
            return Found(value=self._supplied.children, source="supplied")
        sources = self._sources
        if self.target.resource is None:
            if await self.tree() is None:  # which says why
                refused = (await self._tree).refused or await self._refused()
                sources = [] if refused else [source for source in sources if not source.state]
            if not sources:
                return NOTHING
        elif not await self._is_workload():
            return NOTHING
        found = await first(
            sources, "children", lambda source: source.children(), target=self.target, refused=self._refused
        )
        return replace(found, value=tuple(map(cleaned, found.value or ())))

    async def _read_related(self) -> Found[tuple[Manifest, ...]]:
        found = await from_all(
            self._sources, "related", lambda source, known: source.related(known), refused=self._refused
        )
        return replace(found, value=tuple(map(cleaned, found.value or ())))

    async def _read_events(self) -> Found[tuple[Event, ...]]:
        if self._supplied.events is not None:
            return Found(value=self._supplied.events, source="supplied")
        if not self.target:
            return NOTHING
        involved = await self._involved()
        found = await first(
            self._sources, "events", lambda source: source.events(involved), target=self.target, refused=self._refused
        )
        raw = found.value or ()
        events = await asyncio.to_thread(merge_events, raw) if len(raw) > MANY_EVENTS else merge_events(raw)
        return Found(value=events, source=found.source, gaps=found.gaps)

    async def _involved(self) -> list[ResourceRef]:
        """The objects whose events matter: the target, its Pods, and of what is related what tells of its troubles."""
        target = await self._refined()
        manifests = await self._pods_below()
        manifests += [each for each in (await self._related).value or () if has_events(each)][:MAX_CHILDREN]
        itself = target.resource or application_object(target.application, await self.application())
        return [itself, *filter(None, map(ResourceRef.of, manifests))]

    async def _read_logs(self) -> Found[tuple[ContainerLog, ...]]:
        if self._supplied.logs is not None:
            return Found(value=self._supplied.logs, source="supplied", gaps=self._supplied.gaps)
        if not self.target or not await self._may_have_logs():
            return NOTHING
        resource = self.target.resource
        manifest = await self.manifest() if resource and is_pod(resource.kind) else None
        pods = ([manifest] if manifest else []) + await self._pods_below()
        if none_has_run(pods) and self._question.log_request.container is None:
            return NOTHING
        if not self._sources:
            return Found(gaps=(not_configured("logs", self.target),))
        request = self._question.log_request
        return await read_logs(self._sources, self.target, pods, request, self._tail_lines, refused=self._refused)

    async def _may_have_logs(self) -> bool:
        resource = self.target.resource
        if resource is None:
            return bool(await self._pods_below())
        return is_pod(resource.kind) or await self._is_workload()

    async def _refined(self) -> Target:
        """The target with its blanks filled in from what was read."""
        supplied = self._supplied.manifest is not None
        return refined(self.target, await self.application(), await self.manifest(), supplied=supplied)

    async def _is_workload(self) -> bool:
        resource = self.target.resource
        if resource is None or is_pod(resource.kind):
            return False
        return is_workload(resource.kind) or is_workload(resource.kind, await self.manifest())

    async def _pods_below(self) -> list[Manifest]:
        return [child for child in await self.children() if is_pod(text_at(child, "kind"))]

    async def _refused_application(self) -> bool:
        return (await self._application).refused

    async def _refused(self) -> bool:
        """Whether Argo CD refused the Application or the resource that is asked about."""
        return (await self._application).refused or (await self._manifest).refused
