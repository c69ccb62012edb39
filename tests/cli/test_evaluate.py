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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere"], "nowhere: there is no such folder"),
        (["--only", "nothing-like-it"], "scenarios matches 'nothing-like-it'"),
        (["empty"], "no folder in it has expected.yaml"),
        (["--set", "theirs"], "--set theirs: there are own, reports"),
        (["scenarios", "--set", "own"], "--set own: scenarios holds no sets"),
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
