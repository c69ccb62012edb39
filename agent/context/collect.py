"""Collecting the context of a question: each part from the first source that has it, as much as possible at once.

Owns which parts a target has, what waits for what, and the order of the sources; how a source reads is its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from agent.context.argocd import ArgoCDConnection
from agent.context.clean import cleaned, cleaned_application
from agent.context.events import merge_events
from agent.context.kubernetes import KubernetesConnection
from agent.context.model import ContainerLog, Context, Event, Gap, Part, SourceName
from agent.context.pods import choose_log, is_pod, is_workload
from agent.context.source import Connection, LogChoice, Reading, Source, gap
from agent.context.supplied import MANY_EVENTS, SuppliedContext, is_heavy, read_supplied
from agent.errors import SourceError
from agent.manifest import Manifest, text_at
from agent.request import Question
from agent.settings import Settings
from agent.target import ApplicationRef, ResourceRef, Target

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
    "events": ("the events", "events"),
    "logs": ("the logs", "logs"),
}


class Collector:
    """Collects contexts and keeps the connections between turns. Construction does no I/O.

    Raises SettingsError when ARGOCD_SERVER is no address.
    """

    def __init__(self, settings: Settings) -> None:
        self._tail_lines = settings.log_tail_lines_max
        self._connections: list[Connection] = []
        if settings.argocd_server:
            self._connections.append(ArgoCDConnection(settings))
        self._connections.append(KubernetesConnection(settings))

    async def collect(self, question: Question) -> Context:
        """All that is known of the question's target. What cannot be read is a gap of the context, never an error."""
        if is_heavy(question.supplied):
            supplied = await asyncio.to_thread(read_supplied, question, tail_lines=self._tail_lines)
        else:
            supplied = read_supplied(question, tail_lines=self._tail_lines)
        return await _Turn(question, supplied, self._connections, tail_lines=self._tail_lines).collect()

    async def aclose(self) -> None:
        """Closes the connections. Reads under way are left behind; their timeouts end them."""
        for connection in self._connections:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found[T]:
    """A part of the context: who gave it (None: nobody) and what is missing of it."""

    value: T | None = None
    source: SourceName | None = None
    gaps: tuple[Gap, ...] = ()


