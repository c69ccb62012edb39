"""`POST /responses` as OpenAI's API has it: its requests in terms of ours, our answers in its shape.

Owns which of its parameters are taken, which have no effect, and which are refused because an answer that ignored
them would be wrong.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from agent.errors import RequestError
from agent.mlflow.event_stream import encode_event

type _Json = Mapping[str, Any]
type _Event = dict[str, Any]

_TAKEN = frozenset(
    {
        "input",
        "model",
        "stream",
        "metadata",
        "user",
        "safety_identifier",
        "conversation",
        "previous_response_id",
        "custom_inputs",
        "context",
    }
)

# They tune how a model is asked or what OpenAI keeps; the answer's `temperature: null` and the like tell that they
# were not used.
_WITHOUT_EFFECT = frozenset(
    {
        "include",
        "max_output_tokens",
        "max_tool_calls",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "service_tier",
        "store",
        "stream_options",
        "temperature",
        "top_logprobs",
        "top_p",
        "truncation",
    }
)

_REFUSED = {
    "instructions": "the instructions are the assistant's own; put what matters into `input`",
    "tools": "the assistant has tools of its own and calls no others",
    "tool_choice": "only 'auto' is possible",
    "background": "an answer cannot be made in the background; stream it",
    "prompt": "there are no stored prompts; put the question into `input`",
    "text": "only the format {'type': 'text'} is possible",
}
"""Parameters that would change the answer in a way that is not offered."""


class ResponsesRequest:
    """A body of `/responses`. Raises RequestError naming the parameter that is wrong."""

    def __init__(self, body: _Json) -> None:
        for name, value in body.items():
            _check_offered(name, value)
        self.model = _text(body, "model")
        self.metadata = _metadata(body)
        self.user = _text(body, "user")
        self.safety_identifier = _text(body, "safety_identifier")
        self._session_id = _session_id(body)
        self._input: object = body.get("input")
        self._custom_inputs = _object(body, "custom_inputs")
        self._context = _object(body, "context")
        if self._custom_inputs is not None and "custom_inputs" in self.metadata:
            raise RequestError.at("metadata.custom_inputs", "is given beside custom_inputs; give one")

    def turn_body(self) -> dict[str, Any]:
        """The same request as a body of `/invocations`."""
        custom_inputs = dict(self._custom_inputs_of_metadata() if self._custom_inputs is None else self._custom_inputs)
        session_id = self._session_id
        if session_id and custom_inputs.setdefault("session_id", session_id) != session_id:
            raise RequestError.at("conversation", "names another session than custom_inputs.session_id")
        context = dict(self._context or {})
        if user := self.safety_identifier or self.user:
            name = "safety_identifier" if self.safety_identifier else "user"
            if context.setdefault("user_id", user) != user:
                raise RequestError.at(name, "names another user than context.user_id")
        return {"input": self._input, "custom_inputs": custom_inputs, "context": context}

    def _custom_inputs_of_metadata(self) -> _Json:
        """`metadata.custom_inputs`, JSON text, for clients that can send nothing beyond OpenAI's own parameters."""
        text = self.metadata.get("custom_inputs")
        if text is None:
            return {}
        where = "metadata.custom_inputs"
        try:
            value: object = json.loads(text)
        except ValueError:
            raise RequestError.at(where, "must be a JSON object, written as text") from None
        if not isinstance(value, dict):
            raise RequestError.at(where, "must be a JSON object, written as text")
        return cast("dict[str, Any]", value)

    def response(self, response: _Json) -> dict[str, Any]:
        """Our response object with every field that OpenAI's has."""
        outputs = cast("_Json", response.get("custom_outputs") or {})
        session_id = outputs.get("session_id")
        completed = response.get("status", "completed") == "completed"
        return {
            "background": False,
            "completed_at": time.time() if completed else None,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "max_tool_calls": None,
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "prompt_cache_key": None,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": False,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": None,
            "truncation": "disabled",
            "status": "completed",
            **response,
            "usage": _usage(response.get("usage")),
            "conversation": {"id": session_id} if session_id else None,
            "metadata": dict(self.metadata),
            "model": self.model or response.get("model") or "argocd-assistant",
            "safety_identifier": self.safety_identifier,
            "user": self.user,
        }

    def encode(self, event: _Event) -> bytes:
        """One stream event as OpenAI sends it: with its type on an `event:` line."""
        if "response" in event:
            event = {**event, "response": self.response(event["response"])}
        return b"event: %b\n%b" % (event["type"].encode(), encode_event(event))


def _usage(usage: _Json | None) -> _Json | None:
    """OpenAI's also counts what was written to a cache, which no provider reports."""
    if usage is None:
        return None
    return {**usage, "input_tokens_details": {"cache_write_tokens": 0, **usage["input_tokens_details"]}}


def _check_offered(name: str, value: object) -> None:
    if name in _TAKEN or name in _WITHOUT_EFFECT or value is None:
        return
    if name not in _REFUSED:
        raise RequestError.at(name[:100], f"unknown parameter; taken are {', '.join(sorted(_TAKEN))}")
    harmless = {
        "tools": value == [],
        "tool_choice": value in ("auto", "none"),
        "background": value is False,
        "instructions": value == "",
        "text": isinstance(value, Mapping) and _is_plain_text(cast("_Json", value)),
    }
    if not harmless.get(name, False):
        raise RequestError.at(name, f"not offered here: {_REFUSED[name]}")


def _is_plain_text(text: _Json) -> bool:
    chosen: object = text.get("format")
    return chosen is None or chosen == {"type": "text"}


def _text(body: _Json, name: str) -> str | None:
    value: object = body.get(name)
    if value is not None and not isinstance(value, str):
        raise RequestError.at(name, "must be text")
    return value or None


def _object(body: _Json, name: str) -> _Json | None:
    value: object = body.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise RequestError.at(name, "must be an object")
    return cast("_Json | None", value)


def _metadata(body: _Json) -> Mapping[str, str]:
    metadata = _object(body, "metadata") or {}
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise RequestError.at(f"metadata.{name}", "must be text")
    return metadata


def _session_id(body: _Json) -> str | None:
    """The session that `conversation` names: the id of an answer's `conversation`."""
    if _text(body, "previous_response_id"):
        raise RequestError.at(
            "previous_response_id", "answers are not kept; continue with `conversation`, the id of the answer's own"
        )
    conversation: object = body.get("conversation")
    if isinstance(conversation, Mapping):
        conversation = cast("_Json", conversation).get("id")
    if conversation is not None and not isinstance(conversation, str):
        raise RequestError.at("conversation", "must be an id, or an object with one")
    return conversation or None
