"""The related objects of a target, found in Argo CD's resource tree and read through its API.

Owns the reading; `agent.context.selection` chooses the nodes for an Application, `neighbours` those for a resource.
"""

from agent.context.argocd.neighbours import concerns, labels_of, nodes_around
from agent.context.argocd.reads import ApplicationReads
from agent.context.model import Gap, Reading, TreeNode
from agent.context.selection import (
    MAX_CHILD_APPLICATIONS,
    MAX_UNHEALTHY,
    child_applications,
    failed_hooks,
    failed_in_sync,
    nodes_in,
    refusing_project,
    unhealthy_resources,
)
from agent.context.source import MAX_RELATED, read_each
from agent.context.tree import ResourceTree, identity, is_pod_node
from agent.errors import SourceError
from agent.objects.manifest import Manifest


async def related_to_application(reads: ApplicationReads, tree: ResourceTree) -> Reading[tuple[Manifest, ...]]:
    """Return the live manifests of the resources that failed in the last sync, then of the unhealthy ones, worst first.
    Raises SourceError if none can be read."""
    application = await reads.turn.application()
    failed, _ = nodes_in(tree, failed_in_sync(application))
    _, gone = nodes_in(tree, failed_hooks(application))
    nodes = [node for node in (*failed, *unhealthy_resources(tree)) if node.health != "Missing"]
    distinct = {identity(node.resource): node for node in nodes if not is_pod_node(node)}
    children = [node for node in child_applications(tree) if identity(node.resource) not in distinct]
    reading = await _read(reads, [*list(distinct.values())[:MAX_UNHEALTHY], *children[:MAX_CHILD_APPLICATIONS]])
    gaps = [
        Gap(
            part="related",
            source="argocd",
            reason="not_found",
            message=f"The hook {each} failed in the last sync and is gone since (its delete policy may remove it), "
            "so its Pods and logs cannot be read",
        )
        for each in gone[:MAX_UNHEALTHY]
    ]
    if len(distinct) > MAX_UNHEALTHY:
        message = f"{MAX_UNHEALTHY} of {len(distinct)} unhealthy resources were read, the worst first"
        gaps.append(Gap(part="related", source="argocd", reason="left_out", message=message))
    if len(children) > MAX_CHILD_APPLICATIONS:
        message = f"{MAX_CHILD_APPLICATIONS} of {len(children)} Applications among the resources were read"
        gaps.append(Gap(part="related", source="argocd", reason="left_out", message=message))
    value = reading.value
    if name := refusing_project(application):
        try:
            value += (await reads.project(name),)
        except SourceError as error:
            message = (
                f"The rules of project {name} were not read, so its deny rules are unknown: {error.public_message}"
            )
            gaps.append(Gap(part="related", source="argocd", reason="left_out", message=message))
    return Reading(value=value, gaps=(*reading.gaps, *gaps))


async def related_to_resource(reads: ApplicationReads, tree: ResourceTree) -> Reading[tuple[Manifest, ...]]:
    """Return the live manifests of the neighbours of the target's resource. Raises SourceError if none can be read."""
    turn = reads.turn
    if turn.target.resource is None:
        return Reading(value=())
    node = tree.find(turn.target.resource)
    manifest, children = await turn.manifest(), await turn.children()
    nodes = nodes_around(tree, node, manifest, children)
    reading = await _read(reads, nodes[:MAX_RELATED])
    itself = [node.resource, *(owner.resource for owner in tree.above(node))]
    kept = tuple(each for each in reading.value if concerns(each, itself, labels_of(node, manifest)))
    gaps = reading.gaps
    if len(nodes) > MAX_RELATED:
        message = f"{MAX_RELATED} of {len(nodes)} resources around {node.resource} were read, the nearest first"
        gaps += (Gap(part="related", source="argocd", reason="left_out", message=message),)
    return Reading(value=kept, gaps=gaps)


async def _read(reads: ApplicationReads, nodes: list[TreeNode]) -> Reading[tuple[Manifest, ...]]:
    return await read_each([node.resource for node in nodes], reads.live, part="related", source="argocd")
