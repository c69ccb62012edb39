"""Logs distilled: the time against drain3 alone over the same lines, and how often a planted cause is told in the end,
against the last 250 lines as they are.
"""

import time
from statistics import median

from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from agent.context.logs import parse_text
from agent.prompt.rendering.logs import render_logs
from tests.context.distillation.generated import Generated, generated

LINES = 100_000
TIMED = {40: (2, 3, 5), 400: (0, 3, 5)}
"""Seeds by number of templates; a framework each."""
TIME_AIM = 1.5

LOGS, LOG_LINES, TEMPLATES = 100, 20_000, (40, 300)
BUDGET = 2_000
TAIL = 250
KEPT_AIM = 0.99


def run(console: Console) -> None:
    """Prints both tables."""
    _times(console)
    _causes(console)


def _times(console: Console) -> None:
    table = Table("templates", "log", "drain3 alone", "distilled", "of drain3", title=f"{LINES:,} lines, distilled")
    parse_text("a line\n" * 2_000, container="api", tail_lines=None)  # imports
    ratios: list[float] = []
    runs = [(templates, seed) for templates, seeds in TIMED.items() for seed in seeds]
    for templates, seed in track(runs, description="logs", console=console, transient=True):
        log = generated(seed, lines=LINES, templates=templates)
        theirs, ours = _drain3_seconds(log), _seconds(log)
        ratios.append(ours / theirs)
        size = f"{escape(log.lines[len(log.lines) // 2][:24])}… {len(log.text) / 1e6:.1f} MB"
        table.add_row(str(templates), size, f"{theirs:.2f} s", f"{ours:.2f} s", f"{ours / theirs:.2f}")
    table.caption = f"median {median(ratios):.2f}, at most {max(ratios):.2f} of drain3 alone (aim: at most {TIME_AIM})"
    console.print(table)


def _seconds(log: Generated) -> float:
    text = log.text
    start = time.perf_counter()
    parse_text(text, container="api", tail_lines=None)
    return time.perf_counter() - start


def _drain3_seconds(log: Generated) -> float:
    start = time.perf_counter()
    miner = TemplateMiner(config=TemplateMinerConfig())
    for line in log.text.split("\n"):
        miner.add_log_message(line)
    return time.perf_counter() - start


def _causes(console: Console) -> None:
    kept = in_tail = 0
    most = 0
    missed: list[int] = []
    for seed in track(range(LOGS), description="causes", console=console, transient=True):
        log = generated(seed, lines=LOG_LINES, templates=TEMPLATES[seed % 2])
        text, tokens = _told(log.text, None)
        telling, _ = _told(log.telling, 1)
        most = max(most, tokens)
        found = telling.split("\n")[-1] in text
        kept += found
        missed += [seed] * (not found)
        in_tail += log.telling in log.lines[-TAIL:]
    table = Table("told in the end", "share", title=f"a planted cause in {LOGS} logs of {LOG_LINES:,} lines")
    table.add_row(f"distilled, {BUDGET:,} tokens", f"{kept / LOGS:.2f}")
    table.add_row(f"tail -{TAIL}, whatever it takes", f"{in_tail / LOGS:.2f}")
    table.caption = f"aim: at least {KEPT_AIM}; largest text {most:,} of {BUDGET:,} tokens" + (
        f"; missed: seeds {missed}" if missed else ""
    )
    console.print(table)


def _told(text: str, tail_lines: int | None) -> tuple[str, int]:
    part = render_logs(parse_text(text, container="api", tail_lines=tail_lines).logs, BUDGET)
    if part.tokens > BUDGET:
        raise RuntimeError(f"{part.tokens} tokens of {BUDGET}")
    return part.text, part.tokens
