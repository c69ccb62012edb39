"""The Kubernetes API as a source: which reads a part of the context takes.

Owns how the events of an object are found; `pods` finds the Pods of a workload, `related` the related objects, and
`api` has the reads themselves.
"""

from collections.abc import Sequence

from agent.context.cache import AnswerCache, Sized
from agent.context.kubernetes.api import BUILT_IN, PAGE, KubernetesAPI, Listing
from agent.context.kubernetes.client import KubernetesClient, configuration_kind
from agent.context.kubernetes.pods import pods_below, taken
from agent.context.kubernetes.reads import ClusterReads
from agent.context.kubernetes.related import KubernetesRelated
from agent.context.log_choice import LogChoice
from agent.context.logs import parse_text
from agent.context.model import ContainerLog, Gap, Reading
from agent.context.selection import listed_workloads
from agent.context.source import (
    MAX_LOG_BYTES,
    Reader,
    ReadThreads,
    Source,
    TurnReads,
    TurnState,
    gap,
    read_each,
    read_some,
)
from agent.errors import SourceError
from agent.objects.manifest import Manifest, object_at, text_at
from agent.objects.pods import is_short_of_pods, unhealthiest_first
from agent.objects.target import ResourceRef
from agent.settings import Settings

_THREADS = 16
_NAME = "kubernetes"

_THIS_CLUSTER = frozenset({"https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"})


