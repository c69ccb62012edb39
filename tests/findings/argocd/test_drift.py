"""What is told of resources that are OutOfSync."""

from typing import Any

import pytest

from agent.context.context import Context
from agent.context.model import ManagedResource, Revision
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.drift.states import CONTAINERS, DEPLOYMENT, container, context_of, edited, managed, put, set_by

OLD, NEW = "1b7d0c55aa3e4f6f9d2c8e7b6a5f4e3d2c1b0a99", "9f1c3d92b47e6a05c1f9d3e8b7a2604f5c9e1d38"
AUTOMATED = {"automated": {"prune": True, "selfHeal": True}}


def application(*resources: Manifest, policy: Manifest | None = None, **status: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "syncPolicy": policy},
        "status": {
            "sync": {"status": "OutOfSync", "revision": NEW},
            "health": {"status": "Healthy"},
            "resources": list(resources),
            "history": [{"id": 3, "revision": OLD}],
        }
        | status,
    }


def entry(kind: str = "Deployment", name: str = "api", status: str = "OutOfSync", **more: Any) -> Manifest:
    group = "apps" if kind == "Deployment" else ""
    return {"group": group, "version": "v1", "kind": kind, "namespace": "shop", "name": name, "status": status} | more


def told(*resources: ManagedResource, app: Manifest | None = None, **parts: Any) -> tuple[Finding, ...]:
    context: Context = context_of(*resources, application=app or application(entry()), **parts)
    return findings_of(context)


IMAGE = edited(put(*CONTAINERS, 0, "image", value="registry.example.com/shop/api:2.13.9"))


def test_a_change_in_git_is_told_with_both_values_and_whose_it_is() -> None:
    revisions = (Revision(revision=NEW, author="Ada <ada@example.com>", message="Raise the version"),)

    (finding,) = told(managed(DEPLOYMENT, IMAGE), revisions=revisions)

    assert finding.title == "Deployment api differs from Git: spec.template.spec.containers[name=api].image"
    assert (finding.severity, finding.level) == ("warning", "cause")
    assert "api:2.13.9 in the cluster and registry.example.com/shop/api:2.14.0 in Git" in finding.explanation
    assert 'Git is now at 9f1c3d92b47e "Raise the version" by Ada <ada@example.com>.' in finding.explanation
    assert "Automated sync is off" in finding.explanation
    assert [(e.source, e.text) for e in finding.evidence] == [
        ("diff", "registry.example.com/shop/api:2.13.9"),
        ("diff", "registry.example.com/shop/api:2.14.0"),
        ("revision", "Raise the version"),
        ("revision", "Ada <ada@example.com>"),
    ]
    assert finding.next_steps[0] == (
        "If Git is right: `argocd app sync --resource apps:Deployment:shop/api argocd/shop`."
    )


def test_an_edit_in_the_cluster_names_who_and_when() -> None:
    def edit(manifest: Manifest) -> None:
        container(manifest)["image"] = "registry.example.com/shop/api:debug"
        fields: Manifest = {"f:template": {"f:spec": {"f:containers": {'k:{"name":"api"}': {"f:image": {}}}}}}
        manifest["metadata"]["managedFields"] = [set_by("kubectl-edit", {"f:spec": fields})]

    (finding,) = told(managed(DEPLOYMENT, edited(edit)), app=application(entry(), policy={"automated": {}}))

    assert finding.title.startswith("Deployment api was edited in the cluster by kubectl-edit")
    assert "at 2026-11-20T07:41:00Z" in finding.explanation
    assert "selfHeal is off" in finding.explanation
    assert any("If the cluster is right: write `spec.template" in step for step in finding.next_steps)


AUTOSCALER: Manifest = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "api", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "api"}, "maxReplicas": 9},
    "status": {"currentReplicas": 5, "desiredReplicas": 5},
}
SCALED = edited(put("spec", "replicas", value=5))


