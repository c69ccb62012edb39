"""The sets of scenarios that come with the project. Owns their names, what sets them apart, and where they are.

Scores of different sets mean different things, so nothing is ever counted over several of them.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from agent.errors import RequestError
from agent.mlflow.evaluation.scenarios import Scenario, is_named, load_scenario, load_scenarios, scenario_folders

SETS = {
    "own": "written by us, together with the rules",
    "reports": "cases of others that rules were tuned to",
    "untouched": "cases of others that no rule was tuned to",
}
"""What each set holds, by its name."""

# Where the wheel has them (pyproject.toml). It holds no code.
_INSTALLED = "argocd_assistant_scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSet:
    """Scenarios that are scored together. `name` is "" for a folder of the user's own."""

    name: str
    folder: Path
    scenarios: tuple[Scenario, ...]


def shipped_folder(name: str) -> Path:
    """The folder of a set: `tests/scenarios` of a checkout has it, which the wheel installs beside the package."""
    checkout = Path(__file__).parents[3] / "tests" / "scenarios"
    installed = find_spec(_INSTALLED)
    if checkout.is_dir() or installed is None:
        return checkout / name
    return Path(next(iter(installed.submodule_search_locations or ()))) / name


def chosen_sets(folder: Path | None, name: str | None, only: str = "*") -> tuple[ScenarioSet, ...]:
    """The scenarios to ask whose name matches `only`: of `folder`, of the shipped set `name`, or of every set that has
    some.

    Raises RequestError where there are none, for an unknown set, and where a folder and a set are named.
    """
    if folder and name:
        raise RequestError.at("--set", "names a set that comes with the project; leave it out or the folder")
    if folder:
        return (ScenarioSet(name="", folder=folder, scenarios=load_scenarios(folder, only)),)
    if name is not None and name not in SETS:
        raise RequestError.at("--set", f"there is no set {name!r}; there are {', '.join(SETS)}")
    names = [name] if name else list(SETS)
    there = {each: scenario_folders(shipped_folder(each)) for each in names}
    chosen = {each: [path for path in paths if is_named(path.name, only)] for each, paths in there.items()}
    if not any(chosen.values()):
        count = sum(map(len, there.values()))
        none = f"none of the {count} scenarios matches {only!r}" if count else f"the set {name} has no scenario yet"
        raise RequestError.at("--only" if count else "--set", none)
    return tuple(
        ScenarioSet(name=each, folder=shipped_folder(each), scenarios=tuple(map(load_scenario, paths)))
        for each, paths in chosen.items()
        if paths
    )
