"""Jobs that failed and CronJobs that do not run. A Job that completed after retries is healthy."""

from collections.abc import Iterator
from datetime import timedelta

from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.build import name_of, named, namespace_of, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.health import has_condition
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.remedies import change
from agent.findings.model import Finding
from agent.findings.workloads.schedules import schedule_fault
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, objects_at, text_at
from agent.objects.times import moment

JOB: GroupKind = ("batch", "Job")
CRON_JOB: GroupKind = ("batch", "CronJob")

# Reasons of the condition Failed: https://kubernetes.io/docs/concepts/workloads/controllers/job/
_FAILED = {
    "BackoffLimitExceeded": "Its pods failed more often than backoffLimit allows, so the Job stopped.",
    "DeadlineExceeded": "It did not finish within activeDeadlineSeconds, so its pods were ended.",
    "PodFailurePolicy": "A pod failed in a way that its podFailurePolicy defines as final.",
    "MaxFailedIndexesExceeded": "More of its indexes failed than maxFailedIndexes allows.",
    "FailedIndexes": "Some of its indexes failed.",
}


def jobs(inventory: Inventory) -> Iterator[Finding]:
    """The findings of failed Jobs, and of Jobs that retry after failed pods."""
    for job in inventory.of(JOB):
        if has_condition(job, "Complete", "SuccessCriteriaMet"):
            continue
        failed = integer_at(job, "status", "failed") or 0
        if condition := _failure(job):
            yield _given_up(job, condition)
        elif failed > 0 and not has_condition(job, "Suspended"):
            yield object_finding(
                job,
                f"{named(job)} failed {failed} times and is being retried",
                "Its pods fail; the Job stops when backoffLimit is exceeded.",
                quote(job, "status", "failed") + quote(job, "spec", "backoffLimit"),
                f"Read the log of its pods: {_logs_command(job)}.",
                severity="warning",
                level="symptom",
            )


def kept_running(inventory: Inventory) -> Iterator[Finding]:
    """The findings of a Job's Pods in which a container runs on after the others have completed."""
    for pod in inventory.of(("", "Pod")):
        owners = objects_at(pod, "metadata", "ownerReferences")
        statuses = objects_at(pod, "status", "containerStatuses")
        ended = [each for each in statuses if integer_at(each, "state", "terminated", "exitCode") == 0]
        runs = [each for each in statuses if lookup(each, "state", "running") is not None]
        if (
            not any(text_at(each, "kind") == "Job" for each in owners)
            or not ended
            or len(ended) + len(runs) < len(statuses)
        ):
            continue
        since = moment(text_at(ended[-1], "state", "terminated", "finishedAt"))
        if not runs or since is None or inventory.now is None or inventory.now - since < _PATIENCE:
            continue
        sidecar, done = (one_line(text_at(each[0], "name"), 80) for each in (runs, ended))
        yield object_finding(
            pod,
            f"{named(pod)} does not complete: container {sidecar} is still running, container {done} completed "
            f"{minutes_text(inventory.now - since)} ago",
            "The Pod of a Job is complete when all its containers have ended. A sidecar that keeps running keeps the "
            "Job "
            "active, and with concurrencyPolicy Forbid no further run starts.",
            quote(pod, "status", "containerStatuses", statuses.index(ended[0]), "state", "terminated", "reason")
            + quote(pod, "status", "containerStatuses", statuses.index(runs[0]), "name"),
            f"Let {sidecar} end with the Job: run it as a native sidecar (an init container with restartPolicy: "
            "Always; for "
            'Istio ENABLE_NATIVE_SIDECARS), do not inject it into these Pods (sidecar.istio.io/inject: "false"), or '
            "let the last command of the main container end it (Istio: POST /quitquitquit).",
            severity="warning",
            level="cause",
        )


_PATIENCE = timedelta(minutes=10)


def _failure(job: Manifest) -> tuple[str | int, ...] | None:
    """The path of the condition that the Job failed for good, None without one."""
    for index, condition in enumerate(list_at(job, "status", "conditions")):
        if text_at(condition, "type") in ("Failed", "FailureTarget") and text_at(condition, "status") == "True":
            return ("status", "conditions", index)
    return None


def _given_up(job: Manifest, condition: tuple[str | int, ...]) -> Finding:
    reason = text_at(job, *condition, "reason")
    return object_finding(
        job,
        f"{named(job)} failed" + (f" ({one_line(reason, 60)})" if reason else ""),
        _FAILED.get(reason, "The Job stopped."),
        quote(job, *condition, "message")
        + quote(job, *condition, "reason")
        + quote(job, "status", "failed")
        + quote(job, "spec", "backoffLimit")
        + quote(job, "spec", "activeDeadlineSeconds"),
        f"Read the log of its pods: {_logs_command(job)}.",
        "A failed Job does not run again: repair the cause, then delete it and sync (a sync recreates a hook).",
        level="symptom",
    )


