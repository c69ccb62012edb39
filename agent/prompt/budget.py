"""The token budget of a request: how much of the model's window its parts may take, and how far the estimate is off.

Owns the arithmetic; counts nothing and cuts nothing. All figures are tokens as `agent.prompt.tokens` estimates them,
except `window` and what a server reports.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from math import ceil
from typing import Any

from agent.errors import ContextTooLong, RequestError

MARGIN = 1.05
"""By how much the estimate may be too low. No prompt that was measured needed more than 0.94 of it
(`agent.prompt.tokens`); this is for what none of them was, such as logs in a language that a vocabulary has no words
of."""

UNKNOWN_WINDOW = 8_192
"""The window of a model whose server names none: the smallest that is common today. A server that has less refuses the
request, and its refusal is learned from."""

LEAST_WINDOW = 2_000
"""The smallest window that instructions, findings and an answer fit into."""

FRAMING = 64
"""Tokens of roles, marks and the start of the answer that a chat template adds to a request of few messages."""

# The largest share of the ceiling that may be taken by the history and by the question; the rest is the context's.
_HISTORY_SHARE = 0.25
# The room of the history grows with it in so many steps, the first of which a new session has already: a context that
# is cut changes, and with it the server's prefix cache is lost, only when a step is taken.
_HISTORY_STEPS = 4
_QUESTION_SHARE = 0.25
# The answer's budget is never more than this share of the window.
_ANSWER_SHARE = 0.25
# The question's length moves the budget of the context in steps of this share, so that another question leaves the
# context's bytes, and with them the server's prefix cache, as they were.
_STEP = 64
# With less than this no instructions and no finding fit.
_LEAST_CONTEXT = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the parts of one request may take.

    `window` is the model's (None where no model reads the prompt), `answer` the room kept for the answer, `ceiling` the
    most tokens of the whole request: `context` (instructions and context) + `history` (what the session holds and
    earlier messages) + `question` + framing.
    `factor` turns an estimate into what the model's server counts.
    """

    window: int | None
    answer: int
    ceiling: int
    context: int
    history: int
    question: int
    factor: float = 1.0

    def counted(self, tokens: int) -> int:
        """What the server is expected to count for an estimate."""
        return ceil(tokens * self.factor)

    def check_question(self, tokens: int) -> None:
        """Raise RequestError for a question that takes more than its share."""
        if tokens > self.question:
            raise RequestError(
                f"input: the question takes about {tokens:,} tokens, at most {self.question:,} fit beside the context. "
                "Shorten it; logs, events and manifests go into custom_inputs, where they are distilled.",
                field="input",
            )