class _Turn:
    """One question. Each part is a task; a part that needs another one waits for it."""

    def __init__(
        self, question: Question, supplied: SuppliedContext, connections: Sequence[Connection], *, tail_lines: int
    ) -> None:
        self._question = question
        self._target = _about(question.target) if question.supplied.manifest is None else question.target
        self._supplied = supplied
        self._tail_lines = question.log_request.tail_lines or tail_lines
        self._sources = [source for source in (each.open(self) for each in connections) if source]
        self._application: asyncio.Task[_Found[Manifest]]
        self._manifest: asyncio.Task[_Found[Manifest]]
        self._children: asyncio.Task[_Found[tuple[Manifest, ...]]]

    @property
    def target(self) -> Target:
        return self._target

    async def application(self) -> Manifest | None:
        return (await self._application).value

    async def manifest(self) -> Manifest | None:
        return (await self._manifest).value

    async def collect(self) -> Context:
        async with asyncio.TaskGroup() as tasks:
            self._application = tasks.create_task(self._read_application())
            self._manifest = tasks.create_task(self._read_manifest())
            self._children = tasks.create_task(self._read_children())
            events_read = tasks.create_task(self._read_events())
            logs_read = tasks.create_task(self._read_logs())
        application, manifest, children = self._application.result(), self._manifest.result(), self._children.result()
        events, logs = events_read.result(), logs_read.result()
        parts: dict[Part, _Found[object]] = {
            "application": application,
            "manifest": manifest,
            "children": children,
            "events": events,
            "logs": logs,
        }
        supplied: dict[Part, object] = {
            "related": self._supplied.related,
            "tree": self._supplied.tree,
            "managed": self._supplied.managed,
            "revisions": self._supplied.revisions,
            "sync_windows": self._supplied.sync_windows,
        }
        parts |= {part: _Found(value=v, source="supplied") for part, v in supplied.items() if v is not None}
        return Context(
            target=await self._refined(),
            application=application.value,
            manifest=manifest.value,
            children=children.value or (),
            related=self._supplied.related or (),
            tree=self._supplied.tree or (),
            managed=self._supplied.managed or (),
            revisions=self._supplied.revisions or (),
            sync_windows=self._supplied.sync_windows,
            events=events.value or (),
            logs=logs.value or (),
            gaps=tuple(each for found in parts.values() for each in found.gaps),
            origins={part: found.source for part, found in parts.items() if found.source},
        )

    async def _read_application(self) -> _Found[Manifest]:
        if self._supplied.application is not None:
            return _Found(value=self._supplied.application, source="supplied")
        if self.target.application is None:
            return _Found()
        found = await self._first("application", lambda source: source.application())
        return replace(found, value=cleaned_application(found.value)) if found.value else found

    async def _read_manifest(self) -> _Found[Manifest]:
        if self._supplied.manifest is not None:
            return _Found(value=self._supplied.manifest, source="supplied")
        if self.target.resource is None:
            return _Found()
        found = await self._first("manifest", lambda source: source.manifest())
        return replace(found, value=cleaned(found.value)) if found.value else found

    async def _read_children(self) -> _Found[tuple[Manifest, ...]]:
        if self._supplied.children is not None:
            return _Found(value=self._supplied.children, source="supplied")
        if not await self._is_workload():
            return _Found()
        found = await self._first("children", lambda source: source.children())
        return replace(found, value=tuple(map(cleaned, found.value or ())))

    async def _read_events(self) -> _Found[tuple[Event, ...]]:
        if self._supplied.events is not None:
            return _Found(value=self._supplied.events, source="supplied")
        if not self.target:
            return _Found()
        refined = await self._refined()
        involved = [refined.resource or _application_object(refined.application, await self.application())]
        involved += filter(None, map(ResourceRef.of, await self._pods_below()))
        found = await self._first("events", lambda source: source.events(involved))
        raw = found.value or ()
        events = await asyncio.to_thread(merge_events, raw) if len(raw) > MANY_EVENTS else merge_events(raw)
        return _Found(value=events, source=found.source, gaps=found.gaps)

    async def _read_logs(self) -> _Found[tuple[ContainerLog, ...]]:
        if self._supplied.logs is not None:
            return _Found(value=self._supplied.logs, source="supplied", gaps=self._supplied.gaps)
        resource = self.target.resource
        if resource is None or not (is_pod(resource.kind) or await self._is_workload()):
            return _Found()
        if not self._sources:
            return _Found(gaps=(self._not_configured("logs"),))
        try:
            choice = await self._choose_log(resource)
        except SourceError as error:
            return _Found(gaps=(gap("logs", self._sources[0].name, error),))
        found = await self._first("logs", lambda source: _read_log(source, choice))
        return _Found(value=(found.value,) if found.value else None, source=found.source, gaps=found.gaps)

    async def _refined(self) -> Target:
        """The target with its blanks filled in from what was read."""
        named, resource = self.target.application, self.target.resource
        application, manifest = await self.application(), await self.manifest()
        if named and text_at(application, "metadata", "name") == named.name:
            named = named.model_copy(
                update={
                    "namespace": named.namespace or text_at(application, "metadata", "namespace"),
                    "project": named.project or text_at(application, "spec", "project"),
                }
            )
        read = ResourceRef.of(manifest) if manifest else None
        # What was read is what was named; what was supplied may be another resource, or lack what the target tells.
        if (
            resource
            and read
            and (self._supplied.manifest is None or (read.kind, read.name) == (resource.kind, resource.name))
        ):
            resource = resource.model_copy(update={key: value for key, value in read.model_dump().items() if value})
        return Target(application=named, resource=resource)

    async def _is_workload(self) -> bool:
        resource = self.target.resource
        if resource is None or is_pod(resource.kind):
            return False
        return is_workload(resource.kind) or is_workload(resource.kind, await self.manifest())

    async def _pods_below(self) -> list[Manifest]:
        children = (await self._children).value or ()
        return [child for child in children if is_pod(text_at(child, "kind"))]

    async def _choose_log(self, resource: ResourceRef) -> LogChoice:
        request = self._question.log_request
        if not is_pod(resource.kind):
            pods = await self._pods_below()
        else:
            manifest = await self.manifest()
            pods = [manifest] if manifest else []
        if pods:
            return choose_log(pods, request, tail_lines=self._tail_lines)
        if is_pod(resource.kind) and resource.namespace and request.container:
            return LogChoice(
                namespace=resource.namespace,
                pod=resource.name,
                container=request.container,
                previous=request.previous,
                tail_lines=self._tail_lines,
                since_seconds=request.since_seconds,
            )
        raise SourceError(f"No Pod of {resource} is known, so there is no log to read", code="not_found")

    async def _first[T](self, part: Part, ask: Callable[[Source], Awaitable[Reading[T]]]) -> _Found[T]:
        """The part from the first source that has it, with a gap for each that failed."""
        if not self._sources:
            return _Found(gaps=(self._not_configured(part),))
        gaps: list[Gap] = []
        for source in self._sources:
            try:
                reading = await ask(source)
            except SourceError as error:
                gaps.append(gap(part, source.name, error))
            else:
                return _Found(value=reading.value, source=source.name, gaps=(*gaps, *reading.gaps))
        return _Found(gaps=tuple(gaps))

    def _not_configured(self, part: Part) -> Gap:
        what, supplied_as = _PARTS[part]
        about = self.target.application if part == "application" else self.target.resource or self.target.application
        kubernetes = "let it read the Kubernetes API (KUBECONFIG, ASSISTANT_KUBERNETES)"
        argocd = "set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN"
        ways = [argocd, kubernetes] if self.target.application else [kubernetes, f"{argocd} and name the Application"]
        message = (
            f"Nothing is configured to read {what} of {about} from: {', or '.join(ways)}, or supply `{supplied_as}`"
        )
        source: SourceName = "argocd" if self.target.application else "kubernetes"
        return Gap(part=part, source=source, reason="not_configured", message=message)


