"""A probe that is refused, while the log names another port on which the program listens."""

from typing import Any

import pytest

from tests.findings.citations import findings_of
from tests.findings.cluster import context, event, log, pod, running

REFUSED = (
    'Readiness probe failed: Get "http://10.42.6.19:80/ready": dial tcp 10.42.6.19:80: connect: connection refused'
)
SPEC: dict[str, Any] = {
    "ports": [{"name": "http", "containerPort": 80}],
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "failureThreshold": 3},
}


def explained(line: str) -> tuple[str, str]:
    waiting = pod(running(ready=False), spec=SPEC)
    failed = event(waiting, "Unhealthy", REFUSED, count=40)

    (finding,) = findings_of(context(waiting, events=(failed,), logs=(log(line),)))

    return finding.explanation, finding.next_steps[0]


@pytest.mark.parametrize(
    "line",
    [
        "      Now listening on: http://[::]:8080",
        "2026-11-20 07:41:02.101  INFO 1 --- [main] o.s.b.w.e.tomcat.TomcatWebServer : Tomcat started on port(s): 8080",
        "INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)",
        "[2026-11-20 07:41:02 +0000] [1] [INFO] Listening at: http://0.0.0.0:8080 (1)",
        "Server is listening on port 8080",
        '{"level":"info","msg":"listening","addr":":8080"}',
    ],
)
def test_the_port_of_the_log_is_named(line: str) -> None:
    explanation, step = explained(line)

    assert "listens on port 8080, and the probe asks port 80" in explanation
    assert "8080" in step


@pytest.mark.parametrize("line", ["Server is listening on port 80", "started at 07:41:02", "running 12 migrations"])
def test_the_same_port_and_lines_without_one_say_nothing(line: str) -> None:
    explanation, _ = explained(line)

    assert "listens on" not in explanation
