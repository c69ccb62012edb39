"""A sign of a fault in a status."""

from typing import NamedTuple

from agent.findings.custom.nodes import StatusPath
from agent.findings.model import Evidence, Severity


class Sign(NamedTuple):
    """A part of a status that reports a fault.

    `title` completes "Kind name", `short` names the sign in a list; signs with the same `text` report the same fault.
    """

    severity: Severity
    path: StatusPath
    title: str
    short: str
    evidence: tuple[Evidence, ...]
    text: str
