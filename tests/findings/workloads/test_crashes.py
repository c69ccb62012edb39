"""Containers that ended although they should not have."""

from dataclasses import replace

import pytest

from agent.findings.model import Finding
from tests.findings.citations import findings_of
from tests.findings.cluster import context, crash_loop, ended, event, log, pod, running


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def texts(finding: Finding) -> list[str]:
    return [evidence.text for evidence in finding.evidence]


def test_out_of_memory_names_container_exit_code_and_limit() -> None:
    broken = pod(crash_loop(137, "OOMKilled"), spec={"resources": {"limits": {"memory": "256Mi"}}})

    finding = only(findings_of(context(broken)))

    assert finding.title == "Container api is OOMKilled (exit code 137) at its memory limit of 256Mi"
    assert (finding.severity, finding.level) == ("error", "cause")
    assert {"OOMKilled", "137", "256Mi"} <= set(texts(finding))
    assert "spec.containers[0].resources.limits.memory" in [e.path for e in finding.evidence]


def test_out_of_memory_without_a_limit_is_told_as_such() -> None:
    finding = only(findings_of(context(pod(crash_loop(137, "OOMKilled")))))

    assert "no memory limit" in finding.title


def test_a_failing_liveness_probe_is_the_cause_of_the_kill() -> None:
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "failureThreshold": 3}
    broken = pod(crash_loop(137), spec={"livenessProbe": probe})
    unhealthy = event(broken, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")

    finding = only(findings_of(context(broken, events=(unhealthy,))))

    assert (
        finding.title == "Container api is killed by its liveness probe (exit code 137): "
        "GET /healthz on port 8080 gets HTTP status 500"
    )
    assert any('"path": "/healthz"' in text for text in texts(finding))


def test_a_probe_that_the_container_no_longer_has_did_not_kill_it() -> None:
    broken = pod(crash_loop(137))
    unhealthy = event(broken, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")

    assert (
        only(findings_of(context(broken, events=(unhealthy,)))).title == "Container api keeps crashing (exit code 137)"
    )


@pytest.mark.parametrize(
    ("exit_code", "meaning"),
    [
        (1, "reports an error"),
        (2, "wrong arguments"),
        (126, "execute permission"),
        (127, "not found in the image"),
        (137, "SIGKILL"),
        (139, "SIGSEGV"),
        (143, "SIGTERM"),
        (140, "signal 12"),
        (42, "specific to the program"),
    ],
)
def test_an_exit_code_is_told_with_its_meaning(exit_code: int, meaning: str) -> None:
    finding = only(findings_of(context(pod(crash_loop(exit_code)))))

    assert f"(exit code {exit_code})" in finding.title
    assert meaning in finding.explanation


def test_a_command_that_is_not_there_is_quoted() -> None:
    broken = pod(
        crash_loop(127, "StartError", 'exec: "/app/sever": stat /app/sever: no such file or directory'),
        spec={"command": ["/app/sever"]},
    )

    finding = only(findings_of(context(broken)))

    assert finding.title.startswith("Container api cannot start its command (exit code 127): ")
    assert '["/app/sever"]' in texts(finding)


def test_a_program_that_just_ends_is_no_server() -> None:
    finding = only(findings_of(context(pod(crash_loop(0, "Completed")))))

    assert finding.title == "Container api keeps exiting by itself (exit code 0) and being restarted"


def test_a_crash_quotes_the_last_words_of_the_previous_run() -> None:
    broken = pod(crash_loop(1))
    logs = (
        log("starting", "ready"),
        log(
            "starting",
            "dial tcp 10.0.3.7:5432: connect: connection refused",
            "FATAL: cannot reach the database",
            pod_name="api-6c9d8f7b5d-x7k2p",
            previous=True,
        ),
    )

    (finding,) = findings_of(context(broken, logs=logs))

    assert finding.title == "Container api keeps crashing (exit code 1): it is refused by 10.0.3.7:5432"
    assert "dial tcp 10.0.3.7:5432: connect: connection refused" in texts(finding)
    assert "Nothing listens at the address" in finding.explanation
    assert "api (previous run) 2026-11-20T07:41:01Z" in [e.path for e in finding.evidence]


def test_a_crash_whose_end_is_unknown_is_still_a_crash() -> None:
    status = crash_loop(1) | {"lastState": None}

    assert only(findings_of(context(pod(status)))).title == "Container api keeps crashing (CrashLoopBackOff)"


def test_an_init_container_is_named_as_one() -> None:
    broken = pod(init=crash_loop(1), phase="Pending")

    assert only(findings_of(context(broken))).title == "Init container wait keeps crashing (exit code 1)"


def test_a_container_between_two_crashes_is_broken() -> None:
    status = running(ready=False, restartCount=4, lastState=ended(1))

    assert only(findings_of(context(pod(status)))).title == "Container api keeps crashing (exit code 1)"


def test_a_ready_container_that_keeps_being_restarted_is_a_warning_with_its_exit() -> None:
    between = pod(running(restartCount=3, lastState=ended(1)))
    backoff = event(between, "BackOff", "Back-off restarting failed container api in pod api_shop(1)")

    finding = only(findings_of(context(between, events=(backoff,))))

    assert finding.severity == "warning"
    assert finding.title.startswith("Container api keeps crashing (exit code 1) (ready now; restarted 3 times, last ")


def test_a_container_that_was_restarted_once_and_is_ready_is_information() -> None:
    recovered = pod(running(restartCount=1, lastState=ended(1)))

    assert only(findings_of(context(recovered))).severity == "info"


def test_a_restart_of_long_ago_is_nothing() -> None:
    recovered = pod(running(restartCount=40, lastState=ended(1)))
    later = replace(event(recovered, "Pulled", "Image is present", kind="Normal"), last_seen="2031-01-01T00:00:00Z")

    assert findings_of(context(recovered, events=(later,))) == ()


def test_a_ready_container_that_lately_ran_out_of_memory_is_a_warning() -> None:
    again = pod(running(restartCount=1, lastState=ended(137, "OOMKilled")))

    assert only(findings_of(context(again))).severity == "warning"


def test_a_kill_for_a_failed_probe_decides_over_the_exit_code() -> None:
    between = pod(
        running(restartCount=4, lastState=ended(0, "Completed")), spec={"livenessProbe": {"tcpSocket": {"port": 1}}}
    )
    failed = event(between, "Unhealthy", "Liveness probe failed: dial tcp 10.0.0.1:1: connect: connection refused")
    killed = event(between, "Killing", "Container api failed liveness probe, will be restarted")

    finding = only(findings_of(context(between, events=(killed, failed))))

    assert finding.title.startswith("Container api is killed by its liveness probe (exit code 0)")


def test_a_container_that_runs_after_its_init_container_failed_once_is_well() -> None:
    done = {"state": ended(0, "Completed"), "lastState": ended(1), "ready": True, "restartCount": 1}

    assert findings_of(context(pod(running(), init=done))) == ()


def test_an_out_of_memory_kill_names_the_command_that_doubles_the_limit_of_its_workload() -> None:
    killed = pod(
        crash_loop(137, "OOMKilled"),
        owner=("ReplicaSet", "api-6c9d8f7b5d"),
        spec={"resources": {"limits": {"memory": "256Mi"}}},
    )

    (finding,) = findings_of(context(killed))

    assert finding.next_steps[0] == (
        "Set `spec.template.spec.containers[0].resources.limits.memory` of Deployment api to 512Mi (container api): "
        "`kubectl -n shop set resources deployment/api -c api --limits=memory=512Mi`."
    )


def test_a_command_that_the_image_does_not_have_is_named() -> None:
    message = 'unable to start container process: exec: "lamp": executable file not found in $PATH: unknown'
    finding = findings_of(context(pod(crash_loop(128, "StartError", message))))[0]

    assert "lamp: executable file not found in $PATH" in finding.title
    assert "use an image with lamp" in finding.next_steps[0]


def test_a_liveness_kill_is_known_without_the_probe_in_the_spec_and_with_exit_code_0() -> None:
    broken = pod(crash_loop(0, "Completed"))
    unhealthy = event(broken, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", count=9)
    killing = event(broken, "Killing", "Container api failed liveness probe, will be restarted", kind="Normal")

    title = findings_of(context(broken, events=(unhealthy, killing)))[0].title

    assert title == "Container api is killed by its liveness probe (exit code 0): HTTP status 503"
