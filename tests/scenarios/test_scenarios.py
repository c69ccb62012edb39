"""Each scenario: the root cause is found first, on evidence that stands where it points; nothing on what is healthy."""

import asyncio
from functools import cache
from pathlib import Path

import pytest

from agent.mlflow.evaluation.answering import WatchedAssistant, answered
from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.scenarios import load_scenarios
from agent.mlflow.evaluation.table import score_table
from agent.mlflow.evaluation.verdicts import judged
from agent.settings import load_settings

FOLDER = Path(__file__).parent
SCENARIOS = {scenario.name: scenario for scenario in load_scenarios(FOLDER)}
PAGE = FOLDER.parents[1] / "docs" / "evaluation.md"

OF_ARGO_CD = ("application", "comparison", "operation", "drift")


@cache
def result_of(name: str) -> Result:
    scenario = SCENARIOS[name]
    answer = asyncio.run(answered(WatchedAssistant(load_settings()), scenario.parsed))
    verdicts = judged(scenario.expected, answer)
    return Result(scenario=name, family=scenario.expected.family, repetition=1, verdicts=verdicts)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_cause_is_named_first_on_evidence(name: str) -> None:
    assert result_of(name).wrong_because == ""


def test_a_name_begins_with_the_family() -> None:
    assert [name for name, each in SCENARIOS.items() if name.partition("-")[0] != each.expected.family] == []


def test_the_scenarios_are_spread_as_promised() -> None:
    expected = [scenario.expected for scenario in SCENARIOS.values()]

    assert len(expected) >= 64
    assert sum(each.family in OF_ARGO_CD for each in expected) >= len(expected) / 3
    assert sum(each.healthy for each in expected) >= 12
    assert sum(bool(each.red_herring) for each in expected) >= 15


def test_each_scenario_tells_what_must_not_be_concluded() -> None:
    assert [name for name, each in SCENARIOS.items() if not (each.expected.healthy or each.expected.forbidden)] == []


def without_costs(table: str) -> list[list[str]]:
    """The rows of a table of scores without tokens and seconds, which differ from machine to machine."""
    return [line.split(" | ")[:-2] for line in table.splitlines() if line.startswith("|")]


def test_the_documentation_shows_these_scores() -> None:
    shown = PAGE.read_text().split("<!-- score -->")[1].split("<!-- /score -->")[0]

    found = score_table([result_of(name) for name in SCENARIOS])

    assert without_costs(shown) == without_costs(found), "argocd-assistant evaluate --provider offline writes the table"
