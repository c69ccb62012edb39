"""The parts that only Argo CD has of an Application: resource tree, differences, revisions, sync windows.

Owns which requests they take; `answers` parses the answers.
"""

from contextlib import closing

from agent.context.argocd.answers import Differing, differing, revision_of, tree_nodes, windows_of
from agent.context.argocd.reads import ApplicationReads
from agent.context.cache import Sized
from agent.context.model import Gap, ManagedResource, Reading, Revision, SyncWindows, TreeNode
from agent.context.selection import (
    DeployedRevision,
    deployed_revisions,
    has_invalid_spec,
    is_synced,
    nodes_in,
    out_of_sync,
)
from agent.context.source import Reader, read_each
from agent.objects.target import ResourceRef

MAX_QUERIES = 3
"""Up to so many differing resources are requested one by one; the whole answer has every resource four times."""

MAX_MANAGED = 50
"""Differing resources that are kept."""

MAX_MANAGED_BYTES = 100_000_000
"""Most that is read of a `/managed-resources` answer, of which one resource is held at a time."""

_STATES = ("targetState", "liveState", "normalizedLiveState", "predictedLiveState")
_FIELDS = ",".join(f"items.{name}" for name in ("group", "kind", "namespace", "name", "hook", *_STATES))


class ArgoCDState:
    """Reads the state of the turn's Application. Every reader raises SourceError."""

    def __init__(self, reads: ApplicationReads) -> None:
        self._reads = reads
        self._turn = reads.turn

    def readers(self) -> dict[str, Reader]:
        """Return the readers by capability."""
        return {
            "tree": self.tree,
            "managed": self.managed,
            "revisions": self.revisions,
            "sync_windows": self.windows,
        }

    async def tree(self) -> Reading[tuple[TreeNode, ...]]:
        """The nodes of the resource tree."""
        request = await self._reads.request("resource-tree", what=f"the resource tree of {await self._reads.scope()}")
        return Reading(value=await self._reads.once(request, tree_nodes))

    async def managed(self) -> Reading[tuple[ManagedResource, ...]]:
        """The resources that differ from Git, MAX_MANAGED at most, with a gap for those left out."""
        if has_invalid_spec(await self._turn.application()):
            return Reading(value=())  # not compared: Argo CD answers 500
        wanted = await self._wanted()
        if wanted is not None and len(wanted) <= MAX_QUERIES:
            reading = await read_each(wanted, self._differing, part="managed", source="argocd")
            return Reading(value=tuple(each for found in reading.value for each in found.kept), gaps=reading.gaps)
        found = await self._differing(None)
        if found.total == len(found.kept):
            return Reading(value=found.kept)
        message = f"{len(found.kept)} of {found.total} resources that differ from Git were read"
        return Reading(
            value=found.kept, gaps=(Gap(part="managed", source="argocd", reason="left_out", message=message),)
        )

    async def revisions(self) -> Reading[tuple[Revision, ...]]:
        """The metadata of the deployed revisions, newest first. Of a branch that could not be resolved there is none:
        Argo CD has its name for the revision, and answers 500 for it."""
        wanted = [each for each in deployed_revisions(await self._turn.application()) if each.is_commit]
        return await read_each(wanted, self._revision, part="revisions", source="argocd")

    async def windows(self) -> Reading[SyncWindows]:
        """The sync windows of the Application."""
        request = await self._reads.request("syncwindows", what=f"the sync windows of {await self._reads.scope()}")
        return Reading(value=await self._reads.once(request, windows_of))

    async def _wanted(self) -> list[ResourceRef] | None:
        """The resources whose difference is requested; None for all of the Application."""
        application = await self._turn.application()
        differing = out_of_sync(application)
        if is_synced(application):
            return []
        resource = self._turn.target.resource
        if resource is None:
            return differing or None
        tree = await self._turn.tree()
        candidates = [resource]
        if tree is not None:
            found, _ = nodes_in(tree, candidates)
            candidates = [node.resource for each in found for node in (each, *tree.above(each))] or candidates
        places = {_place(each) for each in differing}
        # An Application that could not be read, or is not compared, lists nothing.
        found = [each for each in candidates if _place(each) in places] if places else candidates[:1]
        return found[:MAX_QUERIES]

    async def _differing(self, resource: ResourceRef | None) -> Differing:
        """The difference of one resource, or of all."""
        params = {"fields": _FIELDS}
        what = f"what differs from Git in {await self._reads.scope()}"
        if resource:
            names = {"namespace": resource.namespace, "name": resource.name}
            params |= names | {"group": resource.group, "kind": resource.kind}
            what = f"the difference of {resource} to Git"
        request = await self._reads.request("managed-resources", params=params, what=what)
        api = self._reads.api

        def read() -> Sized[Differing]:
            with closing(api.read_chunks(request, limit=MAX_MANAGED_BYTES)) as chunks:
                try:
                    found = differing(chunks, most=MAX_MANAGED)
                except ValueError:
                    raise api.no_json(request) from None
            return Sized(found, found.size)

        return await self._reads.once_sized(request, read, decisive=False)

    async def _revision(self, wanted: DeployedRevision) -> Revision:
        params: dict[str, str] = {}
        if wanted.source_index is not None:
            params["sourceIndex"] = str(wanted.source_index)
        if wanted.version_id is not None:
            params["versionId"] = str(wanted.version_id)
        path = ("revisions", wanted.revision, "metadata")
        what = f"the metadata of revision {wanted.revision[:12]}"
        request = await self._reads.request(*path, params=params, what=what)
        return await self._reads.once(
            request,
            lambda answer: revision_of(answer, wanted.revision),
            immutable=True,
            decisive=False,
        )


def _place(resource: ResourceRef) -> tuple[str, str, str, str]:
    return resource.group, resource.kind, resource.namespace, resource.name
