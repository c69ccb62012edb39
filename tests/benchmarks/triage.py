"""A triage of 1,000 Applications with 20 resources each: memory, requests and time, by a fake Argo CD."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from starlette.responses import Response

from tests.benchmarks.processes import ROOT
from tests.fakes.argocd import TOKEN
from tests.turn.triage.fleet import RESOURCES, fleet

APPLICATIONS = 1_000
AIM_BYTES = 500_000_000
# So many cannot be read at all.
FAILING = 5


def run(room: Path, console: Console) -> None:
    """Prints the figures; `room` takes the notes."""
    argocd = fleet(APPLICATIONS)
    for number in range(7, 10 * FAILING, 10):
        argocd.fail(f"/applications/app-{number:04}/resource-tree", Response(status_code=500))
    with argocd.serving() as url:
        environment = {**os.environ, "ARGOCD_SERVER": url, "ARGOCD_AUTH_TOKEN": TOKEN, "ASSISTANT_KUBERNETES": "off"}
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "triage", "--json", "--resume", str(room / "triage.jsonl")],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - begin
    peak = usage.ru_maxrss * 1024
    console.print(
        f"triage: {told['applications']} Applications of {RESOURCES} resources, {told['troubled']} looked at: "
        f"{peak / 1e6:.0f} MB at most (aim: {AIM_BYTES / 1e6:.0f} MB), {len(argocd.requests)} requests "
        f"({len(argocd.requests) / told['troubled']:.1f} for each that is not well), {took:.0f} s, "
        f"{len(told['groups'])} groups; of {FAILING} the tree could not be read: {len(told['gaps'])} gaps"
    )
