"""The check of an answer: whether it is about the findings, and which of its claims were read.

Owns when the session is asked for its earlier turns; `agent.turn.grounding` judges.
"""

import asyncio
from collections.abc import Iterator, Sequence

from agent.context.context import Context
from agent.errors import AssistantError
from agent.findings.model import Finding
from agent.prompt.prompt import Prompt
from agent.providers.provider import Session
from agent.request.conversation import Message
from agent.turn.grounding import Grounding, Topic, ground
from agent.turn.redacting import TurnRedaction

_EARLIER_SECONDS = 2.0
"""Seconds that the end of an answer waits for the earlier messages of its session."""


class AnswerCheck:
    """Checks the answer of one turn. `follow_up`: its question is not the first of the conversation."""

    def __init__(
        self, context: Context, redaction: TurnRedaction, session: Session, *, follow_up: bool = False
    ) -> None:
        self._context = context
        self._redaction = redaction
        self._session = session
        self._follow_up = follow_up

    async def run(self, text: str, prompt: Prompt) -> Grounding:
        """Return the grounding of the answer `text`. The session is asked for its earlier turns only if a claim is
        found nowhere else."""
        answer = self._redaction.text(text)
        given = (prompt.system_text, prompt.question, *_texts(prompt.findings))
        sent = prompt.history
        topic = Topic(
            findings=prompt.findings,
            question=prompt.question,
            target=prompt.target,
            follow_up=self._follow_up or bool(sent),
        )
        grounding = await self._ground(answer, given, sent, topic)
        if grounding.unsupported:
            held = await self._held()
            if held is None or held:
                grounding = await self._ground(answer, given, None if held is None else (*sent, *held), topic)
        return grounding

    async def _ground(
        self, answer: str, given: Sequence[str], earlier: Sequence[Message] | None, topic: Topic
    ) -> Grounding:
        # Searching megabytes of context would block the event loop.
        return await asyncio.to_thread(ground, answer, given=given, context=self._context, earlier=earlier, topic=topic)

    async def _held(self) -> Sequence[Message] | None:
        """The earlier messages of the session, None if they cannot be read (in time)."""
        try:
            async with asyncio.timeout(_EARLIER_SECONDS):
                held = await self._session.earlier()
        except (AssistantError, TimeoutError):
            return None
        return held and self._redaction.messages(held)


def _texts(findings: Sequence[Finding]) -> Iterator[str]:
    """The texts of the findings in full; the prompt may hold them shortened."""
    for finding in findings:
        yield from (finding.title, finding.explanation, *finding.next_steps)
        yield from (f"{evidence.path} {evidence.text}" for evidence in finding.evidence)
