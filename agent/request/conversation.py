"""The conversation of a request: `input` parsed into messages. Owns its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import Any, Literal, cast

from agent.errors import RequestError

type Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation so far."""

    role: Role
    text: str


def parse_conversation(items: object) -> tuple[Message, ...]:
    """The messages of `input`, oldest first; the last one is the user's question.

    `items` is a list of messages, or the question alone as text. Raises RequestError naming the wrong item.
    """
    if isinstance(items, str):
        if not items.strip():
            raise RequestError.at("input", "the question is empty")
        return (Message("user", items),)
    if not isinstance(items, Sequence) or not items:
        raise RequestError.at("input", "must be a list of messages with at least the user's question")
    messages = [
        (f"input[{index}]", message)
        for index, item in enumerate(cast("Sequence[object]", items))
        if (message := _message(item, f"input[{index}]"))
    ]
    if not messages or messages[-1][1].role != "user":
        raise RequestError.at("input", "the last message must be the user's question")
    if not messages[-1][1].text.strip():
        raise RequestError.at(f"{messages[-1][0]}.content", "the question is empty")
    return tuple(message for _, message in messages if message.text.strip())


def _message(item: object, where: str) -> Message | None:
    """None for tool calls, their outputs and reasoning: they say nothing that the assistant's messages do not."""
    if not isinstance(item, Mapping):
        raise RequestError.at(where, 'must be a message, like {"role": "user", "content": "..."}')
    entry = cast("Mapping[str, Any]", item)
    if entry.get("type") not in (None, "message"):
        return None
    match entry.get("role"):
        case "user" | "assistant" as role:
            return Message(role, _text(entry.get("content"), f"{where}.content"))
        case "system" | "developer" as role:
            raise RequestError.at(
                f"{where}.role", f"{role!r} is not accepted: the instructions are the assistant's own"
            )
        case None:
            raise RequestError.at(f"{where}.role", "is required: 'user' or 'assistant'")
        case other:
            raise RequestError.at(f"{where}.role", f"must be 'user' or 'assistant', not {short_repr(other)}")


def _text(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise RequestError.at(where, "must be text or a list of text parts")
    return "".join(_part(part, f"{where}[{index}]") for index, part in enumerate(cast("Sequence[object]", content)))


def _part(part: object, where: str) -> str:
    if isinstance(part, Mapping):
        entry = cast("Mapping[str, Any]", part)
        # An assistant's refusal is part of the history like any other text.
        text = entry.get("refusal") if entry.get("type") == "refusal" else entry.get("text")
        if isinstance(text, str):
            return text
    raise RequestError.at(where, 'must be a text part, like {"type": "input_text", "text": "..."}')
