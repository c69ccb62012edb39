"""All Applications as text: how many are how, and those that are not well, a line each. Owns their form on the page."""

from collections.abc import Mapping
from dataclasses import replace

from agent.context.model import Fleet, FleetApplication
from agent.prompt.rendering.rendered import Rendered, label, whole_items
from agent.prompt.tokens import count_tokens


def render_fleet(fleet: Fleet, limit: int) -> Rendered:
    """Counts, then the troubled Applications, the worst first; the least troubled are left out."""
    head = (
        f"{fleet.total} Applications. Health: {_counted(fleet.health)}. Sync: {_counted(fleet.sync)}.\n"
        f"{len(fleet.troubled)} are not well; the first {fleet.examined} of them were looked at closely:"
    )
    cost = count_tokens(head) + 1
    lines = map(_line, fleet.troubled)
    made = whole_items(lines, limit - cost, "less troubled Applications", count=len(fleet.troubled))
    return replace(made, text=f"{head}\n{made.text}".rstrip(), tokens=made.tokens + cost)


def _line(application: FleetApplication) -> str:
    project = f" (project {label(application.reference.project)})" if application.reference.project else ""
    operation = f", last operation {label(application.operation)}" if application.operation else ""
    state = f"{label(application.health) or 'Unknown'}, {label(application.sync) or 'Unknown'}{operation}"
    return f"- {label(application.name, 200)}{project}: {state}"


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {label(name)}" for name, count in ordered) or "none"
