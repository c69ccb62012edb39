"""A small window is used: what a long log has to say takes the room that nothing else needs."""

from functools import cache
from itertools import islice
from statistics import median

import pytest

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, LogLine
from agent.findings.model import Evidence, Finding
from agent.objects.target import Target
from agent.prompt.prompt import Prompt, compose
from tests.context.distillation.generated import generated
from tests.prompt.long_contexts import LINES, LongContext, long_bodies, read_contexts, use_of


@cache
def contexts() -> list[LongContext]:
    """Every second of the scenarios with logs."""
    return read_contexts(islice(long_bodies(18, lines=LINES[:1]), 0, None, 2))


def test_the_logs_are_a_megabyte_long() -> None:
    assert min(each.log_bytes for each in contexts()) > 1_000_000


@pytest.mark.parametrize("history", [0, 400, 1_300])
def test_a_window_of_8k_is_used_to_more_than_four_fifths_and_never_passed(history: int) -> None:
    uses = [use_of(each, 8_192, history=history).of_window for each in contexts()]

    assert median(uses) >= 0.80
    assert max(uses) <= 1.0


@pytest.mark.parametrize("window", [4_096, 16_384])
def test_other_small_windows_are_used_as_well(window: int) -> None:
    uses = [use_of(each, window).of_window for each in contexts()]

    assert median(uses) >= 0.80
    assert max(uses) <= 1.0


def test_a_large_window_is_filled_up_to_the_setting_only() -> None:
    uses = [use_of(each, 131_072, context_tokens=6_000) for each in contexts()]

    assert {use.available for use in uses} == {6_000}
    assert median(use.of_available for use in uses) >= 0.9
    assert max(use.of_available for use in uses) <= 1.0


def section_tokens(prompt: Prompt) -> dict[str, int]:
    return {section.name: section.tokens for section in prompt.sections}


def events(count: int) -> tuple[Event, ...]:
    return tuple(
        Event(type="Normal", reason="Pulled", message=f"pulled image number {number} in {number * 17} ms")
        for number in range(count)
    )


def log(lines: int) -> ContainerLog:
    texts = generated(3, lines=lines, templates=300).lines
    return ContainerLog(container="api", lines=tuple(LogLine(text=text) for text in texts))


def test_many_events_leave_the_logs_more_than_they_take() -> None:
    prompt = compose("Why?", Context(target=Target(), events=events(2_000), logs=(log(900),)), [], limit=5_000)

    tokens = section_tokens(prompt)
    assert tokens["logs"] > 1.4 * tokens["events"] > 500


def test_what_one_section_leaves_another_takes() -> None:
    alone = compose("Why?", Context(target=Target(), events=events(2_000)), [], limit=5_000)

    assert section_tokens(alone)["events"] > 3_500


def finding(number: int) -> Finding:
    quotation = Evidence(source="log", path="app", text=f"line {number} " + "of the evidence " * 30, resource=None)
    return Finding(
        title=f"Fault number {number}",
        severity="error",
        explanation="It fails.",
        evidence=(quotation,),
        resource=None,
    )


def test_findings_keep_their_evidence_while_logs_and_events_are_cut() -> None:
    found = [finding(number) for number in range(9)]
    given = Context(target=Target(), events=events(2_000), logs=(log(900),))

    prompt = compose("Why?", given, found, limit=5_000)

    by_name = {section.name: section for section in prompt.sections}
    assert by_name["findings"].left_out == ""
    assert "" not in (by_name["logs"].left_out, by_name["events"].left_out)
