"""The line of a log that tells why a process ended."""

import pytest

from agent.findings.model import Finding
from agent.findings.workloads.crash_reasons import reason_in
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context, crash_loop, log, pod

KEY_ERROR = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 12, in <module>',
    "    url = os.environ['DB_URL']",
    "KeyError: 'DB_URL'",
)
PASSWORD = (
    "2026-11-20 07:41:30.120 ERROR 1 --- [main] c.e.shop.Application : Application run failed",
    'Caused by: org.postgresql.util.PSQLException: FATAL: password authentication failed for user "shop"',
)
FULL = ("2026-11-20T07:41:30Z FATAL write /data/wal/0042: no space left on device",)
NULLS = (
    'ERROR migrate: 0042.sql:3: ERROR: null value in column "currency" violates not-null constraint (SQLSTATE 23502)',
    "FATAL migrate: migration 42 failed and was rolled back",
)


def crashed(*lines: str, spec: Manifest | None = None, **pod_spec: object) -> Finding:
    broken = pod(crash_loop(1), owner=("ReplicaSet", "api-6c9d8f7b5d"), spec=spec, pod_spec=pod_spec)
    (finding,) = findings_of(context(broken, logs=(log(*lines),)))
    return finding


@pytest.mark.parametrize(
    ("lines", "told", "step"),
    [
        (KEY_ERROR, "KeyError: 'DB_URL'", "et the environment variable DB_URL of container api"),
        (PASSWORD, 'password authentication failed for user "shop"', "Check user and password in the Secret"),
        (FULL, "write /data/wal/0042: no space left on device", "Find the full volume"),
        (
            NULLS,
            'null value in column "currency" violates not-null constraint (SQLSTATE 23502)',
            "Repair the migration",
        ),
        (("panic: the moon is wrong",), "panic: the moon is wrong", "reports: “panic: the moon is wrong”"),
        (('{"level":"fatal","msg":"cannot start","error":"no such file or directory"}',), "no such file", "Correct"),
        (('time=07:41 level=fatal msg="bad" err="x509: certificate has expired"',), "x509: certificate has", "Renew"),
    ],
)
def test_the_title_tells_the_decisive_line_and_the_first_step_fits_it(
    lines: tuple[str, ...], told: str, step: str
) -> None:
    finding = crashed(*lines)

    assert finding.title.startswith(f"Container api keeps crashing (exit code 1): {told}")
    assert step in finding.next_steps[0]
    assert not any("logs" in each for each in finding.next_steps)


def test_a_missing_variable_is_set_where_the_template_of_the_workload_stands() -> None:
    assert "`spec.template.spec.containers[0].env` of Deployment api" in crashed(*KEY_ERROR).next_steps[0]


def test_a_refused_login_names_the_secret_that_the_container_reads() -> None:
    spec: Manifest = {"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "p"}}}]}

    step = crashed(*PASSWORD, spec=spec).next_steps[0]

    assert "Secret shop-db, which container api reads (`kubectl -n shop describe secret shop-db`" in step


def test_a_full_disk_names_the_claim_that_is_mounted() -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "wal"}}

    finding = crashed(*FULL, spec={"volumeMounts": [{"name": "data", "mountPath": "/data"}]}, volumes=[volume])

    assert finding.next_steps[0].startswith("Make PersistentVolumeClaim wal larger")


def test_only_without_a_log_the_step_is_to_read_it() -> None:
    (finding,) = findings_of(context(pod(crash_loop(1))))

    assert finding.title == "Container api keeps crashing (exit code 1)"
    assert "logs" in finding.next_steps[0]


def test_pods_that_end_for_one_reason_in_other_words_are_one_finding() -> None:
    first, second = (
        pod(crash_loop(1), name=f"api-6c9d8f7b5d-{each}", owner=("ReplicaSet", "api-6c9d8f7b5d")) for each in "ab"
    )
    logs = tuple(
        log(f"FATAL write /data/{each}: no space left on device", pod_name=f"api-6c9d8f7b5d-{each}") for each in "ab"
    )

    (finding,) = findings_of(context(None, first, second, logs=logs))

    assert finding.title.endswith("(2 pods of Deployment api)")


def test_what_was_redacted_stays_redacted_and_a_long_line_is_cut() -> None:
    reason = reason_in(["FATAL: cannot log in with [REDACTED]\n" + "x" * 9_000])

    assert reason is not None
    assert reason.substance.startswith("cannot log in with [REDACTED] xxx")
    assert len(reason.substance) <= 200


def test_lines_that_speak_of_no_fault_are_no_reason() -> None:
    assert reason_in(["connecting", "done"], only_faults=True) is None
    assert reason_in([" "]) is None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            (
                "Error: EACCES: permission denied, mkdir 'cache'",
                "  errno: -13,",
                "  code: 'EACCES',",
                "  path: 'cache'",
            ),
            "EACCES: permission denied, mkdir 'cache'",
        ),
        (
            ("Error during startup: {error,", "    {bad_config,", "        \"key 'ports' is no list\"}}"),
            "during startup: {error, {bad_config, \"key 'ports' is no list\"}}",
        ),
        (("  0     0    0     0    0     0 --:--:-- --:--:--     0curl: (7) Failed",), "curl: (7) Failed"),
        (("thread 'main' panicked at src/main.rs:4:9:", "the ledger is locked"), "the ledger is locked"),
        (("unknown flag: --depth", "Usage of /app:", "  -deep", "    \tonly required once"), "unknown flag: --depth"),
        (
            ('{"msg":"cannot remove it","attr":{"path":"/run/app.sock","error":"Operation not permitted"}}',),
            "cannot remove it: /run/app.sock: Operation not permitted",
        ),
        (("Unsupported library 9 detected", "2026-11-20T07:41:30Z INFO runner Done"), "Unsupported library 9 detected"),
    ],
)
def test_the_title_has_the_line_with_the_message(lines: tuple[str, ...], told: str) -> None:
    assert told in crashed(*lines).title
