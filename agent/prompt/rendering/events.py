"""Kubernetes events as text, a line for each distinct message. Owns their form on the page."""

from collections.abc import Sequence
from dataclasses import replace

from agent.context.model import Event
from agent.prompt.rendering.rendered import Rendered, label, shortened, whole_items
from agent.prompt.tokens import count_tokens

# The most objects named on a line that they share.
_MOST_NAMES = 4
_LEFT_OUT = "older or less important events"


def render_events(events: Sequence[Event], limit: int) -> Rendered:
    """Events as ordered (newest first), warnings before the others; the same message about several objects is one
    line. The last ones are left out."""
    groups: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        groups.setdefault((event.type, event.reason, event.message), []).append(event)
    ordered = sorted(groups.values(), key=lambda group: group[0].type == "Normal")
    [one, *others] = {str(event.involved or "") for event in events} or {""}
    alone = bool(one) and len(ordered) > 1 and not others
    lines = (_line(group, named=not alone) for group in ordered)
    if not alone:
        return whole_items(lines, limit, _LEFT_OUT, count=len(ordered))
    head = f"All about {label(one)}:"
    cost = count_tokens(head) + 1
    made = whole_items(lines, limit - cost, _LEFT_OUT, count=len(ordered))
    return replace(made, text=f"{head}\n{made.text}", tokens=made.tokens + cost)


def _line(group: Sequence[Event], *, named: bool) -> str:
    event = group[0]
    count = sum(each.count for each in group)
    times = f" x{count}" if count > 1 else ""
    names = list(dict.fromkeys(label(str(each.involved)) for each in group if each.involved and named))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    about = f" {', '.join(names[:_MOST_NAMES])}{more}" if names else ""
    message = shortened(event.message)
    return f"- {event.last_seen or 'time unknown'} {event.type} {label(event.reason)}{times}{about}: {message}"
