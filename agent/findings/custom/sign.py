"""A sign of a fault: the value that the other modules of this package make."""

from typing import NamedTuple

from agent.findings.custom.nodes import StatusPath
from agent.findings.model import Evidence, Severity


class Sign(NamedTuple):
    """A part of a status that tells of a fault.

    `title` completes "Kind name", `short` names it in a list, `said` is what is quoted of it, `text` tells signs apart.
    """

    severity: Severity
    path: StatusPath
    title: str
    short: str
    evidence: tuple[Evidence, ...]
    text: str
