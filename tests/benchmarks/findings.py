"""Findings for one resource against `json.loads` of its manifest, and for a tree against one a quarter its size."""

import gc
import json
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from agent.context.context import Context
from agent.context.model import TreeNode
from agent.findings import analyze
from agent.mlflow.evaluation.scenarios import load_scenarios
from agent.objects.manifest import Manifest, text_at
from agent.objects.target import ResourceRef, Target
from tests.findings.cluster import context, crash_loop, pod
from tests.findings.custom.test_cases import load

SCENARIOS = Path(__file__).parent.parent / "scenarios" / "own"
ROUNDS = 7
AIM = 10.0
NODES = (500, 2_000)
GROWTH_AIM = 1.25


def run(console: Console) -> None:
    """Prints both tables."""
    console.print(_resources())
    console.print(_trees())


def _resources() -> Table:
    table = Table("manifests", "count", "size", "json.loads", "findings", "times", title="findings for one resource")
    for name, manifests in _groups().items():
        texts = [json.dumps(manifest) for manifest in manifests]
        contexts = [context(manifest) for manifest in manifests]
        # In turns, so that whatever else the machine does weighs on both.
        rounds = [(_seconds(json.loads, texts), _seconds(analyze, contexts)) for _ in range(ROUNDS)]
        parsing, finding = (min(each[side] for each in rounds) / len(texts) for side in (0, 1))
        table.add_row(
            name,
            str(len(texts)),
            f"{sum(map(len, texts)) // len(texts):,} B",
            f"{parsing * 1e6:.1f} µs",
            f"{finding * 1e6:.1f} µs",
            f"{finding / parsing:.1f}",
        )
    table.caption = f"a mean manifest of each group; aim: at most {AIM:g} times"
    return table


def _groups() -> dict[str, list[Manifest]]:
    """Live manifests as the API server keeps them, with the books of their field managers."""
    groups: dict[str, list[Manifest]] = {"Pods": [], "workloads and others": [], "custom resources": []}
    for scenario in load_scenarios(SCENARIOS):
        inputs = cast("Manifest", scenario.body["custom_inputs"])
        for manifest in (inputs.get("manifest"), *cast("list[Any]", inputs.get("children") or [])):
            if manifest:
                is_custom = "." in text_at(manifest, "apiVersion").partition("/")[0].removesuffix(".k8s.io")
                kind = text_at(manifest, "kind")
                name = "Pods" if kind == "Pod" else "custom resources" if is_custom else "workloads and others"
                groups[name].append(_managed(manifest))
    for file in ("broken.yaml", "other.yaml"):
        groups["custom resources"] += [_managed(case.values[0]) for case in load(file)]
    return groups


def _managed(manifest: Manifest) -> Manifest:
    """The manifest with `managedFields` of two managers, for spec and status."""
    managed = deepcopy(manifest)
    books = [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": text_at(managed, "apiVersion"),
            "time": "2026-11-20T07:31:20Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {f"f:{part}": _fields(managed.get(part))},
        }
        for manager, part in (("argocd-controller", "spec"), ("controller", "status"))
    ]
    managed["metadata"] = {**cast("Manifest", managed.get("metadata") or {}), "managedFields": books}
    return managed


def _fields(value: object) -> Manifest:
    if not isinstance(value, dict):
        return {}
    return {f"f:{key}": _fields(item) for key, item in cast("Manifest", value).items()}


def _trees() -> Table:
    table = Table("nodes", "manifests", "findings", "seconds", "µs a node", "times", title="findings for a whole tree")
    trees = [_tree(count) for count in NODES]
    rounds = [[_seconds(analyze, [each]) for each in trees] for _ in range(ROUNDS)]
    best = [min(each[place] for each in rounds) for place in range(len(trees))]
    for count, known, seconds in zip(NODES, trees, best, strict=True):
        growth = (seconds / count) / (best[0] / NODES[0])
        table.add_row(
            f"{count:,}",
            str(len(known.children)),
            str(len(analyze(known))),
            f"{seconds:.3f}",
            f"{seconds / count * 1e6:.0f}",
            f"{growth:.2f}",
        )
    table.caption = f"aim: at most {GROWTH_AIM:g} times the time a node of the smaller tree"
    return table


def _tree(count: int) -> Context:
    """Deployments with a ReplicaSet and three Pods each; of every second one a Pod crashes, with its manifest."""
    nodes: list[TreeNode] = []
    broken: list[Manifest] = []
    for number in range(count // 5):
        deployment = _node("apps", "Deployment", f"web-{number}", "Degraded" if number % 2 else "Healthy")
        if number % 2:
            deployment = replace(deployment, message=f'Deployment "web-{number}" exceeded its progress deadline')
        replica_set = _node("apps", "ReplicaSet", f"web-{number}-5d9", "Healthy", deployment.resource)
        nodes += [deployment, replica_set]
        for index in range(3):
            name = f"web-{number}-5d9-{index}"
            is_broken = number % 2 == 1 and index == 0
            nodes.append(_node("", "Pod", name, "Degraded" if is_broken else "Healthy", replica_set.resource))
            if is_broken:
                nodes[-1] = replace(nodes[-1], message="back-off 5m0s restarting failed container=api")
                broken.append(pod(crash_loop(1), name=name, owner=("ReplicaSet", replica_set.resource.name)))
    return Context(target=Target(), children=tuple(broken), tree=tuple(nodes))


def _node(group: str, kind: str, name: str, health: str, *parents: ResourceRef) -> TreeNode:
    reference = ResourceRef(group=group, version="v1", kind=kind, namespace="shop", name=name)
    return TreeNode(resource=reference, health=health, parents=parents)


def _seconds[T](work: Callable[[T], object], values: Sequence[T]) -> float:
    """The processor time of one pass over the values, garbage left lying as `timeit` does."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        for value in values:
            work(value)
        return time.process_time() - begin
    finally:
        gc.enable()
