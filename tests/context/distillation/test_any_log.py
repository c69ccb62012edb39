"""What holds for any log, whatever stands in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.log_lines import KEPT_CHARACTERS, KEPT_LINES
from agent.context.logs import parse_text
from agent.context.model import ContainerLog, LogLine
from agent.prompt.rendering.logs import render_logs
from tests.context.distillation.generated import generated
from tests.context.distillation.stack_traces import GO, TRACES, other_goroutines

PIECES = [
    *TRACES.values(),
    GO + other_goroutines(5),
    "INFO served 17 requests",
    "INFO served 18 requests",
    "ERROR cannot connect",
    '{"level":"error","msg":"boom","stack":"a\\nb"}',
    "  indented",
    "",
    "\tat a.b.C.d(E.java:1)",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC\n-----END PRIVATE KEY-----",
    "x" * 700,
]
LINES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=60)), max_size=60).map(
    lambda pieces: "\n".join(pieces).split("\n")
)


def a_log(lines: list[str]) -> ContainerLog:
    return ContainerLog(container="api", lines=tuple(LogLine(text=line) for line in lines))


@settings(deadline=None, max_examples=150)
@given(st.lists(LINES, min_size=1, max_size=3), st.integers(0, 900))
def test_the_limit_is_never_passed(logs: list[list[str]], limit: int):
    part = render_logs([a_log([line.replace("\n", " ") for line in lines]) for lines in logs], limit)
    assert part.tokens <= limit
    if not part.left_out:
        assert all(line in part.text for lines in logs for line in lines)


@settings(deadline=None, max_examples=60)
@given(LINES, st.integers(2, 40))
def test_kept_lines_are_lines_of_the_log_in_their_order_and_all_lines_are_counted(lines: list[str], times: int):
    repeated = (lines * (1 + (KEPT_LINES * times) // (10 * max(len(lines), 1))))[: KEPT_LINES * 4]
    text = "\n".join(repeated).rstrip("\r\n")
    for log in parse_text(text, container="api", tail_lines=None).logs:
        whole = parse_text(text, container="api", tail_lines=10**9).logs[0]
        remaining = iter([line.text for line in whole.lines])
        assert all(any(line.text == each for each in remaining) for line in log.lines)
        assert len(log.lines) <= KEPT_LINES
        assert sum(len(line.text) for line in log.lines) <= KEPT_CHARACTERS + 50 * len(log.lines)
        assert sum(line.repeats + line.left_out_before for line in log.lines) + log.left_out_after == len(whole.lines)


@settings(deadline=None, max_examples=100)
@given(LINES)
def test_a_log_that_fits_is_whole_and_unchanged(lines: list[str]):
    text = "\n".join(lines[:KEPT_LINES])[:KEPT_CHARACTERS]
    assert parse_text(text, container="api", tail_lines=None) == parse_text(text, container="api", tail_lines=10**9)


@pytest.mark.parametrize("templates", [40, 150])
@pytest.mark.parametrize("seed", range(10))
def test_the_planted_cause_is_kept(seed: int, templates: int):
    log = generated(seed, lines=2_500, templates=templates)
    (kept,) = parse_text(log.text, container="api", tail_lines=None).logs
    (telling,) = parse_text(log.telling, container="api", tail_lines=1).logs[0].lines
    part = render_logs([kept], 2_000)
    assert part.tokens <= 2_000
    assert telling.text in part.text
