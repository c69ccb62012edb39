"""A message of any length keeps its innermost cause in the prompt, wherever the message was read."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.context import Context
from agent.findings import analyze
from agent.prompt.budget import plan
from agent.prompt.prompt import compose
from tests.findings.cluster import condition, context, crash_loop, event, log, pod, resource

CAUSE = "the bucket orders-archive is gone"
WIDGET = resource("acme.io/v1", "Widget", "w")


def _operation(message: str) -> Context:
    state = {"phase": "Failed", "message": message, "finishedAt": "2026-11-20T07:45:00Z"}
    status = {"sync": {"status": "OutOfSync"}, "operationState": state}
    return context(application=resource("argoproj.io/v1alpha1", "Application", "shop", spec={}, status=status))


def _comparison(message: str) -> Context:
    status = {"conditions": [{"type": "ComparisonError", "message": message}]}
    return context(application=resource("argoproj.io/v1alpha1", "Application", "shop", spec={}, status=status))


PLACES: dict[str, Callable[[str], Context]] = {
    "event": lambda message: context(WIDGET, events=(event(WIDGET, "ReconcileFailed", message),)),
    "condition": lambda message: context(
        resource("acme.io/v1", "Widget", "w", status={"conditions": [condition("Ready", "False", "Failed", message)]})
    ),
    "operation": _operation,
    "comparison": _comparison,
    "ended container": lambda message: context(pod(crash_loop(1, "Error", message))),
    "log": lambda message: context(pod(crash_loop(1)), logs=(log(f"ERROR {message}"),)),
}


@pytest.mark.hypothesis
@settings(max_examples=30)
@pytest.mark.parametrize("place", PLACES)
@given(
    filling=st.integers(min_value=0, max_value=15_000),
    word=st.sampled_from(["y", "word ", "path/to/", "错误", '"quoted" ']),
    window=st.sampled_from([4_096, 8_192, 32_768]),
)
def test_the_innermost_cause_is_in_the_prompt(place: str, filling: int, word: str, window: int) -> None:
    message = f"failed to reconcile: {(word * (filling // len(word) + 1))[:filling]}: {CAUSE}"
    read = PLACES[place](message)

    limit = plan(window=window, wanted=100_000, answer=2_000, question=60).context
    prompt = compose("Why?", read, analyze(read), limit=limit)

    assert CAUSE in prompt.system_text
