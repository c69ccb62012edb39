"""The check of an answer: which of its claims stand on what was read, and what only earlier turns say.

Owns when the session is asked for its earlier turns; `agent.turn.grounding` finds and judges the claims.
"""

import asyncio
from collections.abc import Iterator, Sequence

from agent.context.context import Context
from agent.errors import AssistantError
from agent.findings.model import Finding
from agent.prompt.prompt import Prompt
from agent.providers.provider import Session
from agent.request.conversation import Message
from agent.turn.grounding import Grounding, ground, may_claim
from agent.turn.redacting import TurnRedaction

_LOOKING_BACK = 2.0
"""Seconds that the end of an answer waits for what its session holds."""


class AnswerCheck:
    """Checks the answer of one turn."""

    def __init__(self, context: Context, redaction: TurnRedaction, session: Session) -> None:
        self._context = context
        self._redaction = redaction
        self._session = session

    def may_claim(self, text: str) -> bool:
        """Whether the answer contains anything that could be checked."""
        return may_claim(self._redaction.text(text))

    async def run(self, text: str, prompt: Prompt) -> Grounding:
        """The grounding of the answer `text`. Only where a claim is found nowhere is the session asked for what it
        holds of earlier turns."""
        answer = self._redaction.text(text)
        given = (prompt.system_text, prompt.question, *_texts(prompt.findings))
        sent = prompt.history
        grounding = await self._ground(answer, given, sent)
        if grounding.unsupported:
            held = await self._held()
            if held is None or held:
                grounding = await self._ground(answer, given, None if held is None else (*sent, *held))
        return grounding

    async def _ground(self, answer: str, given: Sequence[str], earlier: Sequence[Message] | None) -> Grounding:
        # Looking things up in megabytes takes a while.
        return await asyncio.to_thread(ground, answer, given=given, context=self._context, earlier=earlier)

    async def _held(self) -> Sequence[Message] | None:
        """What the session holds of earlier turns, None where that is not to be had (in time)."""
        try:
            async with asyncio.timeout(_LOOKING_BACK):
                held = await self._session.earlier()
        except (AssistantError, TimeoutError):
            return None
        return held and self._redaction.messages(held)


def _texts(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings whole; the prompt may hold them cut."""
    for finding in findings:
        yield from (finding.title, finding.explanation, *finding.next_steps)
        yield from (f"{evidence.path} {evidence.text}" for evidence in finding.evidence)
