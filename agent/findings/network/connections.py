"""Containers whose connections fail: the Service in the log line is missing, has no ready endpoints, or another port.

Owns the verdict on a failed connection; log lines are read in `endpoints`, Services in `backends`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from agent.context.model import LogLine
from agent.findings.engine.build import name_of, namespace_of
from agent.findings.engine.commands import kubectl
from agent.findings.engine.container import Container
from agent.findings.engine.evidence import one_line, quote, quote_log
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import reports_other_fault
from agent.findings.engine.references import alike
from agent.findings.model import Evidence, Finding
from agent.findings.network.backends import Backends, Service, quote_addresses, quote_pod
from agent.findings.network.blocked_connections import blocked_connection
from agent.findings.network.endpoints import FailedConnection, failed_connections, service_names
from agent.findings.network.network_policies import POLICY, policies_on, quote_policies
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, objects_at, text_at
from agent.objects.selectors import labels_at
from agent.objects.target import ResourceRef

_QUOTED = 2
# Last lines of a log in which blocked connections are looked for.
_READ_LINES = 500
# The beginning of the title of a container that exited by itself (see `crashes`).
_ENDED = re.compile(r".{1,400}? (?:keeps crashing|failed) \(exit code \d{1,10}\)")
_UNKNOWN = "The container needs this connection. The context does not show what has the address."


def with_failed_connections(found: list[Finding], failed: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings about a Pod, and those of its failed connections that are incidents of their own.

    A connection to an unknown peer only explains why its container exits, so it becomes part of that finding: the
    first one of its title, all of them of its evidence.
    """
    crashes = [(place, match[0]) for place, each in enumerate(found) if (match := _ENDED.match(each.title))]
    unknown = [each for each in failed if each.level == "effect" and each.explanation == _UNKNOWN]
    if len(crashes) != 1 or not unknown:
        return found, failed
    place, ended = crashes[0]
    crash, result = found[place], list(found)
    _, is_refused, address = unknown[0].title.partition(" is refused by ")
    result[place] = replace(
        crash,
        title=f"{ended}: it is refused by {address}" if is_refused else crash.title,
        explanation=f"{crash.explanation} {_UNKNOWN}",
        evidence=tuple(dict.fromkeys((*crash.evidence, *(e for each in unknown for e in each.evidence)))),
        next_steps=(*unknown[0].next_steps[:1], *crash.next_steps[1:]),
    )
    return result, [each for each in failed if each not in unknown]


