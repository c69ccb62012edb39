"""Whatever the two states are, comparing them neither raises nor claims what is not there."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.model import ManagedResource
from agent.findings.drift import ABSENT, drifts_of
from agent.objects.manifest import Manifest, lookup
from agent.objects.target import ResourceRef
from tests.findings.drift.states import container, context_of, drift, edited

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
_names = st.sampled_from(
    [
        *("name", "key", "type", "spec", "status", "metadata", "annotations", "labels", "env", "ports", "port", "data"),
        *(
            "containers",
            "resources",
            "limits",
            "replicas",
            "a/b",
            "managedFields",
            "fieldsV1",
            "f:spec",
            'k:{"name":1}',
        ),
    ]
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
_manifests = st.dictionaries(_names, _values, max_size=6)


def states(git: Manifest, live: Manifest, kind: str) -> ManagedResource:
    """A resource with these states, whatever they say of themselves."""
    resource = ResourceRef(kind=kind, name="odd")
    return ManagedResource(resource=resource, target=git, live=live, normalized_live=live, predicted_live=git)


def plain(value: Any) -> Any:
    """A value of a difference as the manifest spells it: lists instead of tuples."""
    return json.loads(json.dumps(value, default=str))


@settings(max_examples=100, deadline=None)
@given(live=_manifests, git=_manifests, kind=st.sampled_from(["Deployment", "Secret", "ConfigMap"]))
def test_every_path_exists_on_the_side_it_claims(live: Manifest, git: Manifest, kind: str) -> None:
    identity = {"apiVersion": "v1", "kind": kind}
    git, live = git | identity, live | identity

    for found in drifts_of(context_of(states(git, live, kind))):
        for difference in found.differences:
            assert difference.live_path is not None or difference.git_path is not None
            for place, manifest, value in (
                (difference.live_path, live, difference.live),
                (difference.git_path, git, difference.git),
            ):
                if place is None or difference.hidden or "another order" in difference.reason:
                    continue
                there = lookup(manifest, *place)
                if value is ABSENT:
                    continue
                assert plain(there) == plain(value) or (there is None and not value)


@given(manifest=_manifests)
def test_a_manifest_does_not_differ_from_itself(manifest: Manifest) -> None:
    assert drifts_of(context_of(states(manifest, copy.deepcopy(manifest), "Deployment"))) == ()


def test_endless_nesting_is_compared_no_deeper_than_any_api_goes() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = {"a": [deep]}

    found = drift(edited(lambda m: m["spec"].update(deep=deep)), edited(lambda m: m["spec"].update(deep={"a": 2})))

    assert [difference.path for difference in found.differences] == ["spec.deep.a"]


def test_endless_differences_are_counted_up_to_a_limit() -> None:
    def many(manifest: Manifest, value: str) -> None:
        container(manifest)["env"] = [{"name": f"V{i}", "value": value} for i in range(8_000)]

    found = drift(edited(lambda m: many(m, "a")), edited(lambda m: many(m, "b")))

    assert (len(found.differences), found.more) == (5_000, True)
