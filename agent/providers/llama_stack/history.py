"""Earlier messages in the forms that the wire protocols take. Owns no request."""

from collections.abc import Sequence
from typing import Any

from agent.conversation import Message

# The servers add what a response was given and what it gave to the conversation in one step of at most 20 items, and
# fail the turn when there are more; what the model and its tools give needs its share.
_MOST_MESSAGES = 8


def response_input(history: Sequence[Message], question: str) -> Any:
    """The input of a response: the question, after earlier messages where no conversation holds them.

    Of many messages the older ones are told in one. As input, messages keep their order; as items of a new conversation
    llama-stack reads them back in any order.
    """
    if not history:
        return question
    recent = list(history[-_MOST_MESSAGES:])
    if len(history) > _MOST_MESSAGES and recent[0].role == "user":
        recent = recent[1:]  # the told ones are the user's too, and chat templates want the roles to alternate
    told = history[: len(history) - len(recent)]
    if told:
        recent.insert(0, Message("user", "\n\n".join(["Earlier in this conversation:", *map(spoken, told)])))
    return [_item(message) for message in (*recent, Message("user", question))]


def spoken(message: Message) -> str:
    """A message as a line of a transcript."""
    return f"{'User' if message.role == 'user' else 'Assistant'}: {message.text}"


def _item(message: Message) -> dict[str, Any]:
    kind = "input_text" if message.role == "user" else "output_text"
    return {"type": "message", "role": message.role, "content": [{"type": kind, "text": message.text}]}
