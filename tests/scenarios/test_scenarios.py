"""Each scenario: the root cause is found first, on evidence that stands where it points; nothing on what is healthy.

In our own set all of them are right. What is not right in the sets of others is listed in known_wrong.yaml, both ways.
"""

import asyncio
from functools import cache
from pathlib import Path

import pytest
import yaml

from agent.mlflow.evaluation.answering import WatchedAssistant, answered
from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.sets import SETS, chosen_sets
from agent.mlflow.evaluation.table import score_table, set_table
from agent.mlflow.evaluation.verdicts import is_silent, judged
from agent.settings import load_settings

FOLDER = Path(__file__).parent
SCENARIOS = {each.name: {scenario.name: scenario for scenario in each.scenarios} for each in chosen_sets(None, None)}
OWN = SCENARIOS["own"]
OTHERS = [(name, scenario) for name in SCENARIOS if name != "own" for scenario in SCENARIOS[name]]
KNOWN_WRONG: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "known_wrong.yaml").read_text())
PAGE = FOLDER.parents[1] / "docs" / "evaluation.md"
README = FOLDER.parents[1] / "README.md"

OF_ARGO_CD = ("application", "comparison", "operation", "drift")


@cache
def result_of(set_name: str, name: str) -> Result:
    scenario = SCENARIOS[set_name][name]
    expected = scenario.expected
    answer = asyncio.run(answered(WatchedAssistant(load_settings()), scenario.parsed))
    return Result(
        scenario=name,
        family=expected.family,
        repetition=1,
        verdicts=judged(expected, answer),
        silent=is_silent(expected, answer),
    )


def results_of(set_name: str) -> list[Result]:
    return [result_of(set_name, name) for name in SCENARIOS[set_name]]


@pytest.mark.parametrize("name", OWN)
def test_the_cause_is_named_first_on_evidence(name: str) -> None:
    assert result_of("own", name).wrong_because == ""


@pytest.mark.parametrize(("set_name", "name"), OTHERS)
def test_a_case_of_others_is_right_or_known_to_be_wrong(set_name: str, name: str) -> None:
    wrong = result_of(set_name, name).wrong_because

    if name in KNOWN_WRONG[set_name]:
        assert wrong, "it is right now: take it off known_wrong.yaml"
    else:
        assert wrong == ""


def test_what_is_known_to_be_wrong_exists_and_has_a_reason() -> None:
    assert list(KNOWN_WRONG) == [name for name in SETS if name != "own"]
    for set_name, known in KNOWN_WRONG.items():
        assert known.keys() <= SCENARIOS.get(set_name, {}).keys()
        assert all(known.values())


def test_a_case_of_others_tells_when_it_was_read_and_what_shows_its_cause() -> None:
    expected = {name: SCENARIOS[set_name][name].expected for set_name, name in OTHERS}

    assert [name for name, each in expected.items() if not (each.as_of and each.why)] == []


def test_an_untouched_case_names_its_source() -> None:
    assert [name for name, each in SCENARIOS.get("untouched", {}).items() if not each.expected.source] == []


def test_a_name_begins_with_the_family() -> None:
    assert [name for name, each in OWN.items() if name.partition("-")[0] != each.expected.family] == []


def test_our_scenarios_are_spread_as_promised() -> None:
    expected = [scenario.expected for scenario in OWN.values()]

    assert len(expected) >= 64
    assert sum(each.family in OF_ARGO_CD for each in expected) >= len(expected) / 3
    assert sum(each.healthy for each in expected) >= 12
    assert sum(bool(each.red_herring) for each in expected) >= 15


def test_each_of_our_scenarios_has_evidence_and_what_must_not_be_concluded() -> None:
    broken = {name: each.expected for name, each in OWN.items() if not each.expected.healthy}

    assert [name for name, each in broken.items() if not (each.evidence and each.forbidden)] == []


def without_costs(table: str) -> list[list[str]]:
    """The rows of a table of scores without tokens and seconds, which differ from machine to machine."""
    return [line.split(" | ")[:-2] for line in table.splitlines() if line.startswith("|")]


def shown(page: Path, mark: str) -> str:
    """What stands between two marks of a page."""
    return page.read_text("utf-8").split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]


@pytest.mark.parametrize("set_name", SCENARIOS)
def test_the_documentation_shows_the_scores_of_each_set(set_name: str) -> None:
    found = score_table(results_of(set_name))

    assert without_costs(shown(PAGE, f"score {set_name}")) == without_costs(found), (
        f"argocd-assistant evaluate --provider offline --set {set_name} writes the table"
    )


def test_the_documentation_and_the_readme_show_the_sets_apart() -> None:
    table = set_table({name: results_of(name) for name in SCENARIOS})

    assert shown(PAGE, "sets").strip() == table.strip()
    assert shown(README, "sets").strip() == table.strip()
