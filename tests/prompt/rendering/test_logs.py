"""Logs on the page."""

from agent.context.model import ContainerLog, LogLine
from agent.prompt.rendering.logs import render_logs
from agent.prompt.tokens import count_tokens


def log(served: int) -> ContainerLog:
    lines = [f"GET /orders/{number} 200 in {number % 7} ms" for number in range(served)]
    return ContainerLog(
        container="api", lines=tuple(LogLine(text=line) for line in (*lines, "ERROR: connection to db:5432 refused"))
    )


def test_a_short_log_is_reported_line_by_line() -> None:
    made = render_logs([log(20)], 100_000)

    assert made.text.count("GET /orders/") == 20
    assert made.left_out == ""


def test_a_long_log_is_folded_even_where_all_of_it_would_fit() -> None:
    whole = log(400)
    made = render_logs([whole], 100_000)

    assert count_tokens(made.text) < sum(count_tokens(line.text) for line in whole.lines) / 2 + 50
    assert "[×" in made.text
    assert made.text.endswith("ERROR: connection to db:5432 refused")
