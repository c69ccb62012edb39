"""`custom_outputs`: all of an answer but its text, as JSON. Owns the JSON of findings, context and provider."""

from dataclasses import dataclass
from typing import Any

from agent.findings.as_json import finding_as_json
from agent.providers.events import ProviderInfo, SessionStarted, TurnStarted
from agent.turn.events import Outcome, Report, SinkEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A whole answer: its Outcome, and the same as the object of a response."""

    outcome: Outcome
    response: dict[str, Any]


class OutputsSoFar:
    """`custom_outputs` so far: findings and context after the Report, all of them after the Outcome."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}

    def take(self, event: SinkEvent) -> None:
        """Add what the event contributes to `value`."""
        match event:
            case Report():
                self.value = early_outputs(event)
            case TurnStarted():
                self.value |= {"session_id": event.session_id, "provider": provider_as_json(event.provider)}
            case SessionStarted():
                self.value |= {"session_id": event.session_id}
            case Outcome():
                self.value = final_outputs(event)
            case _:
                pass


def early_outputs(report: Report) -> dict[str, Any]:
    """The `custom_outputs` that are known before the model is asked: findings and context."""
    return {
        "findings": [finding_as_json(finding) for finding in report.findings],
        "context": context_as_json(report),
    }


def final_outputs(outcome: Outcome) -> dict[str, Any]:
    """The `custom_outputs` of an answer without the id of its trace."""
    provider = provider_as_json(outcome.provider)
    if outcome.outage:
        provider["outage"] = {"code": outcome.outage.code, "message": outcome.outage.public_message}
    return {
        "session_id": outcome.session_id,
        **early_outputs(outcome.report),
        "provider": provider,
        "grounding": outcome.grounding.as_json(),
    }


def context_as_json(report: Report) -> dict[str, Any]:
    """The tokens that the request takes (estimates), as a whole and by section, what was left out, the gaps, and what
    changed since the previous turn."""
    left_out = [f"{s.name}: {s.left_out}" for s in report.sections if s.left_out]
    return {
        **report.plan.as_json(),
        "sections": [
            {"name": s.name, "title": s.title, "tokens": s.tokens, "left_out": s.left_out} for s in report.sections
        ],
        "left_out": [*report.plan.left_out, *left_out],
        "gaps": [
            {"part": gap.part, "source": gap.source, "reason": gap.reason, "message": gap.message}
            for gap in report.gaps
        ],
        "changes": report.changes or None,
    }


def provider_as_json(provider: ProviderInfo) -> dict[str, Any]:
    """Provider, wire protocol and model, with a note for the reader; unknown ones are None."""
    return {
        "name": provider.name,
        "protocol": provider.protocol,
        "model": provider.model or None,
        "note": provider.note or None,
    }
