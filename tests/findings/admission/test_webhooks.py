"""Admission webhooks that cannot be asked."""

import pytest

from agent.context.model import ManagedResource
from agent.findings.admission.refusals import refusal_in
from agent.findings.admission.webhook_calls import failed_call
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.cluster import NAMESPACE, condition, context, crash_loop, pod, resource, running, waiting

CALL = (
    'Internal error occurred: failed calling webhook "validate.policy.example.com": failed to call webhook: Post '
    '"https://policy.shop.svc:443/validate?timeout=10s": '
)


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ('service "policy" not found', "its Service does not exist"),
        ('no endpoints available for service "policy"', "its Service has no running pods"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "does not trust"),
        ("dial tcp 10.96.3.1:443: connect: connection refused", "are refused"),
        ("context deadline exceeded", "it does not answer in time"),
    ],
)
def test_a_webhook_that_cannot_be_called_is_told_with_its_service(rest: str, why: str) -> None:
    call = failed_call(CALL + rest)
    refusal = refusal_in(CALL + rest, "shop")

    assert call is not None
    assert why in call.why
    assert str(call.service) == "Service shop/policy"
    assert refusal is not None
    assert refusal.name.startswith("the admission webhook validate.policy.example.com did not answer: ")
    assert "`kubectl -n shop get pods,endpointslices,services`" in refusal.step


def test_a_webhook_that_denied_was_called() -> None:
    assert failed_call('admission webhook "validate.policy.example.com" denied the request: no') is None


def configuration(policy: str = "Fail") -> Manifest:
    client = {"service": {"namespace": NAMESPACE, "name": "policy", "path": "/validate", "port": 443}}
    found = resource("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "policy")
    return found | {
        "webhooks": [{"name": "validate.policy.example.com", "clientConfig": client, "failurePolicy": policy}]
    }


SERVICE = resource("v1", "Service", "policy", spec={"selector": {"app": "api"}, "ports": [{"port": 443}]})


def test_a_webhook_without_running_pods_stands_below_the_fault_of_its_pods() -> None:
    findings = findings_of(context(configuration(), related=(SERVICE, pod(crash_loop(1)))))

    assert findings[0].title == "Container api keeps crashing (exit code 1)"
    assert "Service shop/policy of ValidatingWebhookConfiguration policy has no running pods" in [
        f.title for f in findings
    ]


def test_a_webhook_whose_service_argo_cd_calls_missing_is_told_and_milder_where_it_is_ignored() -> None:
    reference = ResourceRef(version="v1", kind="Service", namespace=NAMESPACE, name="policy")
    gone = ManagedResource(resource=reference, target={"kind": "Service"})

    (strict,) = findings_of(context(configuration(), managed=(gone,)))
    (mild,) = findings_of(context(configuration("Ignore"), managed=(gone,)))

    assert "does not exist" in strict.title
    assert (strict.severity, mild.severity) == ("error", "warning")


def test_a_webhook_that_is_served_or_unknown_yields_nothing() -> None:
    assert findings_of(context(configuration(), related=(SERVICE, pod(running())))) == ()
    assert findings_of(context(configuration())) == ()


def test_the_crashing_webhook_stands_above_the_sync_that_it_fails() -> None:
    result = {
        "version": "v1",
        "kind": "ConfigMap",
        "namespace": NAMESPACE,
        "name": "conf",
        "status": "SyncFailed",
        "message": CALL + 'no endpoints available for service "policy"',
    }
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "status": {"operationState": {"phase": "Failed", "syncResult": {"resources": [result]}}},
    }

    findings = findings_of(context(application=application, related=(SERVICE, pod(crash_loop(1)))))

    assert findings[0].title == "Container api keeps crashing (exit code 1)"
    assert any("ConfigMap conf could not be synced" in f.title for f in findings[1:])


def test_the_broken_webhook_stands_above_the_pods_it_keeps_from_being_made() -> None:
    message = CALL + 'no endpoints available for service "policy"'
    status = {"replicas": 0, "conditions": [condition("ReplicaFailure", "True", "FailedCreate", message)]}
    refused = resource("apps/v1", "Deployment", "web", spec={"replicas": 1}, status=status)

    findings = findings_of(context(refused, related=(SERVICE, pod(crash_loop(1)))))

    assert [f.title.split(":")[0] for f in findings] == [
        "Container api keeps crashing (exit code 1)",
        "Service policy has no ready endpoints",
        "Deployment web",
    ]


def test_a_webhook_whose_pods_are_pending_or_were_not_found_is_named() -> None:
    pending = pod(waiting("ContainerCreating"), phase="Pending")

    starts = findings_of(context(configuration(), related=(SERVICE, pending)))
    none = findings_of(context(configuration(), related=(SERVICE,)))

    assert any("policy has no running pods" in each.title for each in starts if each.severity == "error")
    assert any("has no running pods among what was read" in each.title for each in none if each.severity == "warning")
