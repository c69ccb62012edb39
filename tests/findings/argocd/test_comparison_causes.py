"""What the messages of Argo CD's conditions tell of their cause."""

import pytest

from agent.findings.argocd.comparison_causes import comparison_cause

FAILED = "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Application referencing project payments which does not exist", "AppProject does not exist"),
        (
            "unable to find destination server: there are no clusters with this name: prod-eu",
            "cluster is not registered in Argo CD",
        ),
        ("application destination can't have both name and server defined: prod https://x", "spec is incomplete"),
        (
            FAILED + 'Manifest generation error (cached): failed to unmarshal manifest "d.yaml": error converting YAML '
            "to JSON: yaml: line 24: mapping values are not allowed in this context",
            "a manifest cannot be parsed",
        ),
        (
            FAILED + "`kustomize build <path>/overlays/prod` failed exit status 1: Error: accumulating resources: "
            "lstat <path>/base/cronjob.yaml: no such file or directory",
            "Kustomize cannot build",
        ),
        (FAILED + "plugin sidecar failed. error generating manifests in cmp: exit status 1", "management plugin fails"),
        (
            FAILED + "`helm dependency build` failed exit status 1: Error: no repository definition",
            "Helm cannot render",
        ),
        (
            "Failed to load live state: failed to get cluster info: error synchronizing cache state : deployments.apps "
            'is forbidden: User "system:serviceaccount:argocd:x" cannot list resource "deployments" everywhere',
            "may not read the destination cluster",
        ),
        (
            "Failed to load live state: the server has asked for the client to provide credentials",
            "refuses Argo CD's credentials",
        ),
        (FAILED + "failed to list refs: ssh: handshake failed: knownhosts: key is unknown", "SSH host key"),
        (FAILED + "Get x: x509: certificate signed by unknown authority", "TLS certificate is not trusted"),
        (FAILED + "failed to list refs: authentication required: Unauthorized", "the repository refuses Argo CD"),
        (FAILED + "chart version 3.2.1 not found in repository", "this version of it, is not found"),
        (FAILED + "apps/web: app path does not exist", "a path is not in the repository"),
        (FAILED + "open values-prod.yaml: no such file or directory", "a file is not in the repository"),
        (FAILED + "manifest generation error: context deadline exceeded", "takes too long"),
    ],
)
def test_the_message_tells_the_cause(message: str, cause: str) -> None:
    found = comparison_cause(message)

    assert found is not None
    assert cause in found.name
    assert found.step


def test_a_new_message_tells_none() -> None:
    assert comparison_cause("something that nobody has seen before") is None


def test_a_value_that_a_chart_requires_is_named_with_the_step_that_sets_it() -> None:
    message = (
        "`helm template . --name-template shop` failed exit status 1: Error: execution error at "
        "(shop/templates/deployment.yaml:21:20): image.tag is required\n\nUse --debug flag to render out invalid YAML"
    )

    cause = comparison_cause(message)

    assert cause is not None
    assert cause.name == "Helm cannot render the chart: image.tag is required"
    assert cause.step.startswith("Set image.tag in Git")
    assert "shop/templates/deployment.yaml:21:20" in cause.step
