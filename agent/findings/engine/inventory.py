"""The objects of a context, looked up by kind and by name: their manifests, events, nodes of the tree, and owners.

Owns the index; families read what the objects mean.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from agent.context.context import Context
from agent.context.model import Event, TreeNode
from agent.findings.engine.health import workload_is_healthy
from agent.objects.manifest import Manifest, lookup, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

type GroupKind = tuple[str, str]
"""API group ("" for the core group) and kind."""

type Key = tuple[str, str, str]
"""Kind, namespace and name: how a reference in a spec or a message names an object."""


def key_of(resource: ResourceRef) -> Key:
    """The key of a reference."""
    return resource.kind, resource.namespace, resource.name


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
        identity = (kind, *_name(manifest), text_at(manifest, "metadata", "uid"))
        if identity not in seen:
            seen.add(identity)
            yield kind, manifest


def controller_of(manifest: Manifest) -> ResourceRef | None:
    """The controlling owner of an object; for a Pod of a Deployment's ReplicaSet the Deployment."""
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


# A context whose latest time is older was captured earlier than it is asked about.
_CAPTURED = timedelta(days=1)


def _times_in(context: Context, objects: list[tuple[GroupKind, Manifest]]) -> Iterator[str]:
    yield from (event.last_seen for event in context.events)
    for _, manifest in objects:
        yield text_at(manifest, "metadata", "creationTimestamp")
        yield from (text_at(each, "lastTransitionTime") for each in objects_at(manifest, "status", "conditions"))
        for field in ("initContainerStatuses", "containerStatuses"):
            for status in objects_at(manifest, "status", field):
                yield text_at(status, "state", "running", "startedAt")
                yield text_at(status, "lastState", "terminated", "finishedAt")
                yield text_at(status, "state", "terminated", "finishedAt")
    application = context.application
    if application:
        yield text_at(application, "status", "reconciledAt")
        yield text_at(application, "status", "operationState", "finishedAt")
        yield from (text_at(each, "lastTransitionTime") for each in objects_at(application, "status", "conditions"))


# Pod, ReplicaSet, Deployment and a custom resource or two above it.
_OWNERS_LIMIT = 8


