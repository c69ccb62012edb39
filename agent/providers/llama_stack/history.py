"""Earlier messages in the forms that the wire protocols take. Owns no request."""

from collections.abc import Sequence
from typing import Any

from agent.conversation import Message


def response_input(history: Sequence[Message], question: str) -> Any:
    """The input of a response: the question, after earlier messages where no conversation holds them.

    As input they keep their order and their number; as items of a new conversation the servers take 20, and llama-stack
    reads them back in any order.
    """
    if not history:
        return question
    return [_item(message) for message in (*history, Message("user", question))]


def spoken(message: Message) -> str:
    """A message as a line of a transcript."""
    return f"{'User' if message.role == 'user' else 'Assistant'}: {message.text}"


def _item(message: Message) -> dict[str, Any]:
    kind = "input_text" if message.role == "user" else "output_text"
    return {"type": "message", "role": message.role, "content": [{"type": kind, "text": message.text}]}
