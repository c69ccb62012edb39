"""Images that a registry does not give without a login."""

import pytest

from agent.findings.model import Finding
from agent.findings.workloads.images import registry_of
from tests.findings.citations import findings_of
from tests.findings.cluster import context, event, pod, waiting

ANONYMOUS = (
    'Failed to pull image "registry.example.com/shop/api:2.14.0": failed to authorize: failed to fetch anonymous '
    "token: unexpected status from GET request: 401 Unauthorized"
)
DENIED = (
    'Failed to pull image "shop/api:2.14.0": pull access denied, repository does not exist or may require '
    "authorization: server message: insufficient_scope: authorization failed"
)


def refused(message: str, image: str, **pod_spec: object) -> Finding:
    owner = ("ReplicaSet", "api-6c9d8f7b5d")
    broken = pod(waiting("ErrImagePull", message), owner=owner, spec={"image": image}, pod_spec=pod_spec)
    (finding,) = findings_of(context(broken, events=(event(broken, "Failed", message),)))
    return finding


def test_a_pull_without_a_login_says_that_no_pull_secret_is_set_and_how_to_set_one() -> None:
    finding = refused(ANONYMOUS, "registry.example.com/shop/api:2.14.0")

    assert finding.title.endswith("cannot be pulled: the registry requires credentials, and no imagePullSecrets is set")
    create, use, *_ = finding.next_steps
    assert (
        "`kubectl -n shop create secret docker-registry regcred --docker-server=registry.example.com "
        "--docker-username=USER --docker-password=PASSWORD`" in create
    )
    assert use == "Add `- name: regcred` to spec.template.spec.imagePullSecrets of Deployment api."


def test_a_private_repository_may_also_be_misspelled() -> None:
    finding = refused(DENIED, "shop/api:2.14.0")

    assert "does not exist, or is private, and no imagePullSecrets is set" in finding.title
    assert "--docker-server=https://index.docker.io/v1/" in finding.next_steps[0]
    assert "Check the spelling of the image: shop/api:2.14.0." in finding.next_steps


def test_a_login_that_is_refused_is_told_as_such() -> None:
    finding = refused(ANONYMOUS, "registry.example.com/shop/api:2.14.0", imagePullSecrets=[{"name": "pull"}])

    assert finding.title.endswith("the registry refuses the credentials")


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("ghcr.io/a/b", "ghcr.io"),
        ("localhost:5000/a", "localhost:5000"),
        ("nginx", "https://index.docker.io/v1/"),
        ("docker.io/library/nginx", "https://index.docker.io/v1/"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry
