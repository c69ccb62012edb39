"""`evaluate`: scenarios from a folder, through MLflow, to a table and an exit code. Owns progress and output."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent.cli.commands import ExitCode
from agent.errors import AssistantError, RequestError
from agent.settings import load_settings

if TYPE_CHECKING:
    from agent.mlflow.evaluation.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The options of `evaluate`, as they were written."""

    folder: Path
    provider: str | None = None
    repetitions: int = 1
    parallel: int = 1
    only: str = "*"
    output: Path | None = None
    experiment: str | None = None
    judge: str | None = None
    compare: str | None = None
    require: float | None = None


def evaluate(asked: Evaluated) -> ExitCode:
    """The table goes to standard output; progress, the wrong answers and the run to standard error."""
    if asked.provider:
        os.environ["ASSISTANT_PROVIDER"] = asked.provider  # checked with the other settings
    os.environ["TQDM_DISABLE"] = "1"  # MLflow's own bar would be drawn over ours; read at the first import
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    try:
        return _evaluate(asked, console)
    except AssistantError as error:
        console.print("error:", error.public_message, style="red", markup=False)
    except OSError as error:
        console.print("error:", f"{asked.output}: {error.strerror}", style="red", markup=False)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return ExitCode.INTERRUPTED
    return ExitCode.WRONG_INPUT


def _evaluate(asked: Evaluated, console: Console) -> ExitCode:
    from agent.mlflow.evaluation.results import score
    from agent.mlflow.evaluation.run import EXPERIMENT, Plan, results_of
    from agent.mlflow.evaluation.run import evaluate as run
    from agent.mlflow.evaluation.scenarios import content_hash, load_scenarios
    from agent.mlflow.evaluation.table import comparison_table, percent, score_table, wrong_list

    settings = load_settings()
    scenarios = load_scenarios(asked.folder, asked.only)
    if asked.output and not asked.output.parent.is_dir():
        raise RequestError.at(f"--output {asked.output}", "its folder does not exist")
    before = results_of(asked.compare) if asked.compare else None
    plan = Plan(
        settings=settings,
        scenarios=scenarios,
        scenarios_hash=content_hash(asked.folder, scenarios),
        repetitions=asked.repetitions,
        parallel=asked.parallel,
        judge=asked.judge,
        experiment=asked.experiment or EXPERIMENT,
    )
    with _progress(console) as progress:
        bar = progress.add_task("Asking", total=len(scenarios) * asked.repetitions, name="")

        def note(result: "Result") -> None:
            progress.update(bar, advance=1, name=result.scenario)

        evaluation = run(plan, asked=note)
    table = score_table(evaluation.results)
    if before:
        names = {scenario.name for scenario in scenarios}
        before = [result for result in before if asked.only == "*" or result.scenario in names]
        table += "\n" + comparison_table(before, evaluation.results)
    sys.stdout.write(table)
    if asked.output:
        asked.output.write_text(table, "utf-8")
    console.print(wrong_list(evaluation.results), end="", markup=False)
    where = f"run {evaluation.run_id} in MLflow's experiment {plan.experiment}"
    console.print(f"{where}; compare a later one with it:", markup=False)
    console.print(f"  argocd-assistant evaluate {asked.folder} --compare {evaluation.run_id}", markup=False)
    right = score(evaluation.results).right
    if asked.require is not None and right < asked.require:
        console.print(f"{percent(right)} are right, {percent(asked.require)} are required", style="red")
        return ExitCode.NOT_ANSWERED
    return ExitCode.ANSWERED


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[name]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