class Inventory:
    """A context's objects. Built in one pass over its manifests; other indexes are built when first used.

    `objects` are all with their kinds, `being_deleted` those with a deletion timestamp; `kinds` are those that have a
    manifest, and Service where the tree has the labels that one selects.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.objects = list(objects_of(context))
        self.being_deleted = [
            pair for pair in self.objects if lookup(pair[1], "metadata", "deletionTimestamp") is not None
        ]
        self._owner_lists: dict[Key, list[ResourceRef]] = {}
        self._by_kind: dict[GroupKind, list[Manifest]] = {}
        for kind, manifest in self.objects:
            self._by_kind.setdefault(kind, []).append(manifest)
        self.kinds = frozenset(self._by_kind)
        if context.tree and any(node.target_labels for node in context.tree):
            self.kinds |= {("", "Service")}
        self._results: dict[Callable[[Inventory], Any], Any] = {}

    def once[Result](self, compute: Callable[["Inventory"], Result]) -> Result:
        """Return `compute(self)`, which several analyzers need, computed at most once."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return self._results[compute]

    def of(self, *kinds: GroupKind) -> Iterator[Manifest]:
        """The manifests of these kinds, each object once."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def is_asked_about(self, manifest: Manifest) -> bool:
        """Whether the object is the target of the question."""
        return manifest is self.context.manifest

    @cached_property
    def events(self) -> Events:
        return Events(self.context)

    @cached_property
    def now(self) -> datetime | None:
        """The time of the question: when the context was read, or its latest time if it is older than a day (a capture
        that was supplied later); None without any time."""
        latest = max((time for text in _times_in(self.context, self.objects) if (time := moment(text))), default=None)
        read = moment(self.context.read_at)
        return read if read and (latest is None or read - latest < _CAPTURED) else latest

    @cached_property
    def _objects(self) -> dict[Key, Manifest]:
        found: dict[Key, Manifest] = {}
        for manifests in self._by_kind.values():
            for manifest in manifests:
                if reference := ResourceRef.of(manifest):
                    found.setdefault(key_of(reference), manifest)
        return found

    @cached_property
    def _nodes(self) -> dict[Key, TreeNode]:
        return {key_of(node.resource): node for node in reversed(self.context.tree)}

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The manifest of an object, None where the context has none."""
        return self._objects.get((kind, namespace, name))

    def node(self, kind: str, namespace: str, name: str) -> TreeNode | None:
        """The object's node in the resource tree, None where there is none."""
        return self._nodes.get((kind, namespace, name))

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether the object exists, by a manifest or a node of the tree."""
        node = self.node(kind, namespace, name)
        return self.get(kind, namespace, name) is not None or (node is not None and node.health != "Missing")

    def names(self, kind: str, namespace: str) -> list[str]:
        """The names of the objects of a kind in a namespace that the context contains."""
        return sorted(self._names.get((kind, namespace), ()))

    @cached_property
    def _names(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for kind, namespace, name in (*self._objects, *self._nodes):
            found[kind, namespace].add(name)
        return found

    @cached_property
    def missing(self) -> frozenset[Key]:
        """The objects that are in Git and missing in the cluster."""
        managed = {key_of(m.resource) for m in self.context.managed if m.live is None and m.target is not None}
        return frozenset(managed | {key for key, node in self._nodes.items() if node.health == "Missing"})

    @cached_property
    def absent(self) -> frozenset[Key]:
        """The objects that are not in the cluster: those in Git (`missing`), and those that it was asked for."""
        return self.missing | {key_of(gap.absent) for gap in self.context.gaps if gap.absent}

    def owners(self, resource: ResourceRef) -> list[ResourceRef]:
        """The owners of an object, their owners and so on, the nearest first."""
        key = key_of(resource)
        if key not in self._owner_lists:
            self._owner_lists[key] = self._read_owners(resource)
        return self._owner_lists[key]

    def _read_owners(self, resource: ResourceRef) -> list[ResourceRef]:
        found: dict[Key, ResourceRef] = {}
        pending = [resource]
        while pending and len(found) < _OWNERS_LIMIT:
            for owner in self._owners_of(pending.pop(0)):
                if key_of(owner) not in found:
                    found[key_of(owner)] = owner
                    pending.append(owner)
        return list(found.values())

    def _owners_of(self, resource: ResourceRef) -> Iterator[ResourceRef]:
        manifest = self._objects.get(key_of(resource))
        if manifest is not None:
            if controller := controller_of(manifest):
                yield controller
            for owner in objects_at(manifest, "metadata", "ownerReferences"):
                group, _, version = text_at(owner, "apiVersion").rpartition("/")
                yield ResourceRef.unchecked(
                    group=group,
                    version=version,
                    kind=text_at(owner, "kind"),
                    namespace=resource.namespace,
                    name=text_at(owner, "name"),
                )
        node = self._nodes.get(key_of(resource))
        if node is not None:
            yield from node.parents

    def pods_of(self, workload: ResourceRef) -> list[Manifest]:
        """The manifests of the Pods that a workload owns, directly or through others."""
        return self._pods.get(key_of(workload), [])

    @cached_property
    def _pods(self) -> dict[Key, list[Manifest]]:
        found: dict[Key, list[Manifest]] = defaultdict(list)
        for pod in self.of(("", "Pod")):
            resource = ResourceRef.of(pod)
            for owner in self.owners(resource) if resource else ():
                found[key_of(owner)].append(pod)
        return found

    def is_outlived(self, pod: Manifest) -> bool:
        """Whether a failed Pod no longer matters: its Job completed, or its workload has all its pods."""
        if text_at(pod, "status", "phase") != "Failed":
            return False
        resource = ResourceRef.of(pod)
        owners = (self.get(*key_of(owner)) for owner in self.owners(resource)) if resource else ()
        return any(workload_is_healthy(owner) for owner in owners if owner is not None)

    def makers(self, namespace: str, secret: str) -> tuple[ResourceRef, ...]:
        """The custom resources that create a Secret: those that name it in their spec, or have its name."""
        return tuple(self._makers.get((namespace, secret), ()))

    @cached_property
    def _makers(self) -> dict[tuple[str, str], list[ResourceRef]]:
        found: dict[tuple[str, str], list[ResourceRef]] = defaultdict(list)
        for (group, kind), manifests in self._by_kind.items():
            for manifest in manifests if group and (kind.endswith("Secret") or kind == "Certificate") else ():
                resource = ResourceRef.of(manifest)
                names = (text_at(manifest, "spec", *path) for path in _MADE)
                made = next((name for name in names if name), "") or text_at(manifest, "metadata", "name")
                if resource and made:
                    found[resource.namespace, made].append(resource)
        for node in self.context.tree:
            kind = node.resource.kind
            if node.resource.group and (kind.endswith("Secret") or kind == "Certificate"):
                found[node.resource.namespace, node.resource.name].append(node.resource)
        return found

    def workload_of(self, pod: Manifest) -> ResourceRef | None:
        """The workload whose template creates this Pod: the topmost owner of a known workload kind, None for none."""
        reference = ResourceRef.of(pod)
        owners = self.owners(reference) if reference else []
        workloads = [owner for owner in owners if owner.kind in _WORKLOADS]
        return next(
            (owner for owner in workloads if owner.kind not in _INTERMEDIATE), workloads[0] if workloads else None
        )


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout")
_INTERMEDIATE = ("ReplicaSet", "Job")

# Where a custom resource names the Secret that it creates: cert-manager, External Secrets, Vault Secrets Operator.
_MADE = (("secretName",), ("target", "name"), ("destination", "name"), ("template", "metadata", "name"))
