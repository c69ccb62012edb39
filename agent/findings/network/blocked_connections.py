"""Failed connections that a NetworkPolicy certainly blocks: names that no DNS answers, calls that time out.

Owns the findings; whether the rules admit a connection is in `policy_rules`.
"""

from agent.findings.engine.build import name_of, namespace_of
from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line
from agent.findings.engine.remedies import change
from agent.findings.model import Evidence, Finding
from agent.findings.network.backends import Backends, Service
from agent.findings.network.endpoints import FailedConnection
from agent.findings.network.network_policies import policies_on, quote_policies
from agent.findings.network.policy_rules import DNS, Peer, admitted_labels, are_blocking
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, text_at
from agent.objects.selectors import Labels, differences, labels_at, spelled

_DNS_PORT = 53


def blocked_connection(
    container: Container, line: Evidence, connection: FailedConnection, service: Service | None, backends: Backends
) -> Finding | None:
    """The finding that policies block the connection, None where they may admit it."""
    if connection.is_itself or connection.failure == "refused":
        return None
    labels = labels_at(container.pod, "metadata", "labels")
    egress = policies_on(container.inventory, namespace_of(container.pod), labels, "Egress")
    if connection.failure == "dns":
        # Queries are sent by UDP first: https://www.rfc-editor.org/rfc/rfc7766
        return _no_dns(container, line, connection, egress) if _blocks_dns(egress) else None
    target = _target(service, backends)
    port = _pod_port(connection, service)
    if are_blocking(egress, "Egress", target or Peer(), port):
        return _kept_in(container, line, connection, port, egress)
    if service is None or target is None or target.labels is None:
        return None
    ingress = policies_on(container.inventory, target.namespace, target.labels, "Ingress")
    caller = Peer(
        namespace=namespace_of(container.pod), labels=labels, address=text_at(container.pod, "status", "podIP")
    )
    if are_blocking(ingress, "Ingress", caller, port):
        return _kept_out(container, line, service, ingress, labels)
    return None


def _blocks_dns(egress: list[Manifest]) -> bool:
    return are_blocking(egress, "Egress", DNS, _DNS_PORT, "UDP")


def _target(service: Service | None, backends: Backends) -> Peer | None:
    if service is None:
        return None
    pods = backends.pods(service) or backends.templates(service.namespace, service.selector)
    labels: Labels | None = pods[0].labels if pods else service.selector or None
    return Peer(namespace=service.namespace, labels=labels)


def _pod_port(connection: FailedConnection, service: Service | None) -> int | None:
    """The port of the Pod behind the connection: policies are about Pods, after the Service has been resolved."""
    if service is None or connection.port is None:
        return connection.port
    headless = text_at(service.manifest, "spec", "clusterIP") == "None"
    addresses = [text_at(service.manifest, "spec", "clusterIP"), *list_at(service.manifest, "spec", "clusterIPs")]
    if headless or (connection.is_address and connection.host not in addresses):
        return connection.port
    entry = next((each for each in service.ports() if integer_at(each, "port") == connection.port), None)
    if entry is None:
        return None
    return integer_at(entry, "targetPort") if lookup(entry, "targetPort") is not None else connection.port


def _named(policies: list[Manifest]) -> str:
    return ", ".join(f"NetworkPolicy {one_line(name_of(policy), 80)}" for policy in policies[:3])


def _no_dns(container: Container, line: Evidence, connection: FailedConnection, policies: list[Manifest]) -> Finding:
    named = _named(policies)
    return container.finding(
        f"{container.title} cannot resolve {one_line(connection.host, 120)}: {named} lets no DNS out",
        "The policy selects this pod and has no egress rule that admits port 53 of the cluster's DNS, so every name "
        "fails to resolve; nothing is known about the name itself.",
        (line, *quote_policies(policies)),
        change(container.inventory, f"allow egress to DNS (UDP and TCP port 53 in kube-system) in {named}"),
        cause=f"no dns {namespace_of(container.pod)} {named}",
    )


def _kept_in(
    container: Container, line: Evidence, connection: FailedConnection, port: int | None, policies: list[Manifest]
) -> Finding:
    named = _named(policies)
    where = one_line(connection.host, 120) + (f":{connection.port}" if connection.port is not None else "")
    to_port = f" to port {port} (TCP)" if port is not None else ""
    return container.finding(
        f"{container.title} gets no answer from {where}: {named} lets no traffic out to it",
        "The policy selects this pod, and none of its egress rules admits this connection; packets that no rule admits "
        "are dropped, so the call times out.",
        (line, *quote_policies(policies)),
        change(container.inventory, f"add an egress rule{to_port} for this peer to {named}"),
        cause=f"egress {namespace_of(container.pod)} {named} {where}",
    )


def _kept_out(
    container: Container, line: Evidence, service: Service, policies: list[Manifest], labels: Labels
) -> Finding:
    named = _named(policies)
    wanted = admitted_labels(policies, "Ingress")
    missing = differences(wanted[0], labels) if wanted else []
    have = ", ".join(f"{key}={value}" if value is not None else f"no label {key}" for key, _, value in missing[:3])
    only = f"it admits only pods with {one_line(spelled(wanted[0]), 120)}" if missing else "no rule admits its pod"
    title = f"Service {one_line(service.name, 80)} does not answer {container.title[:1].lower()}{container.title[1:]}"
    return container.finding(
        f"{title}: {named} keeps it out: {only}" + (f", the caller has {one_line(have, 120)}" if missing else ""),
        "The policy selects the pods of the Service, and none of its ingress rules admits the caller; packets that no "
        "rule admits are dropped, so the call times out.",
        (line, *quote_policies(policies), *service.quote_selector()),
        change(
            container.inventory,
            f"admit the caller ({one_line(spelled(labels), 120)}) in an ingress rule of {named}, or give its pod "
            "template the labels that the rule wants, if it may connect",
        ),
        cause=f"ingress {service.resource} {named}",
        blames=(service.resource,),
    )
