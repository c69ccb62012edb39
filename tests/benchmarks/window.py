"""How much of a model's window a request takes over contexts with logs of 1 to 14 MB, by window and history.

`of the window` is the request's tokens as the server is expected to count them with the room kept for the answer,
`request` the same without that room, `of what is free` how much of the room for instructions and context they take.
"""

from collections.abc import Iterable
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.prompt.long_contexts import long_bodies, read_contexts, use_of

CONTEXTS = 38
WINDOWS = (4_096, 8_192, 16_384, 32_768, 131_072)
AIM_WINDOW, AIM = 8_192, 0.80


def run(console: Console) -> None:
    """Prints the table: median, and smallest to largest."""
    contexts = read_contexts(long_bodies(CONTEXTS))
    columns = ("window", "history", "of the window", "request", "of what is free")
    table = Table(*columns, title=f"use of the window by {CONTEXTS} contexts with long logs")
    for window in WINDOWS:
        for history in (0, window // 6):
            uses = [use_of(each, window, history=history) for each in contexts]
            table.add_row(
                f"{window:,}",
                f"{history:,}",
                _shares(use.of_window for use in uses),
                _shares(use.prompt / window for use in uses),
                _shares(use.of_available for use in uses),
            )
    megabytes = [each.log_bytes / 1e6 for each in contexts]
    table.caption = (
        f"logs of {min(megabytes):.1f} to {max(megabytes):.1f} MB; aim: a median of at least {AIM:.0%} of "
        f"{AIM_WINDOW:,}, never above 100 %; above 16,384 ASSISTANT_CONTEXT_TOKENS is the limit"
    )
    console.print(table)


def _shares(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return f"{median(ordered):.0%} ({ordered[0]:.0%} to {ordered[-1]:.0%})"
