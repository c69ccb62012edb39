"""A real evaluation into a real store: each answer traced and assessed, the run comparable with a later one."""

# pyright: reportUnknownMemberType=false
# MLflow's own signatures are typed in part only.

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Feedback

from agent.errors import RequestError, SettingsError
from agent.mlflow.evaluation.answering import WatchedAssistant
from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.run import Plan, evaluate, results_of
from agent.mlflow.evaluation.scenarios import load_scenarios
from agent.mlflow.evaluation.scorers import judge_scorers
from agent.prompt.instructions import BUILT_IN
from agent.prompt.tokens import count_tokens
from agent.settings import load_settings
from tests.conftest import TraceStore
from tests.fakes.lightspeed import TOKEN, lightspeed, tokens
from tests.fakes.lightspeed import Reply as LightspeedReply
from tests.fakes.openai_backend import Reply, ScriptedBackend
from tests.fakes.server import closed_port, running
from tests.mlflow.evaluation.answers import EXPECTED, write_scenario

# MLflow's own use of pandas.
pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")

USED = {"input_tokens": 1_234, "output_tokens": 20}
HEALTHY = {"family": "healthy", "question": "Is it well?", "healthy": True}


def plan(folder: Path, traces: TraceStore, *, repetitions: int = 1) -> Plan:
    return Plan(
        settings=load_settings({"provider": "offline"}),
        scenarios=load_scenarios(folder),
        scenarios_hash="0123456789ab",
        repetitions=repetitions,
        experiment=str(mlflow.get_experiment(traces.experiment_id).name),
    )


def test_every_answer_is_traced_and_assessed(tmp_path: Path, traces: TraceStore) -> None:
    write_scenario(tmp_path, "pods-right")
    write_scenario(tmp_path, "pods-wrong", expected=HEALTHY)
    told: list[Result] = []

    evaluation = evaluate(plan(tmp_path, traces, repetitions=2), on_result=told.append)

    assert [(r.scenario, r.repetition, r.right) for r in evaluation.results] == [
        ("pods-right", 1, True),
        ("pods-right", 2, True),
        ("pods-wrong", 1, False),
        ("pods-wrong", 2, False),
    ]
    assert len(told) == 4
    stored = traces.all()
    assert sorted(trace.info.tags["scenario"] for trace in stored) == ["pods-right"] * 2 + ["pods-wrong"] * 2
    for trace in stored:
        assert [span.span_type for span in trace.data.spans][:1] == ["AGENT"]
        assert "CHAT_MODEL" in [span.span_type for span in trace.data.spans]
        values = {each.name: getattr(each, "value", None) for each in trace.info.assessments or []}
        right = trace.info.tags["scenario"] == "pods-right"
        assert values["root_cause_first" if right else "quiet_when_healthy"] is right
        assert isinstance(values["tokens"], int)
        assert values["tokens"] > count_tokens(BUILT_IN.text)  # of the whole request
    run = mlflow.get_run(evaluation.run_id)
    assert run.data.metrics["right/mean"] == 0.5
    assert run.data.metrics["root_cause_first/mean"] == 1.0
    assert run.data.metrics["quiet_when_healthy/mean"] == 0.0
    assert {"provider": "offline", "scenarios": "0123456789ab", "repetitions": "2"}.items() <= run.data.params.items()
    assert results_of(evaluation.run_id) == evaluation.results


def test_a_run_is_named_by_who_answered_and_described_by_its_table(tmp_path: Path, traces: TraceStore) -> None:
    write_scenario(tmp_path, "pods-right")
    write_scenario(tmp_path, "pods-wrong", expected=HEALTHY)
    asked = plan(tmp_path, traces, repetitions=2)
    small = replace(asked, settings=asked.settings.model_copy(update={"context_tokens": 4_000}))

    names = [mlflow.get_run(evaluate(each).run_id).info.run_name for each in (asked, small)]

    assert names == ["offline, 2 scenarios, 2 times", "offline, 2 scenarios, 2 times, 4,000 tokens"]
    [run, _] = mlflow.search_runs([traces.experiment_id], output_format="list")
    assert run.data.tags["mlflow.note.content"].startswith("2 of 4 answers are right.\n\n| family |")


def test_the_numbers_of_a_run_are_rounded(tmp_path: Path, traces: TraceStore) -> None:
    for number in range(3):
        write_scenario(tmp_path, f"pods-{number}", expected=EXPECTED if number else HEALTHY)

    metrics = mlflow.get_run(evaluate(plan(tmp_path, traces)).run_id).data.metrics

    assert metrics["right/mean"] == 0.667
    assert {name for name, value in metrics.items() if round(value, 3) != value} == set()
    assert metrics["tokens/mean"] == round(metrics["tokens/mean"])
    assert {"seconds/mean", "seconds/median", "seconds/p90", "tokens/median", "tokens/max"} <= metrics.keys()
    assert {
        each.value
        for trace in traces.all()
        for each in trace.info.assessments
        if isinstance(each, Feedback) and isinstance(each.value, float) and round(each.value, 3) != each.value
    } == set()


