"""What a manifest names or selects: the objects it needs, and whether another object selects it or points to it.

Owns the fields in which each kind keeps its references, as the reference of the Kubernetes API lists them
(https://kubernetes.io/docs/reference/kubernetes-api/).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from agent.objects.manifest import Manifest, lookup, object_at, objects_at, text_at
from agent.objects.selectors import labels_at, selects, takes
from agent.objects.target import ResourceRef

MAX_REFERENCES = 50
"""References of one manifest that are looked at."""

_POD_SPECS = (("spec",), ("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
# How deep and how far a custom resource's spec is searched for references.
_DEPTH, _VALUES = 6, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An object that a manifest names. `optional`: it need not exist."""

    resource: ResourceRef
    optional: bool = False


def references(manifest: Manifest) -> list[Reference]:
    """The objects that the manifest names, each once: what the Pods of a workload use, an Ingress's Services, ..."""
    distinct: dict[tuple[str, str, str], Reference] = {}
    for each in islice(_named(manifest), MAX_REFERENCES):
        named = each.resource
        first = distinct.setdefault((named.kind, named.namespace, named.name), each)
        if first.optional and not each.optional:
            distinct[named.kind, named.namespace, named.name] = each
    return list(distinct.values())


def pod_labels(manifest: Manifest) -> Mapping[str, str]:
    """The labels of a Pod, or of the Pods that a workload creates; {} for any other manifest."""
    if text_at(manifest, "kind") == "Pod":
        return labels_at(manifest, "metadata", "labels")
    return labels_at(manifest, "spec", "template", "metadata", "labels") or labels_at(
        manifest, "spec", "jobTemplate", "spec", "template", "metadata", "labels"
    )


