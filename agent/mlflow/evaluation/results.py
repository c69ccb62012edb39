"""The results of an evaluation: one for each time a scenario was asked, and scores over many of them.

Owns their JSON, which a run keeps for later comparison.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from agent.errors import RequestError
from agent.mlflow.evaluation.verdicts import RULES, Verdict
from agent.objects.manifest import integer_at, lookup, object_at, objects_at, text_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One answer to one scenario: the verdicts by rule, and what the turn cost.

    `silent`: there is a cause, and nothing at all was found. `error` is why there is no answer.
    """

    scenario: str
    family: str
    repetition: int
    verdicts: dict[str, Verdict]
    silent: bool = False
    tokens: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether every rule that concerns the scenario holds."""
        return not self.error and all(verdict.passed for verdict in self.verdicts.values())

    @property
    def wrong_because(self) -> str:
        """Why it is not right, "" where it is."""
        if self.error:
            return self.error
        return "; ".join(f"{name}: {v.rationale}" for name, v in self.verdicts.items() if not v.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares (0 to 1, None where no scenario is concerned) and typical costs over some results.

    Of the answers, `mistaken` is how many put a wrong finding first, `silent` how many found nothing where something is
    wrong.
    """

    scenarios: int
    right: float
    rules: dict[str, float | None]
    mistaken: int
    silent: int
    tokens: float
    seconds: float


def score(results: Iterable[Result]) -> Score:
    """The score of some results, of which there must be one."""
    counted = tuple(results)
    return Score(
        scenarios=len({result.scenario for result in counted}),
        right=sum(result.right for result in counted) / len(counted),
        rules={name: _share(counted, name) for name in RULES},
        mistaken=sum(map(_is_mistaken, counted)),
        silent=sum(result.silent for result in counted),
        tokens=median(result.tokens for result in counted),
        seconds=median(result.seconds for result in counted),
    )


def _is_mistaken(result: Result) -> bool:
    verdict = result.verdicts.get("root_cause_first") or result.verdicts.get("quiet_when_healthy")
    return verdict is not None and not verdict.passed and not result.silent


def by[K](results: Iterable[Result], key: Callable[[Result], K]) -> dict[K, list[Result]]:
    """The results in groups."""
    groups: dict[K, list[Result]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return groups


def _share(results: tuple[Result, ...], rule: str) -> float | None:
    """Of the results that a rule concerns, those that pass. One without an answer passes no rule."""
    passed = [rule in r.verdicts and r.verdicts[rule].passed for r in results if r.error or rule in r.verdicts]
    return sum(passed) / len(passed) if passed else None


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """The results as plain JSON values."""
    return {"results": [asdict(result) for result in results]}


def from_json(text: str) -> tuple[Result, ...]:
    """The results of `as_json`. Raises RequestError for anything else."""
    try:
        stored: object = json.loads(text)
    except ValueError:
        raise RequestError.at("results", "are no JSON") from None
    results = tuple(_result(each) for each in objects_at(stored, "results"))
    if not results:
        raise RequestError.at("results", "hold no result of a scenario")
    return results


def _result(stored: dict[str, Any]) -> Result:
    seconds = lookup(stored, "seconds")
    return Result(
        scenario=text_at(stored, "scenario"),
        family=text_at(stored, "family"),
        repetition=integer_at(stored, "repetition") or 0,
        verdicts={
            name: Verdict(passed=lookup(verdict, "passed") is True, rationale=text_at(verdict, "rationale"))
            for name, verdict in object_at(stored, "verdicts").items()
        },
        silent=lookup(stored, "silent") is True,
        tokens=integer_at(stored, "tokens") or 0,
        seconds=seconds if isinstance(seconds, int | float) else 0.0,
        error=text_at(stored, "error"),
    )
