"""Which deny rule of an AppProject refuses what was asked for."""

from typing import Any

import pytest

from agent.findings.argocd.project_rules import Wanted, denied
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context


def project(**spec: Any) -> Manifest:
    metadata = {"name": "team-a", "namespace": "argocd"}
    permitted = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": permitted | spec}


CLUSTER_ROLE = ("rbac.authorization.k8s.io", "ClusterRole")


@pytest.mark.parametrize(
    ("spec", "wanted", "step"),
    [
        (
            {"sourceRepos": ["*", "!https://git.example.com/secret/*"]},
            Wanted(repository="https://git.example.com/secret/a.git"),
            "`spec.sourceRepos[1]`",
        ),
        (
            {"sourceRepos": ["!https://git.example.com/a.git"]},
            Wanted(repository="https://git.example.com/A"),
            "`argocd proj remove-source team-a '!https://git.example.com/a.git'`",
        ),
        (
            {"destinations": [{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-*"}]},
            Wanted(server="https://x", namespace="kube-system"),
            "`argocd proj remove-destination team-a '*' '!kube-*'`",
        ),
        (
            {"destinations": [{"server": "!https://x", "namespace": "*"}]},
            Wanted(server="https://x", namespace="shop"),
            "`spec.destinations[0]`",
        ),
        (
            {"clusterResourceBlacklist": [{"group": CLUSTER_ROLE[0], "kind": CLUSTER_ROLE[1]}]},
            Wanted(kind=CLUSTER_ROLE),
            "`argocd proj allow-cluster-resource team-a rbac.authorization.k8s.io ClusterRole`",
        ),
        (
            {"clusterResourceBlacklist": [{"group": "*", "kind": "Cluster*"}]},
            Wanted(kind=CLUSTER_ROLE),
            "`argocd proj edit team-a`",
        ),
        (
            {"namespaceResourceBlacklist": [{"group": "", "kind": "ResourceQuota"}]},
            Wanted(kind=("", "ResourceQuota"), is_namespaced=True),
            "`spec.namespaceResourceBlacklist[0]` (`core/ResourceQuota`)",
        ),
        ({"sourceNamespaces": ["team-*", "!team-b"]}, Wanted(application_namespace="team-b"), "sourceNamespaces[1]"),
    ],
)
def test_the_rule_that_denies_is_named(spec: dict[str, Any], wanted: Wanted, step: str) -> None:
    denial = denied(project(**spec), wanted)

    assert denial is not None
    assert step in denial.step


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"sourceRepos": ["https://git.example.com/a.git"]}, Wanted(repository="https://git.example.com/b.git")),
        ({"sourceRepos": ["!https://git.example.com/*"]}, Wanted(repository="https://git.example.com/a/b.git")),
        ({"destinations": [{"server": "https://y", "namespace": "!a"}]}, Wanted(server="https://x", namespace="a")),
        ({"destinations": [{"server": "!https://y", "namespace": "a"}]}, Wanted(server="https://x", namespace="a")),
        ({"clusterResourceBlacklist": [{"group": "", "kind": "Node"}]}, Wanted(kind=CLUSTER_ROLE)),
        ({"namespaceResourceBlacklist": [{"group": "*", "kind": "*"}]}, Wanted(kind=CLUSTER_ROLE)),
        ({"sourceRepos": ["!" + "*a" * 20]}, Wanted(repository="a" * 200)),
    ],
)
def test_a_project_that_only_permits_too_little_denies_nothing(spec: dict[str, Any], wanted: Wanted) -> None:
    assert denied(project(**spec), wanted) is None


def application(**status: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "team-a", "destination": {"server": "https://x", "namespace": "shop"}},
        "status": status,
    }


def test_a_failed_sync_changes_the_rule_and_does_not_add_to_the_list() -> None:
    result = {
        "group": CLUSTER_ROLE[0],
        "kind": CLUSTER_ROLE[1],
        "name": "reader",
        "status": "SyncFailed",
        "message": "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project team-a",
    }
    failed = application(operationState={"phase": "Failed", "syncResult": {"resources": [result]}})
    rules = project(clusterResourceBlacklist=[{"group": "rbac.authorization.k8s.io", "kind": "*"}])

    finding, *_ = findings_of(context(application=failed, related=(rules,)))

    assert finding.next_steps[0].startswith("AppProject team-a denies it by `spec.clusterResourceBlacklist[0]`")
    assert not any("To permit it" in step or "Allow it" in step for step in finding.next_steps)
    assert "*" in {each.text for each in finding.evidence} or any("ClusterRole" in e.text for e in finding.evidence)


def test_a_condition_changes_the_rule_too() -> None:
    message = (
        "application destination server 'https://x' and namespace 'kube-system' do not match any of the allowed "
        "destinations in project 'team-a'"
    )
    refused = application(conditions=[{"type": "InvalidSpecError", "message": message}])
    rules = project(destinations=[{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-*"}])

    finding, *_ = findings_of(context(application=refused, related=(rules,)))

    assert "remove-destination team-a '*' '!kube-*'" in finding.next_steps[0]
