"""The fake Argo CD against answers recorded from Argo CD 3.5.1, rewritten with neutral names.

Each recorded request is replayed: the status must be the recorded one, and every recorded field must be there, with its
value, but for times. Of the list `metadata` is left out, as it holds a version.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.objects.manifest import lookup
from tests.context.manifests import pod, workload
from tests.fakes.argocd import TOKEN, FakeArgoCD
from tests.turn.triage.fleet import application

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded" / "argocd.json").read_text())
_TIMES = ("timeStamp", "timeStampStr")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    argocd = FakeArgoCD()
    conditions = [{"type": "RepeatedResourceWarning", "message": "twice"}]
    argocd.add_application(application("shop", health={"status": "Degraded"}, conditions=conditions))
    argocd.add_resource("shop", workload("Deployment", "later"), live=False, health="Missing")
    for name in ("api-1", "gone-1"):
        argocd.add_resource("shop", pod(name))
    argocd.add_log("api-1", "api", ["starting"])
    argocd.lose_logs("gone-1")
    with argocd.serving() as url:
        argocd.add_application(application("lost"))
        argocd.lose_project("lost")
        yield url


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: each["request"].split("applications")[-1][:50])
def test_the_fake_answers_as_argo_cd_does(url: str, recorded: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}

    response = requests.get(url + recorded["request"], headers=headers, timeout=10)

    assert response.status_code == recorded["status"]
    if "last" in recorded:
        assert_has(json.loads(response.text.splitlines()[-1]), recorded["last"])
    elif "answer" in recorded:
        assert_has(response.json(), recorded["answer"])
    else:
        assert "json" not in response.headers["content-type"]


def test_the_list_drops_what_argo_cd_drops(url: str) -> None:
    fields = "items.metadata.name,items.status.conditions,items.status.operationState.message"
    headers = {"authorization": f"Bearer {TOKEN}"}

    listed = requests.get(f"{url}/api/v1/applications?fields={fields}", headers=headers, timeout=10).json()

    assert lookup(listed, "items", 0) == {"metadata": {"name": "shop"}}


def assert_has(found: Any, wanted: Any) -> None:
    """Every field of `wanted` is in `found`."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():  # pyright: ignore[reportUnknownVariableType]
            assert key in found
            if key not in _TIMES:
                assert_has(found[key], value)
    elif isinstance(wanted, list):
        for one, other in zip(found, wanted, strict=False):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            assert_has(one, other)
    else:
        assert found == wanted
