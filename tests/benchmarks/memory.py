"""Resident memory of the server after many turns against few."""

from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.benchmarks.processes import free_port, resident_bytes, server, streams
from tests.benchmarks.streams import BODY

FEW, MANY, AT_ONCE = 100, 1_000, 10
AIM = 1.05


def run(room: Path, console: Console) -> None:
    """Prints both figures and their ratio."""
    port = free_port()
    arguments = ["-m", "tests.benchmarks.scripted_server", str(port), "20", "0.001"]
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{room / 'memory.db'}"}
    url = f"http://127.0.0.1:{port}/invocations"
    few = many = 0
    with server(*arguments, port=port, health="/health", log=room / "memory.log", env=environment) as pid:
        for turns in track(range(AT_ONCE, MANY + 1, AT_ONCE), description="turns", console=console):
            streams(url, BODY, AT_ONCE)
            if turns == FEW:
                few = resident_bytes(pid)
        many = resident_bytes(pid)
    mib = 1024 * 1024
    console.print(
        f"memory: {few / mib:.0f} MiB after {FEW} turns, {many / mib:.0f} MiB after {MANY}: "
        f"{many / few:.3f} times (aim: at most {AIM})"
    )
