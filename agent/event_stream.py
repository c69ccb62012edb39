"""Stream events and errors as bytes of HTTP. Owns the form on the wire, no transport."""

from typing import Any

from pydantic_core import to_json

from agent.errors import AssistantError, RequestError

DONE = b"data: [DONE]\n\n"
"""Closes a stream, as OpenAI's servers do."""


def encode_event(event: dict[str, Any]) -> bytes:
    """One stream event as a server-sent event."""
    return b"data: " + to_json(event) + b"\n\n"


def error_body(error: AssistantError) -> dict[str, Any]:
    """The body of an answer that is an error: its code, its public message, and the field that is wrong."""
    field = error.field if isinstance(error, RequestError) else None
    return {"error_code": error.code, "message": error.public_message, "field": field}