def test_a_run_and_its_traces_are_linked_to_the_instructions_and_to_the_version_of_the_package(
    tmp_path: Path, traces: TraceStore
) -> None:
    write_scenario(tmp_path)

    first, second = evaluate(plan(tmp_path, traces)), evaluate(plan(tmp_path, traces))

    [model] = mlflow.search_logged_models([traces.experiment_id], output_format="list")
    assert model.name == f"argocd-assistant-{version('argocd-assistant').replace('.', '-')}"
    for evaluation in (first, second):
        run = mlflow.get_run(evaluation.run_id)
        [prompt] = json.loads(run.data.tags["mlflow.linkedPrompts"])
        assert run.data.params["instructions"] == f"prompts:/{prompt['name']}/{prompt['version']}"
        assert run.inputs
        assert [each.model_id for each in run.inputs.model_inputs] == [model.model_id]
    for trace in traces.all():
        assert json.loads(trace.info.tags["mlflow.linkedPrompts"]) == [prompt]
        assert trace.info.trace_metadata["mlflow.modelId"] == model.model_id


async def _fail(*_: object) -> AsyncGenerator[object]:
    raise SettingsError("The setting is wrong")
    yield  # makes it the generator that a turn is


async def _break(*_: object) -> AsyncGenerator[object]:
    raise ZeroDivisionError
    yield


@pytest.mark.parametrize(
    ("turn", "error"), [(_fail, "The setting is wrong (invalid_settings)"), (_break, "an unexpected error")]
)
def test_a_turn_that_fails_is_a_wrong_answer(
    tmp_path: Path, traces: TraceStore, monkeypatch: pytest.MonkeyPatch, turn: object, error: str
) -> None:
    write_scenario(tmp_path, expected=EXPECTED)
    monkeypatch.setattr(WatchedAssistant, "turn", turn)

    evaluation = evaluate(plan(tmp_path, traces))

    assert [(r.right, r.error) for r in evaluation.results] == [(False, error)]
    assert mlflow.get_run(evaluation.run_id).data.metrics["right/mean"] == 0.0


def test_findings_in_place_of_a_model_that_is_down_are_no_answer_of_the_model(
    tmp_path: Path, traces: TraceStore
) -> None:
    write_scenario(tmp_path)
    url = f"http://127.0.0.1:{closed_port()}"
    down = load_settings({"lightspeed_url": url, "lightspeed_token": TOKEN, "provider_retries": 0})

    (result,) = evaluate(replace(plan(tmp_path, traces), settings=down)).results

    assert not result.right
    assert result.verdicts == {}
    assert "cannot be reached" in result.error


def test_a_model_is_judged_by_what_it_says(tmp_path: Path, traces: TraceStore) -> None:
    write_scenario(tmp_path)
    with lightspeed(log_level="critical") as model:
        model.say(
            LightspeedReply(
                events=tokens("The Secret `db` of Pod `web-0` is missing: ", '`secret "db" not found`.'), end=USED
            ),
            LightspeedReply(events=tokens("The image of Pod `web-0` cannot be pulled."), end=USED),
        )
        asked = load_settings({"lightspeed_url": model.url, "lightspeed_token": TOKEN, "provider_retries": 0})
        evaluation = evaluate(replace(plan(tmp_path, traces, repetitions=2), settings=asked))

    right, wrong = evaluation.results
    assert right.right
    assert {name for name, verdict in wrong.verdicts.items() if not verdict.passed} == {*right.verdicts}
    assert right.tokens == 1_234
    assert mlflow.get_run(evaluation.run_id).data.params["provider"] == "lightspeed"


def test_a_run_that_is_not_there_is_refused(traces: TraceStore) -> None:
    with pytest.raises(RequestError, match="no run 'nope'"):
        results_of("nope")


def test_a_store_that_cannot_be_used_is_told_as_a_setting(tmp_path: Path, traces: TraceStore) -> None:
    write_scenario(tmp_path)
    asked = plan(tmp_path, traces)
    mlflow.delete_experiment(traces.experiment_id)

    with pytest.raises(SettingsError, match="MLflow cannot keep the evaluation"):
        evaluate(asked)


def test_a_judge_is_shown_question_and_answer_and_its_verdict_is_kept(
    tmp_path: Path, traces: TraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario(tmp_path)
    backend = ScriptedBackend(models=["gpt-5"])
    backend.answer(Reply(deltas=['{"result": "no", "rationale": "It does not say so."}']))
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with running(backend.app) as url:
        monkeypatch.setenv("OPENAI_API_BASE", f"{url}/v1")
        evaluation = evaluate(replace(plan(tmp_path, traces), judge="openai:/gpt-5"))

    metrics = mlflow.get_run(evaluation.run_id).data.metrics
    assert (metrics["correctness/mean"], metrics["relevance_to_query/mean"]) == (0.0, 0.0)
    assert metrics["right/mean"] == 1.0  # the rules judge by themselves
    shown = [request.all_text for request in backend.requests]
    assert len(shown) == 2
    assert all("Why does it not start?" in text and "Most likely cause" in text for text in shown)
    assert any("The root cause concerns Pod/web-0" in text for text in shown)


def test_judges_are_asked_only_where_a_model_is_named() -> None:
    assert judge_scorers(None) == []
    assert [judge.name for judge in judge_scorers("openai:/gpt-5")] == ["correctness", "relevance_to_query"]
