"""A target is filled in from what was read, and stays what it is where nothing is to be filled in."""

from typing import Any

import pytest

from agent.context.resolve_target import completed
from agent.objects.target import ApplicationRef, ResourceRef, Target

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api", "namespace": "shop", "uid": "u1"},
}


@pytest.mark.parametrize("supplied", [True, False])
def test_the_blanks_of_a_target_are_filled_in_from_its_manifest(supplied: bool) -> None:
    target = Target(resource=ResourceRef(kind="Pod", name="api"))

    found = completed(target, None, POD, supplied=supplied)

    assert found == Target(resource=ResourceRef.of(POD))
    assert completed(found, None, POD, supplied=supplied) is found


def test_what_a_manifest_lacks_is_what_the_target_tells() -> None:
    resource = ResourceRef(version="v1", kind="Pod", namespace="shop", name="api", uid="u1")
    bare = {"kind": "Pod", "metadata": {"name": "api"}}

    assert completed(Target(resource=resource), None, bare, supplied=True).resource == resource


def test_a_supplied_manifest_of_another_resource_says_nothing_of_the_target() -> None:
    target = Target(resource=ResourceRef(kind="Service", name="api"), application=ApplicationRef(name="shop"))

    assert completed(target, None, POD, supplied=True) is target
