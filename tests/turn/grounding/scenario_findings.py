"""The findings of each scenario, as the turn has them."""

import asyncio
from functools import cache
from pathlib import Path

from agent.findings.model import Finding
from agent.mlflow.evaluation.answering import WatchedAssistant, answered
from agent.mlflow.evaluation.scenarios import Scenario, load_scenarios
from agent.settings import load_settings

_FOLDER = Path(__file__).parents[2] / "scenarios" / "own"


@cache
def scenarios() -> dict[str, Scenario]:
    """All scenarios by name."""
    return {scenario.name: scenario for scenario in load_scenarios(_FOLDER)}


@cache
def findings_of(name: str) -> tuple[Finding, ...]:
    """The findings of a scenario."""
    answer = asyncio.run(answered(WatchedAssistant(load_settings()), scenarios()[name].parsed))
    return answer.findings
