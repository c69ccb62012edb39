"""Earlier messages in the forms that the wire protocols take, and the notes on a session that the server lost."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from agent.prompt.budget import UNKNOWN_WINDOW
from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message

# llama-stack and OGX add a response's input and output to its conversation in one step of at most 20 items, the limit
# of OpenAI's API (https://platform.openai.com/docs/api-reference/conversations/create), and fail the turn when there
# are more; what the model and its tools give needs its share.
_MOST_MESSAGES = 8
# Tokens of a message's role and marks in a chat template.
_PER_MESSAGE = 8

# The share of the model's window that a session may hold.
_SHARE = 1 / 6


def history_limit(window: int | None) -> int:
    """The most tokens that a session may hold before it is made shorter."""
    return int((window or UNKNOWN_WINDOW) * _SHARE)


def gathered(history: Sequence[Message]) -> list[Message]:
    """Earlier messages, few enough for a request: of many the older ones are joined in one."""
    recent = list(history[-_MOST_MESSAGES:])
    if len(history) > _MOST_MESSAGES and recent[0].role == "user":
        recent = recent[1:]  # the joined one is the user's too, and chat templates want the roles to alternate
    older = history[: len(history) - len(recent)]
    if older:
        recent.insert(0, Message("user", "\n\n".join(["Earlier in this conversation:", *map(spoken, older)])))
    return recent


def spoken(message: Message) -> str:
    """A message as a line of a transcript."""
    return f"{'User' if message.role == 'user' else 'Assistant'}: {message.text}"


def tokens_of(*messages: Message) -> int:
    """Upper estimate of the tokens of messages in a request, in whatever form."""
    return sum(count_tokens(spoken(message)) + _PER_MESSAGE for message in messages)


def message_item(message: Message) -> dict[str, Any]:
    """A message as an item of a response's input or of a conversation."""
    kind = "input_text" if message.role == "user" else "output_text"
    return {"type": "message", "role": message.role, "content": [{"type": kind, "text": message.text}]}


def in_turns(messages: Sequence[Message]) -> list[Message]:
    """A conversation's messages as question, answer, question, answer.

    llama-stack sorts items by the second in which they were added, so that short turns come mixed: all questions of a
    second before all answers, each in their order.
    """
    questions = [message for message in messages if message.role == "user"]
    answers = [message for message in messages if message.role == "assistant"]
    if len(questions) != len(answers):
        return list(messages)
    return [message for turn in zip(questions, answers, strict=True) for message in turn]


_REBUILT = "# Note\nThe session of this conversation was lost. Its earlier messages were sent again by the caller."
_FORGOTTEN = (
    "# Note\nThe session of this conversation was lost: what was said before this question is not known to you. Say so "
    "where the question refers to it."
)


def notice_to_user(session_id: str, *, rebuilt: bool) -> str:
    """The note on the provider; `rebuilt`: the request held earlier messages."""
    gone = f"the session {session_id} is no longer on the model server"
    if rebuilt:
        return f"{gone}; it was rebuilt from the messages of this request"
    return f"{gone} and its earlier turns are lost; a new one was started"


def notice(*, rebuilt: bool) -> str:
    """The note to the model at the end of its instructions."""
    return _REBUILT if rebuilt else _FORGOTTEN


@cache
def notice_tokens() -> int:
    """Upper estimate of either notice."""
    return max(count_tokens(_REBUILT), count_tokens(_FORGOTTEN)) + 1
