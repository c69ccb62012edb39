"""What a manifest loses before anything of it is cut."""

from typing import Any

from agent.prompt.rendering.manifests import distilled, render_manifests


def test_defaults_managed_fields_and_empty_values_are_dropped_and_what_means_something_stays() -> None:
    pod: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {"name": "api", "uid": "u1", "managedFields": [{"manager": "x"}], "annotations": {}},
        "spec": {
            "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 5,
            "volumes": [{"name": "kube-api-access-x2k4j"}, {"name": "tmp", "emptyDir": {}}],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 300}],
            "containers": [{"name": "api", "command": [], "image": "", "livenessProbe": {"periodSeconds": 10}}],
        },
        "status": {"conditions": [{"type": "Ready", "lastProbeTime": None, "status": "False"}]},
    }

    kept, dropped = distilled(pod, 1_000)

    assert dropped == 0
    assert kept == {
        "kind": "Pod",
        "metadata": {"name": "api"},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "containers": [{"name": "api", "livenessProbe": {"periodSeconds": 10}}],
        },
    }
    assert list(kept) == ["kind", "metadata", "status", "spec"]


def test_no_depth_and_no_number_of_values_is_too_much() -> None:
    deep: object = "end"
    for _ in range(5_000):
        deep = {"in": deep}

    kept, dropped = distilled({"deep": deep, "wide": {f"k{n}": n for n in range(100_000)}}, 50)

    assert "nested too deeply" in str(kept)
    assert dropped > 99_000


def test_manifests_that_are_not_rendered_in_full_have_a_line_each() -> None:
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"api-{n}", "namespace": "shop"},
            "status": {"phase": "Running", "containerStatuses": [{"name": "api", "ready": True, "restartCount": n}]},
        }
        for n in range(4)
    ]

    text = render_manifests(pods, 1_000, full=pods[:1]).text

    assert "name: api-0" in text
    assert "# Pod shop/api-3: Running, 1 of 1 containers ready, 3 restarts" in text
