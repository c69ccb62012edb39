"""The parts of a context as text, each within a token limit: what does not fit is cut and named.

Owns the form of a part on the page, a module per part; `agent.prompt.sections` lists the parts,
`agent.prompt.prompt` gives each its budget.
"""

from agent.prompt.rendering.application import (
    has_sync_state,
    render_application,
    render_deployments,
    render_operation,
    render_sync,
    render_tree,
)
from agent.prompt.rendering.drift import render_drift
from agent.prompt.rendering.events import render_events
from agent.prompt.rendering.findings import least_for, render_findings, render_gaps
from agent.prompt.rendering.fleet import render_fleet
from agent.prompt.rendering.logs import render_logs
from agent.prompt.rendering.manifests import referred, render_manifests, render_spec, render_status, sorted_by_need
from agent.prompt.rendering.rendered import Rendered, beginning, cut, label, well_formed

__all__ = [
    "Rendered",
    "beginning",
    "cut",
    "has_sync_state",
    "label",
    "least_for",
    "referred",
    "render_application",
    "render_deployments",
    "render_drift",
    "render_events",
    "render_findings",
    "render_fleet",
    "render_gaps",
    "render_logs",
    "render_manifests",
    "render_operation",
    "render_spec",
    "render_status",
    "render_sync",
    "render_tree",
    "sorted_by_need",
    "well_formed",
]
