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


@pytest.mark.parametrize(
    ("container", "fault"),
    [
        ({"volumeMounts": [{"name": "data", "mountPath": "/d"}]}, "mounts volume data, which is not in its volumes"),
        ({"readinessProbe": {"httpGet": {"port": "http"}}}, "asks port http, which it does not declare"),
        (
            {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1024Mi"}}},
            "requests 2Gi of memory, more than its limit of 1024Mi",
        ),
    ],
)
def test_what_the_api_server_would_refuse_is_named(container: dict[str, Any], fault: str) -> None:
    [title] = titles(deployment(container))

    assert fault in title


def test_a_good_manifest_and_a_live_one_yield_nothing() -> None:
    live = deployment(labels={"app": "api"})
    live["metadata"]["uid"] = "u"

    good = {"ports": [{"name": "http", "containerPort": 80}], "livenessProbe": {"httpGet": {"port": "http"}}}
    assert titles(deployment(good)) == []
    assert titles(live) == []