async def _read_log(source: Source, choice: LogChoice) -> Reading[ContainerLog]:
    """The log chosen, or the current run's where the previous one is gone and was nobody's explicit wish."""
    try:
        return await source.log(choice)
    except SourceError as error:
        if not (choice.previous and choice.chosen and error.code == "not_found"):
            raise
        current = await source.log(replace(choice, previous=False))
        return Reading(value=current.value, gaps=(gap("logs", source.name, error), *current.gaps))


def _about(target: Target) -> Target:
    """The target, with an Application that is named as a resource named as an Application."""
    named, resource = target.application, target.resource
    if resource is None or (resource.group, resource.kind.casefold()) != ("argoproj.io", "application"):
        return target
    itself = ApplicationRef.model_construct(name=resource.name, namespace=resource.namespace, project="")
    if named is None:
        return Target(application=itself)
    same = named.name == itself.name and (
        named.namespace == itself.namespace or not (named.namespace and itself.namespace)
    )
    return Target(application=named) if same else target


def _application_object(application: ApplicationRef | None, manifest: Manifest | None) -> ResourceRef:
    """The Application as the object that its own events are about."""
    return ResourceRef.model_construct(
        group="argoproj.io",
        version="v1alpha1",
        kind="Application",
        namespace=application.namespace if application else "",
        name=application.name if application else "",
        uid=text_at(manifest, "metadata", "uid"),
    )
