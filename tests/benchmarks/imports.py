"""`import agent` against `import mlflow`, each in a process of its own."""

import subprocess
import sys

from rich.console import Console

from tests.benchmarks.processes import ROOT

RUNS = 5
AIM = 0.2


def run(console: Console) -> None:
    """Prints the best of several runs and the ratio."""
    ours, theirs = (min(_seconds(module) for _ in range(RUNS)) for module in ("agent", "mlflow"))
    console.print(
        f"import: agent {ours * 1e3:.1f} ms, mlflow {theirs * 1e3:.0f} ms: {ours / theirs:.3f} times (aim: under {AIM})"
    )


def _seconds(module: str) -> float:
    code = f"import time; begin = time.perf_counter(); import {module}; print(time.perf_counter() - begin)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)
