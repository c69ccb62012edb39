"""What a project does not permit."""

import pytest

from agent.findings.argocd.projects import permitting
from tests.findings.citations import findings_of
from tests.findings.cluster import context, resource


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            "application repo https://git.example.com/a.git is not permitted in project 'team-a'",
            "`argocd proj add-source team-a https://git.example.com/a.git`",
        ),
        (
            "application destination server 'https://x' and namespace 'kube-system' do not match any of the allowed "
            "destinations in project 'team-a'",
            "`argocd proj add-destination team-a https://x kube-system`",
        ),
        (
            "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project team-a",
            "`argocd proj allow-cluster-resource team-a rbac.authorization.k8s.io ClusterRole`",
        ),
        ("resource :ConfigMap is not permitted in project team-a", "allow-cluster-resource team-a '' ConfigMap`"),
    ],
)
def test_the_command_permits_exactly_what_was_refused(message: str, command: str) -> None:
    assert command in permitting(message)


def test_a_kind_in_a_namespace_is_permitted_as_such() -> None:
    message = "resource batch:Job is not permitted in project team-a"

    assert "allow-namespace-resource team-a batch Job" in permitting(message, namespaced=True)


def test_a_namespace_is_permitted_as_a_destination_on_the_server_of_the_application() -> None:
    message = "namespace argocd is not permitted in project 'team-a'"

    assert "`argocd proj add-destination team-a https://x argocd`" in permitting(message, server="https://x")


def test_another_message_needs_no_permission() -> None:
    assert permitting("app path does not exist") == ""


def test_a_project_that_permits_nothing_is_told() -> None:
    project = resource("argoproj.io/v1alpha1", "AppProject", "team-a", spec={"sourceRepos": [], "destinations": [{}]})

    (finding,) = findings_of(context(project))

    assert finding.title == "AppProject team-a permits no source repositories"
    assert finding.next_steps[0] == "Permit some: `argocd proj add-source team-a REPOSITORY`."


def test_a_project_that_permits_something_is_nothing() -> None:
    spec = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}

    assert findings_of(context(resource("argoproj.io/v1alpha1", "AppProject", "default", spec=spec))) == ()
