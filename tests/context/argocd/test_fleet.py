"""The list of Applications against the fake Argo CD, which drops the fields that the real one drops."""

from collections.abc import Iterator

import pytest

from agent.context.argocd.api import ArgoCDAPI
from agent.context.argocd.fleet import read_fleet
from agent.context.model import Fleet
from agent.settings import load_settings
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.turn.triage.fleet import application


@pytest.fixture
def argocd() -> FakeArgoCD:
    return FakeArgoCD()


@pytest.fixture
def api(argocd: FakeArgoCD) -> Iterator[ArgoCDAPI]:
    with argocd.serving() as url:
        api = ArgoCDAPI(load_settings({"argocd_server": url, "argocd_auth_token": TOKEN}), connections=2)
        yield api
        api.close()


def troubled(fleet: Fleet) -> list[str]:
    return [each.name for each in fleet.troubled]


def test_a_healthy_and_synced_application_with_a_condition_is_troubled(argocd: FakeArgoCD, api: ArgoCDAPI) -> None:
    condition = {"type": "RepeatedResourceWarning", "message": "Resource /ConfigMap/shop/a appeared 2 times"}
    argocd.add_application(application("twice", conditions=[condition]))
    argocd.add_application(application("well"))

    fleet = read_fleet(api)

    assert troubled(fleet) == ["argocd/twice"]
    assert fleet.troubled[0].manifest["status"]["conditions"] == [condition]


def test_the_message_of_a_failed_operation_is_read(argocd: FakeArgoCD, api: ArgoCDAPI) -> None:
    operation = {"phase": "Failed", "message": "one or more objects failed to apply, reason: no space left"}
    argocd.add_application(application("shop", operationState=operation))

    assert read_fleet(api).troubled[0].manifest["status"]["operationState"] == operation


def test_a_progressing_application_is_troubled(argocd: FakeArgoCD, api: ArgoCDAPI) -> None:
    argocd.add_application(application("kafka", health={"status": "Progressing"}))

    assert troubled(read_fleet(api)) == ["argocd/kafka"]


def test_orphaned_resources_alone_are_no_trouble(argocd: FakeArgoCD, api: ArgoCDAPI) -> None:
    condition = {"type": "OrphanedResourceWarning", "message": "Application has 2 orphaned resources"}
    argocd.add_application(application("well", conditions=[condition]))

    assert troubled(read_fleet(api)) == []


def test_a_fleet_too_large_for_the_whole_list_has_a_gap(
    argocd: FakeArgoCD, api: ArgoCDAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.context.argocd.fleet.MAX_WITH_CONDITIONS", 1)
    argocd.add_application(application("one"))
    argocd.add_application(application("two"))

    fleet = read_fleet(api)

    assert [(gap.part, gap.reason) for gap in fleet.gaps] == [("fleet", "left_out")]
    assert len(argocd.requests) == 1


def test_a_list_that_is_too_long_leaves_the_state_and_a_gap(
    argocd: FakeArgoCD, api: ArgoCDAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.context.argocd.fleet.MAX_LIST_BYTES", 10)
    argocd.add_application(application("shop", health={"status": "Degraded"}))

    fleet = read_fleet(api)

    assert troubled(fleet) == ["argocd/shop"]
    assert [gap.reason for gap in fleet.gaps] == ["unavailable"]


def test_the_spec_is_read_with_the_conditions_since_the_short_list_has_the_project_alone(
    argocd: FakeArgoCD, api: ArgoCDAPI
) -> None:
    argocd.add_application(application("shop", health={"status": "Degraded"}))

    spec = read_fleet(api).troubled[0].manifest["spec"]
    assert (spec["source"]["path"], spec["destination"]["namespace"]) == ("shop", "shop")
