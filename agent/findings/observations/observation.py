"""An observation: something abnormal that was read, until it is known whether a finding has it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.findings.engine.commands import describe
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.inventory import Inventory
from agent.findings.model import Evidence, Finding, Level, Severity
from agent.objects.target import ResourceRef
from agent.objects.times import moment

RECENT = timedelta(hours=1)
"""How long an event counts as current: as long as the API server keeps it (kube-apiserver's --event-ttl, 1h)."""

PATIENCE = timedelta(minutes=10)
"""How long a start may take before it is a warning: a Deployment's progressDeadlineSeconds defaults to 600
(https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds)."""

STATEMENT_LIMIT = 220
"""Characters of a message in a title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something abnormal. `fault` is the same for what is one fault in several places, `kind` for what one object
    reports in several messages; `follows`: any finding about the same object explains it; `severity` is its own,
    `warning` at most."""

    resource: ResourceRef | None
    title: str
    explanation: str
    evidence: tuple[Evidence, ...]
    severity: Severity
    step: str = ""
    level: Level = "effect"
    follows: bool = False
    fault: str = ""
    kind: str = ""

    def finding(self, worst: Severity) -> Finding:
        """The observation as a finding. `worst` is the severity of a warning that may explain a symptom."""
        steps = (self.step, f"{describe(self.resource)} shows it with its events." if self.resource else "")
        return Finding(
            title=self.title,
            severity=worst if self.severity == "warning" and self.level == "cause" else self.severity,
            explanation=self.explanation,
            evidence=self.evidence,
            resource=self.resource,
            next_steps=tuple(step for step in steps if step),
            level=self.level,
        )


def names(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


def clock(time: str) -> str:
    """The time of day of an RFC 3339 time, "" without one."""
    at = moment(time)
    return at.strftime("%H:%M:%S") if at else ""


def ago(inventory: Inventory, time: str) -> str:
    """`, 5 minutes ago` by the time of the question, "" for less than a minute."""
    at: datetime | None = moment(time)
    if at is None or inventory.now is None or inventory.now - at < timedelta(minutes=1):
        return ""
    return f", {minutes_text(inventory.now - at)} ago"