def _logs_command(job: Manifest) -> str:
    return kubectl("logs", f"job/{name_of(job)}", "--all-containers", namespace=namespace_of(job))


# Event reasons of Kubernetes' pkg/controller/cronjob.
_SCHEDULE_FAULTS = {
    "UnparseableSchedule": "The schedule cannot be read, so it never runs.",
    "InvalidSchedule": "The schedule cannot be read, so it never runs.",
    "UnknownTimeZone": "The cluster does not know the time zone, so it never runs.",
    "TooManyMissedTimes": "It missed more than 100 start times and stopped counting; startingDeadlineSeconds helps.",
    "FailedNeedsStart": "The controller cannot compute its next start.",
    "FailedCreate": "Its Job could not be created.",
}


def cron_jobs(inventory: Inventory) -> Iterator[Finding]:
    """The findings of CronJobs that cannot start or whose last run failed, and of a suspended one in question."""
    for cron_job in inventory.of(CRON_JOB):
        schedule = text_at(cron_job, "spec", "schedule")
        if schedule and (fault := schedule_fault(schedule)):
            yield _never_due(inventory, cron_job, fault)
            continue
        for event in inventory.events.of(cron_job, *_SCHEDULE_FAULTS)[:1]:
            yield object_finding(
                cron_job,
                f"{named(cron_job)} cannot start its Job ({one_line(event.reason, 60)})",
                _SCHEDULE_FAULTS[event.reason],
                quote_event(event) + quote(cron_job, "spec", "schedule") + quote(cron_job, "spec", "timeZone"),
                _start_step(inventory, cron_job, event.reason, event.message),
                level="cause",
            )
        deadline = integer_at(cron_job, "spec", "startingDeadlineSeconds")
        if deadline is not None and deadline < 0:
            yield object_finding(
                cron_job,
                f"{named(cron_job)} has a negative starting deadline",
                "By this rule every start is too late, so it never runs.",
                quote(cron_job, "spec", "startingDeadlineSeconds"),
                "Set startingDeadlineSeconds to a positive number in Git.",
                level="cause",
            )
        if lookup(cron_job, "spec", "suspend") is True:
            if inventory.is_asked_about(cron_job):
                yield _suspended(cron_job)
        elif _last_run_failed(cron_job):
            yield object_finding(
                cron_job,
                f"{named(cron_job)}: last run did not succeed",
                "Its last execution has not completed successfully: it started after the last success, and no Job "
                "is running.",
                quote(cron_job, "status", "lastScheduleTime") + quote(cron_job, "status", "lastSuccessfulTime"),
                f"Find the failed Job and read its log: {kubectl('get', 'jobs', namespace=namespace_of(cron_job))}.",
                level="symptom",
            )


def _start_step(inventory: Inventory, cron_job: Manifest, reason: str, message: str) -> str:
    # Kubernetes' pkg/controller/cronjob/utils.go: after 100 missed starts no further one is computed.
    if "missed start time" in message or reason == "TooManyMissedTimes":
        what = f"set spec.startingDeadlineSeconds of {named(cron_job)} (for instance 200)"
        return f"{change(inventory, what)} Then only the starts missed within that time are counted."
    if reason == "UnknownTimeZone":
        what = f"correct spec.timeZone of {named(cron_job)} to a name of the IANA database (such as Europe/Berlin)"
        return change(inventory, what)
    if reason == "FailedCreate" and (refusal := refusal_in(message, namespace_of(cron_job))):
        return refusal.step
    return "In Git, correct spec.schedule (five fields, or one such as @daily), spec.timeZone or the template."


def _never_due(inventory: Inventory, cron_job: Manifest, fault: str) -> Finding:
    return object_finding(
        cron_job,
        f"{named(cron_job)} never starts: its schedule is invalid ({one_line(fault, 100)})",
        "A schedule has minute, hour, day of month, month and day of week (0 to 6), or is a descriptor such as @daily; "
        "Kubernetes refuses or never starts an invalid one.",
        quote(cron_job, "spec", "schedule") + quote(cron_job, "spec", "timeZone"),
        change(inventory, f"correct spec.schedule of {named(cron_job)}"),
        level="cause",
    )


def _last_run_failed(cron_job: Manifest) -> bool:
    # Both are RFC 3339 in UTC as the API server writes them: they compare as text.
    started, succeeded = (text_at(cron_job, "status", f) for f in ("lastScheduleTime", "lastSuccessfulTime"))
    return bool(started and succeeded) and started > succeeded and not list_at(cron_job, "status", "active")


def _suspended(cron_job: Manifest) -> Finding:
    return object_finding(
        cron_job,
        f"{named(cron_job)} is suspended",
        "It starts no Job until spec.suspend is false again. This is intended, or was forgotten.",
        quote(cron_job, "spec", "suspend"),
        "Set spec.suspend to false in Git to let it run.",
        severity="info",
    )
