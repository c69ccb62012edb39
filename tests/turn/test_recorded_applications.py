"""The 42 Applications recorded from a real Argo CD: the cause is told first, in `ask` and in `triage`, and no healthy
one is named. What must be told is in `tests/fakes/recorded/expected.yaml`."""

import asyncio
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from typer.testing import CliRunner

from agent.cli.commands import app
from agent.context import collect
from agent.context.collect import Collector
from agent.findings import analyze
from agent.findings.model import Finding
from agent.objects.manifest import objects_at, text_at
from agent.redaction import Redactor
from agent.request.caller import ANONYMOUS
from agent.settings import load_settings
from agent.turn.assistant import Assistant
from agent.turn.events import Report
from agent.turn.parse import parse_question
from agent.turn.triage.overview import overview
from agent.turn.triage.survey import Survey
from tests.fakes import recorded_argocd
from tests.fakes.recorded_argocd import RECORDED_AT, TOKEN, RecordedArgoCD, applications

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(recorded_argocd.__file__).parent / "recorded" / "expected.yaml").read_text()
)
HEALTHY = ("fleet-a", "helm-ok", "multi", "shared-a", "team-web")

# Wrong today; a test fails when one of them is right, so that it is taken off.
WRONG_IN_ASK: frozenset[str] = frozenset()
WRONG_IN_TRIAGE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Told:
    """What was told first of an Application."""

    cause: str
    steps: str


class _RecordedTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = UTC) -> "_RecordedTime":
        return cls.fromisoformat(RECORDED_AT)


@pytest.fixture(scope="module")
def argocd() -> Generator[RecordedArgoCD]:
    fake = RecordedArgoCD()
    with fake.serving() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "datetime", _RecordedTime)
        fake.url = url
        yield fake


@pytest.fixture(autouse=True)
def configured(argocd: RecordedArgoCD, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGOCD_SERVER", argocd.url)
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)


