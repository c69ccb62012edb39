"""The backends of a Service in a context: its endpoints, the Pods it selects, the Pods it was meant to select.

Owns the reading of Services, EndpointSlices and Endpoints.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from agent.context.model import TreeNode
from agent.findings.engine.evidence import quote, quote_node
from agent.findings.engine.health import has_condition, is_starting
from agent.findings.engine.inventory import GroupKind, Inventory, Key, key_of
from agent.findings.model import Evidence
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, objects_at, text_at
from agent.objects.selectors import Labels, differences, labels_at
from agent.objects.target import ResourceRef

SERVICE: GroupKind = ("", "Service")
ENDPOINTS: GroupKind = ("", "Endpoints")
ENDPOINT_SLICE: GroupKind = ("discovery.k8s.io", "EndpointSlice")
_TEMPLATED: tuple[GroupKind, ...] = (
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("argoproj.io", "Rollout"),
)
# https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ownership
_SERVICE_NAME = "kubernetes.io/service-name"

# At most so many candidates are compared with a selector that matches nothing.
_CANDIDATES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A Pod, or a workload with its pod template, by the labels. `ready` is None where it is unknown; `wanted` is the
    number of replicas."""

    resource: ResourceRef
    labels: Labels
    manifest: Manifest | None
    node: TreeNode | None = None
    ready: bool | None = None
    wanted: int = 1

    def quote_labels(self, *keys: str) -> tuple[Evidence, ...]:
        """The labels as evidence: all of them from a manifest, those of `keys` from the tree."""
        if self.manifest is None:
            return tuple(q for key in keys if self.node for q in quote_node(self.node, f"labels[{key}]"))
        if self.resource.kind == "Pod":
            return quote(self.manifest, "metadata", "labels")
        return quote(self.manifest, "spec", "template", "metadata", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of a Service: how many are ready and not ready, the Pods of the latter, and the EndpointSlices or
    Endpoints (`holders`) that list them."""

    ready: int
    not_ready: int
    pods: tuple[ResourceRef, ...]
    holders: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service by its manifest, its node in the tree, or both."""

    resource: ResourceRef
    manifest: Manifest | None
    node: TreeNode | None
    selector: Labels = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def namespace(self) -> str:
        return self.resource.namespace

    def quote_selector(self) -> tuple[Evidence, ...]:
        if self.manifest is not None:
            return quote(self.manifest, "spec", "selector")
        return tuple(q for key in self.selector if self.node for q in quote_node(self.node, f"target_labels[{key}]"))

    def ports(self) -> list[Manifest]:
        return objects_at(self.manifest, "spec", "ports")


class Backends:
    """The Services of an inventory and their backends."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._selected: dict[object, list[Backend]] = {}

    @cached_property
    def services(self) -> dict[Key, Service]:
        """Every Service of the context by its key, those with a manifest first."""
        found: dict[Key, Service] = {}
        for manifest in self._inventory.of(SERVICE):
            resource = ResourceRef.of(manifest)
            if resource:
                node = self._inventory.node(*key_of(resource))
                selector = labels_at(manifest, "spec", "selector")
                found[key_of(resource)] = Service(resource=resource, manifest=manifest, node=node, selector=selector)
        for node in self._inventory.context.tree:
            if (node.resource.group, node.resource.kind) == SERVICE and node.health != "Missing":
                service = Service(resource=node.resource, manifest=None, node=node, selector=node.target_labels)
                found.setdefault(key_of(node.resource), service)
        return found

    def service(self, namespace: str, name: str) -> Service | None:
        return self.services.get(("Service", namespace, name))

    def addresses(self, service: Service) -> Addresses | None:
        """The Service's addresses, None where the context has neither EndpointSlices nor Endpoints of it."""
        holders = self._holders.get((service.namespace, service.name), [])
        if not holders:
            return None
        ready, waiting = 0, list[ResourceRef | None]()
        for is_ready, pod in (address for holder in holders for address in _addresses(holder)):
            if is_ready:
                ready += 1
            else:
                waiting.append(pod)
        pods = tuple(dict.fromkeys(pod for pod in waiting if pod))
        return Addresses(ready=ready, not_ready=len(waiting), pods=pods, holders=tuple(holders))

    @cached_property
    def _holders(self) -> dict[tuple[str, str], list[Manifest]]:
        """EndpointSlices by their Service; Endpoints where a Service has no slice."""
        slices: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self._inventory.of(ENDPOINT_SLICE):
            owners = [o for o in objects_at(manifest, "metadata", "ownerReferences") if o.get("kind") == "Service"]
            name = text_at(manifest, "metadata", "labels", _SERVICE_NAME) or text_at(owners, 0, "name")
            slices[text_at(manifest, "metadata", "namespace"), name].append(manifest)
        for manifest in self._inventory.of(ENDPOINTS):
            key = text_at(manifest, "metadata", "namespace"), text_at(manifest, "metadata", "name")
            if key not in slices:
                slices[key].append(manifest)
        return slices

    def pods(self, service: Service) -> list[Backend]:
        """The Pods that the Service selects."""
        return self.selected(service.namespace, service.selector)

    def selected(self, namespace: str, selector: Labels) -> list[Backend]:
        """The Pods of the namespace with all these labels; none for an empty selector."""
        key = (namespace, *sorted(selector.items()))
        if key not in self._selected:
            buckets = [self._buckets[0].get((namespace, *pair), []) for pair in selector.items()]
            smallest = min(buckets, key=len) if buckets else []
            self._selected[key] = [backend for backend in smallest if not differences(selector, backend.labels)]
        return self._selected[key]

    def templates(self, namespace: str, selector: Labels) -> list[Backend]:
        """The workloads whose Pods would have all these labels."""
        pair = next(iter(selector.items()), None)
        return (
            [b for b in self._buckets[1].get((namespace, *pair), []) if not differences(selector, b.labels)]
            if pair
            else []
        )

    def likely(self, service: Service) -> Backend | None:
        """The Pod or template that a Service without Pods was most likely meant to select, None without a candidate.

        That of a workload with the Service's name, else one that differs in a single one of several labels.
        """
        by_name = self._by_workload.get((service.namespace, service.name), [])
        near = [
            backend
            for pair in service.selector.items()
            for buckets in self._buckets
            for backend in buckets.get((service.namespace, *pair), [])[:_CANDIDATES]
            if len(differences(service.selector, backend.labels)) == 1
        ]
        return next(iter(by_name or near), None)

    def is_named_alike(self, service: Service, backend: Backend) -> bool:
        """Whether the backend belongs to a workload with the Service's name."""
        return any(each is backend for each in self._by_workload.get((service.namespace, service.name), []))

    @cached_property
    def _all(self) -> tuple[list[Backend], list[Backend]]:
        """The Pods that have neither ended nor are being deleted, and the templates."""
        pods = [backend for pod in self._inventory.of(("", "Pod")) if (backend := _of_pod(pod))]
        read = {key_of(backend.resource) for backend in pods}
        read |= {key_of(ref) for pod in self._inventory.of(("", "Pod")) if (ref := ResourceRef.of(pod))}
        for node in self._inventory.context.tree:
            if (node.resource.group, node.resource.kind) == ("", "Pod") and key_of(node.resource) not in read:
                ready = {"Healthy": True, "Degraded": False}.get(node.health)
                pods.append(Backend(resource=node.resource, labels=node.labels, manifest=None, node=node, ready=ready))
        return pods, [backend for workload in self._inventory.of(*_TEMPLATED) if (backend := _of_template(workload))]

    @cached_property
    def _buckets(self) -> tuple[dict[tuple[str, str, str], list[Backend]], dict[tuple[str, str, str], list[Backend]]]:
        pods, templates = _by_label(self._all[0]), _by_label(self._all[1])
        return pods, templates

    @cached_property
    def _by_workload(self) -> dict[tuple[str, str], list[Backend]]:
        found: dict[tuple[str, str], list[Backend]] = defaultdict(list)
        for backend in self._all[1]:
            found[backend.resource.namespace, backend.resource.name].append(backend)
        for backend in self._all[0]:
            for owner in self._inventory.owners(backend.resource):
                if owner.kind != "ReplicaSet":
                    found[backend.resource.namespace, owner.name].append(backend)
        return found


def quote_addresses(addresses: Addresses) -> tuple[Evidence, ...]:
    """The evidence that a Service has no ready address: the first address that is not ready, else the holder's name."""
    for holder in addresses.holders:
        for path in (("endpoints", 0, "conditions", "ready"), ("subsets", 0, "notReadyAddresses")):
            if quoted := quote(holder, *path):
                return quoted
    return tuple(q for holder in addresses.holders[:1] for q in quote(holder, "metadata", "name"))


def quote_pod(backend: Backend) -> tuple[Evidence, ...]:
    """The evidence that a Pod is not ready."""
    if backend.node is not None:
        return quote_node(backend.node) or quote_node(backend.node, "health.status")
    for index, condition in enumerate(list_at(backend.manifest, "status", "conditions")):
        if text_at(condition, "type") == "Ready" and backend.manifest:
            path = ("status", "conditions", index)
            return quote(backend.manifest, *path, "message") or quote(backend.manifest, *path, "status")
    return ()


def _addresses(holder: Manifest) -> Iterator[tuple[bool, ResourceRef | None]]:
    for endpoint in objects_at(holder, "endpoints"):
        if lookup(endpoint, "conditions", "terminating") is True:
            continue
        # An endpoint without the condition counts as ready (EndpointConditions of discovery.k8s.io/v1).
        yield lookup(endpoint, "conditions", "ready") is not False, _pod(holder, endpoint)
    for subset in objects_at(holder, "subsets"):
        yield from ((True, _pod(holder, address)) for address in objects_at(subset, "addresses"))
        yield from ((False, _pod(holder, address)) for address in objects_at(subset, "notReadyAddresses"))


def _pod(holder: Manifest, address: Manifest) -> ResourceRef | None:
    kind, name = text_at(address, "targetRef", "kind"), text_at(address, "targetRef", "name")
    if kind != "Pod" or not name:
        return None
    namespace = text_at(address, "targetRef", "namespace") or text_at(holder, "metadata", "namespace")
    return ResourceRef.unchecked(version="v1", kind=kind, namespace=namespace, name=name)


def _of_pod(pod: Manifest) -> Backend | None:
    resource = ResourceRef.of(pod)
    ended = text_at(pod, "status", "phase") in ("Succeeded", "Failed")
    if resource is None or ended or lookup(pod, "metadata", "deletionTimestamp") is not None:
        return None
    ready = None if is_starting(pod) else has_condition(pod, "Ready")
    return Backend(resource=resource, labels=labels_at(pod, "metadata", "labels"), manifest=pod, ready=ready)


def _of_template(workload: Manifest) -> Backend | None:
    resource = ResourceRef.of(workload)
    if resource is None:
        return None
    labels = labels_at(workload, "spec", "template", "metadata", "labels")
    wanted = integer_at(workload, "spec", "replicas")
    return Backend(resource=resource, labels=labels, manifest=workload, wanted=1 if wanted is None else wanted)


def _by_label(backends: list[Backend]) -> dict[tuple[str, str, str], list[Backend]]:
    found: dict[tuple[str, str, str], list[Backend]] = defaultdict(list)
    for backend in backends:
        for key, value in backend.labels.items():
            found[backend.resource.namespace, key, value].append(backend)
    return found
