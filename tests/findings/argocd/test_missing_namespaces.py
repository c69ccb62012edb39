"""The step for a namespace that does not exist: an option only where it creates that namespace."""

from agent.findings.argocd.missing_namespaces import creating_namespace, missing_namespace
from agent.findings.engine.applications import Application


def application(*options: str) -> Application:
    spec = {"destination": {"namespace": "billing"}, "syncPolicy": {"syncOptions": list(options)}}
    metadata = {"name": "ledger", "namespace": "argocd"}
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    return Application(manifest=manifest, source="application")


def test_the_namespace_is_read_from_the_message() -> None:
    assert missing_namespace('reason: namespaces "billings" not found (retried 2 times).') == "billings"
    assert missing_namespace("connection refused") == ""


def test_the_option_is_advised_for_the_namespace_of_the_destination() -> None:
    assert "add `CreateNamespace=true`" in creating_namespace(application(), "billing")


def test_a_name_close_to_the_destination_is_a_misspelling() -> None:
    step = creating_namespace(application("CreateNamespace=true"), "billings")

    assert step.startswith("In Git, correct metadata.namespace")
    assert "CreateNamespace" not in step


def test_another_namespace_is_created_in_git() -> None:
    step = creating_namespace(application(), "monitoring")

    assert step.startswith("Create the namespace in Git, as a Namespace monitoring in an earlier sync wave")


def test_an_option_that_is_set_is_not_advised_again() -> None:
    step = creating_namespace(application("CreateNamespace=true"), "billing")

    assert step.startswith("Create the namespace: `kubectl create namespace billing`")
