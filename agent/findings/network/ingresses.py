"""Ingresses whose class, backend Service, its port, or TLS Secret does not exist.

An object counts as missing only where the context shows it: Argo CD calls it missing, an event of the ingress
controller reports it, or the Application's tree has others of its kind in the namespace but not this one.
"""

from collections.abc import Iterator

from agent.findings.engine.build import named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote, quote_event, walk
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.references import alike
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding
from agent.findings.network.backends import Backends, Service
from agent.objects.manifest import Manifest, integer_at, objects_at, text_at
from agent.objects.target import ResourceRef

INGRESS: GroupKind = ("networking.k8s.io", "Ingress")

type _Path = tuple[str | int, ...]

# At most so many values of an Ingress are read.
_VALUES = 20_000


def ingresses(inventory: Inventory) -> Iterator[Finding]:
    """The findings of each Ingress that refers to a missing object."""
    backends = Backends(inventory)
    for ingress in inventory.of(INGRESS):
        seen: set[str] = set()
        for path, name in _backends(ingress):
            finding = _backend(inventory, backends, ingress, path, name)
            if finding and finding.title not in seen:
                seen.add(finding.title)
                yield finding
        yield from _tls(inventory, ingress)
        yield from _class(inventory, ingress)


def _backends(ingress: Manifest) -> Iterator[tuple[_Path, str]]:
    """The path and the name of each backend Service."""
    for count, (path, value) in enumerate(walk(ingress.get("spec"), "spec")):
        if count > _VALUES:
            return
        if path[-2:] == ("service", "name") and isinstance(value, str):
            yield path, value


def _backend(inventory: Inventory, backends: Backends, ingress: Manifest, path: _Path, name: str) -> Finding | None:
    namespace = namespace_of(ingress)
    service = backends.service(namespace, name)
    title = f"{named(ingress)} sends to Service {one_line(name, 80)}"
    if service is None:
        evidence = _absence(inventory, ingress, "Service", name)
        if evidence is None:
            return None
        known_names = [service.name for service in backends.services.values() if service.namespace == namespace]
        return object_finding(
            ingress,
            f"{title}, which does not exist",
            f"Requests for this rule get an error (503) from the ingress controller.{alike(name, known_names)}",
            quote(ingress, *path) + evidence,
            change(inventory, f"correct `{name}` in the backend of {named(ingress)}, or add that Service"),
            f"List the Services: {kubectl('get', 'services', namespace=namespace)}.",
            blames=(_reference("Service", namespace, name),),
        )
    found = _port(inventory, ingress, path, service.ports(), title)
    return found or _scaled_to_zero(inventory, backends, ingress, path, service, title)


def _scaled_to_zero(
    inventory: Inventory, backends: Backends, ingress: Manifest, path: _Path, service: Service, title: str
) -> Finding | None:
    """The finding that the backend is scaled to zero, for the Ingress of the question; elsewhere that is intended."""
    addresses, templates = backends.addresses(service), backends.templates(service.namespace, service.selector)
    if not inventory.is_asked_about(ingress) or not addresses or addresses.ready or not templates:
        return None
    if any(template.wanted for template in templates):
        return None
    workload = templates[0]
    workload_name = f"{workload.resource.kind} {one_line(workload.resource.name, 80)}"
    return object_finding(
        ingress,
        f"{title}, which has no endpoints: {workload_name} is scaled to zero",
        "Requests for this rule get an error (503) from the ingress controller until pods are ready again.",
        quote(ingress, *path) + quote(workload.manifest or {}, "spec", "replicas"),
        change(
            inventory, f"set spec.replicas of {workload_name} to at least 1, or remove the rule from {named(ingress)}"
        ),
        severity="warning",
    )


