"""The Argo CD API as a source: which requests give a part of the context, and what their answers hold.

Owns the use of the Application endpoints and of the resource tree; HTTP and status codes are `argocd_api`'s.
"""

import asyncio
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from agent.context.argocd_api import ArgoCDAPI, ArgoCDRequest
from agent.context.argocd_tree import find_node, pods_below
from agent.context.model import ContainerLog, Gap, SourceName
from agent.context.source import (
    MAX_CHILDREN,
    Known,
    LogChoice,
    Reading,
    ReadThreads,
    Source,
    TurnReads,
    again,
    gap,
    read_each,
)
from agent.errors import SourceError
from agent.logs import entry_of, parse_entries
from agent.manifest import Manifest, lookup, object_at, objects_at, text_at
from agent.request import LogEntry
from agent.settings import Settings
from agent.target import ApplicationRef, ResourceRef

_THREADS = 16


class ArgoCDConnection:
    """The Argo CD of `settings.argocd_server`. Raises SettingsError when that is no address."""

    def __init__(self, settings: Settings) -> None:
        self._api = ArgoCDAPI(settings, connections=_THREADS)
        seconds = settings.connect_timeout + settings.source_timeout
        self._threads = ReadThreads("Argo CD", threads=_THREADS, seconds=seconds)

    def open(self, known: Known) -> Source | None:
        """The source for a turn about an Application; None where the target names none."""
        application = known.target.application
        return _ArgoCDSource(self._api, TurnReads(self._threads), known, application) if application else None

    def close(self) -> None:
        self._threads.close()
        self._api.close()


class _ArgoCDSource:
    """Every request names `appNamespace` and `project`, which the Application tells where the target does not."""

    def __init__(self, api: ArgoCDAPI, reads: TurnReads, known: Known, application: ApplicationRef) -> None:
        self._api = api
        self._reads = reads
        self._known = known
        self._named = application
        self._application_failure: SourceError | None = None
        self._tree_read: asyncio.Task[Manifest] | None = None

    @property
    def name(self) -> SourceName:
        return "argocd"

    async def application(self) -> Reading[Manifest]:
        request = self._request(self._named, what=str(self._named))
        try:
            answer = await self._read(request, _manifest)
        except SourceError as error:
            self._application_failure = error
            raise
        return Reading(value=answer)

    async def manifest(self) -> Reading[Manifest]:
        scope, resource = await self._scope(), self._resource
        if resource.version:
            try:
                return Reading(value=await self._live(scope, resource))
            except SourceError as error:
                # 400: not in the tree under this name; perhaps its group or namespace was left out.
                if error.code != "invalid":
                    raise
        node = find_node(await self._tree(), resource)
        return Reading(value=await self._live(scope, node))

    async def children(self) -> Reading[tuple[Manifest, ...]]:
        scope, tree = await self._scope(), await self._tree()
        pods = pods_below(tree, find_node(tree, self._resource))
        if not pods:
            return Reading(value=())
        taken = pods[:MAX_CHILDREN]
        reading = await read_each(taken, lambda pod: self._live(scope, pod), part="children", source=self.name)
        if len(pods) == len(taken):
            return reading
        message = f"{len(taken)} of {len(pods)} Pods of {self._resource} were read, the unhealthiest first"
        left_out = Gap(part="children", source=self.name, reason="left_out", message=message)
        return Reading(value=reading.value, gaps=(*reading.gaps, left_out))

    async def events(self, involved: Sequence[ResourceRef]) -> Reading[tuple[Manifest, ...]]:
        reading = await read_each(involved, self._events_of, part="events", source=self.name)
        return Reading(value=tuple(event for events in reading.value for event in events), gaps=reading.gaps)

    async def log(self, choice: LogChoice) -> Reading[ContainerLog]:
        scope = await self._scope()
        params = {
            "namespace": choice.namespace,
            "podName": choice.pod,
            "container": choice.container,
            "tailLines": str(choice.tail_lines),
            "previous": "true" if choice.previous else "false",
        }
        if choice.since_seconds is not None:
            params["sinceSeconds"] = str(choice.since_seconds)
        request = self._request(scope, "logs", params=params, what=str(choice), right="logs, get")
        return await self._reads.run(lambda: _log(self._api.read_lines(request), choice))

    async def _scope(self) -> ApplicationRef:
        """The Application with namespace and project."""
        if not (self._named.namespace and self._named.project):
            application = await self._known.application()
            if self._application_failure:
                raise again(self._application_failure)
            return self._named.model_copy(
                update={
                    "namespace": self._named.namespace or text_at(application, "metadata", "namespace"),
                    "project": self._named.project or text_at(application, "spec", "project"),
                }
            )
        return self._named

    @property
    def _resource(self) -> ResourceRef:
        resource = self._known.target.resource
        if resource is None:
            raise SourceError("The target names no resource", code="invalid")
        return resource

    async def _tree(self) -> Manifest:
        """The resource tree, read once in a turn by whoever needs it first."""
        if self._tree_read is None:
            self._tree_read = asyncio.create_task(self._read_tree())
        return await self._tree_read

    async def _read_tree(self) -> Manifest:
        scope = await self._scope()
        request = self._request(scope, "resource-tree", what=f"the resource tree of {scope}")
        return await self._read(request, lambda answer: object_at(answer))

    async def _live(self, scope: ApplicationRef, resource: ResourceRef) -> Manifest:
        params = {
            "namespace": resource.namespace,
            "resourceName": resource.name,
            "version": resource.version,
            "group": resource.group,
            "kind": resource.kind,
        }
        request = self._request(scope, "resource", params=params, what=f"the live manifest of {resource}")
        return await self._read(request, _live_manifest)

    async def _events_of(self, involved: ResourceRef) -> tuple[Manifest, ...]:
        scope = await self._scope()
        params: dict[str, str] = {}
        if self._known.target.resource is not None:
            uid = involved.uid or find_node(await self._tree(), involved).uid
            if not uid:
                raise SourceError(f"{involved} is not in the cluster, so it has no events", code="not_found")
            params = {
                "resourceNamespace": involved.namespace,
                "resourceName": involved.name,
                "resourceUID": uid,
            }
        request = self._request(scope, "events", params=params, what=f"the events of {involved}")
        return await self._read(request, lambda answer: tuple(objects_at(answer, "items")))

    def _request(
        self,
        scope: ApplicationRef,
        *path: str,
        what: str,
        params: dict[str, str] | None = None,
        right: str = "applications, get",
    ) -> ArgoCDRequest:
        params = (params or {}) | {"appNamespace": scope.namespace, "project": scope.project}
        return ArgoCDRequest(path=(scope.name, *path), params=params, what=what, right=right)

    async def _read[T](self, request: ArgoCDRequest, parse: Callable[[object], T]) -> T:
        return await self._reads.run(lambda: parse(self._api.read_json(request)))


