"""Surveys of a fake Argo CD: what is listed, what is looked at, what a failure leaves."""

import asyncio
import threading
from collections.abc import Collection
from contextlib import aclosing

import pytest
from starlette.responses import Response

from agent.context.collect import Collector
from agent.context.context import Context
from agent.context.model import Fleet
from agent.errors import SourceError
from agent.findings import analyze
from agent.redaction import Redactor
from agent.settings import load_settings
from agent.turn.triage.examined import Examined
from agent.turn.triage.grouping import grouped
from agent.turn.triage.survey import Survey
from tests.fakes.argocd import FakeArgoCD
from tests.turn.triage.fleet import add

REFUSED = "the repository refuses Argo CD: authentication required: https://git.example.com/platform/deploy.git"


def surveyed(
    *,
    limit: int = 100,
    known: Collection[str] = (),
    projects: tuple[str, ...] = (),
    redactor: Redactor | None = None,
) -> tuple[Fleet, list[Examined]]:
    async def run() -> tuple[Fleet, list[Examined]]:
        collector = Collector(load_settings())
        try:
            survey = Survey(collector, analyze)
            fleet = await survey.fleet(projects=projects)
            examining = survey.examine(fleet, redactor or Redactor(b"k"), limit=limit, known=known)
            async with aclosing(examining):
                return fleet, [each async for each in examining]
        finally:
            await collector.aclose()

    return asyncio.run(run())


def titles(examined: list[Examined]) -> dict[str, str]:
    return {each.application: each.findings[0].title for each in examined}


def test_all_are_counted_and_the_troubled_are_told_the_worst_first(argocd: FakeArgoCD) -> None:
    fleet, _ = surveyed(limit=0)

    assert (fleet.total, fleet.health, fleet.sync) == (
        10,
        {"Healthy": 9, "Degraded": 1},
        {"Synced": 8, "Unknown": 1, "OutOfSync": 1},
    )
    assert [each.name for each in fleet.troubled] == ["argocd/app-0007", "argocd/app-0008", "argocd/app-0009"]


def test_each_troubled_application_is_looked_at_down_to_its_pods(argocd: FakeArgoCD) -> None:
    _, examined = surveyed()

    found = titles(examined)
    assert found["argocd/app-0007"].startswith("Container api is OOMKilled (exit code 137)")
    assert found["argocd/app-0008"].endswith(f"ComparisonError: {REFUSED}")
    assert "OutOfSync" in found["argocd/app-0009"]
    assert all(each.closely for each in examined)


def test_beyond_the_limit_the_list_alone_is_told(argocd: FakeArgoCD) -> None:
    _, examined = surveyed(limit=1)

    assert {each.application: each.closely for each in examined} == {
        "argocd/app-0007": True,
        "argocd/app-0008": False,
        "argocd/app-0009": False,
    }
    assert titles(examined)["argocd/app-0008"].endswith(REFUSED)


class WatchedRedactor(Redactor):
    """Notes which threads it works in, and whether two of them ever at once."""

    def __init__(self) -> None:
        super().__init__(b"k")
        self.threads: set[str] = set()
        self.overlapped = threading.Event()
        self._free = threading.Lock()

    def context(self, context: Context) -> Context:
        self.threads.add(threading.current_thread().name)
        if not self._free.acquire(blocking=False):
            self.overlapped.set()
            return super().context(context)
        try:
            self.overlapped.wait(0.2)  # time for another thread to come in
            return super().context(context)
        finally:
            self._free.release()


@pytest.mark.parametrize("limit", [100, 1])
def test_a_redactor_works_beside_the_event_loop_and_for_one_application_at_a_time(
    argocd: FakeArgoCD, limit: int
) -> None:
    redactor = WatchedRedactor()

    _, examined = surveyed(limit=limit, redactor=redactor)

    assert len(examined) == 3
    assert not redactor.overlapped.is_set()
    assert threading.main_thread().name not in redactor.threads


def test_well_ones_cost_no_request(argocd: FakeArgoCD) -> None:
    surveyed()
    assert not [path for path in argocd.paths() if "app-0000" in path]


def test_what_is_known_is_not_asked_again(argocd: FakeArgoCD) -> None:
    _, examined = surveyed(known=["argocd/app-0007", "argocd/app-0009"])

    assert [each.application for each in examined] == ["argocd/app-0008"]
    assert not [path for path in argocd.paths() if "app-0007" in path]


def test_one_project_can_be_asked_for(argocd: FakeArgoCD) -> None:
    add(argocd, "ledger", kind="killed", project="payments", resources=1)

    fleet, _ = surveyed(limit=0, projects=("payments",))

    assert [each.name for each in fleet.troubled] == ["argocd/ledger"]


def test_an_application_that_cannot_be_read_is_told_by_the_list_with_its_gaps(argocd: FakeArgoCD) -> None:
    argocd.fail("/applications/app-0008", Response(status_code=500))

    _, examined = surveyed()

    failed = next(each for each in examined if each.application == "argocd/app-0008")
    assert failed.findings[0].title.endswith(REFUSED)
    assert "HTTP 500" in failed.gaps[0].message
    assert len(examined) == 3


def test_a_list_that_fails_is_an_error(argocd: FakeArgoCD) -> None:
    argocd.fail("/applications", Response(status_code=503))

    with pytest.raises(SourceError, match="HTTP 503 when asked for the list of Applications"):
        surveyed()


def test_an_argocd_without_applications_is_well() -> None:
    with FakeArgoCD(token=None).serving() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOCD_SERVER", url)
        fleet, examined = surveyed()

    assert (fleet.total, examined, grouped(examined)) == (0, [], ())
