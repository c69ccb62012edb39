"""Events as people read them: newest first, each said once with how often it happened.

Owns the two shapes Kubernetes has for an event (core/v1 and events.k8s.io/v1) and their merging; reads nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.context.model import Event
from agent.logs import printable
from agent.manifest import Manifest, integer_at, object_at, text_at
from agent.target import ResourceRef

_NEVER = datetime.min.replace(tzinfo=UTC)

# Where each fact may stand, best first; creation is the last resort (an event may have no other time).
_LAST_SEEN = (
    ("series", "lastObservedTime"),
    ("lastTimestamp",),
    ("deprecatedLastTimestamp",),
    ("eventTime",),
    ("firstTimestamp",),
    ("deprecatedFirstTimestamp",),
    ("metadata", "creationTimestamp"),
)
_FIRST_SEEN = (
    ("firstTimestamp",),
    ("deprecatedFirstTimestamp",),
    ("eventTime",),
    ("metadata", "creationTimestamp"),
)
_COUNTS = (("series", "count"), ("count",), ("deprecatedCount",))
_REPORTERS = (
    ("source", "component"),
    ("deprecatedSource", "component"),
    ("reportingComponent",),
    ("reportingController",),
)

type _Key = tuple[str, str, str, str, str, str, str]


@dataclass(slots=True)
class _Merged:
    type: str
    reason: str
    message: str
    involved: ResourceRef | None
    reporter: str
    count: int
    first: datetime
    last: datetime


def merge_events(items: Iterable[Manifest]) -> tuple[Event, ...]:
    """Raw events of either shape, newest first. Those alike in type, reason, message and object become one."""
    merged: dict[_Key, _Merged] = {}
    for item in items:
        event = _parse(item)
        about = event.involved
        key = (event.type, event.reason, event.message) + (
            (about.kind, about.namespace, about.name, about.uid) if about else ("", "", "", "")
        )
        known = merged.setdefault(key, event)
        if known is not event:
            known.count += event.count
            known.first = min((t for t in (known.first, event.first) if t != _NEVER), default=_NEVER)
            known.last = max(known.last, event.last)
    newest_first = sorted(merged.values(), key=lambda event: event.last, reverse=True)
    return tuple(_event(event) for event in newest_first)


def _parse(item: Manifest) -> _Merged:
    counts = (integer_at(item, *path) for path in _COUNTS)
    return _Merged(
        type=text_at(item, "type") or "Normal",
        reason=text_at(item, "reason"),
        message=printable((text_at(item, "message") or text_at(item, "note")).replace("\n", " ").strip()),
        involved=_involved(object_at(item, "involvedObject") or object_at(item, "regarding")),
        reporter=next(filter(None, (text_at(item, *path) for path in _REPORTERS)), ""),
        count=next((count for count in counts if count and count > 0), 1),
        first=_earliest_known(item, _FIRST_SEEN),
        last=_earliest_known(item, _LAST_SEEN),
    )


def _involved(reference: Manifest) -> ResourceRef | None:
    return ResourceRef.of(
        {
            "apiVersion": text_at(reference, "apiVersion"),
            "kind": text_at(reference, "kind"),
            "metadata": {key: text_at(reference, key) for key in ("namespace", "name", "uid")},
        }
    )


def _earliest_known(item: Manifest, paths: Iterable[tuple[str, ...]]) -> datetime:
    """The time at the first of `paths` that holds one."""
    return next((t for t in (_time(text_at(item, *path)) for path in paths) if t), _NEVER)


def _time(text: str) -> datetime | None:
    if not text or text.startswith("0001-01-01"):  # Go's zero time
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _text(time: datetime) -> str:
    return "" if time == _NEVER else time.isoformat().replace("+00:00", "Z")


def _event(event: _Merged) -> Event:
    return Event(
        type=event.type,
        reason=event.reason,
        message=event.message,
        involved=event.involved,
        count=event.count,
        first_seen=_text(event.first),
        last_seen=_text(event.last),
        reporter=event.reporter,
    )
