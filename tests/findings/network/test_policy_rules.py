"""Whether NetworkPolicies let a connection through."""

import pytest

from agent.findings.network.policy_rules import DNS, Peer, are_blocking
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import NAMESPACE, context, log, pod, resource, running


def policy(name: str = "wall", **spec: object) -> Manifest:
    return resource("networking.k8s.io/v1", "NetworkPolicy", name, spec={"podSelector": {}} | spec)


def egress(*rules: Manifest) -> Manifest:
    return policy(policyTypes=["Egress"], egress=[*rules])


WEB = Peer(namespace=NAMESPACE, labels={"layer": "web"}, address="10.1.2.3")


CASES: list[tuple[list[Manifest], Peer, int | None, bool]] = [
    ([], WEB, 80, True),
    ([{}], WEB, 80, False),
    ([{"ports": [{"port": 80}]}], WEB, 80, False),
    ([{"ports": [{"port": 81}]}], WEB, 80, True),
    ([{"ports": [{"port": 70, "endPort": 90}]}], WEB, 80, False),
    ([{"ports": [{"port": 80, "protocol": "UDP"}]}], WEB, 80, True),
    ([{"ports": [{"port": "http"}]}], WEB, 80, False),
    ([{"ports": [{"port": 81}]}], WEB, None, False),
    ([{"to": [{"podSelector": {"matchLabels": {"layer": "web"}}}]}], WEB, 80, False),
    ([{"to": [{"podSelector": {"matchLabels": {"layer": "data"}}}]}], WEB, 80, True),
    ([{"to": [{"podSelector": {"matchLabels": {"layer": "data"}}}]}], Peer(), 80, False),
    ([{"to": [{"podSelector": {}}]}], Peer(namespace="other", labels={}), 80, True),
    ([{"to": [{"namespaceSelector": {}}]}], Peer(namespace="other", labels={}), 80, False),
    (
        [{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "third"}}}]}],
        Peer(namespace="other", labels={}),
        80,
        True,
    ),
    ([{"to": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}], Peer(namespace="other"), 80, False),
    ([{"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}], WEB, 80, False),
    ([{"to": [{"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}}]}], WEB, 80, True),
    ([{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}], Peer(), 80, False),
]


@pytest.mark.parametrize(("rules", "peer", "port", "blocks"), CASES)
def test_only_what_no_rule_can_admit_is_blocked(
    rules: list[Manifest], peer: Peer, port: int | None, blocks: bool
) -> None:
    assert are_blocking([egress(*rules)], "Egress", peer, port) is blocks


def test_a_second_policy_only_adds_and_no_policy_blocks_nothing() -> None:
    assert not are_blocking([egress(), egress({"ports": [{"port": 80}]})], "Egress", WEB, 80)
    assert not are_blocking([], "Egress", WEB, 80)


def test_dns_needs_a_rule_for_its_port_and_its_namespace() -> None:
    assert are_blocking([egress({"ports": [{"port": 443}]})], "Egress", DNS, 53, "UDP")
    assert not are_blocking([egress({"ports": [{"port": 53, "protocol": "UDP"}]})], "Egress", DNS, 53, "UDP")


def test_a_ready_pod_whose_names_do_not_resolve_names_the_policy() -> None:
    lines = log("could not look it up", "curl: (6) Could not resolve host: ledger")

    (finding,) = findings_of(context(pod(running()), related=(egress(),), logs=(lines,)))

    assert finding.title == "Container api cannot resolve ledger: NetworkPolicy wall lets no DNS out"
    assert finding.severity == "warning"
    assert "UDP and TCP port 53" in finding.next_steps[0]


def test_a_call_that_times_out_names_the_labels_that_keep_it_out() -> None:
    service = resource(
        "v1",
        "Service",
        "ledger",
        spec={"selector": {"app": "ledger"}, "clusterIP": "10.96.0.9", "ports": [{"port": 80, "targetPort": 8080}]},
    )
    wall = policy(
        policyTypes=["Ingress"],
        podSelector={"matchLabels": {"app": "ledger"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"layer": "data"}}}]}],
    )
    lines = log("connecting to ledger (10.96.0.9:80)", "wget: download timed out")

    (finding,) = findings_of(context(pod(running()), related=(service, wall), logs=(lines,)))

    assert "NetworkPolicy wall keeps it out: it admits only pods with layer=data, the caller has no label layer" in (
        finding.title
    )


def test_a_policy_that_may_admit_the_call_is_not_blamed() -> None:
    lines = log("curl: (6) Could not resolve host: ledger")
    dns = egress({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]})

    assert not [f for f in findings_of(context(pod(running()), related=(dns,), logs=(lines,))) if "Policy" in f.title]