class Connections:
    """The failed connections of an inventory's containers."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    @cached_property
    def _backends(self) -> Backends:
        return Backends(self._inventory)

    def of(self, container: Container) -> Iterator[Finding]:
        """The findings of failed connections in the last words of a container's log, one for each peer."""
        if blocked := list(self.blocked(container)):
            yield from blocked
            return
        seen: set[object] = set()
        lines = container.quote_log()
        for place, line in enumerate(lines):
            candidates = failed_connections(line.text)
            # A program that continued, and hit another fault later, did not exit because of this one.
            if not candidates or any(reports_other_fault(later.text) for later in lines[place + 1 :]):
                continue
            connection, service = self._peer(candidates, namespace_of(container.pod))
            key = service.resource if service else connection.host
            if key not in seen:
                seen.add(key)
                yield from self._verdict(container, line, connection, service)

    def blocked(self, container: Container) -> Iterator[Finding]:
        """The findings of failed connections in a container's log that NetworkPolicies certainly block, one for each
        policy and peer; whether or not the container is ready."""
        if next(self._inventory.of(POLICY), None) is None:
            return
        seen: set[str] = set()
        for log in self._inventory.context.logs:
            if log.container != text_at(container.status, "name") or log.pod not in ("", name_of(container.pod)):
                continue
            for line, candidates in _failures(log.lines[-_READ_LINES:]):
                connection, service = self._peer(candidates, namespace_of(container.pod))
                key = f"{connection.failure} {service.resource if service else connection.host}"
                if key in seen:
                    continue
                seen.add(key)
                for quoted in quote_log(self._inventory.context, log, line):
                    found = blocked_connection(container, quoted, connection, service, self._backends)
                    if found and found.cause not in seen:
                        seen.add(found.cause)
                        yield found

    def _peer(self, candidates: list[FailedConnection], namespace: str) -> tuple[FailedConnection, Service | None]:
        """The candidate that is a Service of the context, else the first name, else the first."""
        for connection in candidates:
            if service := self._service(connection, namespace):
                return connection, service
        return next((each for each in candidates if not each.is_address), candidates[0]), None

    def _service(self, connection: FailedConnection, namespace: str) -> Service | None:
        if connection.is_address:
            return self._by_address.get(connection.host)
        names = service_names(connection.host, namespace)
        return next((service for name in names if (service := self._backends.service(*name))), None)

    @cached_property
    def _by_address(self) -> dict[str, Service]:
        """Services by their cluster IPs and by the IPs of their Pods."""
        found: dict[str, Service] = {}
        for service in self._backends.services.values():
            spec = lookup(service.manifest, "spec")
            for address in (text_at(spec, "clusterIP"), *list_at(spec, "clusterIPs")):
                if isinstance(address, str) and address not in ("", "None"):
                    found.setdefault(address, service)
            for backend in self._backends.pods(service):
                if address := text_at(backend.manifest, "status", "podIP"):
                    found.setdefault(address, service)
        return found

    def _verdict(
        self, container: Container, line: Evidence, connection: FailedConnection, service: Service | None
    ) -> Iterator[Finding]:
        if connection.is_itself:
            yield _itself(container, line, connection)
        elif service is not None:
            yield self._broken_service(container, line, connection, service)
        else:
            # Of two labels the first reading alone is certain: `db.shop` is a Service and its namespace, `example.com`
            # is a name outside, and no Service `com` is missing.
            names = [] if connection.is_address else service_names(connection.host, namespace_of(container.pod))[:1]
            # A name that ends in `.svc` is the cluster's own, whatever is known of its namespace.
            is_ours = "svc" in connection.host.lower().split(".")[2:4]
            inside = next((name for name in names if is_ours or self._is_namespace(name[0], container)), None)
            if connection.failure == "dns" and _is_own_name(container, connection.host):
                yield _own_name(container, line, connection)
            elif connection.failure == "dns" and connection.temporary:
                yield self._without_dns(container, line, connection)
            elif inside and connection.failure == "dns":
                yield self._missing(container, line, connection, *inside)
            else:
                yield _unknown(container, line, connection, inside)

    def _is_namespace(self, namespace: str, container: Container) -> bool:
        return namespace == namespace_of(container.pod) or namespace in self._namespaces

    @cached_property
    def _namespaces(self) -> frozenset[str]:
        nodes = {node.resource.namespace for node in self._inventory.context.tree}
        return frozenset(nodes | {namespace_of(manifest) for manifest in self._inventory.context.manifests})

    def _missing(
        self, container: Container, line: Evidence, connection: FailedConnection, namespace: str, name: str
    ) -> Finding:
        services = self._backends.services.values()
        elsewhere = [service.namespace for service in services if service.name == name]
        here = [service.name for service in services if service.namespace == namespace]
        hint = (
            f" There is a Service {one_line(name, 80)} in namespace {one_line(elsewhere[0], 80)}: "
            f"its name from here is {one_line(name, 80)}.{one_line(elsewhere[0], 80)}.svc."
            if elsewhere
            else alike(name, here)
        )
        title = f"Service {one_line(name, 80)} that {_lower(container.title)} connects to does not exist"
        return container.finding(
            title,
            f"The host name {one_line(connection.host, 120)} does not resolve, and the cluster's DNS resolves every "
            f"Service: there is none of that name in namespace {one_line(namespace, 80)}.{hint}",
            (line, *_settings(container, connection.host)),
            f"In Git, correct the host {one_line(connection.host, 120)} in the container's configuration, or add the "
            "Service (renamed or pruned?).",
            f"List the Services: {kubectl('get', 'services', namespace=namespace)}.",
            "If the Service exists, DNS itself fails: `kubectl -n kube-system get pods -l k8s-app=kube-dns`.",
            cause=f"unresolved {namespace} {name}",
            blames=(ResourceRef.unchecked(version="v1", kind="Service", namespace=namespace, name=name),),
        )

    def _without_dns(self, container: Container, line: Evidence, connection: FailedConnection) -> Finding:
        """No name server answers: which policy may be in between."""
        labels = labels_at(container.pod, "metadata", "labels")
        policies = policies_on(self._inventory, namespace_of(container.pod), labels, "Egress")
        named = ", ".join(f"NetworkPolicy {one_line(name_of(policy), 80)}" for policy in policies[:3])
        return container.finding(
            f"{container.title} reaches no name server: {one_line(connection.host, 120)} does not resolve for now"
            + (f"; {named} restricts its egress" if named else ""),
            "The resolver got no answer, so nothing is known about the name itself: cluster DNS is down or overloaded, "
            "or the pod may not reach it.",
            (line, *quote_policies(policies)),
            f"Allow egress to DNS (UDP and TCP port 53 in kube-system) in {named}." if named else "",
            "Look at cluster DNS: `kubectl -n kube-system get pods -l k8s-app=kube-dns`, and its log.",
            cause=f"no dns {namespace_of(container.pod)} {named}",
        )

    def _broken_service(
        self, container: Container, line: Evidence, connection: FailedConnection, service: Service
    ) -> Finding:
        named = f"Service {one_line(service.name, 80)} that {_lower(container.title)} connects to"
        ports = [integer_at(port, "port") for port in service.ports()]
        evidence = (line, *_settings(container, connection.host))
        look = kubectl(
            "get", "endpointslices", "-l", f"kubernetes.io/service-name={service.name}", namespace=service.namespace
        )
        by_name = not connection.is_address or connection.host in _addresses(service)
        if connection.port is not None and any(ports) and connection.port not in ports and by_name:
            offers = ", ".join(str(port) for port in ports if port is not None)[:80]
            return container.finding(
                f"{named} has no port {connection.port} (it has {offers})",
                "A Service only forwards its own ports, so nothing answers on another one.",
                evidence + (quote(service.manifest, "spec", "ports") if service.manifest else ()),
                f"In Git, set the port in the container's configuration to {offers}, or add it to the Service's ports.",
                cause=f"port {service.resource} {connection.port}",
                blames=(service.resource,),
            )
        if unserved := self._without_ready_pods(service):
            why, unready, blames = unserved
            return container.finding(
                f"{named} has no ready endpoints{why}",
                "The connection fails because the Service has no ready pods; repair that first, the container then "
                "starts by itself.",
                evidence + unready,
                f"List its endpoints: {look}.",
                cause=f"unserved {service.resource}",
                blames=(service.resource, *blames),
            )
        return self._unanswered(container, (*evidence, *service.quote_selector()), connection, service, look)

    def _unanswered(
        self,
        container: Container,
        evidence: tuple[Evidence, ...],
        connection: FailedConnection,
        service: Service,
        look: str,
    ) -> Finding:
        """A Service that exists and does not answer, because of a NetworkPolicy or for no known reason."""
        failed = {"dns": "does not resolve for", "refused": "refuses", "timeout": "does not answer"}[connection.failure]
        policies = self._policies(container, service) if connection.failure == "timeout" else []
        named = ", ".join(f"NetworkPolicy {one_line(name_of(policy), 80)}" for policy in policies[:3])
        if policies:
            meaning = (
                f"{named} restricts the traffic between the two; packets that a policy does not allow are dropped."
            )
        elif connection.failure == "dns":
            meaning = "Cluster DNS failed, or a Service without a cluster IP has no ready pods."
        else:
            meaning = "The Service exists. Its pods do not listen on its targetPort or were not ready at that time, "
            meaning += "or a NetworkPolicy blocks the connection."
        title = f"Service {one_line(service.name, 80)} {failed} {_lower(container.title)}"
        return container.finding(
            f"{title}; {named} applies" if policies else title,
            meaning,
            evidence
            + (quote(service.manifest, "spec", "ports") if service.manifest else ())
            + quote_policies(policies),
            "Check that the policies allow this pod, that Service and its port (and DNS, port 53)." if policies else "",
            f"List its endpoints: {look}.",
            level="effect",
            blames=(service.resource,),
        )

    def _policies(self, container: Container, service: Service) -> list[Manifest]:
        """The NetworkPolicies on the Pod's egress and on the ingress of the Service's Pods."""
        labels = labels_at(container.pod, "metadata", "labels")
        out = policies_on(self._inventory, namespace_of(container.pod), labels, "Egress")
        pods = self._backends.pods(service)
        into = policies_on(self._inventory, service.namespace, pods[0].labels if pods else service.selector, "Ingress")
        return [*out, *(policy for policy in into if all(policy is not each for each in out))]

    def _without_ready_pods(self, service: Service) -> tuple[str, tuple[Evidence, ...], tuple[ResourceRef, ...]] | None:
        """Why a Service has no ready Pods (end of the title, evidence, blamed Pods); None where it has some, or may."""
        addresses, pods = self._backends.addresses(service), self._backends.pods(service)
        if addresses and addresses.ready:
            return None
        if pods and all(pod.ready is False for pod in pods):
            unready = tuple(quoted for pod in pods[:_QUOTED] for quoted in quote_pod(pod))
            count = "its pod is" if len(pods) == 1 else f"its {len(pods)} pods are"
            return f": {count} not ready", unready, tuple(pod.resource for pod in pods)
        templates = [] if pods else self._backends.templates(service.namespace, service.selector)
        if templates and templates[0].wanted == 0 and templates[0].manifest:
            workload = f"{templates[0].resource.kind} {one_line(templates[0].resource.name, 80)}"
            return f": {workload} is scaled to zero", quote(templates[0].manifest, "spec", "replicas"), ()
        if addresses:
            return "", quote_addresses(addresses), addresses.pods
        return None


