"""The related objects of a resource, found through the Kubernetes API by owner references, names and selectors.

Owns which reads that takes (few, and never a whole cluster); `agent.objects.references` knows where a kind keeps its
references.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.context.kubernetes.api import Listing
from agent.context.kubernetes.pods import between
from agent.context.kubernetes.reads import ClusterReads
from agent.context.model import Gap, Reading
from agent.context.source import MAX_CHILDREN, MAX_RELATED, TurnState, gap, read_some
from agent.errors import SourceError
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.pods import is_refused_pods, unhealthiest_first
from agent.objects.references import Reference, pod_labels, points_to, references, selects_pods
from agent.objects.selectors import labels_at, spelled
from agent.objects.target import ResourceRef

MAX_NAMED = 8
"""Objects named by a manifest that are read."""

_OWNERS, _SERVICES = 3, 2
# Kinds that may be read from another namespace: they are shared, and hold no secrets.
_ELSEWHERE = frozenset({"Gateway", "Service"})

type _Found = Reading[tuple[Manifest, ...]]


class KubernetesRelated:
    """The reads around the resource of one turn."""

    def __init__(self, reads: ClusterReads, turn: TurnState) -> None:
        self._reads = reads
        self._turn = turn

    async def around(self, resource: ResourceRef, manifests: Sequence[Manifest] | None) -> _Found:
        """Return the objects related to the target's resource. Besides those that Argo CD gave (`manifests`), these are
        only objects that it cannot give: nodes, volumes, quotas, and named objects outside the Application."""
        manifest, children = await self._turn.manifest(), await self._turn.children()
        if manifest is None:
            return Reading(value=())
        there = [manifest, *children, *(manifests or ())]
        found = await asyncio.gather(
            *(
                (self._owners(manifest), self._between(manifest), self._selecting(manifest))
                if manifests is None
                else ()
            ),
            self._named([manifest, *children[:1]], there),
        )
        first = [each for reading in found for each in reading.value]
        limits = await self._limits([*there, *first])
        first += limits.value
        claims = [each for each in (*there, *first) if text_at(each, "kind") == "PersistentVolumeClaim"]
        volumes = await self._named(claims, [*there, *first])
        value = tuple(each for each in (*first, *volumes.value) if _place(each) not in set(map(_place, there)))
        gaps = tuple(each for reading in (*found, limits, volumes) for each in reading.gaps)
        return Reading(value=value[: 2 * MAX_RELATED], gaps=gaps)

    async def _owners(self, manifest: Manifest) -> _Found:
        """The owners, the nearest first."""
        found: list[Manifest] = []
        current = manifest
        while len(found) < _OWNERS and (owner := _owner(current)):
            try:
                current = await self._reads.named(owner)
            except SourceError as error:
                return Reading(value=tuple(found), gaps=(gap("related", "kubernetes", error),))
            found.append(current)
        return Reading(value=tuple(found))

    async def _between(self, manifest: Manifest) -> _Found:
        """The newest ReplicaSet or Job of a workload, where it does not get its Pods."""
        namespace = text_at(manifest, "metadata", "namespace")
        try:
            newest = (await between(self._reads, manifest, namespace=namespace))[:1] if namespace else []
        except SourceError as error:
            return Reading(value=(), gaps=(gap("related", "kubernetes", error),))
        has_pods = bool(await self._turn.children())
        return Reading(value=tuple(each for each in newest if is_refused_pods(each) or not has_pods))

    async def _named(self, manifests: Iterable[Manifest], there: Iterable[Manifest]) -> _Found:
        """The objects that the manifests name and that were not read yet. An optional one that does not exist is no
        gap, nor is a Secret that may not be read, as many operators want it."""
        places = {_place(each) for each in there}
        distinct: dict[object, Reference] = {}
        for each in (each for manifest in manifests for each in references(manifest) if _is_within(manifest, each)):
            named = each.resource
            if (named.kind, named.namespace, named.name) not in places:
                distinct.setdefault((named.kind, named.namespace, named.name), each)
        wanted = sorted(distinct.values(), key=lambda each: each.optional)
        absent: dict[str, ResourceRef] = {}

        async def read(reference: Reference) -> Manifest | None:
            try:
                return await self._reads.named(reference.resource)
            except SourceError as error:
                is_secret = reference.resource.kind == "Secret"
                if (reference.optional and error.code == "not_found") or (is_secret and error.code == "forbidden"):
                    return None
                if error.code == "not_found":
                    absent[error.public_message] = reference.resource
                raise

        reading = await read_some(wanted[:MAX_NAMED], read, part="related", source="kubernetes")
        gaps = tuple(replace(each, absent=absent.get(each.message)) for each in reading.gaps)
        if len(wanted) > MAX_NAMED:
            message = f"{MAX_NAMED} of {len(wanted)} objects that it names were read"
            gaps += (Gap(part="related", source="kubernetes", reason="left_out", message=message),)
        return Reading(value=tuple(each for each in reading.value if each), gaps=gaps)

    async def _selecting(self, manifest: Manifest) -> _Found:
        """Services with their endpoints, Ingresses, autoscalers and disruption budgets of a resource with Pods; of a
        Service, the Pods that it selects."""
        itself, labels = ResourceRef.of(manifest), pod_labels(manifest)
        is_service = text_at(manifest, "kind") == "Service"
        if itself is None or not (labels or is_service):
            return Reading(value=())
        namespace = itself.namespace
        kinds = ["Ingress"] if is_service else ["Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget"]
        selector = spelled(labels_at(manifest, "spec", "selector")) if is_service else ""
        kinds += ["Pod"] if selector else []

        async def read(kind: str) -> Listing:
            return await self._reads.list(kind, namespace, labels=selector if kind == "Pod" else "")

        reading = await read_some(kinds, read, part="related", source="kubernetes")
        listed = [each for listing in reading.value for each in listing.items]
        found = [each for each in listed if text_at(each, "kind") == "Service" and selects_pods(each, labels)]
        services = [manifest] if is_service else found[:_SERVICES]
        aimed = [itself, *filter(None, map(ResourceRef.of, services))]
        pointing = [each for each in listed if text_at(each, "kind") not in {"Service", "Pod"}]
        pointing = [each for each in pointing if selects_pods(each, labels) or any(points_to(each, a) for a in aimed)]
        pods = unhealthiest_first(each for each in listed if text_at(each, "kind") == "Pod")[:MAX_CHILDREN]
        endpoints = await read_some(services, self._endpoints, part="related", source="kubernetes")
        slices = [each for listing in endpoints.value for each in listing.items[:_SERVICES]]
        others = [] if is_service else services
        return Reading(value=(*others, *slices, *pods, *pointing[:MAX_CHILDREN]), gaps=reading.gaps + endpoints.gaps)

    async def _endpoints(self, service: Manifest) -> Listing:
        name, namespace = text_at(service, "metadata", "name"), text_at(service, "metadata", "namespace")
        return await self._reads.list("EndpointSlice", namespace, labels=f"kubernetes.io/service-name={name}")

    async def _limits(self, manifests: Iterable[Manifest]) -> _Found:
        """The quotas and limits of the namespace, where the Pods of a workload are not created."""
        refused = next((each for each in manifests if is_refused_pods(each)), None)
        namespace = text_at(refused, "metadata", "namespace")
        if not namespace:
            return Reading(value=())

        async def read(kind: str) -> Listing:
            return await self._reads.list(kind, namespace)

        reading = await read_some(("ResourceQuota", "LimitRange"), read, part="related", source="kubernetes")
        items = tuple(each for listing in reading.value for each in listing.items[:MAX_CHILDREN])
        return Reading(value=items, gaps=reading.gaps)


def _is_within(manifest: Manifest, reference: Reference) -> bool:
    """Whether a reference stays in the manifest's namespace, or names a kind that may be in another one.

    Whoever may write an object in one namespace must not read objects of another by naming them in it.
    """
    named, namespace = reference.resource, text_at(manifest, "metadata", "namespace")
    return not namespace or named.namespace in {"", namespace} or named.kind in _ELSEWHERE


def _place(manifest: Manifest) -> tuple[str, str, str]:
    metadata = object_at(manifest, "metadata")
    return text_at(manifest, "kind"), text_at(metadata, "namespace"), text_at(metadata, "name")


def _owner(manifest: Manifest) -> ResourceRef | None:
    """The controller, else any owner."""
    owners = objects_at(manifest, "metadata", "ownerReferences")
    owner = next((each for each in owners if each.get("controller") is True), owners[0] if owners else None)
    if owner is None:
        return None
    namespace = text_at(manifest, "metadata", "namespace")
    named = {"apiVersion": owner.get("apiVersion"), "kind": owner.get("kind")}
    return ResourceRef.of(named | {"metadata": {"name": owner.get("name"), "namespace": namespace}})
