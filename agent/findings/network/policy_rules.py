"""Whether NetworkPolicies let a connection through, as Kubernetes evaluates their rules.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/. Policies only add: traffic of an
isolated Pod passes if any rule of any policy admits it. What is unknown (labels, a named port, an address behind a
block) may be admitted, so that "blocked" is only returned where no rule can admit the connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from agent.findings.engine.build import namespace_of
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, object_at, objects_at, text_at
from agent.objects.selectors import Labels, selects

type Direction = Literal["Egress", "Ingress"]

_RULES: dict[str, tuple[str, str]] = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other side of a connection. `namespace`, `labels` and `address` are "" or None where unknown; `address` is
    that of a Pod, not of a Service."""

    namespace: str = ""
    labels: Labels | None = None
    address: str = ""


DNS = Peer(namespace="kube-system")
"""Cluster DNS, whose Pods are in kube-system (https://kubernetes.io/docs/tasks/administer-cluster/coredns/)."""


def are_blocking(
    policies: Iterable[Manifest], direction: Direction, peer: Peer, port: int | None, protocol: str = "TCP"
) -> bool:
    """Whether no rule of the policies, which isolate a Pod in this direction, can admit the connection; False without
    policies. `port` is that of the Pod, None where it is unknown."""
    found = list(policies)
    rules, peers = _RULES[direction]
    return bool(found) and not any(
        _admits_port(rule, port, protocol) and _admits_peer(policy, list_at(rule, peers), peer)
        for policy in found
        for rule in objects_at(policy, "spec", rules)
    )


def _admits_port(rule: Manifest, port: int | None, protocol: str) -> bool:
    ports = objects_at(rule, "ports")
    return not ports or any(_is_port(each, port, protocol) for each in ports)


def _is_port(entry: Manifest, port: int | None, protocol: str) -> bool:
    if (text_at(entry, "protocol") or "TCP") != protocol:
        return False
    first = integer_at(entry, "port")
    if first is None or port is None:
        return True  # every port, a named one, or an unknown one
    return first <= port <= (integer_at(entry, "endPort") or first)


def _admits_peer(policy: Manifest, entries: list[object], peer: Peer) -> bool:
    return not entries or any(_is_peer(policy, entry, peer) for entry in entries)


def _is_peer(policy: Manifest, entry: object, peer: Peer) -> bool:
    if lookup(entry, "ipBlock") is not None:
        return not peer.address or _is_in_block(object_at(entry, "ipBlock"), peer.address)
    if not _is_namespace(policy, entry, peer.namespace):
        return False
    return peer.labels is None or selects(object_at(entry, "podSelector"), peer.labels)


def _is_namespace(policy: Manifest, entry: object, namespace: str) -> bool:
    """Whether the entry may be about Pods of a namespace, of whose labels only the name is known."""
    if not namespace:
        return True
    if lookup(entry, "namespaceSelector") is None:
        return namespace == namespace_of(policy)
    selector = object_at(entry, "namespaceSelector")
    wanted = text_at(selector, "matchLabels", _NAMESPACE_NAME)
    if wanted and wanted != namespace:
        return False
    named = [each for each in objects_at(selector, "matchExpressions") if text_at(each, "key") == _NAMESPACE_NAME]
    return selects({"matchExpressions": named}, {_NAMESPACE_NAME: namespace})


def _is_in_block(block: Manifest, address: str) -> bool:
    try:
        inside = ip_address(address) in ip_network(text_at(block, "cidr"), strict=False)
        excepted = any(
            ip_address(address) in ip_network(each, strict=False)
            for each in list_at(block, "except")
            if isinstance(each, str)
        )
    except ValueError:
        return True
    return inside and not excepted


def admitted_labels(policies: Iterable[Manifest], direction: Direction) -> list[dict[str, str]]:
    """The labels that the rules' peers must have, by their podSelectors."""
    rules, peers = _RULES[direction]
    return [
        labels
        for policy in policies
        for rule in objects_at(policy, "spec", rules)
        for entry in objects_at(rule, peers)
        if (labels := {k: v for k, v in object_at(entry, "podSelector", "matchLabels").items() if isinstance(v, str)})
    ]
