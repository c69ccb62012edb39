"""Error messages in the question: each one that is known becomes a finding, with or without a target."""

import re
from collections.abc import Iterator

from agent.context.model import ContainerLog, LogLine
from agent.findings.admission.refusals import refusal_in
from agent.findings.argocd.comparison_causes import comparison_cause
from agent.findings.engine.evidence import cut, one_line
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import fatal_lines, fault_meaning
from agent.findings.model import Evidence, Finding
from agent.findings.observations.observation import STATEMENT_LIMIT
from agent.objects.error_message import parse

# Words by which a message of Argo CD itself is known; the cause is then looked for among those of Argo CD.
_ROW = re.compile(r"^\S+: (?:READY|STATUS|SYNC STATUS|NAMESPACE|KIND|CLUSTER|GROUP) ")


def messages_of_question(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each message that names a known cause."""
    for number, message in enumerate(inventory.context.messages, start=1):
        evidence = (Evidence(source="question", path=f"message {number}", text=cut(message)),)
        if _ROW.match(message):
            yield _row(message, evidence)
        elif found := _known(message, evidence):
            yield found


def _known(message: str, evidence: tuple[Evidence, ...]) -> Finding | None:
    statement = one_line(parse(message).statement, STATEMENT_LIMIT)
    cause, refusal = comparison_cause(message), refusal_in(message)
    if cause:
        return _finding(cause.name, "The message of the question names this cause.", evidence, cause.step)
    if refusal:
        name = refusal.name if statement in refusal.name else f"{refusal.name}: {statement}"
        return _finding(name, refusal.meaning, evidence, refusal.step)
    log = ContainerLog(container="question", lines=(LogLine(text=message),))
    if fatal_lines(log):
        step = f"Repair what the message names: {statement}"
        return _finding(statement, fault_meaning(message), evidence, step)
    return None


def _finding(name: str, explanation: str, evidence: tuple[Evidence, ...], step: str) -> Finding:
    return Finding(
        title=f"{name[:1].upper()}{name[1:]}",
        severity="error",
        level="effect",
        explanation=explanation,
        evidence=evidence,
        resource=None,
        next_steps=(step,),
    )


def _row(row: str, evidence: tuple[Evidence, ...]) -> Finding:
    name = row.partition(":")[0]
    return Finding(
        title=one_line(row, STATEMENT_LIMIT),
        severity="warning",
        level="symptom",
        explanation="The pasted table reports it as not well; its events and its manifest say why.",
        evidence=evidence,
        resource=None,
        next_steps=(
            f"Read its events and its state, which no table has: `kubectl describe` of {one_line(name, 120)}.",
        ),
    )
