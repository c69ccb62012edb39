"""Fields that the schema of a kind does not have, as the API server and kubectl word them."""

import pytest

from agent.findings.admission.unknown_fields import unknown_field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (
            'strict decoding error: unknown field "spec.template.spec.containers[0].resource"',
            "unknown field `spec.template.spec.containers[0].resource` (did you mean `resources`?)",
        ),
        (
            'errors:\n  .spec.template.spec.containers[name="api"].limit: field not declared in schema',
            'unknown field `spec.template.spec.containers[name="api"].limit` (did you mean `limits`?)',
        ),
        ('unknown field "foo" in io.k8s.api.apps.v1.DeploymentSpec', "unknown field `foo`"),
        ("admission webhook denied the request", ""),
    ],
)
def test_the_field_is_named_with_the_one_that_was_likely_meant(message: str, field: str) -> None:
    assert unknown_field(message) == field