def _port(inventory: Inventory, ingress: Manifest, path: _Path, ports: list[Manifest], title: str) -> Finding | None:
    """The finding that the backend names a port which the Service does not have."""
    port_path = (*path[:-1], "port")
    name, number = text_at(ingress, *port_path, "name"), integer_at(ingress, *port_path, "number")
    if not ports or (not name and number is None):
        return None
    if any(name == text_at(port, "name") if name else number == integer_at(port, "port") for port in ports):
        return None
    offers = one_line(", ".join(f"{text_at(port, 'port')} {text_at(port, 'name')}".strip() for port in ports), 120)
    return object_finding(
        ingress,
        f"{title} at port {one_line(name or str(number), 40)}, which it does not have (it has {offers})",
        "The ingress controller finds no endpoints for that port, so requests for this rule get an error (503).",
        quote(ingress, *port_path, "name") + quote(ingress, *port_path, "number") + quote(ingress, *path),
        change(inventory, f"set the port of this backend of {named(ingress)} to one of {offers}"),
    )


def _absence(inventory: Inventory, ingress: Manifest, kind: str, name: str) -> tuple[Evidence, ...] | None:
    """The evidence that an object is missing, None where nothing shows it; () where it is absent from the tree."""
    namespace = namespace_of(ingress)
    if (kind, namespace, name) in inventory.absent:
        return ()
    for event in inventory.events.of(ingress):
        text = event.message.lower()
        if name.lower() in text and kind.lower() in text and ("not found" in text or "does not exist" in text):
            return quote_event(event)
    has_others = any(
        node.resource.kind == kind and node.resource.namespace == namespace for node in inventory.context.tree
    )
    return () if has_others and kind == "Service" and not inventory.has(kind, namespace, name) else None


def _tls(inventory: Inventory, ingress: Manifest) -> Iterator[Finding]:
    namespace = namespace_of(ingress)
    for index, tls in enumerate(objects_at(ingress, "spec", "tls")):
        name = text_at(tls, "secretName")
        if not name or inventory.has("Secret", namespace, name):
            continue
        evidence = _absence(inventory, ingress, "Secret", name)
        if evidence is not None:
            yield object_finding(
                ingress,
                f"{named(ingress)}: TLS Secret {one_line(name, 80)} does not exist",
                "The ingress controller serves its default certificate instead, which clients do not trust.",
                quote(ingress, "spec", "tls", index, "secretName") + evidence,
                "If cert-manager creates it, look at the Certificate: "
                + kubectl("get", "certificates,certificaterequests", namespace=namespace) + ".",
                "Otherwise add a Secret of type kubernetes.io/tls with this name, or correct spec.tls[].secretName.",
                blames=(_reference("Secret", namespace, name), _reference("Certificate", namespace, name)),
            )  # fmt: skip


def _class(inventory: Inventory, ingress: Manifest) -> Iterator[Finding]:
    # The older form: https://kubernetes.io/docs/concepts/services-networking/ingress/#deprecated-annotation
    annotation = ("metadata", "annotations", "kubernetes.io/ingress.class")
    path = ("spec", "ingressClassName") if text_at(ingress, "spec", "ingressClassName") else annotation
    name = text_at(ingress, *path)
    if not name or inventory.has("IngressClass", "", name):
        return
    classes = inventory.names("IngressClass", "")
    evidence = _absence(inventory, ingress, "IngressClass", name)
    if evidence is None and not classes:
        return
    yield object_finding(
        ingress,
        f"{named(ingress)}: IngressClass {one_line(name, 80)} does not exist",
        f"No ingress controller serves it, so it has no address.{alike(name, classes)}",
        quote(ingress, *path) + (evidence or ()),
        change(inventory, f"set {path[-1]} of {named(ingress)} to a class that exists{_existing(classes)}")
        + _of_solver(ingress),
        f"List the classes: {kubectl('get', 'ingressclasses')}.",
    )


def _existing(classes: list[str]) -> str:
    return f" ({one_line(', '.join(classes[:3]), 120)})" if classes else ""


def _of_solver(ingress: Manifest) -> str:
    """Who sets the class of cert-manager's Ingress (https://cert-manager.io/docs/configuration/acme/http01/)."""
    owners = objects_at(ingress, "metadata", "ownerReferences")
    if not any(text_at(each, "kind") == "Challenge" for each in owners):
        return ""
    return " cert-manager makes this Ingress: its class is that of the solver in the Issuer or ClusterIssuer."


def _reference(kind: str, namespace: str, name: str) -> ResourceRef:
    return ResourceRef.unchecked(kind=kind, namespace=namespace, name=name)
