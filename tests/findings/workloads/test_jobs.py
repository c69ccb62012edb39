"""Jobs and CronJobs."""

from dataclasses import replace
from typing import Any

import pytest

from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, ended, event, pod, resource

RUNNING = {"kind": "Job", "name": "nightly-29231490"}


def job(*conditions: Manifest, **status: Any) -> Manifest:
    return resource(
        "batch/v1", "Job", "import", spec={"backoffLimit": 2}, status={"conditions": list(conditions) or None, **status}
    )


def cron_job(spec: Manifest | None = None, **status: Any) -> Manifest:
    return resource("batch/v1", "CronJob", "nightly", spec={"schedule": "0 3 * * *"} | (spec or {}), status=status)


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [("BackoffLimitExceeded", "backoffLimit"), ("DeadlineExceeded", "activeDeadlineSeconds"), ("New", "stopped")],
)
def test_a_job_given_up_is_an_error(reason: str, meaning: str) -> None:
    failed = job(condition("Failed", "True", reason, "Job has reached the specified backoff limit"), failed=3)

    (finding,) = findings_of(context(failed))

    assert finding.title == f"Job import failed ({reason})"
    assert meaning in finding.explanation
    assert any("logs job/import" in step for step in finding.next_steps)


def test_a_job_that_retries_is_a_warning() -> None:
    (finding,) = findings_of(context(job(failed=1, active=1)))

    assert (finding.title, finding.severity) == ("Job import failed 1 times and is being retried", "warning")


def test_a_job_that_retried_and_completed_yields_nothing_nor_do_its_failed_pods() -> None:
    done = job(condition("Complete", "True"), failed=2, succeeded=1)
    attempt = pod({"state": ended(1), "lastState": {}}, phase="Failed", owner=("Job", "import"))

    assert findings_of(context(done, attempt)) == ()


def test_the_pod_of_a_failed_job_stands_above_the_job() -> None:
    failed = job(condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the limit"), failed=3)
    attempt = pod({"state": ended(1), "lastState": {}}, phase="Failed", owner=("Job", "import"))

    assert [f.title for f in findings_of(context(failed, attempt))] == [
        "Container api failed (exit code 1)",
        "Job import failed (BackoffLimitExceeded)",
    ]


def test_a_cron_job_whose_last_run_failed_is_told() -> None:
    failed = cron_job(lastScheduleTime="2026-11-20T03:00:00Z", lastSuccessfulTime="2026-11-19T03:01:12Z")

    (finding,) = findings_of(context(failed))

    assert finding.title == "CronJob nightly: last run did not succeed"


@pytest.mark.parametrize(
    "well",
    [
        cron_job(lastScheduleTime="2026-11-20T03:00:00Z", lastSuccessfulTime="2026-11-20T03:01:12Z"),
        cron_job(lastScheduleTime="2026-11-20T03:00:00Z"),
        cron_job(
            lastScheduleTime="2026-11-20T03:00:00Z",
            lastSuccessfulTime="2026-11-19T03:01:00Z",
            active=[{"name": "nightly-1"}],
        ),
        cron_job(),
        cron_job({"startingDeadlineSeconds": 60}),
    ],
    ids=["succeeded", "first run", "running", "never scheduled", "deadline"],
)
def test_a_cron_job_that_runs_or_is_yet_to_run_yields_nothing(well: Manifest) -> None:
    assert findings_of(context(well)) == ()


def test_a_suspended_cron_job_is_information_for_who_asks_about_it() -> None:
    suspended = cron_job({"suspend": True})

    (finding,) = findings_of(context(suspended))

    assert (finding.title, finding.severity) == ("CronJob nightly is suspended", "info")
    assert findings_of(context(resource("v1", "ConfigMap"), suspended)) == ()


def test_a_schedule_that_cannot_be_read_is_quoted() -> None:
    broken = cron_job({"schedule": "every day"})
    complaint = event(broken, "UnparseableSchedule", 'unparseable schedule: "every day"')

    (finding,) = findings_of(context(broken, events=(complaint,)))

    assert finding.level == "cause"
    assert "every day" in [e.text for e in finding.evidence]


def test_a_negative_starting_deadline_is_told() -> None:
    (finding,) = findings_of(context(cron_job({"startingDeadlineSeconds": -1})))

    assert finding.title == "CronJob nightly has a negative starting deadline"


def test_too_many_missed_starts_need_a_deadline() -> None:
    late = cron_job()
    missed = event(late, "FailedNeedsStart", "cannot determine if job needs to be started: too many missed start times")

    finding = findings_of(context(late, events=(missed,)))[0]

    assert "spec.startingDeadlineSeconds" in finding.next_steps[0]


def test_a_refusal_before_the_pod_was_created_is_history() -> None:
    failed = job(condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
    refused = event(failed, "FailedCreate", 'pods "a" is forbidden: error looking up service account shop/a')
    created = event(failed, "SuccessfulCreate", "Created pod: import-x", kind="Normal")
    # Events name neither the API group nor the uid of what they are about.
    about = ResourceRef(version="v1", kind="Job", namespace="shop", name="import")
    events = tuple(replace(each, involved=about) for each in (refused, created))

    titles = [finding.title for finding in findings_of(context(failed, events=events)) if finding.severity != "info"]

    assert titles == ["Job import failed (BackoffLimitExceeded)"]
