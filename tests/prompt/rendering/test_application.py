"""An Application of thousands of resources in a few lines: counts, and those that are not well."""

from typing import Any

from agent.context.model import TreeNode
from agent.objects.target import ResourceRef
from agent.prompt.rendering.application import render_operation, render_tree


def node(number: int, *, health: str = "Healthy", message: str = "", **info: str) -> TreeNode:
    resource = ResourceRef(kind="Pod", version="v1", namespace="shop", name=f"api-{number}")
    return TreeNode(resource=resource, health=health, message=message, info=info)


def test_a_tree_of_2000_nodes_is_counts_and_the_bad_ones() -> None:
    bad = [node(n, health="Degraded", message="OOMKilled", **{"Restart Count": "7"}) for n in range(3)]

    rendered = render_tree([*(node(n) for n in range(10, 2_007)), *bad], 400)

    lines = rendered.text.splitlines()
    assert lines[0] == "2000 nodes: Pod 3 Degraded, 1997 Healthy"
    assert lines[1].startswith("- Degraded Pod: shop/api-0 (Restart Count 7), shop/api-1")
    assert lines[1].endswith(": OOMKilled")
    assert rendered.tokens <= 400


def test_of_an_operation_the_results_that_failed_are_reported_and_the_others_counted() -> None:
    well: list[dict[str, Any]] = [{"kind": "Service", "name": f"s{n}", "status": "Synced"} for n in range(500)]
    failed = {"kind": "Job", "name": "migrate", "hookType": "PreSync", "hookPhase": "Failed", "message": "exit code 3"}
    application = {
        "kind": "Application",
        "metadata": {"name": "checkout"},
        "status": {
            "operationState": {"phase": "Failed", "syncResult": {"resources": [*well, failed]}},
            "resources": [{"kind": "Service", "name": f"s{n}", "status": "Synced"} for n in range(500)]
            + [{"kind": "Deployment", "name": "api", "status": "OutOfSync"}],
        },
    }

    text = render_operation(application, 2_000).text

    assert "exit code 3" in text
    assert "500 others went well" in text
    assert "OutOfSync: Deployment api" in text
    assert "Synced: 500 resources" in text
    assert text.index("phase: Failed") < text.index("resources:")
