"""How long something has lasted, by the times in a context instead of a clock: the same context has the same answer."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.context.context import Context
from agent.findings.engine.applications import Application
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.times import moment

# Controllers clean up faster; cloud load balancers and volumes take a few minutes.
PATIENCE = timedelta(minutes=10)
"""How long a deletion may take before it is stuck."""


def latest(context: Context, application: Application | None) -> datetime | None:
    """The latest time in the Application's status and the events, None without one."""
    return max((time for text in _times_of(context, application) if (time := moment(text))), default=None)


def elapsed(context: Context, application: Application, since: str) -> timedelta:
    """How long something has lasted at least, zero where the times are missing."""
    start, now = moment(since), latest(context, application)
    return max(now - start, timedelta()) if start and now else timedelta()


def lasted_beyond(latest_time: datetime | None, manifest: Manifest, since: str) -> timedelta | None:
    """How long after `since` the latest time is: `latest_time`, or one in the object itself.

    None where no time is as late as `since`.
    """
    start = moment(since)
    times = [latest_time, *map(moment, _own_times(manifest))]
    now = max((time for time in times if time), default=None)
    return now - start if start and now and now >= start else None


def minutes_text(time: timedelta) -> str:
    """`18 minutes`, `3 hours`, `2 days`."""
    minutes = int(time.total_seconds()) // 60
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _times_of(context: Context, application: Application | None) -> Iterator[str]:
    yield from (event.last_seen for event in context.events)
    if application is None:
        return
    status = ("status",)
    yield application.text(*status, "reconciledAt")
    yield application.text(*status, "observedAt")
    yield application.text(*status, "operationState", "startedAt")
    yield application.text(*status, "operationState", "finishedAt")
    yield application.text(*status, "health", "lastTransitionTime")
    yield from (text_at(c, "lastTransitionTime") for c in objects_at(application.manifest, "status", "conditions"))


def _own_times(manifest: Manifest) -> Iterator[str]:
    """The times in an object: of its conditions, its managed fields and its status."""
    for condition in objects_at(manifest, "status", "conditions"):
        yield from (text_at(condition, key) for key in ("lastTransitionTime", "lastHeartbeatTime", "lastProbeTime"))
    yield from (text_at(entry, "time") for entry in objects_at(manifest, "metadata", "managedFields"))
    yield from (text_at(manifest, "status", key) for key in ("observedAt", "lastUpdateTime"))
