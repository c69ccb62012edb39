"""The whole fleet: which Applications are not well, and what they have in common.

`Survey` is the way in: it lists, looks at the troubled ones one by one, and `grouped` puts together what has one cause.
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
