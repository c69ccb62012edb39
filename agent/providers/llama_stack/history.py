"""Earlier messages in the forms that the wire protocols take. Owns no request."""

from collections.abc import Sequence
from typing import Any

from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message
from agent.settings import Settings

# The servers add what a response was given and what it gave to the conversation in one step of at most 20 items, and
# fail the turn when there are more; what the model and its tools give needs its share.
_MOST_MESSAGES = 8
# Tokens of a message's role and marks in a chat template.
_PER_MESSAGE = 8

# The share of the model's window that a session may hold; a window that nobody tells is taken to be so many times what
# instructions and context may take.
_SHARE = 1 / 6
_UNKNOWN_WINDOW = 3


def history_limit(window: int | None, settings: Settings) -> int:
    """The most tokens that a session may hold before it is made shorter."""
    window = settings.model_window or window
    return int((window or _UNKNOWN_WINDOW * settings.context_tokens) * _SHARE)


def gathered(history: Sequence[Message]) -> list[Message]:
    """Earlier messages, few enough for a request: of many the older ones are told in one."""
    recent = list(history[-_MOST_MESSAGES:])
    if len(history) > _MOST_MESSAGES and recent[0].role == "user":
        recent = recent[1:]  # the told ones are the user's too, and chat templates want the roles to alternate
    told = history[: len(history) - len(recent)]
    if told:
        recent.insert(0, Message("user", "\n\n".join(["Earlier in this conversation:", *map(spoken, told)])))
    return recent


def spoken(message: Message) -> str:
    """A message as a line of a transcript."""
    return f"{'User' if message.role == 'user' else 'Assistant'}: {message.text}"


def tokens_of(*messages: Message) -> int:
    """Upper estimate of what messages take in a request, in whatever form they are told."""
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
