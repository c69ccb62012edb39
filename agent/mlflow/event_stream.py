"""Stream events and errors as bytes of HTTP. Owns the form on the wire, no transport."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from agent.errors import AssistantError, RequestError

DONE = b"data: [DONE]\n\n"
"""The last event of a stream, as OpenAI's servers send it
(https://platform.openai.com/docs/api-reference/chat/create, `stream`)."""


def encode_json(value: Any) -> bytes:
    """JSON in UTF-8. Half of a surrogate pair, which a model may emit, is written as an escape."""
    try:
        return to_json(value, inf_nan_mode="null")
    except PydanticSerializationError:
        return json.dumps(value).encode()


def encode_event(event: dict[str, Any]) -> bytes:
    """One stream event as a server-sent event."""
    return b"data: " + encode_json(event) + b"\n\n"


def error_body(error: AssistantError) -> dict[str, Any]:
    """The body of an answer that is an error: its code, its public message, and the field that is wrong."""
    field = error.field if isinstance(error, RequestError) else None
    return {"error_code": error.code, "message": error.public_message, "field": field}
