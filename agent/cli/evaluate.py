"""`evaluate`: asks the scenarios of a folder and prints the scores. Owns progress, output and the exit code."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent.cli.exit_codes import ExitCode
from agent.errors import AssistantError, RequestError
from agent.settings import load_settings

if TYPE_CHECKING:
    from agent.mlflow.evaluation.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """The options of `evaluate`, as they were written. No folder: the scenarios that come with the project."""

    folder: Path | None = None
    of_set: str | None = None
    provider: str | None = None
    repetitions: int = 1
    parallel: int = 1
    only: str = "*"
    output: Path | None = None
    experiment: str | None = None
    judge: str | None = None
    compare: str | None = None
    require: float | None = None


def evaluate(options: EvaluateOptions) -> ExitCode:
    """The table goes to standard output; progress, the wrong answers and the run to standard error."""
    if options.provider:
        os.environ["ASSISTANT_PROVIDER"] = options.provider  # checked with the other settings
    os.environ["TQDM_DISABLE"] = "1"  # MLflow's own bar would be drawn over ours; read at the first import
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    try:
        return _evaluate(options, console)
    except AssistantError as error:
        console.print("error:", error.public_message, style="red", markup=False)
    except OSError as error:
        console.print("error:", f"{options.output}: {error.strerror}", style="red", markup=False)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return ExitCode.INTERRUPTED
    return ExitCode.WRONG_INPUT


def _evaluate(options: EvaluateOptions, console: Console) -> ExitCode:
    from agent.mlflow.evaluation.results import by, score
    from agent.mlflow.evaluation.run import EXPERIMENT, Plan, results_of
    from agent.mlflow.evaluation.run import evaluate as run
    from agent.mlflow.evaluation.scenarios import content_hash, load_scenarios, shipped_scenarios
    from agent.mlflow.evaluation.table import comparison_table, percent, score_table, wrong_list

    settings = load_settings()
    folder = options.folder or shipped_scenarios()
    scenarios = load_scenarios(folder, options.only, of_set=options.of_set)
    if options.output and not options.output.parent.is_dir():
        raise RequestError.at(f"--output {options.output}", "its folder does not exist")
    before = results_of(options.compare) if options.compare else None
    plan = Plan(
        settings=settings,
        scenarios=scenarios,
        scenarios_hash=content_hash(folder, scenarios),
        repetitions=options.repetitions,
        parallel=options.parallel,
        judge=options.judge,
        experiment=options.experiment or EXPERIMENT,
    )
    with _progress(console) as progress:
        bar = progress.add_task("Asking", total=len(scenarios) * options.repetitions, name="")

        def note(result: "Result") -> None:
            progress.update(bar, advance=1, name=result.scenario)

        evaluation = run(plan, on_result=note)
    table = score_table(evaluation.results)
    if before:
        names = {scenario.name for scenario in scenarios}
        before = [result for result in before if options.only == "*" or result.scenario in names]
        table += "\n" + comparison_table(before, evaluation.results)
    sys.stdout.write(table)
    if options.output:
        options.output.write_text(table, "utf-8")
    console.print(wrong_list(evaluation.results), end="", markup=False)
    where = f"run {evaluation.run_id} in MLflow's experiment {plan.experiment}"
    console.print(f"{where}; compare a later one with it:", markup=False)
    of_set = f"--set {options.of_set}" if options.of_set else ""
    command = " ".join(filter(None, ("argocd-assistant evaluate", str(options.folder or ""), of_set)))
    console.print(f"  {command} --compare {evaluation.run_id}", markup=False)
    right = min(score(each).right for each in by(evaluation.results, lambda result: result.set).values())
    if options.require is not None and right < options.require:
        console.print(f"{percent(right)} are right, {percent(options.require)} are required", style="red")
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
