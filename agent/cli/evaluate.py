"""`evaluate`: asks sets of scenarios and prints the scores of each. Owns progress, output and the exit code."""

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent.cli.exit_codes import ExitCode
from agent.errors import AssistantError, RequestError
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent.mlflow.evaluation.results import Result
    from agent.mlflow.evaluation.run import Evaluation
    from agent.mlflow.evaluation.sets import ScenarioSet


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """The options of `evaluate`, as they were written. No folder and no set: every set that comes with the project."""

    folder: Path | None = None
    set_name: str | None = None
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
    """The tables go to standard output; progress, the wrong answers and the runs to standard error."""
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
    from agent.mlflow.evaluation.results import score
    from agent.mlflow.evaluation.run import results_of
    from agent.mlflow.evaluation.sets import chosen_sets
    from agent.mlflow.evaluation.table import percent, set_table, wrong_list

    settings = load_settings()
    sets = chosen_sets(options.folder, options.set_name, options.only)
    if options.output and not options.output.parent.is_dir():
        raise RequestError.at(f"--output {options.output}", "its folder does not exist")
    if options.compare and len(sets) > 1:
        raise RequestError.at(
            "--compare", f"one set: name that of the run with --set ({', '.join(s.name for s in sets)})"
        )
    before = results_of(options.compare) if options.compare else ()
    text = ""
    code = ExitCode.ANSWERED
    results: dict[str, Sequence[Result]] = {}
    for asked in sets:
        evaluation = _asked(asked, settings, options, console)
        results[asked.name] = evaluation.results
        tables = ("\n" if text else "") + _tables(asked, evaluation.results, before, options.only)
        sys.stdout.write(tables)
        text += tables
        console.print(wrong_list(evaluation.results), end="", markup=False)
        _tell_run(asked, evaluation, options, console)
        right = score(evaluation.results).right
        if options.require is not None and right < options.require:
            of = f" of {asked.name}" if asked.name else ""
            console.print(f"{percent(right)}{of} are right, {percent(options.require)} are required", style="red")
            code = ExitCode.NOT_ANSWERED
    if len(sets) > 1:
        sys.stdout.write(side_by_side := f"\n{set_table(results)}")
        text += side_by_side
    if options.output:
        options.output.write_text(text, "utf-8")
    return code


def _asked(asked: "ScenarioSet", settings: Settings, options: EvaluateOptions, console: Console) -> "Evaluation":
    """The scenarios of one set, asked; the progress is shown meanwhile."""
    from agent.mlflow.evaluation.run import EXPERIMENT, Plan
    from agent.mlflow.evaluation.run import evaluate as run
    from agent.mlflow.evaluation.scenarios import content_hash

    plan = Plan(
        settings=settings,
        scenarios=asked.scenarios,
        scenarios_hash=content_hash(asked.folder, asked.scenarios),
        set_name=asked.name,
        repetitions=options.repetitions,
        parallel=options.parallel,
        judge=options.judge,
        experiment=options.experiment or EXPERIMENT,
    )
    with _progress(console) as progress:
        bar = progress.add_task("Asking", total=len(asked.scenarios) * options.repetitions, name="")

        def note(result: "Result") -> None:
            progress.update(bar, advance=1, name=result.scenario)

        return run(plan, on_result=note)


def _tables(asked: "ScenarioSet", results: Sequence["Result"], before: Sequence["Result"], only: str) -> str:
    """The scores of a set under its name, and how they compare with the results `before`."""
    from agent.mlflow.evaluation.sets import SETS
    from agent.mlflow.evaluation.table import comparison_table, score_table

    text = f"**{asked.name}**: {SETS[asked.name]}\n\n" if asked.name else ""
    text += score_table(results)
    if before:
        names = {scenario.name for scenario in asked.scenarios}
        text += "\n" + comparison_table([r for r in before if only == "*" or r.scenario in names], results)
    return text


def _tell_run(asked: "ScenarioSet", evaluation: "Evaluation", options: EvaluateOptions, console: Console) -> None:
    from agent.mlflow.evaluation.run import EXPERIMENT

    where = f"run {evaluation.run_id} in MLflow's experiment {options.experiment or EXPERIMENT}"
    console.print(f"{where}; compare a later one with it:", markup=False)
    what = str(options.folder) if options.folder else f"--set {asked.name}"
    console.print(f"  argocd-assistant evaluate {what} --compare {evaluation.run_id}", markup=False)


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