@pytest.fixture(scope="module")
def reports(argocd: RecordedArgoCD) -> dict[str, Report]:
    """The report of a turn about each Application, by the offline provider."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOCD_SERVER", argocd.url)
        patch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        patch.setenv("ASSISTANT_KUBERNETES", "off")
        return asyncio.run(_asked_about_all())


@pytest.fixture(scope="module")
def groups(argocd: RecordedArgoCD) -> list[dict[str, Any]]:
    """The groups of `triage --json`."""
    environment = {"ARGOCD_SERVER": argocd.url, "ARGOCD_AUTH_TOKEN": TOKEN, "ASSISTANT_KUBERNETES": "off"}
    result = CliRunner(env=environment).invoke(app, ["triage", "--json"])
    assert result.exit_code == 1
    return cast("list[dict[str, Any]]", json.loads(result.stdout)["groups"])


async def _asked_about_all() -> dict[str, Report]:
    assistant = Assistant(load_settings())
    try:
        return {name: await _asked(assistant, name) for name in applications()}
    finally:
        await assistant.aclose()


async def _asked(assistant: Assistant, name: str) -> Report:
    manifest = applications()[name]
    named = {"name": name, "namespace": text_at(manifest, "metadata", "namespace")}
    named["project"] = text_at(manifest, "spec", "project")
    question = parse_question({"input": "Why is it not well?", "custom_inputs": {"application": named}})
    found = [event.value async for event in assistant.turn(question)]
    return next(event for event in found if isinstance(event, Report))


def _told(finding: Finding) -> Told:
    texts = (finding.title, finding.explanation, *(evidence.text for evidence in finding.evidence))
    return Told(cause="\n".join(texts), steps="\n".join(finding.next_steps[:1]))


def _is_right(told: Told | None, expected: dict[str, Any]) -> bool:
    return (
        told is not None
        and all(word in told.cause for word in expected["cause"])
        and all(word in told.steps for word in expected["step"])
    )


def test_every_recorded_application_is_judged() -> None:
    assert set(applications()) == {*EXPECTED, *HEALTHY}
    assert len(applications()) == 42


@pytest.mark.parametrize("name", EXPECTED)
def test_ask_tells_the_cause_first(reports: dict[str, Report], name: str) -> None:
    findings = reports[name].findings
    told = _told(findings[0]) if findings else None

    assert _is_right(told, EXPECTED[name]) is (name not in WRONG_IN_ASK), told


@pytest.mark.parametrize("name", [name for name, each in EXPECTED.items() if each.get("triage") != "healthy"])
def test_triage_tells_the_cause_first(groups: list[dict[str, Any]], name: str) -> None:
    namespace = text_at(applications()[name], "metadata", "namespace")
    group = next((each for each in groups if f"{namespace}/{name}" in each["applications"]), None)
    told = _told_in(group, f"{namespace}/{name}") if group else None

    assert _is_right(told, EXPECTED[name]) is (name not in WRONG_IN_TRIAGE), told


def _told_in(group: dict[str, Any], name: str) -> Told:
    """What the group tells of one of its Applications."""
    texts = (group["title"], group["explanation"], *(evidence["text"] for evidence in objects_at(group, "evidence")))
    steps: list[str] = group["next_steps"]
    own = [step for step in steps if step.startswith(f"{name}: ")] or steps
    return Told(cause="\n".join(texts), steps=own[0])


@pytest.mark.parametrize("name", HEALTHY)
def test_ask_finds_nothing_wrong_with_a_healthy_one(reports: dict[str, Report], name: str) -> None:
    assert [finding.title for finding in reports[name].findings] == []


def test_triage_names_no_healthy_application(groups: list[dict[str, Any]]) -> None:
    named = {name for group in groups for name in group["applications"]}
    passed_over = {name for name, each in EXPECTED.items() if each.get("triage") == "healthy"}

    assert not {name for name in named if name.rpartition("/")[2] in {*HEALTHY, *passed_over}}


def test_what_could_not_be_read_is_what_argo_cd_did_not_give(reports: dict[str, Report]) -> None:
    gaps = {name: [(gap.part, gap.reason) for gap in report.context.gaps] for name, report in reports.items()}

    assert {name: found for name, found in gaps.items() if found} == {
        "crash-nolog": [("logs", "not_found")],
        "no-project": [("application", "invalid"), ("events", "invalid")],
        "postsync": [("related", "not_found")],
        "project-deny": [("related", "left_out")],
        "project-dest": [("related", "left_out")],
    }
    assert not any("HTTP 500" in gap.message for report in reports.values() for gap in report.context.gaps)


def test_a_question_about_all_applications_has_the_cause_of_each_failed_sync(argocd: RecordedArgoCD) -> None:
    surveyed = asyncio.run(_surveyed_by_the_list())
    told = "\n".join(finding.title for finding in surveyed)

    for name, cause in {
        "admission": "every Deployment needs a label team",
        "immutable": "an immutable field was changed",
        "invalid": "must be int32",
        "missing-crd": "its kind is not installed",
        "project-deny": "the AppProject does not permit it",
        "repeated": "RepeatedResourceWarning",
    }.items():
        assert any(name in title and cause in title for title in told.splitlines()), (name, told)


async def _surveyed_by_the_list() -> Sequence[Finding]:
    """The findings of an overview that reads no Application by itself."""
    collector = Collector(load_settings())
    redactor = Redactor(b"0" * 32, enabled=True)
    try:
        return (await overview(Survey(collector, analyze), redactor, limit=0, caller=ANONYMOUS)).findings
    finally:
        await collector.aclose()


def test_what_was_asked_and_not_recorded_is_known(reports: dict[str, Report], argocd: RecordedArgoCD) -> None:
    others = {each for each in argocd.unrecorded if not each.endswith("/metadata")}

    # The live manifests of resources that are well were not recorded with their events.
    assert others == {
        "/api/v1/projects/tenant",
        "immutable/events accounts",
        "root/events child-ok",
    }
