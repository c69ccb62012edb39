"""What is done about a resource that is applied more than once."""

from agent.findings.argocd.contention import settling


def test_two_applications_with_one_resource_keep_it_in_one_of_them() -> None:
    step = settling("ConfigMap/shared is part of applications argocd/shared-b and shared-a")

    assert step.startswith("Keep ConfigMap shared in one of the Applications argocd/shared-b and shared-a: in Git, ")


def test_a_manifest_that_is_there_twice_is_kept_once() -> None:
    step = settling("Resource apps/Deployment/shop/api appeared 2 times among application resources.")

    assert step == "In Git, keep Deployment api once: 2 manifests have it, of which one is applied; remove the others."


def test_another_message_has_no_such_step() -> None:
    assert settling("Application has 3 orphaned resources") == ""
