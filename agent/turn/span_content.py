"""What spans hold of a context and of a prompt, in the forms in which MLflow shows documents and conversations."""

from typing import Any

from agent.context.model import Context
from agent.prompt.prompt import Prompt

# A document in the trace is for people to look at; the model's own view is in the turn span.
_DOCUMENT_CHARACTERS = 10_000


def documents(context: Context) -> list[tuple[str, dict[str, str]]]:
    """The parts of a context as texts with their part and source, for a RETRIEVER span."""
    from pydantic_core import to_json

    parts: dict[str, Any] = {
        "application": context.application,
        "manifest": context.manifest,
        "children": context.children,
        "related": context.related,
        "tree": [node for node in context.tree if node.health not in {"", "Healthy"}],
        "managed": context.managed,
        "revisions": context.revisions,
        "sync_windows": context.sync_windows,
        "events": context.events,
        "logs": context.logs,
        "gaps": context.gaps,
    }
    origins: dict[str, str] = {**context.origins}
    return [
        (
            to_json(value).decode()[:_DOCUMENT_CHARACTERS],
            {"part": part, "source": origins.get(part, "")},
        )
        for part, value in parts.items()
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
