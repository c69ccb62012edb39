"""How late it is by the context's own word, and how long something has lasted. Reads no clock: the same context always
tells the same.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.context.context import Context
from agent.findings.engine.applications import Application
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.times import moment

# Controllers clean up in less; cloud load balancers and volumes take a few minutes.
PATIENCE = timedelta(minutes=10)
"""How long a deletion may take before it is stuck."""


def latest(context: Context, application: Application | None) -> datetime | None:
    """The latest time that the Application's status or an event tells: it is at least so late. None where none does."""
    return max((time for text in _told(context, application) if (time := moment(text))), default=None)


def elapsed(context: Context, application: Application, since: str) -> timedelta:
    """How long something has lasted at least; nothing where the times do not tell."""
    start, now = moment(since), latest(context, application)
    return max(now - start, timedelta()) if start and now else timedelta()


def lasted_beyond(latest_time: datetime | None, manifest: Manifest, since: str) -> timedelta | None:
    """How long after `since` the latest time is: `latest_time`, or one that the object itself tells.

    None where no time is as late as `since`: then nothing tells how long it lasts.
    """
    start = moment(since)
    told = [latest_time, *map(moment, _own_times(manifest))]
    now = max((time for time in told if time), default=None)
    return now - start if start and now and now >= start else None


def minutes_text(time: timedelta) -> str:
    """`18 minutes`, `3 hours`, `2 days`."""
    minutes = int(time.total_seconds()) // 60
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _told(context: Context, application: Application | None) -> Iterator[str]:
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
    """When an object last changed by its own word: its conditions and who wrote it when."""
    for condition in objects_at(manifest, "status", "conditions"):
        yield from (text_at(condition, key) for key in ("lastTransitionTime", "lastHeartbeatTime", "lastProbeTime"))
    yield from (text_at(entry, "time") for entry in objects_at(manifest, "metadata", "managedFields"))
    yield from (text_at(manifest, "status", key) for key in ("observedAt", "lastUpdateTime"))
