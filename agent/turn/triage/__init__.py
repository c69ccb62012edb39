"""The whole fleet: which Applications are in trouble, and what they have in common.

`Survey` lists the Applications and examines the troubled ones; `grouped` groups them by cause.
"""

from agent.turn.triage.grouping import CauseGroup, as_findings, grouped
from agent.turn.triage.overview import Overview, asks_about_applications, overview
from agent.turn.triage.survey import Examined, Survey

__all__ = [
    "CauseGroup",
    "Examined",
    "Overview",
    "Survey",
    "as_findings",
    "asks_about_applications",
    "grouped",
    "overview",
]