def test_a_change_while_git_stood_still_was_made_in_the_cluster() -> None:
    app = application(entry(), history=[{"id": 3, "revision": NEW}], operationState={"phase": "Succeeded"})

    (finding,) = told(managed(DEPLOYMENT, IMAGE), app=app)

    assert finding.title.startswith("Deployment api was edited in the cluster: spec.template")
    assert "Git has not changed since the last sync" in finding.explanation


def test_an_autoscaler_against_self_heal_is_a_fight() -> None:
    (finding,) = told(managed(DEPLOYMENT, SCALED), app=application(entry(), policy=AUTOMATED), related=(AUTOSCALER,))

    assert (finding.severity, "the two fight" in finding.explanation) == ("warning", True)
    assert finding.title.endswith("only because of changes by controllers and webhooks: spec.replicas")
    assert "Remove `spec.replicas` from the manifest in Git" in finding.next_steps[0]
    assert "jsonPointers: [/spec/replicas]" in finding.next_steps[1]


@pytest.mark.parametrize("policy", [None, AUTOMATED], ids=["manual", "automated"])
def test_defaults_alone_are_information(policy: Manifest | None) -> None:
    live = edited(put("spec", "revisionHistoryLimit", value=10))

    (finding,) = told(managed(DEPLOYMENT, live), app=application(entry(), policy=policy))

    assert finding.severity == "info"
    assert (
        finding.title
        == "Deployment api is OutOfSync only because of defaults of the API server: spec.revisionHistoryLimit"
    )


def test_a_missing_resource_and_one_to_prune_are_told_as_a_whole() -> None:
    app = application(entry(), entry("Service", "old", requiresPruning=True))
    old: Manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old", "namespace": "shop"}}

    findings = told(managed(DEPLOYMENT, None), managed(None, old), app=app)

    assert [(f.title, f.severity) for f in findings] == [
        ("Deployment api is missing: it is in Git and not in the cluster", "warning"),
        ("Service old is no longer in Git and still in the cluster", "info"),
    ]
    assert "--prune" in findings[1].next_steps[0]


def test_a_secret_is_told_without_its_values() -> None:
    git: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "data": {"password": "++++++++"},
    }
    live = edited(put("data", "password", value="+++++++++"), git)

    (finding,) = told(managed(git, live), app=application(entry("Secret", "db")))

    assert finding.title == "Secret db differs from Git: data.password"
    assert "++" not in repr(finding)


def test_what_argocd_calls_synced_is_not_told() -> None:
    synced = application(entry(status="Synced"), sync={"status": "Synced", "revision": NEW})

    assert told(managed(DEPLOYMENT, IMAGE), app=synced) == ()


def test_nothing_is_told_while_a_sync_is_under_way() -> None:
    running = application(entry(), operationState={"phase": "Running", "message": "syncing"})

    assert told(managed(DEPLOYMENT, IMAGE), app=running) == ()


def test_the_summary_stays_for_resources_that_were_not_compared() -> None:
    findings = told(managed(DEPLOYMENT, IMAGE), app=application(entry(), entry("Service", "web")))

    assert [f.level for f in findings] == ["cause", "summary"]


def test_many_drifted_resources_are_told_in_few_findings() -> None:
    names = [f"api-{i}" for i in range(40)]
    resources = [
        managed(*(edited(put("metadata", "name", value=name), each) for each in (DEPLOYMENT, IMAGE))) for name in names
    ]

    findings = told(*resources, app=application(*(entry(name=name) for name in names)))

    assert len(findings) == 9
    assert findings[-1].title == "32 more resources differ from Git: real changes"


def test_of_several_sources_the_one_that_moved_is_named() -> None:
    app = application(
        entry(),
        sync={"status": "OutOfSync", "revisions": ["chart-1", NEW]},
        history=[{"id": 3, "revisions": ["chart-1", OLD]}],
    )

    (finding,) = told(managed(DEPLOYMENT, IMAGE), app=app)

    assert "The last sync deployed 1b7d0c55aa3e; Git is now at 9f1c3d92b47e." in finding.explanation
