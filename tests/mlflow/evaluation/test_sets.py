"""Which sets are asked; what is wrong with a choice is said."""

from pathlib import Path

import pytest

from agent.errors import RequestError
from agent.mlflow.evaluation import sets
from agent.mlflow.evaluation.sets import SETS, chosen_sets, shipped_folder
from tests.mlflow.evaluation.answers import write_scenario


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sets with a scenario each, and one that has none yet."""
    for name in ("own", "reports"):
        write_scenario(tmp_path / name, f"pods-{name}")
    monkeypatch.setattr(sets, "shipped_folder", tmp_path.joinpath)
    return tmp_path


def chosen(folder: Path | None = None, name: str | None = None, only: str = "*") -> dict[str, list[str]]:
    return {each.name: [scenario.name for scenario in each.scenarios] for each in chosen_sets(folder, name, only)}


@pytest.mark.usefixtures("shipped")
def test_every_set_that_has_a_scenario_is_asked_apart() -> None:
    assert chosen() == {"own": ["pods-own"], "reports": ["pods-reports"]}
    assert chosen(name="reports") == {"reports": ["pods-reports"]}
    assert chosen(only="own") == {"own": ["pods-own"]}


def test_a_folder_of_the_users_own_is_no_set(tmp_path: Path) -> None:
    write_scenario(tmp_path, "pods-a")

    assert chosen(tmp_path) == {"": ["pods-a"]}


@pytest.mark.parametrize(
    ("name", "only", "complaint"),
    [
        ("nope", "*", "there is no set 'nope'; there are own, reports, untouched"),
        ("", "*", "there is no set ''; there are own, reports, untouched"),
        ("untouched", "*", "the set untouched has no scenario yet"),
        (None, "drift", "none of the 2 scenarios matches 'drift'"),
        ("own", "reports", "none of the 1 scenarios matches 'reports'"),
    ],
)
@pytest.mark.usefixtures("shipped")
def test_a_choice_of_nothing_is_refused(name: str | None, only: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint):
        chosen_sets(None, name, only)


def test_a_folder_and_a_set_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="leave it out or the folder"):
        chosen_sets(tmp_path, "own")


def test_the_checkout_has_a_folder_for_each_set_with_scenarios() -> None:
    there = {path.name for path in shipped_folder("own").parent.iterdir() if path.is_dir() and path.name[0] != "_"}

    assert {"own", "reports"} <= there <= set(SETS)
