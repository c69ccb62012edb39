"""Manifests that were never applied."""

from typing import Any

import pytest

from tests.findings.citations import findings_of
from tests.findings.cluster import context, resource


def deployment(container: dict[str, Any] | None = None, *, labels: dict[str, str] | None = None) -> dict[str, Any]:
    made = resource(
        "apps/v1",
        "Deployment",
        "web",
        spec={
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": labels or {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "example.com/web:1"} | (container or {})]},
            },
        },
    )
    del made["metadata"]["uid"]
    return made


def titles(manifest: dict[str, Any]) -> list[str]:
    return [finding.title for finding in findings_of(context(manifest))]


def test_a_selector_that_does_not_match_the_template_is_named_with_the_label() -> None:
    assert titles(deployment(labels={"app": "api"})) == [
        "Deployment web would be refused: its selector wants app=web, which its pod template does not have"
    ]


def test_a_selector_is_evaluated_with_its_expressions() -> None:
    manifest = deployment()
    manifest["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}
    assert titles(manifest) == []

    manifest["spec"]["selector"]["matchExpressions"][0]["values"] = ["api"]
    assert titles(manifest) == [
        "Deployment web would be refused: its selector wants what matchExpressions states, which its pod template "
        "does not have"
    ]

    del manifest["spec"]["selector"]
    assert titles(manifest) == ["Deployment web would be refused: spec.selector is missing"]


@pytest.mark.parametrize(
    ("container", "fault"),
    [
        ({"name": "Web"}, "refused: the name of container Web is not of at most 63 lower-case letters"),
        ({"volumeMounts": [{"name": "data", "mountPath": "/d"}]}, "mounts volume data, which is not in its volumes"),
        (
            {"volumeMounts": [{"name": "tmp", "mountPath": "/d"}, {"name": "tmp", "mountPath": "/d"}]},
            "mounts two volumes at /d",
        ),
        ({"readinessProbe": {"httpGet": {"port": "http"}}}, "could never work: the readinessProbe of container web"),
        ({"ports": [{"name": "http", "containerPort": 80}, {"name": "http", "containerPort": 81}]}, "two ports have"),
        ({"ports": [{"name": "administration-api", "containerPort": 80}]}, "is not of at most 15 lower-case letters"),
        ({"ports": [{"containerPort": 70_000}]}, "containerPort 70000 of container web is no number from 1 to 65535"),
        ({"env": [{"name": "PORT", "value": 8080}]}, "the value of PORT in container web is 8080 and no string"),
        (
            {"env": [{"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            "A in container web has both value and valueFrom",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {}, "configMapKeyRef": {"name": "c", "key": "k"}}}]},
            "A in container web is read from more than one source",
        ),
        (
            {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1024Mi"}}},
            "requests 2Gi of memory, more than its limit of 1024Mi",
        ),
        ({"resources": {"limits": {"memory": "1 GB"}}}, "has a limit of 1 GB of memory, which is no quantity"),
        ({"resources": {"requests": {"cpu": "-1"}}}, "has a request of -1 of cpu, which is no quantity"),
    ],
)
def test_a_fault_of_a_container_is_named_and_quoted(container: dict[str, Any], fault: str) -> None:
    manifest = deployment(container)
    manifest["spec"]["template"]["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}]

    [finding] = findings_of(context(manifest))

    assert fault in finding.title
    assert finding.evidence[0].path.startswith("spec.template.spec.containers[0]")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"metadata": {"name": "Web_1"}}, "its name is not of lower-case letters"),
        ({"metadata": {"name": "web", "labels": {"version": 1.0}}}, "metadata.labels.version is 1.0 and no string"),
        ({"kind": "ConfigMap", "apiVersion": "v1", "data": {"DEBUG": True}}, "data.DEBUG is true and no string"),
    ],
)
def test_a_fault_of_an_object_is_named(change: dict[str, Any], fault: str) -> None:
    [title] = titles(deployment() | change)

    assert fault in title


@pytest.mark.parametrize(
    ("kind", "policy", "fault"),
    [
        ("Deployment", "OnFailure", ["restartPolicy is OnFailure, and a Deployment has Always only"]),
        ("Deployment", "Always", []),
        ("Job", None, ["restartPolicy is missing, and a Job needs OnFailure or Never"]),
        ("Job", "Never", []),
        ("CronJob", "Always", ["restartPolicy is Always, and a CronJob needs OnFailure or Never"]),
    ],
)
def test_the_restart_policy_fits_the_kind(kind: str, policy: str | None, fault: list[str]) -> None:
    manifest = deployment()
    if policy:
        manifest["spec"]["template"]["spec"]["restartPolicy"] = policy
    if kind != "Deployment":
        job = {"template": manifest["spec"]["template"]}
        spec = job if kind == "Job" else {"schedule": "0 1 * * *", "jobTemplate": {"spec": job}}
        manifest = manifest | {"apiVersion": "batch/v1", "kind": kind, "spec": spec}

    assert [title.partition(": ")[2] for title in titles(manifest)] == fault


def test_two_containers_or_volumes_of_one_name_are_named_once() -> None:
    manifest = deployment()
    spec = manifest["spec"]["template"]["spec"]
    spec["initContainers"] = [{"name": "web", "image": "example.com/init:1"}]
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]

    assert [title.partition(": ")[2] for title in titles(manifest)] == [
        "two containers have the name web",
        "two volumes have the name tmp",
    ]


def test_an_empty_status_is_none_as_a_dry_run_writes_it() -> None:
    assert len(titles(deployment(labels={"app": "api"}) | {"status": {}})) == 1


def test_a_good_manifest_and_a_live_one_yield_nothing() -> None:
    live = deployment(labels={"app": "api"})
    live["metadata"]["uid"] = "u"

    good = {"ports": [{"name": "http", "containerPort": 80}], "livenessProbe": {"httpGet": {"port": "http"}}}
    assert titles(deployment(good)) == []
    assert titles(live) == []
