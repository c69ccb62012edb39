"""How what a question is about is named."""

import copy
import pickle
import tracemalloc
from typing import Any

import pytest
from pydantic import ValidationError

from agent.objects.target import ApplicationRef, ResourceRef, Target

POD = ResourceRef(version="v1", kind="Pod", namespace="shop", name="api-1")
GUESTBOOK = ApplicationRef(namespace="argocd", name="guestbook")


@pytest.mark.parametrize(
    ("named", "text"),
    [
        (GUESTBOOK, "Application argocd/guestbook"),
        (ApplicationRef(name="guestbook"), "Application guestbook"),
        (POD, "Pod shop/api-1"),
        (ResourceRef(kind="Node", name="n1"), "Node n1"),
        (Target(application=GUESTBOOK, resource=POD), "Pod shop/api-1 of Application argocd/guestbook"),
        (Target(application=GUESTBOOK), "Application argocd/guestbook"),
        (Target(resource=POD), "Pod shop/api-1"),
        (Target(), "no resource"),
    ],
)
def test_a_target_is_written_for_people(named: object, text: str) -> None:
    assert str(named) == text


def test_a_general_question_has_a_false_target() -> None:
    assert not Target()
    assert Target(application=GUESTBOOK)
    assert Target(resource=POD)


@pytest.mark.parametrize(("group", "version", "text"), [("apps", "v1", "apps/v1"), ("", "v1", "v1"), ("", "", "")])
def test_the_api_version_is_written_as_in_manifests(group: str, version: str, text: str) -> None:
    assert ResourceRef(group=group, version=version, kind="X", name="x").api_version == text


def test_an_unchecked_reference_is_like_a_checked_one() -> None:
    values = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "u"}
    unchecked, checked = ResourceRef.unchecked(**values), ResourceRef(**values)

    assert unchecked == checked
    assert hash(unchecked) == hash(checked)
    assert unchecked.model_dump() == values
    assert unchecked.model_copy(update={"name": "api"}).name == "api"
    assert pickle.loads(pickle.dumps(unchecked)) == copy.deepcopy(unchecked) == checked
    assert repr(unchecked) == repr(checked)
    with pytest.raises(ValidationError, match="frozen"):
        unchecked.name = "other"


def test_a_manifest_names_its_resource() -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop", "uid": "u-1"},
    }

    assert ResourceRef.of(manifest) == ResourceRef(
        group="apps", version="v1", kind="Deployment", namespace="shop", name="api", uid="u-1"
    )
    assert ResourceRef.of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}) == ResourceRef(
        version="v1", kind="Pod", name="p"
    )


def test_manifests_of_equal_values_that_are_written_otherwise_have_references_of_their_own() -> None:
    names: list[Any] = ["1", 1, True, 1.0]

    references = [ResourceRef.of({"kind": "Pod", "metadata": {"name": name}}) for name in names * 2]

    assert [each.name if each else "" for each in references] == ["1", "1", "true", "1.0"] * 2


def test_an_odd_part_of_a_name_is_left_out_of_the_reference() -> None:
    manifest: dict[str, Any] = {
        "apiVersion": ["v1"],
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": {}, "uid": None},
    }

    assert ResourceRef.of(manifest) == ResourceRef(kind="Pod", name="p")


def test_references_of_many_manifests_take_no_more_than_their_room() -> None:
    tracemalloc.start()
    try:
        for name in (*(f"p{number}" for number in range(10_000)), *("p" * 100_000 + str(n) for n in range(100))):
            assert str(ResourceRef.of({"kind": "Pod", "metadata": {"name": name}})) == f"Pod {name}"
        assert tracemalloc.get_traced_memory()[0] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"kind": "Pod"},
        {"metadata": {"name": "p"}},
        {"kind": "Pod", "metadata": []},
        {"kind": None, "metadata": {"name": "p"}},
    ],
)
def test_a_manifest_without_kind_or_name_names_nothing(manifest: dict[str, Any]) -> None:
    assert ResourceRef.of(manifest) is None


@pytest.mark.parametrize("name", ["api", "system:node:a", "v1beta1.metrics.k8s.io", "a_b", "Ä", "...", "a" * 253])
def test_names_that_some_kind_of_the_kubernetes_api_accepts_are_accepted(name: str) -> None:
    assert ResourceRef(kind="ClusterRole", name=name).name == name


@pytest.mark.parametrize("name", ["", "a" * 254, ".", "..", "a/b", "a\\b", "a b", "a\tb", "a?b", "a#b", "a%b", "a\x7f"])
@pytest.mark.parametrize("model", [ApplicationRef, ResourceRef])
def test_names_that_would_leave_their_place_in_a_path_are_refused(
    model: type[ApplicationRef | ResourceRef], name: str
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({"kind": "Pod", "name": name} if model is ResourceRef else {"name": name})


def test_references_are_values() -> None:
    assert ApplicationRef(namespace="argocd", name="guestbook") == GUESTBOOK
    assert hash(POD) == hash(POD.model_copy())
    with pytest.raises(ValidationError, match="frozen"):
        POD.name = "other"
