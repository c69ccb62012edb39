"""The Argo CD API as a source: which requests a part of the context takes, and what is in their answers.

Owns manifests, events and logs; `application` has the state of the Application, `related` the related objects, `api`
HTTP and status codes.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import closing

from agent.context.argocd.api import ArgoCDAPI
from agent.context.argocd.application import ArgoCDState
from agent.context.argocd.fleet import read_fleet
from agent.context.argocd.reads import ApplicationReads
from agent.context.argocd.related import related_to_application, related_to_resource
from agent.context.cache import AnswerCache
from agent.context.log_choice import LogChoice
from agent.context.logs import entry_of, parse_entries
from agent.context.model import ContainerLog, Fleet, Gap, Reading, TreeNode
from agent.context.selection import failed_in_sync, nodes_in, pods_of_interest
from agent.context.source import (
    MAX_CHILDREN,
    Reader,
    ReadThreads,
    Source,
    TurnReads,
    TurnState,
    gap,
    read_each,
)
from agent.context.tree import ResourceTree, identity, is_pod_node
from agent.errors import SourceError
from agent.objects.manifest import Manifest, lookup, objects_at
from agent.objects.target import ResourceRef
from agent.request.question import LogEntry
from agent.settings import Settings

_THREADS = 16
_NAME = "argocd"


class ArgoCDConnection:
    """The Argo CD of `settings.argocd_server`. Raises SettingsError when that is no address."""

    def __init__(self, settings: Settings) -> None:
        self._api = ArgoCDAPI(settings, connections=_THREADS)
        seconds = settings.connect_timeout + settings.source_timeout
        self._threads = ReadThreads("Argo CD", threads=_THREADS, seconds=seconds)
        self._cache = AnswerCache(seconds=settings.cache_seconds)

    def open(self, turn: TurnState) -> Source | None:
        """Return the source for a turn, None if its target names no Application."""
        application = turn.target.application
        if application is None:
            return None
        question = turn.question
        cache = self._cache.view(reader=self._api.identity, caller=question.caller, refresh=question.refresh)
        reads = TurnReads(self._threads, turn, cache)
        return _ArgoCDReaders(ApplicationReads(self._api, reads, turn, application)).source()

    async def fleet(self, *, projects: Sequence[str] = (), selector: str = "") -> Fleet:
        """Return all Applications that may be read. Raises SourceError."""
        return await self._threads.run(lambda: read_fleet(self._api, projects=projects, selector=selector))

    @property
    def identity(self) -> str:
        """A hash of the server and the credentials."""
        return self._api.identity

    def close(self) -> None:
        """Close the connections; reads under way end on their own."""
        self._threads.close()
        self._api.close()


class _ArgoCDReaders:
    def __init__(self, reads: ApplicationReads) -> None:
        self._reads = reads
        self._turn = reads.turn
        self._state = ArgoCDState(reads)

    def source(self) -> Source:
        """The source of a turn about one Application."""
        readers: dict[str, Reader] = {
            "application": self.application,
            "manifest": self.manifest,
            "children": self.children,
            "related": self.related,
            "events": self.events,
            "log": self.log,
            **self._state.readers(),
        }
        return Source(name=_NAME, title="Argo CD", readers=readers)

    async def application(self) -> Reading[Manifest]:
        try:
            return Reading(value=await self._reads.application())
        except SourceError as error:
            # 400 for the Application itself: its project does not exist, or does not admit it.
            if error.code != "invalid" or not error.refused:
                raise
            return Reading(value=await self._reads.listed(error), gaps=(gap("application", _NAME, error),))

    async def manifest(self) -> Reading[Manifest]:
        resource = self._resource
        if resource.version:
            try:
                return Reading(value=await self._reads.live(resource))
            except SourceError as error:
                # 400: not in the tree under this name; perhaps its group or namespace was left out.
                if error.code != "invalid":
                    raise
                return Reading(value=await self._reads.live(await self._named_in_full(resource, error)))
        node = (await self._tree()).find(resource)
        return Reading(value=await self._reads.live(node.resource))

    async def children(self) -> Reading[tuple[Manifest, ...]]:
        tree = await self._tree()
        if self._turn.target.resource:
            pods, of = tree.pods_below(tree.find(self._resource).resource), str(self._resource)
        else:
            pods, of = await self._pods_of_application(tree), str(self._turn.target.application)
        taken = [pod.resource for pod in pods[:MAX_CHILDREN]]
        reading = await read_each(taken, self._reads.live, part="children", source=_NAME)
        if len(pods) == len(taken):
            return reading
        which = "Pods" if self._turn.target.resource else "unhealthy Pods"
        message = f"{len(taken)} of {len(pods)} {which} of {of} were read, the unhealthiest first"
        left_out = Gap(part="children", source=_NAME, reason="left_out", message=message)
        return Reading(value=reading.value, gaps=(*reading.gaps, left_out))

    async def related(self, _: Sequence[Manifest] | None) -> Reading[tuple[Manifest, ...]]:
        tree = await self._tree()
        if self._turn.target.resource is None:
            return await related_to_application(self._reads, tree)
        return await related_to_resource(self._reads, tree)

    async def events(self, involved: Sequence[ResourceRef]) -> Reading[tuple[Manifest, ...]]:
        reading = await read_each(involved, self._events_of, part="events", source=_NAME)
        return Reading(value=tuple(event for events in reading.value for event in events), gaps=reading.gaps)

    async def log(self, choice: LogChoice) -> Reading[ContainerLog]:
        params = {
            "namespace": choice.namespace,
            "podName": choice.pod,
            "container": choice.container,
            "tailLines": str(choice.tail_lines),
            "previous": "true" if choice.previous else "false",
        }
        if choice.since_seconds is not None:
            params["sinceSeconds"] = str(choice.since_seconds)
        request = await self._reads.request("logs", params=params, what=str(choice), right="logs, get")
        return await self._reads.run(lambda: _log(self._reads.api.read_lines(request), choice), decisive=False)

    @property
    def _resource(self) -> ResourceRef:
        resource = self._turn.target.resource
        if resource is None:
            raise SourceError("The target names no resource", code="invalid")
        return resource

    async def _tree(self) -> ResourceTree:
        """The resource tree of the turn. Raises SourceError if it could not be read."""
        tree = await self._turn.tree()
        if tree is None:
            # Raises the failure of the tree's own read again.
            tree = ResourceTree((await self._state.tree()).value)
        return tree

    async def _named_in_full(self, resource: ResourceRef, refusal: SourceError) -> ResourceRef:
        """The resource as the tree names it. Raises `refusal` if the tree cannot be read."""
        try:
            node = (await self._tree()).find(resource)
        except SourceError as error:
            raise error if error.refused or not refusal.refused else refusal from None
        if node.health == "Missing":
            raise SourceError(f"{node.resource} is in Git and not in the cluster", code="not_found", refused=True)
        return node.resource

    async def _pods_of_application(self, tree: ResourceTree) -> list[TreeNode]:
        failed, _ = nodes_in(tree, failed_in_sync(await self._turn.application()))
        hooks = [node for node in failed if is_pod_node(node)]
        others = pods_of_interest(tree, (node.resource for node in failed))
        return list({identity(node.resource): node for node in (*hooks, *others)}.values())

    async def _events_of(self, involved: ResourceRef) -> tuple[Manifest, ...]:
        params: dict[str, str] = {}
        if not _is_application(involved, self._turn):
            uid = involved.uid or (await self._tree()).find(involved).resource.uid
            if not uid:
                raise SourceError(f"{involved} is not in the cluster, so it has no events", code="not_found")
            params = {
                "resourceNamespace": involved.namespace,
                "resourceName": involved.name,
                "resourceUID": uid,
            }
        request = await self._reads.request("events", params=params, what=f"the events of {involved}")
        api = self._reads.api
        return await self._reads.run(lambda: tuple(objects_at(api.read_json(request).value, "items")))


def _is_application(involved: ResourceRef, turn: TurnState) -> bool:
    """Whether it is the turn's Application itself: the request for its events names no resource."""
    return (
        turn.target.resource is None
        and involved.kind == "Application"
        and involved.group == "argoproj.io"
        and (turn.target.application is not None and involved.name == turn.target.application.name)
    )


def _log(lines: Generator[bytes], choice: LogChoice) -> Reading[ContainerLog]:
    """The log of a stream of `{"result": entry}` lines, ended by an entry with `last` or broken by `{"error": ...}`."""
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
        raise SourceError(f"Argo CD found no Pod for {choice}", code="not_found", refused=True)
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