class KubernetesConnection:
    """The cluster that `settings.kubernetes` leads to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = KubernetesClient(settings, connections=_THREADS)
        seconds = settings.connect_timeout + settings.source_timeout
        self._cache = AnswerCache(seconds=settings.cache_seconds)
        self._threads = ReadThreads("The Kubernetes API", threads=_THREADS, seconds=seconds)

    def open(self, turn: TurnState) -> Source | None:
        """Return the source for a turn, None without a target or without a configuration of a cluster."""
        configuration = configuration_kind(self._settings.kubernetes)
        if not turn.target or configuration is None:
            return None
        question = turn.question
        cache = self._cache.view(reader=self._client.identity, caller=question.caller, refresh=question.refresh)
        reads = TurnReads(self._threads, turn, cache)
        return _KubernetesReaders(self._client, reads, turn, in_cluster=configuration == "in-cluster").source()

    def close(self) -> None:
        """Close the connections; reads under way end on their own."""
        self._threads.close()
        self._client.close()


class _KubernetesReaders:
    def __init__(self, client: KubernetesClient, reads: TurnReads, turn: TurnState, *, in_cluster: bool) -> None:
        self._client = client
        self._api = KubernetesAPI(client)
        self._reads = reads
        self._turn = turn
        self._cluster = ClusterReads(self._api, reads)
        self._related = KubernetesRelated(self._cluster, turn)
        self._in_cluster = in_cluster

    def source(self) -> Source:
        """The source of a turn."""
        readers: dict[str, Reader] = {
            "application": self.application,
            "manifest": self.manifest,
            "children": self.children,
            "related": self.related,
            "events": self.events,
            "log": self.log,
        }
        return Source(name=_NAME, title="Kubernetes", readers=readers)

    async def application(self) -> Reading[Manifest]:
        named = self._turn.target.application
        if named is None:
            raise SourceError("The target names no Application", code="invalid")
        resource = ResourceRef.model_construct(
            group="argoproj.io", version="", kind="Application", namespace=named.namespace, name=named.name, uid=""
        )
        return Reading(value=await self._reads.run(lambda: self._application(resource)))

    async def manifest(self) -> Reading[Manifest]:
        await self._refuse_other_cluster()
        resource = self._resource
        key = ("object", resource.group, resource.version, resource.kind, resource.namespace, resource.name)
        return Reading(value=await self._reads.once(key, lambda: self._object(resource)))

    async def children(self) -> Reading[tuple[Manifest, ...]]:
        await self._refuse_other_cluster()
        if self._turn.target.resource is None:
            return await self._pods_of_application()
        owner = await self._turn.manifest()
        if owner is None:
            message = f"The Pods of {self._resource} are found by its manifest, which could not be read"
            raise SourceError(message, code="unavailable")
        return await self._pods_below(owner)

    async def related(self, manifests: Sequence[Manifest] | None) -> Reading[tuple[Manifest, ...]]:
        if self._turn.target.resource is None and manifests is not None:
            return Reading(value=())  # Argo CD gave all of them
        try:
            await self._refuse_other_cluster()
        except SourceError:
            if manifests is None:
                raise
            return Reading(value=())
        if self._turn.target.resource is None:
            return await self._unhealthy_workloads()
        return await self._related.around(self._resource, manifests)

    async def events(self, involved: Sequence[ResourceRef]) -> Reading[tuple[Manifest, ...]]:
        if self._turn.target.resource is not None:
            await self._refuse_other_cluster()

        async def read(about: ResourceRef) -> Listing:
            return await self._reads.run(lambda: self._events_of(about))

        reading = await read_each(involved, read, part="events", source=_NAME)
        gaps = reading.gaps
        if not all(listing.complete for listing in reading.value):
            message = f"Only {PAGE} events of an object were read"
            gaps += (Gap(part="events", source=_NAME, reason="left_out", message=message),)
        return Reading(value=tuple(event for listing in reading.value for event in listing.items), gaps=gaps)

    async def log(self, choice: LogChoice) -> Reading[ContainerLog]:
        await self._refuse_other_cluster()
        return await self._reads.run(lambda: _log(self._api.log(choice), choice))

    @property
    def _resource(self) -> ResourceRef:
        resource = self._turn.target.resource
        if resource is None:
            raise SourceError("The target names no resource", code="invalid")
        return resource

    async def _refuse_other_cluster(self) -> None:
        """Raise SourceError if the Application deploys to another cluster than the one that is read: a service account
        reads its own cluster only, and the resources of an Application are only looked for in its destination."""
        if not self._in_cluster and self._turn.target.resource is not None:
            return
        destination = object_at(await self._turn.application(), "spec", "destination")
        server, name = text_at(destination, "server"), text_at(destination, "name")
        if (server and server.rstrip("/") not in _THIS_CLUSTER) or (name and name != "in-cluster"):
            message = f"The Application deploys to another cluster ({name or server}) than the one that is read"
            raise SourceError(message, code="unavailable")

    def _application(self, resource: ResourceRef) -> Manifest:
        kind = self._api.kind(resource)
        if resource.namespace:
            return self._api.read(kind, namespace=resource.namespace, name=resource.name).value
        what = f"Application {resource.name} in any namespace"
        found = self._api.list(kind, namespace="", what=what, fields=f"metadata.name={resource.name}").items
        if len(found) == 1:
            return found[0]
        namespaces = ", ".join(text_at(each, "metadata", "namespace") for each in found)
        if found:
            raise SourceError(f"{resource} is in several namespaces ({namespaces}): name one", code="invalid")
        raise SourceError(f"The cluster has no {resource}", code="not_found")

    def _object(self, resource: ResourceRef) -> Sized[Manifest]:
        kind = self._api.kind(resource)
        namespace = self._namespace(resource.namespace) if kind.namespaced else ""
        return self._api.read(kind, namespace=namespace, name=resource.name)

    def _namespace(self, named: str) -> str:
        namespace = named or self._client.context_namespace()
        if not namespace:
            raise SourceError(f"{self._resource} is in a namespace: name it", code="invalid")
        return namespace

    async def _pods_below(self, owner: Manifest) -> Reading[tuple[Manifest, ...]]:
        resource = self._turn.target.resource
        named = text_at(owner, "metadata", "namespace") or (resource.namespace if resource else "")
        namespace = named or await self._reads.run(lambda: self._namespace(""))
        return await pods_below(self._cluster, owner, namespace=namespace)

    async def _unhealthy_workloads(self) -> Reading[tuple[Manifest, ...]]:
        """The workloads of an Application, read without Argo CD, that have fewer Pods than they want."""
        listed = listed_workloads(await self._turn.application())
        reading = await read_some(listed, self._cluster.named, part="related", source=_NAME)
        return Reading(value=tuple(each for each in reading.value if is_short_of_pods(each)), gaps=reading.gaps)

    async def _pods_of_application(self) -> Reading[tuple[Manifest, ...]]:
        workloads = (await self._unhealthy_workloads()).value
        reading = await read_some(workloads, self._pods_below, part="children", source=_NAME)
        pods = unhealthiest_first(pod for each in reading.value for pod in each.value)
        return taken(pods, self._turn.target.application, complete=True)

    def _events_of(self, about: ResourceRef) -> Listing:
        # Events of cluster-scoped objects are in `default`, and those of a Node have its name for a uid.
        by_uid = bool(about.uid and about.namespace)
        selector = f"involvedObject.kind={about.kind},involvedObject.name={about.name}"
        return self._api.list(
            BUILT_IN["Event"],
            namespace=about.namespace or "default",
            what=f"the events of {about}",
            fields=f"involvedObject.uid={about.uid}" if by_uid else selector,
        )


def _log(body: bytes, choice: LogChoice) -> Reading[ContainerLog]:
    parsed = parse_text(
        body.decode("utf-8", errors="replace"),
        container=choice.container,
        pod=choice.pod,
        previous=choice.previous,
        tail_lines=choice.tail_lines,
    )
    if not parsed.logs:
        raise parsed.refusals[0]
    gaps = tuple(gap("logs", "kubernetes", refusal) for refusal in parsed.refusals)
    if len(body) >= MAX_LOG_BYTES:
        message = f"{choice} was cut at {MAX_LOG_BYTES // 1_000_000} MB: its newest lines are missing"
        gaps += (Gap(part="logs", source="kubernetes", reason="left_out", message=message),)
    return Reading(value=parsed.logs[0], gaps=gaps)
