"""Applications among the resources of an Application."""

import pytest

from agent.context.model import TreeNode
from agent.findings.argocd.app_of_apps import broken_children
from agent.findings.engine.inventory import Inventory
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.drift.states import context_of

CHILD = ResourceRef(group="argoproj.io", version="v1alpha1", kind="Application", namespace="argocd", name="billing")
PARENT: Manifest = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "apps", "namespace": "argocd"},
    "status": {"sync": {"status": "Synced"}, "health": {"status": "Degraded"}},
}


def test_a_broken_child_is_told_and_where_to_look() -> None:
    child = TreeNode(resource=CHILD, health="Degraded")

    finding, *_ = findings_of(context_of(application=PARENT, tree=(child,)))

    assert finding.title.startswith("Application argocd/billing is Degraded")
    assert finding.next_steps[0].endswith("`argocd app get argocd/billing`.")


@pytest.mark.parametrize("health", ["Healthy", "Progressing", "Suspended", ""])
def test_a_child_that_is_not_broken_is_nothing(health: str) -> None:
    well = context_of(application=PARENT, tree=(TreeNode(resource=CHILD, health=health),))

    assert list(broken_children(Inventory(well))) == []


def test_a_child_whose_manifest_is_there_is_read_instead() -> None:
    manifest = PARENT | {"metadata": {"name": "billing", "namespace": "argocd"}}
    context = context_of(application=PARENT, related=(manifest,), tree=(TreeNode(resource=CHILD, health="Degraded"),))

    assert list(broken_children(Inventory(context))) == []
