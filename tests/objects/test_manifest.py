"""Objects from an API are read without trusting their shape."""

from collections import OrderedDict
from typing import Any

import pytest

from agent.objects.manifest import integer_at, list_at, lookup, object_at, objects_at, path_text, text_at

POD: dict[str, Any] = {
    "metadata": {"name": "api-1", "labels": None, "generation": 3, "annotations": {"a.b/c": "x"}},
    "status": {"ready": False, "load": 1.5, "conditions": [{"type": "Ready"}, None, "odd", {"type": "Initialized"}]},
}


def test_a_value_is_found_at_its_path() -> None:
    assert lookup(POD, "metadata", "name") == "api-1"
    assert lookup(POD, "status", "conditions", 0, "type") == "Ready"
    assert lookup(POD, "status", "conditions", -1, "type") == "Initialized"
    assert lookup(POD) is POD


@pytest.mark.parametrize(
    "path",
    [
        ("spec",),
        ("metadata", "labels", "app"),
        ("metadata", "name", "first"),
        ("metadata", 0),
        ("status", "conditions", 4),
        ("status", "conditions", -5),
        ("status", "conditions", "type"),
        ("status", "conditions", 1, "type"),
        ("status", "conditions", 2, 0),
    ],
)
def test_where_a_step_is_absent_null_or_of_another_type_there_is_nothing(path: tuple[str | int, ...]) -> None:
    assert lookup(POD, *path) is None
    assert text_at(POD, *path) == ""
    assert integer_at(POD, *path) is None
    assert object_at(POD, *path) == {}
    assert list_at(POD, *path) == []
    assert objects_at(POD, *path) == []


def test_an_ordered_dictionary_is_an_object_like_any_other() -> None:
    status: OrderedDict[str, Any] = OrderedDict(conditions=[OrderedDict(type="Ready")], replicas=2)
    ordered: OrderedDict[str, Any] = OrderedDict(status=status)

    assert text_at(ordered, "status", "conditions", 0, "type") == "Ready"
    assert integer_at(ordered, "status", "replicas") == 2
    assert objects_at(ordered, "status", "conditions") == [{"type": "Ready"}]
    assert object_at(ordered, "status", "conditions", 0) == lookup(ordered, "status", "conditions", 0)


@pytest.mark.parametrize("odd", [None, "text", 7, [], [None]])
def test_what_is_no_object_holds_nothing(odd: object) -> None:
    assert lookup(odd, "metadata", "name") is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("metadata", "name"), "api-1"),
        (("metadata", "generation"), "3"),
        (("status", "ready"), "false"),
        (("status", "load"), "1.5"),
        (("metadata", "annotations"), ""),
        (("status", "conditions"), ""),
    ],
)
def test_text_is_strings_and_written_out_scalars(path: tuple[str, ...], text: str) -> None:
    assert text_at(POD, *path) == text


def test_a_whole_number_is_neither_a_boolean_nor_a_fraction() -> None:
    assert integer_at(POD, "metadata", "generation") == 3
    assert integer_at(POD, "status", "ready") is None
    assert integer_at(POD, "status", "load") is None
    assert integer_at(POD, "metadata", "name") is None


def test_objects_of_a_list_leave_anything_else_out() -> None:
    assert objects_at(POD, "status", "conditions") == [{"type": "Ready"}, {"type": "Initialized"}]
    assert len(list_at(POD, "status", "conditions")) == 4
    assert object_at(POD, "metadata", "annotations") == {"a.b/c": "x"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("kind",), "kind"),
        (("status", "conditions", 0, "type"), "status.conditions[0].type"),
        (("metadata", "annotations", "a.b/c", "d"), 'metadata.annotations["a.b/c"].d'),
        (("data", "my-key_1"), "data.my-key_1"),
        (("data", ""), 'data[""]'),
        (("data", 'a"b'), 'data["a\\"b"]'),
        ((0, "kind"), "[0].kind"),
    ],
)
def test_a_path_is_written_so_that_it_can_be_read_back(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text
