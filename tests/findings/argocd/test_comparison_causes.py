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


@pytest.mark.parametrize(
    ("message", "names", "does"),
    [
        (
            "Failed to load target state: failed to get cluster info: failed to sync cluster https://10.0.0.1: failed "
            'to load initial state of resource B.s3.io: conversion webhook for s3.io/v1, Kind=B failed: Post "https://'
            'provider.system.svc:9443/convert?timeout=30s": no endpoints available for service "provider"',
            "Service provider has no running pods",
            "in namespace system",
        ),
        (
            FAILED + "`helm repo add charts https://charts.example.com` failed exit status 1: Error: looks like "
            '"https://charts.example.com" is not a valid chart repository or cannot be reached: failed to fetch '
            "https://charts.example.com/index.yaml : 404 Not Found",
            "https://charts.example.com is no Helm repository with an index.yaml",
            "--enable-oci",
        ),
        (
            FAILED + "`helm template . --values <path>/env/values-prod.yaml` failed exit status 1: Error: open "
            "<path>/env/values-prod.yaml: no such file or directory",
            "the value file env/values-prod.yaml is not in the repository",
            "spec.source.helm.valueFiles",
        ),
        (
            FAILED + "plugin sidecar failed. error generating manifests in cmp: rpc error: code = Unknown desc = error "
            "generating manifests: `jsonnet x` failed signal: killed",
            "takes too long or too much memory",
            "the plugin's sidecar",
        ),
        (
            FAILED + "plugin sidecar failed. rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            "the plugin ran into its time limit",
            "ARGOCD_EXEC_TIMEOUT",
        ),
        (
            "failed to compare revisions: rpc error: code = Unimplemented desc = unknown method NewCall for service "
            "repository.RepoServerService",
            "different versions: the repo-server does not know NewCall",
            "one version",
        ),
        (
            "failed to perform pre-diff normalization: error building typed results: error creating typedLive: "
            '.spec.containers[name="web"].env: duplicate entries for key [name="MODE"]',
            'the list entry [name="MODE"] more than once',
            "Remove the duplicate",
        ),
        (
            FAILED + "`helm template .` failed exit status 1: Error: template: shop/templates/d.yaml:9:31: executing "
            '"shop/templates/d.yaml" at <.Values.cache.ports.main>: nil pointer evaluating interface {}.ports',
            "the value .Values.cache.ports.main is missing",
            "helm template",
        ),
        (
            FAILED + "`kustomize build .` failed exit status 1: Error: accumulating resources: evalsymlink failure on "
            "'/x' : lstat /x: no such file or directory': hit 27s timeout running '/usr/bin/git fetch origin v2'",
            "Kustomize cannot build the manifests: a command ran into its time limit of 27s",
            "Check the network",
        ),
    ],
)
def test_the_innermost_cause_decides_and_names_the_thing(message: str, names: str, does: str) -> None:
    found = comparison_cause(message)

    assert found is not None
    assert names in found.name
    assert does in found.step


def test_a_long_command_line_hides_no_cause() -> None:
    command = "helm template . " + "--api-versions apps.example.com/v1/Kind " * 900
    message = FAILED + f"`{command}` failed exit status 1: Error: YAML parse error on web/templates/cm.yaml: error "
    message += "converting YAML to JSON: yaml: line 12: mapping values are not allowed in this context"

    found = comparison_cause(message)

    assert found is not None
    assert "in web/templates/cm.yaml" in found.name
    assert found.name.endswith("yaml: line 12: mapping values are not allowed in this context")


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
