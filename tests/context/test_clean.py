"""What is dropped from manifests, and what is not."""

from agent.context.clean import cleaned, cleaned_application
from agent.objects.manifest import Manifest
from tests.context.manifests import DEPLOYMENT


def test_field_managers_and_the_last_applied_manifest_are_dropped():
    metadata = cleaned(DEPLOYMENT)["metadata"]
    assert "managedFields" not in metadata
    assert metadata["annotations"] == {"team": "shop"}
    assert metadata["name"] == "web"


def test_the_manifest_given_stays_as_it_is():
    cleaned(DEPLOYMENT)
    assert "managedFields" in DEPLOYMENT["metadata"]
    assert len(DEPLOYMENT["metadata"]["annotations"]) == 2


def test_annotations_that_held_nothing_else_are_dropped_whole():
    manifest = {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}
    assert cleaned(manifest) == {"metadata": {}}


def test_a_manifest_with_odd_metadata_is_left_alone():
    odd: list[Manifest] = [{}, {"metadata": None}, {"metadata": []}, {"metadata": {"annotations": None}}]
    assert [cleaned(manifest) for manifest in odd] == odd


def test_an_application_says_that_it_is_one():
    assert cleaned_application({"spec": {}}) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "spec": {},
    }