def _failures(lines: Sequence[LogLine]) -> Iterator[tuple[LogLine, list[FailedConnection]]]:
    """The lines that report a failed connection; where one does not name its peer, that of the line before."""
    before = ""
    for line in lines:
        found = failed_connections(line.text) or failed_connections(f"{before} {line.text}" if before else "")
        if found:
            yield line, found
        before = line.text[:_LINE_LIMIT]


_LINE_LIMIT = 800


def _addresses(service: Service) -> list[object]:
    return [text_at(service.manifest, "spec", "clusterIP"), *list_at(service.manifest, "spec", "clusterIPs")]


def _itself(container: Container, line: Evidence, connection: FailedConnection) -> Finding:
    port = f":{connection.port}" if connection.port is not None else ""
    return container.finding(
        f"{container.title} connects to itself ({connection.host}{port}), where nothing listens",
        "localhost is the Pod itself. Unless a sidecar has to listen there, the address is an unchanged default.",
        (line, *_settings(container, connection.host)),
        "In Git, set the address of the intended Service in the container's configuration; if a sidecar is intended, "
        "look at its status and log.",
    )


def _is_own_name(container: Container, host: str) -> bool:
    """Whether the host is the name of the container's own Pod."""
    own = (name_of(container.pod), text_at(container.pod, "spec", "hostname"))
    return host.lower().partition(".")[0] in [name.lower() for name in own if name]


