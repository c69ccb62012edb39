"""Kubernetes events as text, a line each. Owns their form on the page."""

from collections.abc import Sequence

from agent.context.model import Event
from agent.rendering.rendered import Rendered, whole_items


def render_events(events: Sequence[Event], limit: int) -> Rendered:
    """Events, a line each, as ordered (newest first): the oldest are left out."""
    return whole_items([_event(event) for event in events], limit, "older events")


def _event(event: Event) -> str:
    times = f" x{event.count}" if event.count > 1 else ""
    about = f" {event.involved}" if event.involved else ""
    return f"- {event.last_seen or 'time unknown'} {event.type} {event.reason}{times}{about}: {event.message}"
