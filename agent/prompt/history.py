"""Earlier messages that the caller sends along, within their share of the budget.

Owns which of them are looked at and in which form they fit; `agent.prompt.compaction` makes a conversation
shorter, and what a server's session holds is the provider's.
"""

from collections.abc import Sequence

from agent.prompt.compaction import compacted
from agent.prompt.rendering import beginning
from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message

# What a chat template adds to a message.
_PER_MESSAGE = 8
# The last answer keeps its own message, cut to this share of the room, so that user and assistant go on alternating.
_LAST_ANSWER_SHARE = 0.4
_MARK = " ... [shortened]"
_MARK_TOKENS = count_tokens(_MARK)
# The note on messages that were left out.
_NOTE = 16
# With less room nothing of a conversation can be told.
_LEAST = 160


def candidates(history: Sequence[Message], room: int) -> Sequence[Message]:
    """The first turn and the newest messages, those that can matter for `room`: for work that is dear for each."""
    tokens = 0
    for index in range(len(history) - 1, 1, -1):
        tokens += count_tokens(history[index].text) + _PER_MESSAGE
        if tokens > 8 * room:
            return [*history[:2], *history[index:]]
    return history


def fitted(history: Sequence[Message], room: int, *, missing: int = 0) -> tuple[Message, ...]:
    """The messages as they are where they fit into `room` tokens, else the last answer after a short form of all that
    came before it. `missing` messages were left out before."""
    if history_tokens(history) <= room and not missing:
        return tuple(history)
    if room < _LEAST or not history:
        return ()
    last = [history[-1]] if history[-1].role == "assistant" else []
    kept = [Message(answer.role, _cut(answer.text, int(room * _LAST_ANSWER_SHARE))) for answer in last]
    note = f"[{missing} earlier messages left out]\n" if missing else ""
    left = room - history_tokens(kept) - _PER_MESSAGE - (_NOTE if missing else 0)
    told = compacted(history[: len(history) - len(last)], left)
    return (Message("user", note + told), *kept)


def history_tokens(history: Sequence[Message]) -> int:
    """Upper estimate of messages in a request."""
    return sum(count_tokens(message.text) + _PER_MESSAGE for message in history)


def _cut(text: str, room: int) -> str:
    room -= _PER_MESSAGE
    return text if count_tokens(text) <= room else beginning(text, room - _MARK_TOKENS) + _MARK
