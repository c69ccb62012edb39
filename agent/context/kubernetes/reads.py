"""The reads of objects and lists from the cluster in one turn: each once, and cached.

Owns the keys by which two reads are the same; `api` has paths and selectors.
"""

from agent.context.cache import Sized
from agent.context.kubernetes.api import BUILT_IN, KubernetesAPI, Listing
from agent.context.source import TurnReads
from agent.errors import SourceError
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef


class ClusterReads:
    """The reads of one turn. Every method raises SourceError."""

    def __init__(self, api: KubernetesAPI, reads: TurnReads) -> None:
        self._api = api
        self._reads = reads

    async def named(self, resource: ResourceRef) -> Manifest:
        """Return one object by its name."""
        kind = BUILT_IN.get(resource.kind)
        if kind is None or resource.group not in {"", kind.group}:
            key = ("kind", resource.group, resource.kind)
            kind = await self._reads.once(key, lambda: Sized(self._api.kind(resource), 0))
        namespace = resource.namespace if kind.namespaced else ""
        key = ("object", kind.group, kind.version, kind.kind, namespace, resource.name)
        return await self._reads.once(key, lambda: self._api.read(kind, namespace=namespace, name=resource.name))

    async def list(self, kind: str, namespace: str, *, labels: str = "") -> Listing:
        """Return the objects of a built-in kind in one namespace, none if the cluster does not serve the kind."""
        what = f"the {BUILT_IN[kind].plural} of namespace {namespace}"

        def read() -> Sized[Listing]:
            try:
                listing = self._api.list(BUILT_IN[kind], namespace=namespace, what=what, labels=labels)
            except SourceError as error:
                if error.code != "not_found":
                    raise
                listing = Listing(items=(), complete=True, size=0)
            return Sized(listing, listing.size)

        return await self._reads.once(("list", kind, namespace, labels), read)
