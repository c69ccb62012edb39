"""Asks scenarios through `mlflow.genai.evaluate` and keeps the results as a run of MLflow.

Owns the run: its name, rows, parameters, metrics and artifacts. Each answer's trace is the assistant's own, as in
production, and is linked to the instructions that were used.
"""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from io import StringIO
from typing import Any

import mlflow
import mlflow.genai
from mlflow.artifacts import load_text
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from agent.errors import RequestError, SettingsError
from agent.mlflow.evaluation.answering import NOTES, Notes, WatchedAssistant
from agent.mlflow.evaluation.results import Result, as_json, from_json, score
from agent.mlflow.evaluation.scenarios import Scenario
from agent.mlflow.evaluation.scorers import expected_facts, judge_scorers, rule_scorers
from agent.mlflow.evaluation.table import score_table
from agent.mlflow.evaluation.verdicts import is_silent, judged
from agent.mlflow.experiments import use_experiment
from agent.mlflow.prompt_registry import register_built_in
from agent.mlflow.responses_agent import ArgoCDAssistant, PredictError
from agent.mlflow.store import check_store
from agent.settings import Settings
from agent.turn.assistant import Assistant

EXPERIMENT = "argocd-assistant-evaluation"
_ABOUT = "Evaluations of Argo CD Assistant: scenarios with a known cause, asked and scored (argocd-assistant evaluate)."
_RESULTS = "results.json"
_TOKENS = Settings.model_fields["context_tokens"].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of whom, how often, and the experiment that keeps it.

    `set_name` is the set that the scenarios are, "" for those of a user's folder; `scenarios_hash` identifies what was
    asked; `parallel` turns run at once (more than one blurs the seconds); `judge` is the model of MLflow's judges
    (`openai:/gpt-5`, ...), None: no judge.
    """

    settings: Settings
    scenarios: Sequence[Scenario]
    scenarios_hash: str
    set_name: str = ""
    repetitions: int = 1
    parallel: int = 1
    judge: str | None = None
    experiment: str = EXPERIMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A finished evaluation: MLflow's id of its run, and the results in the order of the scenarios."""

    run_id: str
    results: tuple[Result, ...]


def evaluate(plan: Plan, *, on_result: Callable[[Result], None] = lambda result: None) -> Evaluation:
    """Asks every scenario and stores the run; `on_result` is called with each result as it comes.

    A turn that fails is a wrong answer, not an error. Raises SettingsError when MLflow's store cannot be used.
    """
    rows = [_row(each, number, plan.judge) for each in plan.scenarios for number in range(1, plan.repetitions + 1)]
    check_store()
    try:
        experiment = use_experiment(plan.experiment, _ABOUT)
        model_id = _evaluated_model(experiment.experiment_id)
        instructions = plan.settings.instructions or register_built_in()
        settings = plan.settings.model_copy(update={"instructions": instructions})
        examination = _Examination(plan, _Respondent(settings, model_id=model_id), on_result)
        with mlflow.start_run(run_name=_run_name(plan, examination)) as run, _evaluating(plan.parallel):
            mlflow.genai.evaluate(
                data=rows,
                predict_fn=examination.ask,
                model_id=model_id,
                scorers=[*rule_scorers(examination.result), *judge_scorers(plan.judge)],
            )
            asked_for = ((row["inputs"]["scenario"], row["inputs"]["repetition"]) for row in rows)
            results = tuple(examination.result(*each) for each in asked_for)
            _record(plan, examination, results, run.info.run_id, model_id)
    except MlflowException as error:
        reason = str(error).partition("\n")[0][:300]
        raise SettingsError(f"MLflow cannot keep the evaluation (MLFLOW_TRACKING_URI): {reason}") from None
    return Evaluation(run_id=run.info.run_id, results=results)


def _evaluated_model(experiment_id: str) -> str:
    """MLflow's id of this version of the package in the experiment, which the page "Agent versions" compares. It names
    the code that runs here and holds no artifact."""
    number = version("argocd-assistant")
    name = f"argocd-assistant-{number.replace('.', '-')}"  # a name without dots is all that MLflow takes
    found = mlflow.search_logged_models([experiment_id], f"name = '{name}'", max_results=1, output_format="list")
    if found:
        return str(found[0].model_id)
    about = f"argocd-assistant {number} as it was evaluated: the code of the checkout or the installed package."
    return str(mlflow.create_external_model(name, tags={"version": number, MLFLOW_RUN_NOTE: about}).model_id)


def _run_name(plan: Plan, examination: "_Examination") -> str:
    """Who answered how many scenarios of which set, and the settings that are not the default."""
    asked = [
        examination.model or examination.provider or plan.settings.provider,
        f"{len(plan.scenarios)} scenarios" + (f" of {plan.set_name}" if plan.set_name else ""),
        f"{plan.repetitions} times" if plan.repetitions > 1 else "",
        f"{plan.settings.context_tokens:,} tokens" if plan.settings.context_tokens != _TOKENS else "",
    ]
    return ", ".join(filter(None, asked))


