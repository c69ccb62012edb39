"""A context and a prompt in the forms in which MLflow shows documents and conversations in a span."""

from typing import Any

from agent.context.context import Context
from agent.prompt.prompt import Prompt

# Documents are for people to look at; the span `turn` has what the model was given.
_DOCUMENT_CHARACTERS = 10_000


def documents(context: Context) -> list[tuple[str, dict[str, str]]]:
    """Each part of a context as JSON text with the name of the part and its source, for a RETRIEVER span."""
    from pydantic_core import to_json

    shown = [(part.name, part.document(value)) for part, value in context.parts.items()]
    return [
        (to_json(value).decode()[:_DOCUMENT_CHARACTERS], {"part": name, "source": context.origins.get(name, "")})
        for name, value in [*shown, ("gaps", context.gaps)]
        if value
    ]


def messages(prompt: Prompt) -> dict[str, Any]:
    """The prompt as chat messages, the form in which MLflow shows a conversation."""
    return {
        "messages": [
            {"role": "system", "content": prompt.system_text},
            *({"role": message.role, "content": message.text} for message in prompt.history),
            {"role": "user", "content": prompt.question},
        ]
    }
