"""Earlier messages that the caller sends along, within their share of the budget.

Owns which of them are looked at and in which form they fit; `agent.prompt.compaction` makes a conversation
shorter, and what a server's session holds is the provider's.
"""

from collections.abc import Sequence

from agent.prompt.compaction import compacted
from agent.prompt.rendering.rendered import beginning
from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message

# What a chat template adds to a message.
_PER_MESSAGE = 8
# The last answer keeps its own message, cut to this share of the budget, so that user and assistant go on alternating.
_LAST_ANSWER_SHARE = 0.4
_MARK = " ... [shortened]"
_MARK_TOKENS = count_tokens(_MARK)
# The note on messages that were left out.
_NOTE = 16
# With a smaller budget nothing of a conversation fits.
_LEAST = 160


def candidates(history: Sequence[Message], token_budget: int) -> Sequence[Message]:
    """The first turn and the newest messages, those that can matter within `token_budget`: for work that is expensive
    for each message."""
    tokens = 0
    for index in range(len(history) - 1, 1, -1):
        tokens += count_tokens(history[index].text) + _PER_MESSAGE
        if tokens > 8 * token_budget:
            return [*history[:2], *history[index:]]
    return history


def fitted(history: Sequence[Message], token_budget: int, *, missing: int = 0) -> tuple[Message, ...]:
    """The messages as they are where they fit into `token_budget`, else the last answer after a short form of all
    before it. `missing` messages were left out before."""
    if history_tokens(history) <= token_budget and not missing:
        return tuple(history)
    if token_budget < _LEAST or not history:
        return ()
    last = [history[-1]] if history[-1].role == "assistant" else []
    kept = [Message(answer.role, _cut(answer.text, int(token_budget * _LAST_ANSWER_SHARE))) for answer in last]
    note = f"[{missing} earlier messages left out]\n" if missing else ""
    left = token_budget - history_tokens(kept) - _PER_MESSAGE - (_NOTE if missing else 0)
    shortened = compacted(history[: len(history) - len(last)], left)
    return (Message("user", note + shortened), *kept)


def history_tokens(history: Sequence[Message]) -> int:
    """Upper estimate of messages in a request."""
    return sum(count_tokens(message.text) + _PER_MESSAGE for message in history)


def _cut(text: str, token_budget: int) -> str:
    token_budget -= _PER_MESSAGE
    return text if count_tokens(text) <= token_budget else beginning(text, token_budget - _MARK_TOKENS) + _MARK
