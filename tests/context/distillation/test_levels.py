"""What lines say of themselves: how serious they are, and when they were written."""

import pytest

from agent.context.distillation.levels import LogSeverity, level_of, time_of


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ('{"level":"error","ts":1764313200.1,"msg":"reconcile"}', LogSeverity.ERROR),
        ('{"severity":"WARNING","message":"slow"}', LogSeverity.WARNING),
        ('{"level": 30, "time": 1764313200000, "msg": "done"}', LogSeverity.INFO),
        ('{"level": 60, "time": 1764313200000, "msg": "done"}', LogSeverity.FATAL),
        ('{"@t":"2026-11-28T07:00:00Z","@l":"Fatal","@mt":"stop"}', LogSeverity.FATAL),
        ('time="2026-11-28T07:00:00Z" level=fatal msg="cannot sync"', LogSeverity.FATAL),
        ("ts=2026-11-28 lvl=dbug msg=x", LogSeverity.DEBUG),
        ("E1128 07:14:02.123456       1 reflector.go:158] Unhandled watch", LogSeverity.ERROR),
        ("I1128 07:14:02.123456       1 main.go:12] no errors", LogSeverity.INFO),
        ("2026-11-28 07:14:02,123 WARN  [main] c.s.Pool - low", LogSeverity.WARNING),
        ("[2026-11-28 07:14:02] SEVERE: Servlet threw", LogSeverity.ERROR),
        ("2026/11/28 07:14:02 [emerg] 1#1: host not found in upstream", LogSeverity.FATAL),
        ("2026-11-28 07:14:02.123 UTC [1] FATAL:  database is starting up", LogSeverity.FATAL),
        ("fail: Microsoft.Hosting.Lifetime[11]", LogSeverity.ERROR),
        ("E, [2026-11-28T07:14:02.1 #1] ERROR -- : boom", LogSeverity.ERROR),
        ("2026-11-28T07:14:02Z error: cannot listen", LogSeverity.ERROR),
        ("panic: assignment to entry in nil map", LogSeverity.FATAL),
        ("ValueError: not a number", LogSeverity.ERROR),
        ('10.0.0.1 - - [28/Nov/2026:07:14:02 +0000] "GET / HTTP/1.1" 503 12', LogSeverity.WARNING),
        ('10.0.0.1 - - [28/Nov/2026:07:14:02 +0000] "GET / HTTP/1.1" 200 12', LogSeverity.INFO),
        ("could not open the socket", LogSeverity.WARNING),
        ("listening on :8080", LogSeverity.INFO),
        ("GET /ERROR/INFO.html 200", LogSeverity.WARNING),
    ],
)
def test_a_line_is_as_serious_as_it_says(line: str, severity: LogSeverity):
    assert level_of(line).severity is severity


@pytest.mark.parametrize(
    "line", ["INFO 0 errors in batch 7", "error budget at 99 percent", "INFO done failed=0 errors=0", "timeout=30s"]
)
def test_words_of_faults_that_did_not_happen_tell_of_none(line: str):
    assert not level_of(line).mentions_fault


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("2026-11-28T07:14:02.123Z INFO x", "2026-11-28T07:14:02.123Z"),
        ("[2026-11-28 07:14:02,123] WARN x", "2026-11-28 07:14:02,123"),
        ('10.0.0.1 - - [28/Nov/2026:07:14:02 +0000] "GET /"', "28/Nov/2026:07:14:02 +0000"),
        ("E1128 07:14:02.123456       1 x.go:1] y", "07:14:02.123456"),
        ("Nov 28 07:14:02 host app[1]: x", "Nov 28 07:14:02"),
        ("no time at all", ""),
    ],
)
def test_the_time_is_taken_as_it_is_written(line: str, written: str):
    assert time_of(line) == written
