"""Health messages of Argo CD's resource tree, where no finding has quoted them yet.

Owns nodes only; manifests are read by the families.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from agent.context.model import TreeNode
from agent.findings.argocd.held_back import held_back
from agent.findings.custom.words import reports_failure
from agent.findings.engine.applications import Application
from agent.findings.engine.commands import argocd, describe
from agent.findings.engine.evidence import cut, one_line, quote_node
from agent.findings.engine.inventory import Inventory, Key, key_of
from agent.findings.engine.ranking import grade
from agent.findings.model import Finding, Severity
from agent.objects.target import ResourceRef

_SEVERITIES: dict[str, Severity] = {
    "Degraded": "error",
    "Missing": "warning",
    "Unknown": "warning",
    # These are only faulty with a message that reports a failure.
    "Progressing": "warning",
    "Suspended": "warning",
}
_MEANINGS = {
    "Degraded": "Argo CD's health check of its status failed; a message of that check is quoted here.",
    "Missing": "It is in Git and not in the cluster.",
    "Unknown": "Argo CD could not assess its health.",
    "Progressing": "It is still in progress, but its message reports a failure.",
    "Suspended": "It is suspended, and its message reports a failure.",
}
# A shorter quotation may be part of another message by chance.
_SIGNIFICANT = 20


def with_health_messages(inventory: Inventory, found: list[Finding]) -> list[Finding]:
    """Return the findings, with a quotation of every health message of a faulty node of the tree.

    A message is added to the gravest finding about the same resource; without one it is a finding of its own. A
    Degraded node without a message is a finding only where none is about it or a resource that it owns.
    """
    faulty = [node for node in inventory.context.tree if _is_faulty(node)]
    if not faulty:
        return found
    result = list(found)
    about: dict[Key, list[int]] = defaultdict(list)
    for place, finding in enumerate(found):
        if finding.resource and finding.severity != "info":
            about[key_of(finding.resource)].append(place)
    explained = _owners_of(inventory, (*(node.resource for node in faulty), *(f.resource for f in found if f.resource)))
    for node in faulty:
        places = about.get(key_of(node.resource), [])
        if any(_quotes(result[place], node.message) for place in places):
            continue
        if places:
            place = min(places, key=lambda place: grade(result[place]))
            if node.message:
                result[place] = replace(result[place], evidence=result[place].evidence + quote_node(node))
        elif node.message or key_of(node.resource) not in explained:
            result.append(_finding(inventory, node, is_owner=key_of(node.resource) in explained))
    return result


def _is_faulty(node: TreeNode) -> bool:
    if node.health == "Degraded":
        return True
    if node.health in ("Progressing", "Suspended"):
        return reports_failure(node.message)
    return node.health in _SEVERITIES and bool(node.message.strip())


def _owners_of(inventory: Inventory, resources: Iterable[ResourceRef]) -> set[Key]:
    """Every owner of these resources in the tree. Each owner is visited once."""
    above: set[Key] = set()
    pending = [key_of(each) for each in resources]
    while pending:
        kind, namespace, name = pending.pop()
        node = inventory.node(kind, namespace, name)
        for parent in node.parents if node else ():
            if key_of(parent) not in above:
                above.add(key_of(parent))
                pending.append(key_of(parent))
    return above


def _quotes(finding: Finding, message: str) -> bool:
    """Whether the finding's evidence contains the message, or a significant part of it."""
    wanted = " ".join(cut(message).split())
    texts = [" ".join(evidence.text.split()) for evidence in finding.evidence]
    return any(wanted in text or (len(text) >= _SIGNIFICANT and text in wanted) for text in texts)


def _finding(inventory: Inventory, node: TreeNode, *, is_owner: bool) -> Finding:
    resource = node.resource
    message = f": {one_line(node.message, 120)}" if node.message.strip() else ""
    owners = ",".join(str(parent) for parent in node.parents)
    application = inventory.context.target.application
    steps = [f"{describe(resource)} shows it with its events."]
    manifest = inventory.context.application
    held = held_back(inventory.context, Application(manifest=manifest, source="application")) if manifest else None
    if node.health == "Missing" and held:
        steps.insert(0, f"{held.reason} {held.step}")
    elif node.health == "Missing" and application:
        name = f"{application.namespace}/{application.name}" if application.namespace else application.name
        path = f"{resource.group}:{resource.kind}:{resource.namespace}/{resource.name}"
        steps.insert(0, argocd("app", "sync", name, "--resource", path) + " creates it.")
    return Finding(
        title=f"{resource.kind} {one_line(resource.name, 80)} is {node.health}{message}",
        severity=_SEVERITIES[node.health],
        explanation=_MEANINGS[node.health],
        evidence=quote_node(node) + quote_node(node, "health.status"),
        resource=resource,
        next_steps=tuple(steps),
        level="symptom" if is_owner or not message else "effect",
        # The Pods of one workload often have the same message.
        cause=f"tree {resource.kind} {node.health} {owners} {node.message}" if owners else "",
    )
