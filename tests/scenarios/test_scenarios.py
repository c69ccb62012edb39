"""Each scenario: the root cause is found first, on evidence that stands where it points; nothing on what is healthy.

Those that are answered wrongly are in `known_wrong.yaml`, with the reason. The list is strict in both directions.
"""

import asyncio
from functools import cache
from pathlib import Path

import pytest
import yaml

from agent.mlflow.evaluation.answering import WatchedAssistant, answered
from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.scenarios import SETS, load_scenarios
from agent.mlflow.evaluation.table import score_table
from agent.mlflow.evaluation.verdicts import judged
from agent.settings import load_settings

FOLDER = Path(__file__).parent
SCENARIOS = {scenario.name: scenario for scenario in load_scenarios(FOLDER)}
OWN = {name: scenario for name, scenario in SCENARIOS.items() if scenario.set == "own"}
KNOWN_WRONG: dict[str, str] = yaml.safe_load((FOLDER / "known_wrong.yaml").read_text()) or {}
PAGE = FOLDER.parents[1] / "docs" / "evaluation.md"

OF_ARGO_CD = ("application", "comparison", "operation", "drift")


@cache
def result_of(name: str) -> Result:
    scenario = SCENARIOS[name]
    answer = asyncio.run(answered(WatchedAssistant(load_settings()), scenario))
    verdicts = judged(scenario.expected, answer)
    return Result(scenario=name, set=scenario.set, family=scenario.expected.family, repetition=1, verdicts=verdicts)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in KNOWN_WRONG])
def test_the_cause_is_named_first_on_evidence(name: str) -> None:
    assert result_of(name).wrong_because == ""


@pytest.mark.parametrize("name", KNOWN_WRONG)
def test_what_is_known_to_be_wrong_still_is(name: str) -> None:
    assert not result_of(name).right, f"{name} is right now: take it off known_wrong.yaml"


def test_none_of_our_own_is_known_to_be_wrong() -> None:
    assert [name for name in KNOWN_WRONG if name in OWN] == []


def test_a_case_of_others_has_its_source_and_its_time() -> None:
    others = {name: each.expected for name, each in SCENARIOS.items() if name not in OWN}

    assert [name for name, each in others.items() if not each.source or not each.why] == []
    assert {each.set for each in SCENARIOS.values()} <= SETS.keys()


def test_a_name_begins_with_the_family() -> None:
    assert [name for name, each in OWN.items() if name.partition("-")[0] != each.expected.family] == []


def test_the_scenarios_are_spread_as_promised() -> None:
    expected = [scenario.expected for scenario in OWN.values()]

    assert len(expected) >= 64
    assert sum(each.family in OF_ARGO_CD for each in expected) >= len(expected) / 3
    assert sum(each.healthy for each in expected) >= 12
    assert sum(bool(each.red_herring) for each in expected) >= 15


def test_each_scenario_tells_what_must_not_be_concluded() -> None:
    assert [name for name, each in OWN.items() if not (each.expected.healthy or each.expected.forbidden)] == []


def without_costs(table: str) -> list[list[str]]:
    """The rows of the tables of scores without tokens and seconds, which differ from machine to machine."""
    return [line.split(" | ")[:-2] or [line] for line in table.splitlines() if line.startswith(("|", "###"))]


def test_the_documentation_shows_these_scores() -> None:
    shown = PAGE.read_text().split("<!-- score -->")[1].split("<!-- /score -->")[0]

    found = score_table([result_of(name) for name in SCENARIOS])

    assert without_costs(shown) == without_costs(found), "argocd-assistant evaluate --provider offline writes the table"
