"""Label selectors as Kubernetes evaluates them."""

from typing import Any

import pytest

from agent.objects.selectors import differences, labels_at, selects, spelled, takes

LABELS = {"app": "web", "tier": "front"}


def expression(operator: str, *values: str, key: str = "tier") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"matchLabels": {"app": "web"}},
        expression("In", "front", "back"),
        expression("NotIn", "back"),
        expression("NotIn", "back", key="zone"),
        expression("Exists"),
        expression("DoesNotExist", key="zone"),
        {"matchLabels": {"app": "web"}} | expression("Exists"),
    ],
)
def test_matches(selector: dict[str, Any]) -> None:
    assert selects(selector, LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "api"}},
        {"matchLabels": {"zone": "a"}},
        expression("In", "back"),
        expression("In", "front", key="zone"),
        expression("NotIn", "front"),
        expression("Exists", key="zone"),
        expression("DoesNotExist"),
        expression("Gt", "1"),
        {"matchLabels": {"app": "web"}} | expression("DoesNotExist"),
    ],
)
def test_does_not_match(selector: dict[str, Any]) -> None:
    assert not selects(selector, LABELS)


def test_a_selector_of_labels_alone_takes_what_has_them_all_and_an_empty_one_nothing() -> None:
    assert takes({"app": "web"}, LABELS)
    assert not takes({"app": "web", "zone": "a"}, LABELS)
    assert not takes({}, LABELS)
    assert differences({"app": "api", "zone": "a"}, LABELS) == [("app", "api", "web"), ("zone", "a", None)]


def test_labels_are_read_and_spelled() -> None:
    assert labels_at({"labels": {"b": "2", "a": "1", "odd": 3}}, "labels") == {"a": "1", "b": "2"}
    assert spelled({"b": "2", "a": "1"}) == "a=1,b=2"
