"""ConfigMaps and Secrets that lack what a template needs, told before a Pod fails of it."""

from typing import Any

import pytest

from agent.context.context import Context
from agent.context.model import Gap, ManagedResource
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.cluster import NAMESPACE, condition, context, event, pod, resource, waiting


def deployment(env: list[Manifest] | None = None, replicas: int = 1, ready: int = 0, **spec: Any) -> Manifest:
    container = {"name": "api", "image": "api:1", "env": env or []}
    template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]} | spec}
    status = {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready}
    return resource("apps/v1", "Deployment", spec={"replicas": replicas, "template": template}, status=status)


def needs(key: str, name: str = "db", **more: object) -> Manifest:
    return {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": name, "key": key} | more}}


def secret(name: str = "db", **data: str) -> Manifest:
    return resource("v1", "Secret", name, type="Opaque", data=data or {"user": "[REDACTED:secret:0a1b2c]"})


def test_a_key_that_the_secret_does_not_have_is_told_before_any_pod_fails() -> None:
    (finding,) = findings_of(context(deployment([needs("password")]), related=(secret(),)))

    assert finding.title == "Secret db that container api needs has no key password"
    assert "It has user." in finding.explanation
    assert finding.evidence[0].path == "spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key"
    assert "`kubectl -n shop describe secret db`" in finding.next_steps[1]


def test_what_still_runs_with_a_missing_key_is_a_warning() -> None:
    (finding,) = findings_of(context(deployment([needs("password")], ready=1), related=(secret(),)))

    assert (finding.severity, "the next start fails" in finding.explanation) == ("warning", True)


def test_an_item_of_a_volume_is_looked_for_in_its_config_map() -> None:
    volume = {"name": "conf", "configMap": {"name": "conf", "items": [{"key": "app.yaml", "path": "app.yaml"}]}}
    config = resource("v1", "ConfigMap", "conf", data={"application.yaml": "a: 1"})

    (finding,) = findings_of(context(deployment(volumes=[volume]), related=(config,)))

    assert finding.title == "ConfigMap conf that volume conf needs has no key app.yaml"


def test_what_is_in_git_and_missing_is_synced_and_not_added() -> None:
    reference = ResourceRef(version="v1", kind="Secret", namespace=NAMESPACE, name="db")
    missing = ManagedResource(resource=reference, target={"kind": "Secret"})
    application: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "status": {"sync": {"status": "OutOfSync"}},
    }

    found = findings_of(context(deployment([needs("password")]), managed=(missing,), application=application))
    first = next(finding for finding in found if "that container api needs" in finding.title)

    assert first.next_steps[0] == (
        "Secret db is in Git and not in the cluster, so a sync creates it: `argocd app sync argocd/shop`."
    )


def test_what_the_cluster_was_asked_for_and_does_not_have_is_told() -> None:
    absent = ResourceRef(version="v1", kind="Secret", namespace=NAMESPACE, name="db")
    gap = Gap(part="related", source="kubernetes", reason="not_found", message="has no Secret shop/db", absent=absent)

    titles = [f.title for f in findings_of(context(deployment([needs("password")]), gaps=(gap,)))]

    assert "Secret db that container api needs does not exist" in titles


def test_a_secret_that_argo_cd_calls_missing_is_told() -> None:
    reference = ResourceRef(version="v1", kind="Secret", namespace=NAMESPACE, name="db")
    missing = ManagedResource(resource=reference, target={"kind": "Secret"})

    titles = [f.title for f in findings_of(context(deployment([needs("password")]), managed=(missing,)))]

    assert "Secret db that container api needs does not exist" in titles


def test_the_kubelet_s_word_and_the_look_at_the_secret_are_one_finding() -> None:
    stuck = pod(
        waiting("CreateContainerConfigError", "couldn't find key password in Secret shop/db"),
        owner=("ReplicaSet", "api-6c9d8f7b5d"),
        spec={"env": [needs("password")]},
    )

    findings = findings_of(context(deployment([needs("password")]), stuck, related=(secret(),)))

    assert [f.title for f in findings] == ["Secret db that container api needs has no key password"]
    assert [str(f.resource) for f in findings] == ["Pod shop/api-6c9d8f7b5d-x7k2p"]


def test_one_missing_secret_of_two_workloads_is_one_finding() -> None:
    def stuck(name: str) -> Manifest:
        status = waiting("CreateContainerConfigError", 'secret "db" not found')
        return pod(status, name=f"{name}-6c9d8f7b5d-1", owner=("ReplicaSet", f"{name}-6c9d8f7b5d"))

    (finding,) = findings_of(context(None, stuck("api"), stuck("worker")))

    assert finding.title.endswith("does not exist (2 pods of Deployment api, Deployment worker)")


def test_the_external_secret_that_is_to_make_a_missing_secret_stands_above_it() -> None:
    stuck = pod(waiting("CreateContainerConfigError", 'secret "db" not found'))
    external = resource(
        "external-secrets.io/v1beta1",
        "ExternalSecret",
        "database",
        spec={"target": {"name": "db"}},
        status={"conditions": [condition("Ready", "False", "SecretSyncedError", "could not get secret data")]},
    )

    first, second = findings_of(context(stuck, related=(external,)))

    assert "ExternalSecret database" in first.title
    assert second.title == "Secret db that container api needs does not exist"
    assert "`kubectl -n shop describe externalsecret database`" in second.next_steps[0]


def test_a_missing_pull_secret_is_the_cause_of_a_refused_pull() -> None:
    stuck = pod(
        waiting("ImagePullBackOff", "failed to authorize: 401 Unauthorized"),
        pod_spec={"imagePullSecrets": [{"name": "registry"}]},
    )
    said = event(
        stuck,
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (registry); attempting to pull the image may not succeed.",
    )

    (finding,) = findings_of(context(stuck, events=(said,)))

    assert finding.title.endswith("cannot be pulled: its pull Secret registry does not exist")


@pytest.mark.parametrize(
    "known",
    [
        context(deployment([needs("user")], ready=1), related=(secret(),)),
        context(deployment([needs("password", optional=True)], ready=1), related=(secret(),)),
        context(deployment([needs("password")], ready=1)),
        context(deployment([needs("password")], ready=1), related=(resource("v1", "Secret", "db", type="Opaque"),)),
        context(deployment([needs("password", name="other")], ready=1), related=(secret(),)),
    ],
    ids=["there", "optional", "not known", "read without data", "another secret"],
)
def test_what_is_there_optional_or_unknown_yields_nothing(known: Context) -> None:
    assert findings_of(known) == ()
