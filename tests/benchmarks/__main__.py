"""`make bench`: every benchmark, or those named on the command line, such as `findings` or `conversation`."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.benchmarks import (
    conversation,
    distillation,
    findings,
    imports,
    memory,
    status_words,
    streams,
    triage,
    turns,
    window,
)


def main() -> None:
    """Runs and prints; each figure stands beside its aim."""
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        benchmarks: dict[str, Callable[[], None]] = {
            "imports": lambda: imports.run(console),
            "findings": lambda: findings.run(console),
            "status-words": lambda: status_words.run(console),
            "distillation": lambda: distillation.run(console),
            "window": lambda: window.run(console),
            "turns": lambda: turns.run(room, console),
            "streams": lambda: streams.run(room, console),
            "memory": lambda: memory.run(room, console),
            "triage": lambda: triage.run(room, console),
            "conversation": lambda: conversation.run(room, console),
        }
        wanted = sys.argv[1:] or list(benchmarks)
        for name in wanted:
            if name not in benchmarks:
                sys.exit(f"{name!r} is no benchmark; there are: {', '.join(benchmarks)}")
            console.rule(name)
            benchmarks[name]()


if __name__ == "__main__":
    main()