def _manifest(answer: object) -> Manifest:
    manifest = object_at(answer)
    if not object_at(manifest, "metadata"):
        raise SourceError("Argo CD answered no manifest where one was expected", code="invalid")
    return manifest


def _live_manifest(answer: object) -> Manifest:
    """`{"manifest": "<JSON as a string>"}`; the string is `null` where the resource is gone."""
    text = text_at(answer, "manifest")
    if text in {"", "null"}:
        raise SourceError("Argo CD knows the resource, but the cluster does not hold it", code="not_found")
    try:
        return _manifest(json.loads(text))
    except (ValueError, RecursionError):
        raise SourceError("Argo CD answered a manifest that is no JSON", code="invalid") from None


def _log(lines: Generator[bytes], choice: LogChoice) -> Reading[ContainerLog]:
    """The log of a stream of `{"result": entry}` lines, closed by an entry with `last` or cut by `{"error": ...}`."""
    entries: list[LogEntry] = []
    closed = broken = False
    with closing(lines):
        try:
            for line in filter(None, lines):
                message = _message(line)
                if lookup(message, "result") is None:
                    broken = True
                    break
                entries.append(entry_of(lookup(message, "result")))
                closed = closed or entries[-1].last is True
        except SourceError:
            if not closed:  # otherwise all is read, only the stream's own end is missing
                raise
    if not entries and not broken:  # an empty body
        raise SourceError(f"Argo CD found no Pod for {choice}", code="not_found")
    return _reading(entries, choice, closed=closed)


def _message(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _reading(entries: Sequence[LogEntry], choice: LogChoice, *, closed: bool) -> Reading[ContainerLog]:
    parsed = parse_entries(
        entries,
        container=choice.container,
        pod=choice.pod,
        previous=choice.previous,
        tail_lines=choice.tail_lines,
    )
    gaps = tuple(gap("logs", "argocd", refusal) for refusal in parsed.refusals)
    if not parsed.logs:
        raise parsed.refusals[0]
    if not closed:
        message = f"Argo CD broke off {choice}: its newest lines are missing"
        if not entries:
            raise SourceError(message, code="unavailable")
        gaps += (Gap(part="logs", source="argocd", reason="left_out", message=message),)
    return Reading(value=parsed.logs[0], gaps=gaps)
