"""`evaluate`: the table and the exit code; a later run is compared with an earlier one."""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import re
from pathlib import Path

import mlflow
import pytest

from agent.cli.exit_codes import ExitCode
from tests.cli.conftest import Run
from tests.conftest import TraceStore
from tests.mlflow.evaluation.answers import EXPECTED, write_scenario

pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")


def test_a_run_is_scored_written_and_compared_with_the_one_before(
    run: Run, tmp_path: Path, traces: TraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(mlflow.get_experiment(traces.experiment_id).name)
    scenarios = tmp_path / "scenarios"
    write_scenario(scenarios, "pods-secret")
    write_scenario(scenarios, "pods-other", expected=EXPECTED | {"forbidden": ["Secret"]})
    evaluate = ("evaluate", str(scenarios), "--provider", "offline", "--experiment", name)

    first = run(*evaluate, "--output", str(tmp_path / "table.md"), "--require", "0.5")
    (run_id,) = re.findall(r"--compare (\w+)", first.stderr)
    write_scenario(tmp_path / "now", "pods-secret", expected=EXPECTED | {"forbidden": ["Secret"]})
    write_scenario(tmp_path / "now", "pods-other")
    monkeypatch.chdir(tmp_path)
    second = run("evaluate", "now", "--experiment", name, "--compare", run_id, "--require", "0.6")

    assert first.exit_code == ExitCode.ANSWERED
    assert "| pods | 2 | 50 % | 100 % |  | 100 % | 50 % |" in first.stdout
    assert "pods-other: nothing_forbidden" in first.stderr.replace("\\", "")
    assert (tmp_path / "table.md").read_text() == first.stdout
    assert second.exit_code == ExitCode.NOT_ANSWERED
    assert "50 % are right, 60 % are required" in second.stderr
    assert "| pods-secret | broken | 100 % | 0 % |" in second.stdout
    assert "| pods-other | fixed | 0 % | 100 % |" in second.stdout
    assert "1 fixed, 1 broken, 0 unchanged" in second.stdout


def test_each_set_has_its_table_and_its_run(
    run: Run, tmp_path: Path, traces: TraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(mlflow.get_experiment(traces.experiment_id).name)
    write_scenario(tmp_path / "own", "pods-a")
    write_scenario(tmp_path / "reports", "pods-b", expected=EXPECTED | {"fix": ["another"]})
    monkeypatch.setattr("agent.mlflow.evaluation.sets.shipped_folder", tmp_path.joinpath)
    asked = ("evaluate", "--provider", "offline", "--experiment", name)

    both = run(*asked, "--require", "0.5", "--output", str(tmp_path / "table.md"))
    one = run(*asked, "--set", "own", "--require", "0.5")
    (own_run, reports_run) = re.findall(r"--compare (\w+)", both.stderr)
    vague = run(*asked, "--compare", own_run)
    compared = run(*asked, "--set", "own", "--compare", own_run)

    assert both.exit_code == ExitCode.NOT_ANSWERED
    assert "0 % of reports are right, 50 % are required" in both.stderr
    assert [line.split(" | ")[:3] for line in both.stdout.splitlines() if line.startswith(("**", "| **"))] == [
        ["**own**: written by us, together with the rules"],
        ["| **all**", "1", "100 %"],
        ["**reports**: cases of others that rules were tuned to"],
        ["| **all**", "1", "0 %"],
    ]
    assert both.stdout.endswith("| own | 1 | 100 % | 100 % |  | 0 | 0 |\n| reports | 1 | 0 % | 100 % | 0 % | 0 | 0 |\n")
    assert (tmp_path / "table.md").read_text() == both.stdout
    assert f"evaluate --set reports --compare {reports_run}" in both.stderr
    assert one.exit_code == ExitCode.ANSWERED
    assert "reports" not in one.stdout
    assert vague.exit_code == ExitCode.WRONG_INPUT
    assert "name that of the run with --set (own, reports)" in vague.stderr
    assert "| pods-a | unchanged | 100 % | 100 % |" in compared.stdout
    assert [each.info.run_name for each in mlflow.search_runs([traces.experiment_id], output_format="list")][-2:] == [
        "offline, 1 scenarios of reports",
        "offline, 1 scenarios of own",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "nope"], "there is no set 'nope'; there are own, reports, untouched"),
        (["scenarios", "--set", "own"], "leave it out or the folder"),
        (["nowhere"], "nowhere: there is no such folder"),
        (["--only", "nothing-like-it"], "scenarios matches 'nothing-like-it'"),
        (["empty"], "no folder in it has expected.yaml"),
        (["scenarios", "--only", "drift"], "none of its 1 scenarios matches 'drift'"),
        (["scenarios", "--provider", "oracle"], "ASSISTANT_PROVIDER"),
        (["scenarios", "--provider", "lightspeed"], "LIGHTSPEED_URL"),
        (["scenarios", "--output", "nowhere/table.md"], "its folder does not exist"),
        (["scenarios", "--compare", "nope"], "no run 'nope'"),
    ],
)
def test_wrong_input_is_named(
    run: Run,
    tmp_path: Path,
    traces: TraceStore,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    write_scenario(tmp_path / "scenarios")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    ended = run("evaluate", *options)

    assert ended.exit_code == ExitCode.WRONG_INPUT
    assert said in ended.stderr
    assert ended.stdout == ""
