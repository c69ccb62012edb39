"""Schedules of CronJobs."""

import pytest

from agent.findings.workloads.schedules import schedule_fault
from tests.findings.citations import findings_of
from tests.findings.cluster import context, resource


@pytest.mark.parametrize(
    "schedule",
    [
        "*/5 * * * *",
        "0 3 * * mon-fri",
        "0,30 0-6/2 1 JAN,Jul ?",
        "@daily",
        "@every 1h30m",
        "TZ=Europe/Berlin 0 3 * * *",
        "CRON_TZ=UTC @hourly",
        "0 0 29 2 *",
        "0 0 31 2 1",
        "5/15 * * * *",
    ],
)
def test_a_schedule_that_comes_is_well(schedule: str) -> None:
    assert schedule_fault(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ("61 * * * *", "minute 61 is not within 0 to 59"),
        ("0 24 * * *", "hour 24 is not within 0 to 23"),
        ("0 0 0 * *", "day of month 0 is not within 1 to 31"),
        ("0 0 * * 7", "day of week 7 is not within 0 to 6"),
        ("0 0 * foo *", "month foo is no number or name"),
        ("*/0 * * * *", "minute */0 has no step above 0"),
        ("30-10 * * * *", "minute 30-10 begins after its end"),
        ("0 0 * * * *", "it has 6 fields"),
        ("1-2-3 * * * *", "minute 1-2-3 is no number"),
        ("@sometimes", "@sometimes is no descriptor"),
        ("0 0 31 4,6 *", "day 31 is in none of its months"),
        ("٣ * * * *", "minute ٣ is no number"),
    ],
)
def test_a_schedule_that_cannot_be_read_or_never_comes_says_why(schedule: str, fault: str) -> None:
    assert schedule_fault(schedule).startswith(fault)


def test_a_cron_job_with_an_impossible_schedule_is_an_error() -> None:
    (finding,) = findings_of(context(resource("batch/v1", "CronJob", "report", spec={"schedule": "61 * * * *"})))

    assert finding.title == ("CronJob report never starts: its schedule is invalid (minute 61 is not within 0 to 59)")
    assert [e.text for e in finding.evidence] == ["61 * * * *"]
    assert finding.next_steps[0] == "Correct spec.schedule of CronJob report."
