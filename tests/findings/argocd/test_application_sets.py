"""ApplicationSets that cannot do their work."""

import pytest

from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, resource


def application_set(*conditions: Manifest) -> Manifest:
    return resource("argoproj.io/v1alpha1", "ApplicationSet", "tenants", status={"conditions": list(conditions)})


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("ApplicationParamsGenerationError", "a generator yields no parameters"),
        ("RenderTemplateParamsError", "its template cannot be rendered"),
        ("ApplicationValidationError", "an Application that it generates is not valid"),
        ("CreateApplicationError", "an Application cannot be created"),
        ("SomethingNew", "its controller reports an error"),
    ],
)
def test_an_error_is_one_finding_with_its_meaning_and_message(reason: str, meaning: str) -> None:
    broken = application_set(
        condition("ErrorOccurred", "True", reason, "it went wrong"),
        condition("ParametersGenerated", "False", reason, "it went wrong"),
        condition("ResourcesUpToDate", "False", reason, "it went wrong"),
    )

    (finding,) = findings_of(context(broken))

    assert finding.title == f"ApplicationSet tenants fails: {meaning}" + finding.title.partition(meaning)[2]
    assert finding.evidence[0].text == "it went wrong"


def test_one_that_is_well_or_rolls_out_is_nothing() -> None:
    well = application_set(
        condition("ErrorOccurred", "False", "ApplicationSetUpToDate", "Successfully generated parameters"),
        condition("ParametersGenerated", "True", "ParametersGenerated"),
        condition("ResourcesUpToDate", "True", "ApplicationSetUpToDate"),
    )
    rolling = application_set(
        condition("RolloutProgressing", "True", "ApplicationSetModified", "performing rollout"),
        condition("ResourcesUpToDate", "False", "ApplicationSetModified"),
    )

    assert findings_of(context(well)) == findings_of(context(rolling)) == ()
