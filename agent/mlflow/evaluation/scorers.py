"""The rules as scorers of MLflow, and MLflow's own judges where a model to judge with is configured.

Owns how a rule becomes an assessment on a trace, and the numbers of a run that are made of them; the rules are in
`verdicts`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# MLflow's own signatures are typed in part only.

from collections.abc import Callable
from statistics import fmean, median, quantiles
from typing import Any

from mlflow.entities import Feedback
from mlflow.genai.scorers import Correctness, RelevanceToQuery, Scorer, scorer

from agent.mlflow.evaluation.expectation import Expectation
from agent.mlflow.evaluation.results import Result
from agent.mlflow.evaluation.verdicts import RULES

type ResultOf = Callable[[str, int], Result]
"""The result of a scenario by its name, and by how often it was asked with this time."""


def _rounded(name: str, number: Callable[[list[float]], float], digits: int) -> Callable[[list[float]], float]:
    """A number of a run, rounded: MLflow shows every digit, and calls it by the name of the function that makes it."""

    def aggregate(values: list[float]) -> float:
        return round(number(values), digits)

    aggregate.__name__ = name
    return aggregate


def _nine_in_ten(values: list[float]) -> float:
    """The value that nine in ten are at or below."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


_SHARE = _rounded("mean", fmean, 3)


def rule_scorers(result_of: ResultOf) -> list[Scorer]:
    """A scorer for each rule, and for tokens and seconds; they read what was judged when the answer came."""
    return [*(_rule_scorer(name, result_of) for name in RULES), *_cost_scorers(result_of)]


def judge_scorers(model: str | None) -> list[Scorer]:
    """MLflow's judges, asking `model` (`openai:/gpt-5`, ...): none without one."""
    return (
        [
            Correctness(model=model, aggregations=[_SHARE]),
            RelevanceToQuery(model=model, aggregations=[_SHARE]),
        ]
        if model
        else []
    )


def expected_facts(expected: Expectation) -> list[str]:
    """What a judge holds an answer against."""
    if expected.cause is None:
        return ["Nothing is wrong: it is healthy, completed, or on its way."]
    resource = f"concerns {_or(expected.cause.resource)} and " if expected.cause.resource else ""
    facts = [f"The root cause {resource}is about: {_listed(expected.cause.says)}."]
    return [*facts, f"The fix is about: {_listed(expected.fix)}."] if expected.fix else facts


def _or(term: str) -> str:
    return term.replace(" | ", " or ")


def _listed(terms: list[str]) -> str:
    return "; ".join(map(_or, terms))


def _rule_scorer(name: str, result_of: ResultOf) -> Scorer:
    @scorer(name=name, aggregations=[_SHARE])
    def score(inputs: dict[str, Any]) -> Feedback | None:
        result = result_of(inputs["scenario"], inputs["repetition"])
        if result.error:
            return Feedback(name=name, value=False, rationale=result.error)
        verdict = result.verdicts.get(name)
        return Feedback(name=name, value=verdict.passed, rationale=verdict.rationale) if verdict else None

    return score


def _cost_scorers(result_of: ResultOf) -> list[Scorer]:
    @scorer(name="tokens", aggregations=[_rounded("mean", fmean, 0), _rounded("median", median, 0), "max"])
    def tokens(inputs: dict[str, Any]) -> int:
        return result_of(inputs["scenario"], inputs["repetition"]).tokens

    @scorer(
        name="seconds",
        aggregations=[_rounded("mean", fmean, 3), _rounded("median", median, 3), _rounded("p90", _nine_in_ten, 3)],
    )
    def seconds(inputs: dict[str, Any]) -> float:
        return round(result_of(inputs["scenario"], inputs["repetition"]).seconds, 3)

    return [tokens, seconds]
