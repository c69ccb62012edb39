"""What is kept of a long log, and what stands for the rest."""

import pytest

from agent.context.log_lines import KEPT_CHARACTERS, KEPT_LINES
from agent.context.logs import parse_text
from agent.context.model import ContainerLog, LogLine
from agent.findings.engine.logs import fatal_lines
from agent.prompt.rendering.logs import render_logs
from tests.context.distillation.stack_traces import GO, JAVA, TRACES, other_goroutines


def ordinary(count: int, *, start: int = 0) -> list[str]:
    return [
        f"2026-11-28T07:{n // 60 % 60:02d}:{n % 60:02d}Z INFO  [http-{n % 7}] GET /orders/{n:x} 200 {n % 90} ms"
        for n in range(start, start + count)
    ]


def distilled(*lines: str) -> ContainerLog:
    (log,) = parse_text("\n".join(lines), container="api", tail_lines=None).logs
    return log


def rendered(log: ContainerLog, limit: int = 1_000) -> str:
    part = render_logs([log], limit)
    assert part.tokens <= limit
    return part.text


def texts(log: ContainerLog) -> list[str]:
    return [line.text for line in log.lines]


def line_of(log: ContainerLog, text: str) -> LogLine:
    return next(line for line in log.lines if text in line.text)


def test_a_log_that_fits_stays_whole_and_unchanged():
    lines = ordinary(900)
    log = distilled(*lines)
    assert log.lines == tuple(LogLine(text=line[21:], timestamp=line[:20]) for line in lines)
    assert (log.left_out, log.left_out_after) == (0, 0)


def test_a_long_log_is_kept_within_its_bounds_and_every_line_is_accounted_for():
    log = distilled(*ordinary(20_000))
    assert len(log.lines) <= KEPT_LINES
    assert sum(len(line.text) for line in log.lines) <= KEPT_CHARACTERS
    assert sum(line.repeats + line.left_out_before for line in log.lines) + log.left_out_after == 20_000


def test_lines_that_repeat_are_one_with_their_number_and_the_time_of_the_last():
    log = distilled(*ordinary(5_000))
    first = log.lines[0]
    assert first.timestamp == "2026-11-28T07:00:00Z"
    assert first.repeats > 4_000
    assert first.last_timestamp > first.timestamp
    assert f"[×{first.repeats:,} until {first.last_timestamp}]" in rendered(log, 100_000)


def test_the_first_and_the_last_error_are_kept_though_they_are_alike():
    errors = [f"2026-11-28 07:00:{n % 60:02d},000 ERROR Pool - cannot reach orders-db, attempt {n}" for n in range(400)]
    lines = ordinary(3_000)
    for n, error in enumerate(errors):
        lines.insert(n * 8, error)
    text = rendered(distilled(*lines), 400)
    assert "attempt 0" in text
    assert "attempt 399" in text


def test_what_fails_to_the_end_is_among_the_last_fatal_lines_though_it_is_folded():
    lines = ordinary(3_000)
    for n in range(0, 3_000, 3):
        lines[n] = f"dial tcp 10.0.0.7:5432: connect: connection refused, attempt {n}"
    for n, fatal in enumerate(("no such host", "permission denied", "x509: no certificate", "no space left on device")):
        lines[1_000 + 100 * n] = f"{fatal} in step {'abcd'[n] * 5}"
    assert [line.text.partition(",")[0] for line in fatal_lines(distilled(*lines), 1)] == [
        "dial tcp 10.0.0.7:5432: connect: connection refused"
    ]


def test_a_rare_line_is_kept_before_frequent_ones():
    noise = [f"WARN cache error on shard {word}, retrying" for word in ("alpha", "beta", "gamma", "delta")] * 700
    lines = [*noise[:1_500], "INFO licence of module billing ends today", *noise[1_500:]]
    assert "licence of module billing ends today" in rendered(distilled(*lines), 250)


