"""Many streams at once from a scripted provider in the process, tracing on: 200 deltas, 5 ms apart."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.processes import first_p50, free_port, server, streams, wall

DELTAS = 200
PAUSE = 0.005
COUNTS = {1: (1, 16, 64, 128), 2: (64, 128)}
"""How many streams at once, by the number of server processes."""
WALL_AIM = 1.25
FIRST_AIM = 0.15

BODY: dict[str, Any] = {
    "stream": True,
    "input": [{"role": "user", "content": "Why does it restart?"}],
    "custom_inputs": {
        "manifest": {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "api-1", "namespace": "shop", "uid": "u1"},
            "spec": {"containers": [{"name": "api", "resources": {"limits": {"memory": "64Mi"}}}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "api",
                        "ready": False,
                        "restartCount": 7,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                    }
                ],
            },
        },
        "events": [
            {"type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container", "count": 12}
        ],
    },
}


def _wait_until_stored(store: Path, turns: int) -> None:
    deadline = time.monotonic() + 60
    with closing(sqlite3.connect(store)) as connection:
        while connection.execute("select count(*) from trace_info where status = 'OK'").fetchone()[0] < turns:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the traces of {turns} turns are not in the store")
            time.sleep(0.2)


def _wait_until_started(log: Path, workers: int) -> None:
    deadline = time.monotonic() + 60
    while log.read_text(errors="replace").count("Application startup complete") < workers:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{workers} processes did not start")
        time.sleep(0.1)


def run(room: Path, console: Console) -> None:
    """Prints the table; `room` takes stores and logs."""
    columns = ("processes", "streams", "first p50", "wall", "of ideal", "whole")
    table = Table(*columns, title="200 deltas, 5 ms apart, traced")
    for workers, counts in COUNTS.items():
        _measure(room, workers, counts, table)
    table.caption = f"aim at 128: wall at most {WALL_AIM} of ideal, first p50 at most {FIRST_AIM} s, all whole"
    console.print(table)


def _measure(room: Path, workers: int, counts: tuple[int, ...], table: Table) -> None:
    port, store = free_port(), room / f"streams-{workers}.db"
    arguments = ["-m", "tests.benchmarks.scripted_server", str(port), str(DELTAS), str(PAUSE), str(workers)]
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{store}"}
    url = f"http://127.0.0.1:{port}/invocations"
    log = room / f"streams-{workers}.log"
    with server(*arguments, port=port, health="/health", log=log, env=environment):
        _wait_until_started(log, workers)
        streams(url, BODY, 4 * workers)  # the first trace makes the tables of the store
        ideal = DELTAS * PAUSE
        turns = 4 * workers
        for count in counts:
            _wait_until_stored(store, turns)  # writing them would weigh on the next row
            results = streams(url, BODY, count)
            turns += count
            whole = sum(result.whole and result.deltas == DELTAS for result in results)
            took = wall(results)
            table.add_row(
                str(workers),
                str(count),
                f"{first_p50(results):.3f} s",
                f"{took:.2f} s",
                f"{took / ideal:.2f}",
                f"{whole}/{count}",
            )
