"""Error messages in the question: each one that is known becomes a finding, with or without a target."""

import re
from collections.abc import Iterator

from agent.context.model import ContainerLog, LogLine
from agent.findings.admission.refusals import refusal_in
from agent.findings.argocd.comparison_causes import comparison_cause
from agent.findings.engine.evidence import cut, one_line
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import fatal_lines, fault_meaning
from agent.findings.engine.message_steps import fix_for
from agent.findings.model import Evidence, Finding, Severity
from agent.findings.observations.observation import STATEMENT_LIMIT
from agent.objects.error_message import parse, shorten

_ROW = re.compile(r"^\S+: (?:READY|STATUS|SYNC STATUS|NAMESPACE|KIND|CLUSTER|GROUP) ")

_ANY_CONNECTION = "a network connection fails"
_OF_ARGOCD = re.compile(r"argo-?cd|repo-server|manifest|rpc error|target state", re.IGNORECASE)


def messages_of_question(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each message that names a known cause."""
    for number, message in enumerate(inventory.context.messages, start=1):
        evidence = (Evidence(source="question", path=f"message {number}", text=cut(message)),)
        if _ROW.match(message):
            yield _row(message, evidence)
        elif found := _known(message, evidence, inventory_has_objects=bool(inventory.objects)) or _unknown(
            inventory, message, evidence
        ):
            yield found


# What a program writes and somebody who describes a fault mostly does not.
_BY_A_MACHINE = re.compile(r"\w: |[\"`{}=]|://|\d:\d")


def _known(message: str, evidence: tuple[Evidence, ...], *, inventory_has_objects: bool) -> Finding | None:
    statement = one_line(parse(message).statement, STATEMENT_LIMIT)
    cause, refusal = comparison_cause(message), refusal_in(message)
    log = ContainerLog(container="question", lines=(LogLine(text=message),))
    is_known_to_logs = bool(fatal_lines(log))
    # A connection that fails may be that of any program.
    if cause and not (cause.name.startswith(_ANY_CONNECTION) and is_known_to_logs and not _OF_ARGOCD.search(message)):
        return _finding(cause.name, "The message of the question names this cause.", evidence, cause.step)
    if refusal:
        name = refusal.name if statement in refusal.name else f"{refusal.name}: {statement}"
        return _finding(name, refusal.meaning, evidence, refusal.step)
    if is_known_to_logs and (_BY_A_MACHINE.search(message) or not inventory_has_objects):
        step = f"Repair what the message names: {statement}"
        return _finding(statement, fault_meaning(message), evidence, step)
    return None


def _unknown(inventory: Inventory, message: str, evidence: tuple[Evidence, ...]) -> Finding | None:
    """The message as it stands, where it is all that there is to read."""
    context = inventory.context
    if inventory.objects or context.logs or not _SAYS_A_FAULT.search(message):
        return None
    statement = one_line(parse(message).statement, STATEMENT_LIMIT)
    step = fix_for(message, {}) or f"Mend what it reports (“{statement}”)."
    explanation = f"The message of the question: {one_line(shorten(message, _MESSAGE_LIMIT), _MESSAGE_LIMIT)}"
    return _finding(statement, explanation, evidence, step, severity="warning")


# A message of an error has one of these; other sentences have a colon, too.
_SAYS_A_FAULT = re.compile(
    r"error|fail|denied|refused|forbidden|cannot|unable|time(?:d )?-?out|invalid|not found|exception|panic|fatal", re.I
)
_MESSAGE_LIMIT = 600


def _finding(
    name: str, explanation: str, evidence: tuple[Evidence, ...], step: str, severity: Severity = "error"
) -> Finding:
    return Finding(
        title=f"{name[:1].upper()}{name[1:]}",
        severity=severity,
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
