"""The parts of a context as text, each within a token limit: what does not fit is cut and said.

Owns the form of a part on the page, a module per part; which parts there are, in which order and with how much room is
`agent.prompt`'s.
"""

from agent.rendering.drift import render_drift
from agent.rendering.events import render_events
from agent.rendering.findings import render_findings, render_gaps
from agent.rendering.logs import render_logs
from agent.rendering.manifests import render_manifests
from agent.rendering.rendered import Rendered, well_formed

__all__ = [
    "Rendered",
    "render_drift",
    "render_events",
    "render_findings",
    "render_gaps",
    "render_logs",
    "render_manifests",
    "well_formed",
]
