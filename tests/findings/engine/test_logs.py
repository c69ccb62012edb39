"""Fatal lines in logs."""

import pytest

from agent.findings.engine.logs import fatal_lines
from tests.findings.citations import findings_of
from tests.findings.cluster import context, log, pod, resource, running


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("panic: runtime error: invalid memory address or nil pointer dereference", "stopped on a fatal error"),
        ("java.lang.OutOfMemoryError: Java heap space", "out of memory"),
        ("Error: connect ECONNREFUSED 10.0.3.7:5432", "Nothing listens"),
        ("dial tcp: lookup db.shop.svc on 10.96.0.10:53: no such host", "does not resolve"),
        ('could not translate host name "db" to address: Name or service not known', "does not resolve"),
        ("dial tcp 10.0.3.7:5432: i/o timeout", "does not answer in time"),
        (
            'pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods"',
            "does not have the permission",
        ),
        ('FATAL:  password authentication failed for user "app"', "refuses the credentials"),
        ("open /data/index: permission denied", "does not have a permission"),
        ("listen tcp :8080: bind: address already in use", "port is already in use"),
        ("write /data/wal: no space left on device", "disk is full"),
        ("Error: environment variable DATABASE_URL is not set", "setting that it needs is missing"),
        ("ModuleNotFoundError: No module named 'requests'", "not in the image"),
        ("2026/11/20 fatal error: all goroutines are asleep - deadlock! level=fatal", "stopped on a fatal error"),
    ],
)
def test_a_fatal_line_explains_what_nothing_else_does(line: str, meaning: str) -> None:
    (finding,) = findings_of(context(logs=(log("starting", line, "bye"),)))

    assert finding.title.startswith("Container api logs an error: ")
    assert finding.severity == "warning"
    assert [e.text for e in finding.evidence] == [line]
    assert meaning in finding.explanation


@pytest.mark.parametrize(
    "line",
    [
        'level=info msg="retrying after connection refused"',
        "INFO  connection refused by upstream, trying the next",
        '{"level": "debug", "msg": "permission denied for anonymous, asking for a login"}',
        "processed 12 files, 0 errors",
        "GET /panic-room 200",
        "starting fatalistic tests",
    ],
)
def test_ordinary_lines_are_not_fatal(line: str) -> None:
    assert fatal_lines(log(line)) == ()


def test_of_a_traceback_it_is_the_exception() -> None:
    lines = (
        "Traceback (most recent call last):",
        '  File "/app/main.py", line 3, in <module>',
        "    connect()",
        "sqlalchemy.exc.OperationalError: server closed the connection",
    )

    assert [line.text for line in fatal_lines(log(*lines))] == [lines[-1]]


def test_a_line_that_repeats_is_quoted_once_and_the_last_ones_win() -> None:
    lines = [f"FATAL: attempt {i} failed" for i in range(9)] + ["panic: giving up"]

    assert [line.text for line in fatal_lines(log(*lines))] == ["FATAL: attempt 8 failed", "panic: giving up"]


def test_only_the_last_different_lines_are_kept() -> None:
    words = ("alpha", "beta", "gamma", "delta")

    kept = fatal_lines(log(*(f"FATAL: {word} failed" for word in words)))

    assert [line.text for line in kept] == [f"FATAL: {word} failed" for word in words[1:]]


def test_a_line_of_a_pod_that_is_not_in_the_context_names_the_pod() -> None:
    (finding,) = findings_of(context(logs=(log("panic: x", pod_name="api-7"),)))

    assert str(finding.resource) == "Pod api-7"


def test_an_error_of_a_ready_pod_is_a_warning_and_one_that_announces_a_retry_is_nothing() -> None:
    ready = pod(running())

    (finding,) = findings_of(context(ready, logs=(log("FATAL: no more file handles"),)))

    assert finding.severity == "warning"
    assert findings_of(context(ready, logs=(log("ERROR: cannot push metrics, retry in 60s"),))) == ()
    assert findings_of(context(ready, logs=(log("upstream said: connection refused"),))) == ()


def test_errors_of_a_log_are_one_finding_with_the_first_of_each_kind() -> None:
    lines = ("ERROR cache lost", *(f"ERROR query {n} failed" for n in range(9)), "ERROR giving it up")

    (finding,) = findings_of(context(pod(running()), logs=(log(*lines),)))

    assert finding.title.startswith("Container api logs an error: cache lost (11 errors of 3 kinds, last at 07:41:10")
    assert [e.text for e in finding.evidence] == ["ERROR cache lost", "ERROR query 0 failed", "ERROR giving it up"]


def test_an_error_of_a_run_that_ended_well_is_information() -> None:
    done = pod(running(), phase="Succeeded")

    (finding,) = findings_of(context(done, logs=(log("FATAL: once"),)))

    assert finding.severity == "info"


def test_an_error_in_a_log_stands_by_itself_where_another_object_is_broken() -> None:
    widget = resource("example.com/v1", "Widget", status={"phase": "Failed"})

    titles = [f.title for f in findings_of(context(widget, logs=(log("FATAL: bye"),)))]

    assert titles[0] == "Widget api has phase Failed"
    assert titles[1].startswith("Container api logs an error: bye")
