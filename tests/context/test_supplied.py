"""What a caller supplies, as it becomes a context."""

from collections.abc import Mapping
from typing import Any

from agent.context.context import Context, Part
from agent.context.model import PartResult
from agent.context.parts import PARTS
from agent.context.supplied import is_heavy, read_supplied
from agent.objects.target import Target
from agent.turn.parse import parse_question
from tests.context.manifests import DEPLOYMENT, POD, application, event


def read(**custom_inputs: Any) -> Mapping[Part[Any], PartResult[Any]]:
    return read_supplied(parse_question({"input": "Why?", "custom_inputs": custom_inputs}), PARTS)


def supplied(**custom_inputs: Any) -> Context:
    found = read(**custom_inputs)
    gaps = tuple(gap for result in found.values() for gap in result.gaps)
    return Context(target=Target(), parts={part: result.value for part, result in found.items()}, gaps=gaps)


def test_nothing_supplied_is_not_the_same_as_nothing_there():
    assert read() == {}
    found = read(events=[], logs={}, children=[])
    assert {part.name: result.value for part, result in found.items()} == {"children": (), "events": (), "logs": ()}


def test_manifests_are_cleaned():
    found = supplied(manifest=DEPLOYMENT, children=[POD], application_manifest=application())
    for manifest in (found.manifest, found.application, *found.children):
        assert manifest is not None
        assert "managedFields" not in manifest["metadata"]


def test_an_event_list_is_merged():
    found = supplied(events={"kind": "EventList", "items": [event(POD, "BackOff", "again")] * 3})
    assert [(each.reason, each.count) for each in found.events] == [("BackOff", 3)]


def test_an_event_list_of_null_is_a_list_of_none():
    assert supplied(events={"items": None}).events == ()


def test_logs_are_cut_to_the_lines_asked_for():
    found = supplied(manifest=POD, logs={"api": "one\ntwo\nthree"}, log_request={"tail_lines": 2, "previous": True})
    (log,) = found.logs
    assert ([line.text for line in log.lines], log.left_out) == (["two", "three"], 1)
    assert (log.container, log.pod, log.previous) == ("api", "web-5d9-x1", True)


def test_the_container_asked_for_comes_first():
    found = supplied(logs={"proxy": "p", "api": [{"content": "a"}]}, log_request={"container": "api"})
    assert [log.container for log in found.logs] == ["api", "proxy"]
    assert found.gaps == ()


def test_a_container_that_is_not_among_the_logs_is_a_gap_that_names_them():
    found = supplied(logs={"proxy": "p", "api": "a"}, log_request={"container": "apo"})
    assert [(gap.reason, gap.message) for gap in found.gaps] == [
        ("not_found", "No log of container 'apo' was supplied; there are: proxy, api")
    ]


def test_a_refusal_in_place_of_a_log_is_a_gap():
    found = supplied(logs={"api": 'container "api" in pod "web-1" is waiting to start: ContainerCreating', "b": "x"})
    assert [log.container for log in found.logs] == ["b"]
    assert [(gap.part, gap.source, gap.reason) for gap in found.gaps] == [("logs", "supplied", "waiting")]


def test_large_contexts_are_known_to_be_heavy():
    def heavy(**custom_inputs: Any) -> bool:
        return is_heavy(parse_question({"input": "Why?", "custom_inputs": custom_inputs}), PARTS)

    assert not heavy(manifest=POD, logs={"api": "x" * 1000}, events=[{}] * 10)
    assert heavy(logs={"api": "x" * 300_000})
    assert heavy(logs={"api": [{"content": "x"}] * 3000})
    assert heavy(events=[{}] * 600)
    assert heavy(resource_tree={"nodes": [{}] * 400, "orphanedNodes": [{}] * 200})
    assert heavy(managed_resources=[{"kind": "ConfigMap", "liveState": "x" * 300_000}])
