"""Applications that are resources of another Application, where the context only holds their health.

Those with a manifest are read in `application` and `operation`.
"""

from collections.abc import Iterator

from agent.context.model import TreeNode
from agent.findings.engine.applications import APPLICATION, applications_of
from agent.findings.engine.commands import argocd, qualified_name
from agent.findings.engine.evidence import one_line, quote_node
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Finding

_BAD = ("Degraded", "Missing")


def broken_children(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each child Application without a manifest whose node is Degraded or Missing."""
    references = [each.reference for each in applications_of(inventory)]
    with_manifest = {(reference.namespace, reference.name) for reference in references if reference}
    for node in inventory.context.tree:
        resource = node.resource
        if (resource.group, resource.kind) != APPLICATION or node.health not in _BAD or node.orphaned:
            continue
        if (resource.namespace, resource.name) not in with_manifest:
            yield _finding(node)


def _finding(node: TreeNode) -> Finding:
    name = one_line(str(node.resource))
    return Finding(
        title=f"{name} is {node.health}, and with it its parent Application",
        severity="error",
        level="effect",
        explanation="The fault is inside this Application; its own resources and its last sync were not read here.",
        evidence=quote_node(node) + quote_node(node, "health.status"),
        resource=node.resource,
        next_steps=(f"Look at it, or ask about it: {argocd('app', 'get', qualified_name(node.resource))}.",),
    )
