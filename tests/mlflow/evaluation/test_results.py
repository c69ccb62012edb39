"""Shares over results, and their stored form."""

import json

import pytest

from agent.errors import RequestError
from agent.mlflow.evaluation.results import Result, as_json, from_json, score
from agent.mlflow.evaluation.verdicts import Verdict


def result(
    name: str,
    *,
    right: bool = True,
    repetition: int = 1,
    healthy: bool = False,
    silent: bool = False,
    error: str = "",
) -> Result:
    rule = "quiet_when_healthy" if healthy else "root_cause_first"
    return Result(
        scenario=name,
        family=name.partition("-")[0],
        repetition=repetition,
        verdicts={} if error else {rule: Verdict(passed=right, rationale="it | says so")},
        silent=silent,
        tokens=1_000,
        seconds=0.25,
        error=error,
    )


def test_a_turn_that_failed_passes_no_rule() -> None:
    scored = score([result("pods-a"), result("pods-b", error="the provider is down")])

    assert scored.right == 0.5
    assert scored.rules["root_cause_first"] == 0.5


def test_a_rule_that_concerns_no_scenario_has_no_share() -> None:
    assert score([result("pods-a")]).rules["quiet_when_healthy"] is None


def test_repetitions_share_a_scenario() -> None:
    scored = score([result("pods-a"), result("pods-a", right=False, repetition=2)])

    assert scored.scenarios == 1
    assert scored.right == 0.5


def test_a_wrong_finding_is_told_from_none() -> None:
    scored = score(
        [
            result("pods-a"),
            result("pods-b", right=False),
            result("pods-c", right=False, silent=True),
            result("healthy-a", right=False, healthy=True),
            result("pods-d", error="the provider is down"),
        ]
    )

    assert (scored.mistaken, scored.silent) == (2, 1)


def test_results_survive_being_stored() -> None:
    results = (
        result("pods-a", right=False, silent=True),
        result("pods-b", error="down"),
        result("healthy-a", healthy=True, right=False),
    )

    assert from_json(json.dumps(as_json(results))) == results


@pytest.mark.parametrize("text", ["", "[]", '{"results": []}', '{"results": 1}'])
def test_what_is_no_results_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="results"):
        from_json(text)
