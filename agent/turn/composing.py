"""The step from question, context and findings to a prompt within the model's window.

Joins budget, history and prompt; owns the calibration of token estimates between turns and the plan of a request.
"""

from collections.abc import Sequence
from dataclasses import replace

from agent.context.context import Context
from agent.findings.model import Finding
from agent.prompt.budget import FRAMING, UNKNOWN_WINDOW, Budget, Calibration, RequestPlan, plan
from agent.prompt.fingerprint import stable_budget
from agent.prompt.history import candidates, fitted, history_tokens
from agent.prompt.instructions import BUILT_IN, Instructions
from agent.prompt.prompt import Prompt, compose
from agent.prompt.tokens import adversarial_margin, count_tokens
from agent.providers.events import Usage
from agent.providers.provider import Session
from agent.request.conversation import Message
from agent.request.question import Question
from agent.request.sampling import Sampling
from agent.settings import Settings
from agent.turn.redacting import TurnRedaction


class Composer:
    """Composes the prompts of all turns of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._calibration = Calibration()

    def compose(
        self,
        question: Question,
        context: Context,
        findings: Sequence[Finding],
        redaction: TurnRedaction,
        session: Session,
        instructions: Instructions = BUILT_IN,
    ) -> tuple[Prompt, RequestPlan]:
        """Return the prompt of a turn in `session`, and its plan. `context` and `findings` are redacted already.

        Raises RequestError for a question above its share, ContextTooLong if the window or the session's history leaves
        no room.
        """
        # Checked before redaction too: redacting megabytes only to refuse them would cost seconds.
        self._budget(session, question=count_tokens(question.text))
        text = redaction.text(question.text)
        asked = count_tokens(text) + adversarial_margin(text)
        budget = self._budget(session, question=asked)
        history = _history(question.history, budget, redaction)
        # Only now is it known how much of the history's share is taken.
        budget = self._budget(session, question=asked, history=history_tokens(history))
        prompt = compose(
            text,
            context,
            findings,
            history=history,
            previous_fingerprint=session.previous_fingerprint,
            limit=stable_budget(budget.context, session.previous_fingerprint),
            instructions=instructions,
            sampling=_within(budget, question.sampling),
        )
        held = max(session.history_tokens, history_tokens(prompt.history))
        return prompt, RequestPlan(
            budget=budget,
            tokens=prompt.tokens + held + FRAMING,
            left_out=prompt.left_out,
            instructions=prompt.instructions_version,
        )

    def learn(self, model: str, planned: RequestPlan, usage: Usage) -> None:
        """Calibrate the estimates by the tokens that the server counted. Only for a turn that asked the model once."""
        self._calibration.learn(model, estimated=planned.tokens, reported=usage.input_tokens)

    def _budget(self, session: Session, *, question: int, history: int = 0) -> Budget:
        settings = self._settings
        return plan(
            window=_window(settings, session),
            wanted=settings.context_tokens,
            answer=settings.answer_tokens,
            question=question,
            history=max(session.history_tokens, history),
            factor=self._calibration.factor(session.model),
        )


def _window(settings: Settings, session: Session) -> int | None:
    """The window to plan for, None where no model reads the prompt."""
    if session.window is not None:
        return session.window or None
    return settings.model_window or UNKNOWN_WINDOW


def _within(budget: Budget, asked: Sampling) -> Sampling:
    """The caller's sampling, its answer within the room that is kept for it."""
    return replace(asked, max_output_tokens=min(asked.max_output_tokens or budget.answer, budget.answer))


def _history(messages: Sequence[Message], budget: Budget, redaction: TurnRedaction) -> tuple[Message, ...]:
    """The earlier messages within their share, redacted before any is cut: half a secret is not recognised."""
    likely = candidates(messages, budget.history)
    redacted = redaction.messages(likely)
    return fitted(redacted, budget.history, missing=len(messages) - len(likely))
