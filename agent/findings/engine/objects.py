"""The objects of a context and what belongs to them: their events, and who controls them.

Owns the matching only; reads no meaning.
"""

from collections import defaultdict
from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import Event
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.target import ResourceRef

type GroupKind = tuple[str, str]
"""API group ("" for the core group) and kind."""


def group_kind(manifest: Manifest) -> GroupKind:
    """API group and kind of a manifest."""
    return text_at(manifest, "apiVersion").rpartition("/")[0], text_at(manifest, "kind")


def objects_of(context: Context) -> Iterator[tuple[GroupKind, Manifest]]:
    """The manifests with their kinds; one that is there twice comes once."""
    manifests = context.manifests
    if len(manifests) == 1:
        yield group_kind(manifests[0]), manifests[0]
        return
    seen: set[object] = set()
    for manifest in manifests:
        kind = group_kind(manifest)
        identity = text_at(manifest, "metadata", "uid") or (kind, *_name(manifest))
        if identity not in seen:
            seen.add(identity)
            yield kind, manifest


def controller_of(manifest: Manifest) -> ResourceRef | None:
    """Who made this object: its controlling owner, for a Pod of a Deployment's ReplicaSet the Deployment."""
    owners = objects_at(manifest, "metadata", "ownerReferences")
    owner = next((o for o in owners if o.get("controller") is True), owners[0] if owners else None)
    if owner is None:
        return None
    group, _, version = text_at(owner, "apiVersion").rpartition("/")
    kind, name = text_at(owner, "kind"), text_at(owner, "name")
    template_hash = text_at(manifest, "metadata", "labels", "pod-template-hash")
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        kind, name = "Deployment", name.removesuffix(f"-{template_hash}")
    if not kind or not name:
        return None
    namespace = text_at(manifest, "metadata", "namespace")
    return ResourceRef.unchecked(group=group, version=version, kind=kind, namespace=namespace, name=name)


def is_controlled_by(manifest: Manifest, owner: Manifest) -> bool:
    """Whether `owner` made `manifest`, directly or through a ReplicaSet."""
    controller = controller_of(manifest)
    return controller is not None and (controller.kind, controller.namespace, controller.name) == (
        text_at(owner, "kind"),
        *_name(owner),
    )


class Events:
    """The events of a context, by the object they are about. Costs one pass over the events."""

    def __init__(self, context: Context) -> None:
        self._by_name: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
        target = context.target.resource
        for event in context.events:
            about = event.involved or target
            if about is not None:
                self._by_name[about.kind, about.namespace, about.name].append(event)

    def of(self, manifest: Manifest, *reasons: str) -> tuple[Event, ...]:
        """Events about this very object (not an earlier one of the same name), newest first."""
        uid = text_at(manifest, "metadata", "uid")
        return tuple(
            event
            for event in self._by_name.get((text_at(manifest, "kind"), *_name(manifest)), ())
            if (not reasons or event.reason in reasons)
            and (not uid or event.involved is None or event.involved.uid in ("", uid))
        )


def _name(manifest: Manifest) -> tuple[str, str]:
    return text_at(manifest, "metadata", "namespace"), text_at(manifest, "metadata", "name")
