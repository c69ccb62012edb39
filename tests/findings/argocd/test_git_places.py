"""The place in Git that a step names."""

from typing import Any

import pytest

from agent.findings.argocd.git_places import place_of
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context, crash_loop, pod

REPOSITORY = "https://git.example.com/shop.git"


def application(**spec: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "web"} | spec,
    }


def source(**fields: Any) -> dict[str, Any]:
    return {"repoURL": REPOSITORY, "targetRevision": "main", "path": "overlays/prod"} | fields


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (source(), f"`overlays/prod` in {REPOSITORY} at main"),
        (source(path="."), f"{REPOSITORY} at main"),
        ({"repoURL": REPOSITORY, "path": "./shop/"}, f"`shop` in {REPOSITORY} at HEAD"),
        (
            source(kustomize={"images": ["web=web:2"]}),
            f"`overlays/prod/kustomization.yaml` in {REPOSITORY} at main, with spec.source.kustomize.images of the "
            "Application",
        ),
        (
            source(helm={"valueFiles": ["../values-prod.yaml"], "parameters": [{"name": "tag"}]}),
            f"`overlays/prod` in {REPOSITORY} at main, with values in `overlays/prod/../values-prod.yaml` and "
            "spec.source.helm.parameters of the Application",
        ),
        (source(helm={"releaseName": "x"}), f"`overlays/prod` in {REPOSITORY} at main, with values in "
         "`overlays/prod/values.yaml`"),
        (
            {"repoURL": "https://charts.example.com", "chart": "shop", "targetRevision": "1.2.0"},
            "chart shop 1.2.0 of https://charts.example.com",
        ),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_source_is_named_with_what_sets_its_values(one: dict[str, Any], place: str) -> None:
    assert place_of(application(source=one)) == place


def test_the_kind_of_a_source_is_what_argo_cd_found() -> None:
    found = application(source=source()) | {"status": {"sourceType": "Kustomize"}}

    assert place_of(found) == f"`overlays/prod/kustomization.yaml` in {REPOSITORY} at main"


def test_of_several_sources_each_is_named_and_values_are_where_they_come_from() -> None:
    chart = {"repoURL": "https://charts.example.com", "chart": "shop", "targetRevision": "1.2.0"}
    sources = [
        chart | {"helm": {"valueFiles": ["$config/shop/prod.yaml"]}},
        {"repoURL": REPOSITORY, "targetRevision": "main", "ref": "config"},
        source(path="extras"),
    ]

    values = f"values in `shop/prod.yaml` of {REPOSITORY} at main"
    first = f"spec.sources[0]: chart shop 1.2.0 of https://charts.example.com, with {values}"
    assert place_of(application(sources=sources)) == f"{first}; or spec.sources[2]: `extras` in {REPOSITORY} at main"
    assert place_of(application(sources=sources), 0) == first


def test_the_dry_source_of_a_hydrator_is_where_a_change_belongs() -> None:
    hydrator = {"drySource": source(), "syncSource": {"targetBranch": "env/prod"}}

    assert place_of(application(sourceHydrator=hydrator)) == f"`overlays/prod` in {REPOSITORY} at main"


def test_the_step_that_changes_something_in_git_names_the_place() -> None:
    killed = crash_loop(137, "OOMKilled")
    killed_pod = pod(killed, spec={"resources": {"limits": {"memory": "64Mi"}}}, owner=("ReplicaSet", "api-6c9"))

    finding, *_ = findings_of(context(killed_pod, application=application(source=source())))

    assert f"In Git (`overlays/prod` in {REPOSITORY} at main), set " in finding.next_steps[0]
    assert sum(REPOSITORY in step for step in finding.next_steps) == 1


def test_a_condition_names_the_field_of_the_source_that_argo_cd_counts() -> None:
    message = (
        "Failed to load target state: failed to generate manifest for source 2 of 2: rpc error: code = Unknown desc = "
        "extras: app path does not exist"
    )
    conditions = [{"type": "ComparisonError", "message": message}]
    broken = application(sources=[source(), source(path="extras")]) | {"status": {"conditions": conditions}}

    finding, *_ = findings_of(context(application=broken))

    assert finding.next_steps[0] == (
        "Correct spec.sources[1].path, or the revision. The source is spec.sources[1]: `extras` in "
        f"{REPOSITORY} at main."
    )


def test_without_a_source_the_steps_stay_as_they_are() -> None:
    killed = pod(crash_loop(137, "OOMKilled"), owner=("ReplicaSet", "api-6c9"))

    with_none = findings_of(context(killed, application=application()))

    assert not any("In Git (" in step for finding in with_none for step in finding.next_steps)
