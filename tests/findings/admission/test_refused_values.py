"""Values of the wrong type, and what a policy rejects: the field and the words are in the step."""

import pytest

from agent.findings.admission.refusals import refusal_in
from agent.findings.admission.wrong_types import wrong_type


@pytest.mark.parametrize(
    ("message", "name", "step"),
    [
        (
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go '
            "struct field DeploymentSpec.spec.replicas of type int32",
            "`spec.replicas` is a string and must be int32",
            "In Git, write `spec.replicas` as a number without quotes.",
        ),
        (
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type "
            "string",
            "`spec.template.spec.containers.env.value` is a number and must be string",
            "In Git, write `spec.template.spec.containers.env.value` as a string, in quotes.",
        ),
        (
            "failed to create typed patch object: .spec.replicas: expected numeric (int or float), got string",
            "`spec.replicas` is a string and must be numeric (int or float)",
            "In Git, write `spec.replicas` as a number without quotes.",
        ),
        (
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
            "`spec.containers` is an object and must be []v1.Container",
            "In Git, write `spec.containers` as a list.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_field(message: str, name: str, step: str) -> None:
    refusal = refusal_in(message)

    assert refusal is not None
    assert (refusal.name, refusal.step) == (name, step)


def test_another_message_has_no_wrong_type() -> None:
    assert wrong_type("spec.replicas: Invalid value: -1: must be greater than or equal to 0") is None


@pytest.mark.parametrize(
    ("message", "owner"),
    [
        (
            "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'labels' with binding 'all' denied "
            "request: every Deployment needs a label team",
            "ValidatingAdmissionPolicy labels",
        ),
        (
            'admission webhook "validate.kyverno.svc" denied the request: every Deployment needs a label team',
            "admission webhook validate.kyverno.svc",
        ),
    ],
)
def test_a_denial_by_a_policy_is_no_missing_right_and_names_whose_it_is(message: str, owner: str) -> None:
    refusal = refusal_in(message)

    assert refusal is not None
    assert "permission" not in refusal.name
    assert refusal.step == (
        "In Git, change what it rejects (“every Deployment needs a label team”), or ask the owner of the "
        f"{owner} for an exception."
    )
