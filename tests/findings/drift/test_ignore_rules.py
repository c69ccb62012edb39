"""The YAML that has Argo CD leave a difference alone."""

import yaml

from agent.findings.drift.ignore_rules import ignore_differences
from agent.objects.manifest import Manifest
from tests.findings.drift.states import DEPLOYMENT, container, drift, edited, set_by


def entry(text: str) -> Manifest:
    """The one entry of the YAML as Argo CD would read it."""
    (found,) = yaml.safe_load(text)["ignoreDifferences"]
    return found


def test_a_field_is_ignored_by_its_json_pointer() -> None:
    found = drift(DEPLOYMENT, edited(lambda m: m["metadata"].update(annotations={"example.com/owner": "a~b"})))

    assert entry(ignore_differences(found, found.differences)) == {
        "group": "apps",
        "kind": "Deployment",
        "name": "api",
        "namespace": "shop",
        "jsonPointers": ["/metadata/annotations/example.com~1owner"],
    }


def test_a_field_in_a_list_is_ignored_by_a_jq_path_that_names_its_entry() -> None:
    def change(manifest: Manifest) -> None:
        container(manifest)["image"] = "other"
        manifest["spec"]["template"]["spec"]["containers"].append({"name": "istio-proxy"})

    found = drift(DEPLOYMENT, edited(change))

    assert set(entry(ignore_differences(found, found.differences))["jqPathExpressions"]) == {
        '.spec.template.spec.containers[] | select(.name == "api") | .image',
        '.spec.template.spec.containers[] | select(.name == "istio-proxy")',
    }


def test_fields_of_one_controller_are_ignored_by_its_name() -> None:
    def change(manifest: Manifest) -> None:
        container(manifest)["image"] = "other"
        fields: Manifest = {
            "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"api"}': {"f:image": {}}}}}}
        }
        manifest["metadata"]["managedFields"] = [set_by("image-operator", fields)]

    found = drift(DEPLOYMENT, edited(change))

    rule = entry(ignore_differences(found, found.of("mutated")))
    assert rule["managedFieldsManagers"] == ["image-operator"]
    assert "jqPathExpressions" not in rule