def _own_name(container: Container, line: Evidence, connection: FailedConnection) -> Finding:
    return container.finding(
        f"{container.title} cannot resolve the host name of its own Pod, {one_line(connection.host, 120)}",
        "The kubelet writes a Pod's own name into its /etc/hosts, except for a Pod on the host's network "
        "(https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/); no Service is missing.",
        (line, *quote(container.pod, "spec", "hostNetwork"), *quote(container.pod, "spec", "dnsPolicy")),
        "Compare /etc/hosts of the container with the Pod's name; with hostNetwork look at the node's own DNS, and set "
        "dnsPolicy: ClusterFirstWithHostNet.",
        cause=f"own name {namespace_of(container.pod)} {connection.host}",
    )


def _unknown(
    container: Container, line: Evidence, connection: FailedConnection, inside: tuple[str, str] | None
) -> Finding:
    where = one_line(connection.host, 120) + (f":{connection.port}" if connection.port is not None else "")
    verb = {"dns": "cannot resolve", "refused": "is refused by", "timeout": "gets no answer from"}[connection.failure]
    if inside:
        namespace, name = inside
        slices = kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}", namespace=namespace)
        step = f"See whether the Service has ready endpoints, and the port: {slices}."
    elif connection.failure == "dns":
        host = one_line(connection.host, 120)
        step = (
            f"Check the spelling of {host}, whether it exists, and whether the cluster's DNS answers (CoreDNS, egress)."
        )
    else:
        step = (
            "Find out what has this address (`kubectl get services,pods --all-namespaces -o wide`), whether it listens "
            "on that port, and whether a NetworkPolicy or firewall blocks it."
        )
    return container.finding(
        f"{container.title} {verb} {where}",
        _UNKNOWN,
        (line, *_settings(container, connection.host)),
        step,
        level="effect",
    )


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _settings(container: Container, host: str) -> tuple[Evidence, ...]:
    """The first setting of the container (env, args, command) with the host in it, directly or from a ConfigMap."""
    spec_path = container.spec_path
    if spec_path is None:
        return ()
    for index, entry in enumerate(objects_at(container.spec, "env")):
        if host in text_at(entry, "value"):
            return container.quote_spec("env", index, "value")
        name, key = (text_at(entry, "valueFrom", "configMapKeyRef", part) for part in ("name", "key"))
        config = container.inventory.get("ConfigMap", namespace_of(container.pod), name) if name else None
        if config is not None and host in text_at(config, "data", key):
            return quote(config, "data", key)
    for field in ("args", "command"):
        for index, word in enumerate(list_at(container.spec, field)):
            if isinstance(word, str) and host in word:
                return container.quote_spec(field, index)
    return ()
