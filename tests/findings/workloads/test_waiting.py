"""Containers that are held back before they start."""

import pytest

from agent.objects.error_message import parse
from tests.findings.citations import faults_of, findings_of
from tests.findings.cluster import context, event, pod, waiting

IMAGE = "registry.example.com/shop/api:2.14.0"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (f'failed to resolve reference "{IMAGE}": {IMAGE}: not found', "the image or its tag does not exist"),
        ("manifest unknown: manifest unknown", "the image or its tag does not exist"),
        (
            "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
            "the registry refuses the credentials",
        ),
        (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
            "the repository does not exist, or is private",
        ),
        (
            "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit",
            "the registry's rate limit is reached",
        ),
        (
            "dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host",
            "the node cannot reach the registry",
        ),
        ("dial tcp 10.0.0.9:443: i/o timeout", "the node cannot reach the registry"),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "the node does not trust the registry's TLS certificate",
        ),
        ("no match for platform in manifest: not found", "there is no image for the node's architecture"),
        ("no matching manifest for linux/arm64 in the manifest list entries", "there is no image for the node's"),
    ],
)
def test_image_errors_are_told_apart_by_the_registry_s_answer(answer: str, cause: str) -> None:
    broken = pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'), phase="Pending")
    failed = event(broken, "Failed", f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = {answer}')

    (finding,) = findings_of(context(broken, events=(failed,)))

    assert finding.title.startswith(f"Image {IMAGE} of container api cannot be pulled: {cause}")
    assert finding.level == "cause"
    assert finding.evidence[0].path == "Failed"


def test_the_waiting_message_serves_where_events_are_gone() -> None:
    message = f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to resolve reference "{IMAGE}": not found'

    (finding,) = findings_of(context(pod(waiting("ImagePullBackOff", message), phase="Pending")))

    assert "the image or its tag does not exist" in finding.title


def test_an_unexplained_image_error_claims_no_cause() -> None:
    (finding,) = findings_of(context(pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))))

    assert finding.title.endswith("cannot be pulled (ImagePullBackOff)")
    assert finding.level == "effect"


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("ErrImageNeverPull", "its pull policy is Never"), ("InvalidImageName", "its name is not valid")],
)
def test_some_reasons_say_it_all(reason: str, cause: str) -> None:
    (finding,) = findings_of(context(pod(waiting(reason))))

    assert cause in finding.title


def test_a_missing_secret_is_named_with_where_the_spec_asks_for_it() -> None:
    broken = pod(
        waiting("CreateContainerConfigError", 'secret "db-credentials" not found'),
        spec={"env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password"}}}]},
    )

    (finding,) = findings_of(context(broken))

    assert finding.title == "Secret db-credentials that container api needs does not exist"
    assert "spec.containers[0].env[0].valueFrom.secretKeyRef.name" in [e.path for e in finding.evidence]


def test_a_missing_key_is_told_from_a_missing_object() -> None:
    reference = {"name": "app-config", "key": "URL"}
    other = {"name": "app-config", "key": "MODE"}
    broken = pod(
        waiting("CreateContainerConfigError", "couldn't find key URL in ConfigMap shop/app-config"),
        spec={
            "env": [
                {"name": "M", "valueFrom": {"configMapKeyRef": other}},
                {"name": "U", "valueFrom": {"configMapKeyRef": reference}},
            ]
        },
    )

    (finding,) = findings_of(context(broken))

    assert finding.title == "ConfigMap app-config that container api needs has no key URL"
    assert "spec.containers[0].env[1].valueFrom.configMapKeyRef.name" in [e.path for e in finding.evidence]


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root (pod: x, container: api)",
        ),
        ("CreateContainerError", "failed to reserve container name"),
        ("RunContainerError", "failed to start container: error during container init"),
        ("PostStartHookError", "command '/bin/setup' exited with 3"),
        ("SomethingNew", "a reason that no version of the kubelet had so far"),
    ],
)
def test_other_refusals_quote_the_kubelet(reason: str, message: str) -> None:
    (finding,) = findings_of(context(pod(waiting(reason, message))))

    assert finding.title.startswith(f"Container api cannot start ({reason})")
    assert parse(message).cause in f"{finding.title} {finding.explanation}"
    assert finding.evidence[0].text == message


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_a_container_that_waits_for_its_pod_is_not_broken(reason: str) -> None:
    assert faults_of(context(pod(waiting(reason), phase="Pending"))) == ()


@pytest.mark.parametrize(
    ("message", "step"),
    [
        (
            "container has runAsNonRoot and image has non-numeric user (lamp), cannot verify user is non-root",
            "the numeric id of the image's user lamp",
        ),
        ("container has runAsNonRoot and image will run as root", "an id other than 0"),
    ],
)
def test_a_user_that_may_be_root_is_replaced_by_a_number(message: str, step: str) -> None:
    finding = findings_of(context(pod(waiting("CreateContainerConfigError", message))))[0]

    assert "securityContext.runAsUser" in finding.next_steps[0]
    assert step in finding.next_steps[0]
