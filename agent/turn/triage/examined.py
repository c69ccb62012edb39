"""What a survey found out about one Application. Owns the value that surveys, groups and checkpoints share."""

from dataclasses import dataclass

from agent.context.model import Gap
from agent.findings.model import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found out about one Application, redacted. `closely` False: by the list alone."""

    application: str
    project: str
    health: str
    sync: str
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...] = ()
    closely: bool = True