def selects_pods(manifest: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether the selector of a Service, PodDisruptionBudget or NetworkPolicy takes Pods with `labels`."""
    spec = object_at(manifest, "spec")
    if text_at(manifest, "kind") == "Service":
        return takes(labels_at(spec, "selector"), labels)
    name = "podSelector" if "podSelector" in spec else "selector"
    return name in spec and bool(labels) and selects(object_at(spec, name), labels)


def points_to(manifest: Manifest, resource: ResourceRef) -> bool:
    """Whether the manifest names the resource."""
    return any(
        (each.resource.kind, each.resource.name) == (resource.kind, resource.name)
        and each.resource.namespace in {"", resource.namespace}
        for each in references(manifest)
    )


def _named(manifest: Manifest) -> Iterator[Reference]:
    namespace = text_at(manifest, "metadata", "namespace")
    kind = text_at(manifest, "kind")
    for path in _POD_SPECS:
        if objects_at(manifest, *path, "containers"):
            yield from _of_pod(object_at(manifest, *path), namespace)
    spec = object_at(manifest, "spec")
    match kind:
        case "StatefulSet":
            yield from _one("Service", text_at(spec, "serviceName"), namespace)
            for template in objects_at(spec, "volumeClaimTemplates"):
                yield from _one("StorageClass", text_at(template, "spec", "storageClassName"), group="storage.k8s.io")
        case "Ingress":
            yield from _of_ingress(spec, namespace)
        case "PersistentVolumeClaim":
            yield from _one("PersistentVolume", text_at(spec, "volumeName"))
            yield from _one("StorageClass", text_at(spec, "storageClassName"), group="storage.k8s.io")
        case "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration":
            for webhook in objects_at(manifest, "webhooks"):
                service = object_at(webhook, "clientConfig", "service")
                yield from _one("Service", text_at(service, "name"), text_at(service, "namespace"))
        case "Pod":
            pass
        case _:
            yield from _of_spec(spec, namespace)


def _of_pod(spec: Manifest, namespace: str) -> Iterator[Reference]:
    yield from _one("Node", text_at(spec, "nodeName"))
    for volume in objects_at(spec, "volumes"):
        yield from _one("PersistentVolumeClaim", text_at(volume, "persistentVolumeClaim", "claimName"), namespace)
        for source in (volume, *objects_at(volume, "projected", "sources")):
            config_map, secret = object_at(source, "configMap"), object_at(source, "secret")
            name = text_at(secret, "secretName") or text_at(secret, "name")
            yield from _one("ConfigMap", text_at(config_map, "name"), namespace, config_map)
            yield from _one("Secret", name, namespace, secret)
    for container in (each for name in _CONTAINERS for each in objects_at(spec, name)):
        sources = [object_at(variable, "valueFrom") for variable in objects_at(container, "env")]
        for source in (*sources, *objects_at(container, "envFrom")):
            for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret")):
                named = object_at(source, f"{key}KeyRef") or object_at(source, f"{key}Ref")
                yield from _one(kind, text_at(named, "name"), namespace, named)
    for secret in objects_at(spec, "imagePullSecrets"):
        yield from _one("Secret", text_at(secret, "name"), namespace)
    if (account := text_at(spec, "serviceAccountName")) != "default":
        yield from _one("ServiceAccount", account, namespace)


def _of_ingress(spec: Manifest, namespace: str) -> Iterator[Reference]:
    backends = [object_at(spec, "defaultBackend")]
    for rule in objects_at(spec, "rules"):
        backends += [object_at(path, "backend") for path in objects_at(rule, "http", "paths")]
    for backend in backends:
        yield from _one("Service", text_at(backend, "service", "name"), namespace)
    for tls in objects_at(spec, "tls"):
        yield from _one("Secret", text_at(tls, "secretName"), namespace)
    yield from _one("IngressClass", text_at(spec, "ingressClassName"), group="networking.k8s.io")


def _of_spec(spec: Manifest, namespace: str) -> Iterator[Reference]:
    """Every `...Ref` and `...Refs` in the spec of any other kind: a name with a kind, or with a key that implies the
    kind (`secretRef`, `configMapRef`, `backendRefs`)."""
    waiting: list[tuple[int, str, Any]] = [(0, "spec", spec)]
    for _ in range(_VALUES):
        if not waiting:
            return
        depth, key, value = waiting.pop()
        if isinstance(value, dict) and key.endswith(("Ref", "Refs")):
            yield from _of_reference(key, cast("Manifest", value), namespace)
        if depth < _DEPTH and key not in {"template", "jobTemplate"}:
            if isinstance(value, dict):
                waiting += [(depth + 1, str(name), each) for name, each in cast("Manifest", value).items()]
            elif isinstance(value, list):
                waiting += [(depth + 1, key, each) for each in cast("list[Any]", value)]


# The kind that a key implies where the reference has none.
_KINDS = {
    "secretstore": "SecretStore",
    "secret": "Secret",
    "configmap": "ConfigMap",
    "serviceaccount": "ServiceAccount",
    "backend": "Service",
    "parent": "Gateway",
    "service": "Service",
}
_GROUPS = {"Gateway": "gateway.networking.k8s.io", "SecretStore": "external-secrets.io"}


def _of_reference(key: str, named: Manifest, namespace: str) -> Iterator[Reference]:
    named_kind = next((kind for word, kind in _KINDS.items() if word in key.casefold()), "")
    kind = text_at(named, "kind") or named_kind
    if kind:
        group = text_at(named, "group") or text_at(named, "apiVersion").rpartition("/")[0] or _GROUPS.get(kind, "")
        where = text_at(named, "namespace") or namespace
        yield from _one(kind, text_at(named, "name"), where, named, group=group)


def _one(
    kind: str, name: str, namespace: str = "", holder: Manifest | None = None, *, group: str = ""
) -> Iterator[Reference]:
    """The reference, where there is a name. `holder` may say that it is optional."""
    if name:
        # For naming and looking up; these values are not validated.
        resource = ResourceRef.model_construct(
            group=group, version="", kind=kind, namespace=namespace, name=name, uid=""
        )
        yield Reference(resource=resource, optional=lookup(holder, "optional") is True)