def plan(
    *,
    window: int | None,
    wanted: int,
    answer: int,
    question: int = 0,
    history: int = 0,
    factor: float = 1.0,
) -> Budget:
    """The budget of a request. `window` None: no model reads the prompt. `wanted` is the most that instructions and
    context may take in any window, `answer` the room for the answer (never more than a quarter of the window),
    `question` and `history` what question and session take; `factor` is `Calibration.factor`.

    Raises ContextTooLong when nothing useful fits.
    """
    if window is None:
        ceiling = int(2 * wanted / factor)
    else:
        answer = min(answer, int(window * _ANSWER_SHARE))
        ceiling = int((window - answer) / (MARGIN * factor))
    shares = Budget(
        window=window,
        answer=answer,
        ceiling=ceiling,
        context=0,
        history=int(ceiling * _HISTORY_SHARE),
        question=int(ceiling * _QUESTION_SHARE),
        factor=factor,
    )
    shares.check_question(question)
    step = max(ceiling // _STEP, 1)
    left = ceiling - FRAMING - min(-(-question // step) * step, shares.question)
    context = min(int(wanted / factor), left - _held(0 if window is None else history, shares.history, left))
    if context < _LEAST_CONTEXT:
        raise _too_long(window, history=history, share=shares.history)
    return Budget(
        window=window,
        answer=answer,
        ceiling=ceiling,
        context=context,
        history=shares.history,
        question=shares.question,
        factor=factor,
    )


def _held(history: int, share: int, left: int) -> int:
    """The room that is kept for the history out of what is `left`: what the session holds, rounded up to the next step;
    without the rounding where the context would lose its least room by it."""
    step = max(share // _HISTORY_STEPS, 1)
    rounded = (history // step + 1) * step
    return rounded if left - rounded >= _LEAST_CONTEXT else min(history, rounded)


def _too_long(window: int | None, *, history: int, share: int) -> ContextTooLong:
    if history > share:
        return ContextTooLong(
            f"The session has grown to about {history:,} tokens, too many for the model's window of {window or 0:,}. "
            "Start a new session."
        )
    return ContextTooLong(
        f"The model's window of {window or 0:,} tokens is too small for instructions, findings and an answer. "
        "Use a model with a larger one, or correct ASSISTANT_MODEL_WINDOW."
    )


class Calibration:
    """Learns from the usage that servers report by how much the estimate is off, for each model.

    Held in memory by one process and forgotten with it. The factor is the largest of the latest ratios, rounded up: it
    rises at once and falls only when all of them agree, and then not all the way; until it is learned it is 1.
    """

    _LATEST = 8
    _LOWEST, _HIGHEST = 0.5, 1.5
    _ROUNDED_TO = 0.05
    # A prompt of other content needs up to so much more of its estimate than those reported on: of one vocabulary the
    # 476 prompts of `agent.prompt.tokens` needed 0.68 on average and 0.78 at most, of others less of a difference.
    _SPREAD = 1.1
    # In a smaller request the chat template is most of what is counted.
    _LEAST_TOKENS = 500
    _MOST_MODELS = 100

    def __init__(self) -> None:
        self._ratios: OrderedDict[str, deque[float]] = OrderedDict()

    def factor(self, model: str) -> float:
        """Tokens that the server counts for one of the estimate, from 0.5 to 1.5."""
        largest = max(self._ratios.get(model, (1.0,)))
        if largest < 1:
            largest = min(largest * self._SPREAD, 1.0)
        # The rounding before `ceil` keeps 1.1 / 0.05 from becoming 22.000000000000004.
        steps = ceil(round(largest / self._ROUNDED_TO, 6))
        return min(max(steps * self._ROUNDED_TO, self._LOWEST), self._HIGHEST)

    def learn(self, model: str, *, estimated: int, reported: int) -> None:
        """Takes the input tokens of a request that was estimated at `estimated`, the whole of it.

        Less than half is no count of the whole request (a server that leaves out what it had cached) and teaches
        nothing.
        """
        if estimated < self._LEAST_TOKENS or reported < estimated * self._LOWEST:
            return
        ratios = self._ratios.setdefault(model, deque([1.0], maxlen=self._LATEST))
        ratios.append(min(reported / estimated, self._HIGHEST))
        self._ratios.move_to_end(model)
        if len(self._ratios) > self._MOST_MODELS:
            self._ratios.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """What a request takes of the model's window. `tokens` is the upper estimate of all of it: instructions, context,
    history and question; `left_out` what was cut of it beside the sections; `instructions` names their version."""

    budget: Budget
    tokens: int
    left_out: tuple[str, ...] = ()
    instructions: str = ""

    def as_json(self) -> dict[str, Any]:
        """The account as callers and traces are given it, in tokens as the model's server is expected to count."""
        return {
            "window": self.budget.window,
            "answer": self.budget.answer,
            "ceiling": self.budget.counted(self.budget.ceiling),
            "tokens": self.budget.counted(self.tokens),
            "instructions": self.instructions,
        }


# Servers that cut a prompt silently keep a whole window of it, and windows are multiples of 1,024: Ollama's `num_ctx`
# (https://github.com/ollama/ollama/blob/main/docs/faq.md). They count up to so many tokens less.
_WINDOW_STEP = 1_024
_BELOW = 16
# The estimate is at most so many times too high: see `agent.prompt.tokens`.
_OVERESTIMATE = 2.0


def cut_to(planned: RequestPlan, *, reported: int, cached: int = 0) -> int | None:
    """The window to which a server that reports so many input tokens has cut a request silently, None if it did not."""
    window = -(-reported // _WINDOW_STEP) * _WINDOW_STEP
    is_full = window - reported <= _BELOW and window >= LEAST_WINDOW
    too_few = reported * _OVERESTIMATE < planned.budget.counted(planned.tokens)
    return window if is_full and too_few and not cached else None


def cut_note(planned: RequestPlan, *, reported: int) -> str:
    """What the reader should know of a request that was cut."""
    return (
        f"the model server read only {reported:,} of about {planned.budget.counted(planned.tokens):,} tokens, so the "
        "answer may miss what was cut; serve the model with a larger window (Ollama: OLLAMA_CONTEXT_LENGTH) and set "
        "ASSISTANT_MODEL_WINDOW to it"
    )
