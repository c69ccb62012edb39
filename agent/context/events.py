"""Events as people read them: newest first, each once with its count.

Owns the two shapes Kubernetes has for an event (core/v1 and events.k8s.io/v1) and their merging.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.context.log_text import printable
from agent.context.model import Event
from agent.objects.manifest import Manifest, integer_at, object_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

_NEVER = datetime.min.replace(tzinfo=UTC)

# The paths of each field, best first; creation is the last resort (an event may have no other time).
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

_OBJECT_KEYS = ("apiVersion", "kind", "namespace", "name", "uid")

type _Object = tuple[str, ...]
type _Key = tuple[str, str, str, _Object]


@dataclass(slots=True)
class _Merged:
    type: str
    reason: str
    message: str
    about: _Object
    reporter: str
    count: int
    first: datetime
    last: datetime


def merge_events(items: Iterable[Manifest]) -> tuple[Event, ...]:
    """Raw events of either shape, newest first. Those alike in type, reason, message and object become one."""
    merged: dict[_Key, _Merged] = {}
    objects: dict[_Object, ResourceRef | None] = {}
    for item in items:
        event = _parse(item)
        known = merged.setdefault((event.type, event.reason, event.message, event.about), event)
        if known is not event:
            known.count += event.count
            known.first = min((t for t in (known.first, event.first) if t != _NEVER), default=_NEVER)
            known.last = max(known.last, event.last)
        elif event.about not in objects:
            objects[event.about] = _reference(event.about)
    newest_first = sorted(merged.values(), key=lambda event: event.last, reverse=True)
    return tuple(_event(event, objects[event.about]) for event in newest_first)


def _parse(item: Manifest) -> _Merged:
    counts = (integer_at(item, *path) for path in _COUNTS if item.get(path[0]))
    about = object_at(item, "involvedObject") or object_at(item, "regarding")
    message = text_at(item, "message") or text_at(item, "note")
    times = (moment(text) for text in _texts(item, _LAST_SEEN))
    first_times = (moment(text) for text in _texts(item, _FIRST_SEEN))
    return _Merged(
        type=text_at(item, "type") or "Normal",
        reason=text_at(item, "reason"),
        message=printable(message.replace("\n", " ").strip()),
        about=tuple(text_at(about, key) for key in _OBJECT_KEYS) if about else (),
        reporter=next(_texts(item, _REPORTERS), ""),
        count=next((count for count in counts if count and count > 0), 1),
        first=next(filter(None, first_times), _NEVER),
        last=next(filter(None, times), _NEVER),
    )


def _texts(item: Manifest, paths: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The texts at those of `paths` that hold one; most are absent or null."""
    return (text for path in paths if item.get(path[0]) and (text := text_at(item, *path)))


def _reference(about: _Object) -> ResourceRef | None:
    known = dict(zip(_OBJECT_KEYS, about, strict=False))
    return ResourceRef.of(known | {"metadata": known})


def _text(time: datetime) -> str:
    return "" if time == _NEVER else time.isoformat().replace("+00:00", "Z")


def _event(event: _Merged, involved: ResourceRef | None) -> Event:
    return Event(
        type=event.type,
        reason=event.reason,
        message=event.message,
        involved=involved,
        count=event.count,
        first_seen=_text(event.first),
        last_seen=_text(event.last),
        reporter=event.reporter,
    )