def test_the_end_of_the_log_is_kept():
    assert texts(distilled(*ordinary(5_000), "bye"))[-1] == "bye"
    assert "bye" in rendered(distilled(*ordinary(5_000), "bye"), 300)


def unlike(count: int, level: str = "INFO") -> list[str]:
    """Lines that share too little to be folded."""
    words = [
        "".join(chr(97 + (n * prime + place) % 26) for place in range(9)) for n in range(count) for prime in (3, 7, 11)
    ]
    return [f"{level} {' '.join(words[3 * n + n % 5 : 3 * n + n % 5 + 4])}" for n in range(count)]


def test_the_order_of_time_is_kept_and_gaps_are_marked():
    lines = [f"{n:04d} {line}" for n, line in enumerate(unlike(3_000))]
    lines[1_200] = "1200 FATAL the disk is full"
    text = rendered(distilled(*lines), 300)
    shown = [line.partition(" [×")[0] for line in text.splitlines() if line[0].isdigit()]
    assert lines[1_200] in shown
    assert shown == sorted(shown)
    assert set(shown) <= set(lines)
    assert "lines left out" in text


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_stack_trace_is_kept_whole(trace: str):
    log = distilled(*ordinary(4_000), *trace.splitlines(), *ordinary(4_000, start=4_000))
    assert trace in rendered(log, 2_000)


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_stack_trace_is_found_behind_times_and_colours_and_with_windows_line_ends(trace: str):
    stamped = [
        f"2026-11-28T08:00:00.00000000{n % 10}Z \x1b[31m{line}\x1b[0m\r" for n, line in enumerate(trace.splitlines())
    ]
    log = distilled(*ordinary(4_000), *stamped, *ordinary(4_000, start=4_000))
    kept = "\n".join(line.text for line in log.lines if line.timestamp.startswith("2026-11-28T08"))
    assert kept == trace


def test_a_trace_that_repeats_is_kept_once_with_its_number():
    lines = [line for n in range(300) for line in (*ordinary(10, start=n * 10), *JAVA.splitlines())]
    text = rendered(distilled(*lines), 2_000)
    assert "[×29" in text
    assert text.count("Caused by: java.net.UnknownHostException") < 6
    assert text.count("[×29") <= 2  # the trace, and the ordinary lines


def test_of_a_trace_too_long_the_causes_are_kept():
    frames = [f"\tat com.shop.Layer{'x' * (n % 50 + 1)}.call(Layer.java:{n})" for n in range(400)]
    lines = [
        "java.lang.IllegalStateException: cannot start",
        *frames,
        "Caused by: java.io.IOException: disk gone",
        *frames,
    ]
    text = rendered(distilled(*ordinary(2_000), *lines), 600)
    assert "cannot start" in text
    assert "disk gone" in text
    assert "Layerx.call" in text


def test_of_goroutines_the_first_is_whole_and_the_others_are_counted():
    log = distilled(*ordinary(2_000), *(GO + other_goroutines(200)).splitlines(), "exit status 2")
    text = rendered(log, 600)
    assert GO in text
    assert "goroutine 18 [chan receive, 18 minutes]: [×" in text
    assert "exit status 2" in text


def test_containers_share_the_room_by_need():
    small = ContainerLog(container="proxy", lines=tuple(LogLine(text=f"ready {n}") for n in range(5)))
    large = distilled(*ordinary(5_000))
    part = render_logs([large, small, large], 1_500)
    assert part.tokens <= 1_500
    assert "ready 0\nready 1\nready 2\nready 3\nready 4" in part.text
    assert part.text.count("# container api") == 2


def test_lines_that_did_not_fit_are_said():
    part = render_logs([distilled(*unlike(2_000))], 400)
    assert "lines of container api" in part.left_out


def test_without_room_there_is_no_text_but_a_note():
    part = render_logs([distilled(*ordinary(2_000))], 10)
    assert (part.text, part.tokens) == ("", 0)
    assert part.left_out == "2,000 lines of container api"