def _record(plan: Plan, examination: "_Examination", results: tuple[Result, ...], run_id: str, model_id: str) -> None:
    """Name, description, parameters, metrics and artifacts of the run that is active, and its link to the prompt."""
    facts = {
        "version": version("argocd-assistant"),
        "provider": examination.provider or plan.settings.provider,
        "model": examination.model,
        "instructions": examination.instructions,
        "set": plan.set_name,
        "scenarios": plan.scenarios_hash,
        "scenario_count": len(plan.scenarios),
        "repetitions": plan.repetitions,
        "context_tokens": plan.settings.context_tokens,
        "judge": plan.judge or "",
    }
    right = sum(result.right for result in results)
    table = score_table(results)
    mlflow.log_params({name: value for name, value in facts.items() if value != ""})
    mlflow.log_metrics({"right/mean": round(score(results).right, 3), "wrong": len(results) - right}, model_id=model_id)
    mlflow.log_dict(as_json(results), _RESULTS)
    mlflow.log_text(table, "table.md")
    mlflow.set_tag(MLFLOW_RUN_NOTE, f"{right} of {len(results)} answers are right.\n\n{table}")
    client = mlflow.MlflowClient()
    client.update_run(run_id, name=_run_name(plan, examination))
    if examination.instructions.startswith("prompts:/"):
        client.link_prompt_version_to_run(run_id, examination.instructions)


def results_of(run_id: str) -> tuple[Result, ...]:
    """The results that an earlier run stored. Raises RequestError where there are none, SettingsError as `evaluate`."""
    check_store()
    try:
        text = load_text(f"runs:/{run_id}/{_RESULTS}")
    except (MlflowException, OSError):
        raise RequestError.at("--compare", f"no run {run_id!r} with {_RESULTS} is in the store") from None
    return from_json(text)


def _row(scenario: Scenario, repetition: int, judge: str | None) -> dict[str, Any]:
    expected = scenario.expected
    expectations: dict[str, Any] = {"healthy": expected.healthy}
    if expected.cause:
        expectations["cause"] = ": ".join(filter(None, (expected.cause.resource, "; ".join(expected.cause.says))))
    if expected.fix:
        expectations["fix"] = "; ".join(expected.fix)
    if judge:
        expectations["expected_facts"] = expected_facts(expected)
    return {
        # The question is for the judges; MLflow hands every input to `ask`.
        "inputs": {"question": scenario.question, "scenario": scenario.name, "repetition": repetition},
        "expectations": expectations,
        "tags": {"scenario": scenario.name, "family": expected.family, "repetition": str(repetition)},
    }


class _Respondent(ArgoCDAssistant):
    """The assistant as it is served, watched, and without any source."""

    def new_assistant(self) -> Assistant:
        return WatchedAssistant(self.settings, instructions=self.instructions)


class _Examination:
    """Asks the scenarios and remembers the results, by whatever threads it is called."""

    def __init__(self, plan: Plan, respondent: "_Respondent", on_result: Callable[[Result], None]) -> None:
        self._results: dict[tuple[str, int], Result] = {}
        self.provider = ""
        self.model = ""
        self.instructions = ""
        self._respondent = respondent
        self._scenarios = {scenario.name: scenario for scenario in plan.scenarios}
        self._on_result = on_result

    def ask(self, question: str, scenario: str, repetition: int) -> str:
        """The answer's text, "" where the turn failed. The scenario holds the question with all that belongs to it."""
        notes = Notes()
        token = NOTES.set(notes)
        about = self._scenarios[scenario]
        known = self._known(scenario, repetition)
        text = ""
        try:
            self._respondent.predict(about.body)
        except PredictError as error:
            result = Result(**known, verdicts={}, error=error.message)
        else:
            answer = notes.answer()
            text, self.provider, self.model = answer.text, answer.provider, answer.model
            self.instructions = notes.instructions
            # The findings took the model's place: that says nothing of the model.
            verdicts = {} if answer.outage else judged(about.expected, answer)
            result = Result(
                **known,
                verdicts=verdicts,
                silent=not answer.outage and is_silent(about.expected, answer),
                tokens=answer.tokens,
                seconds=answer.seconds,
                error=answer.outage,
            )
        finally:
            NOTES.reset(token)
        self._results[scenario, repetition] = result
        self._on_result(result)
        return text

    def result(self, scenario: str, repetition: int) -> Result:
        """The result of a turn that was asked. One that ended by a fault in the code has an answer as little as one
        that failed; MLflow logged the fault."""
        known = self._known(scenario, repetition)
        return self._results.get((scenario, repetition)) or Result(**known, verdicts={}, error="an unexpected error")

    def _known(self, scenario: str, repetition: int) -> dict[str, Any]:
        family = self._scenarios[scenario].expected.family
        return {"scenario": scenario, "family": family, "repetition": repetition}


@contextmanager
def _evaluating(parallel: int) -> Generator[None]:
    """MLflow's harness without its rehearsal (a further turn of the first row) and its words on standard output."""
    values = {"MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION": "true", "MLFLOW_GENAI_EVAL_MAX_WORKERS": str(parallel)}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
