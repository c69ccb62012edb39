"""Steps that change a resource: in Git where an Application manages it, with kubectl where none does."""

import json
from collections.abc import Mapping

from agent.findings.engine.commands import argocd, kubectl
from agent.findings.engine.inventory import Inventory
from agent.objects.manifest import lookup, text_at
from agent.objects.target import ResourceRef


def change(inventory: Inventory, what: str, command: str = "") -> str:
    """The step of a change. `what` completes "In Git, ..." (`set x to y`); `command` makes the change live, in
    backticks, "" for none.

    Where an Application is known the change belongs in its Git source: a live change is drift, and self-heal undoes it.
    """
    application = _application(inventory)
    if application is None:
        step = what[:1].upper() + what[1:]
        return f"{step}: {command}." if command else f"{step}."
    step = f"In Git, {what}; then sync: {argocd('app', 'sync', application)}."
    if not command:
        return step
    heals = lookup(inventory.context.application, "spec", "syncPolicy", "automated", "selfHeal") is True
    fate = "Argo CD's self-heal undoes it" if heals else "it is drift until Git has the same value"
    return f"{step} For an immediate fix: {command}, but {fate}."


def syncing(inventory: Inventory) -> str:
    """The command that syncs the Application, in backticks, "" where none is known."""
    application = _application(inventory)
    return argocd("app", "sync", application) if application else ""


def _application(inventory: Inventory) -> str | None:
    """The name of the Application in argocd commands, None where none is known."""
    named = inventory.context.target.application
    if named is not None and named.name:
        return f"{named.namespace}/{named.name}" if named.namespace else named.name
    manifest = inventory.context.application
    name, namespace = (text_at(manifest, "metadata", key) for key in ("name", "namespace"))
    return (f"{namespace}/{name}" if namespace else name) or None if manifest else None


def merge_patch(resource: ResourceRef, patch: Mapping[str, object]) -> str:
    """The command that changes fields of a live object, in backticks."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    words = ("patch", kind.lower(), resource.name, "--type=merge", "-p", json.dumps(patch))
    return kubectl(*words, namespace=resource.namespace)
