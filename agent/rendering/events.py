"""Kubernetes events as text, a line for each thing that was said. Owns their form on the page."""

from collections.abc import Sequence

from agent.context.model import Event
from agent.rendering.rendered import Rendered, label, shortened, whole_items

# Objects about which the same was said.
_MOST_NAMES = 4


def render_events(events: Sequence[Event], limit: int) -> Rendered:
    """Events as ordered (newest first), warnings before the others; the same message about several objects is one
    line. The last ones are left out."""
    groups: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        groups.setdefault((event.type, event.reason, event.message), []).append(event)
    ordered = sorted(groups.values(), key=lambda group: group[0].type == "Normal")
    return whole_items(map(_line, ordered), limit, "older or less important events", count=len(ordered))


def _line(group: Sequence[Event]) -> str:
    event = group[0]
    count = sum(each.count for each in group)
    times = f" x{count}" if count > 1 else ""
    names = list(dict.fromkeys(label(str(each.involved)) for each in group if each.involved))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    about = f" {', '.join(names[:_MOST_NAMES])}{more}" if names else ""
    message = shortened(event.message)
    return f"- {event.last_seen or 'time unknown'} {event.type} {label(event.reason)}{times}{about}: {message}"
