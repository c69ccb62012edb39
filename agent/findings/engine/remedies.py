"""What to change, told so that it lasts: in Git where Argo CD manages the resource, by kubectl where nobody does."""

import json
from collections.abc import Mapping

from agent.findings.engine.commands import argocd, kubectl
from agent.findings.engine.inventory import Inventory
from agent.objects.manifest import lookup, text_at
from agent.objects.target import ResourceRef


def change(inventory: Inventory, what: str, command: str = "") -> str:
    """A step that changes a resource. `what` completes "In Git, ..." (`set x to y`); `command` does it live, in
    backticks, "" where no command does.

    Where an Application is known the change belongs into its Git source: what is changed live is drift, and self-heal
    undoes it.
    """
    application = _application(inventory)
    if application is None:
        told = what[:1].upper() + what[1:]
        return f"{told}: {command}." if command else f"{told}."
    told = f"In Git, {what}; then sync: {argocd('app', 'sync', application)}."
    if not command:
        return told
    heals = lookup(inventory.context.application, "spec", "syncPolicy", "automated", "selfHeal") is True
    fate = "Argo CD's self-heal undoes it" if heals else "it is drift until Git says the same"
    return f"{told} At once, by {command}, but {fate}."


def _application(inventory: Inventory) -> str | None:
    """The Application as argocd commands name it, None where none is known."""
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
