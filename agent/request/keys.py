"""Unknown keys of a request that look like mistakes: misspelled ones, and those at a wrong place.

Raises RequestError naming the key. MLflow drops unknown keys of its own requests earlier, so that only
our server and `predict` with a dict get these errors.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from agent.errors import RequestError

_READ = ("input", "custom_inputs", "context", "stream", "max_output_tokens", "temperature", "top_p")
_CONTEXT = ("conversation_id", "user_id")

# Other keys that clients of MLflow and of OpenAI's Responses API send; none is used.
# https://mlflow.org/docs/latest/genai/serving/responses-agent/ and https://platform.openai.com/docs/api-reference/responses
_ACCEPTED = frozenset(
    {
        *("background", "conversation", "databricks_options", "include", "instructions"),
        *("max_tool_calls", "metadata", "model", "parallel_tool_calls", "previous_response_id", "prompt"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier"),
        *("service_tier", "store", "stream_options", "text", "tool_choice", "tools", "top_logprobs"),
        *("truncation", "user"),
    }
)
# "custom_input", "customInputs" and "contxt" are as near; "max_tokens" and "messages" are not.
_NEAR = 0.8
_LONGEST_KEY = 80


def check_keys(body: Mapping[str, Any], *, custom_inputs: Iterable[str]) -> None:
    """Raise RequestError for a key that is nearly one of a request's, or that belongs into `custom_inputs` (whose keys
    are given) or `context`."""
    inside = {key: "custom_inputs" for key in custom_inputs} | dict.fromkeys(_CONTEXT, "context")
    for key in map(str, body):
        if key in _READ or key in _ACCEPTED:
            continue
        if key in inside:
            raise RequestError.at(key, f"belongs into {inside[key]}: {inside[key]}.{key}")
        if near := difflib.get_close_matches(key[:_LONGEST_KEY].lower(), _READ, n=1, cutoff=_NEAR):
            raise RequestError.at(key[:_LONGEST_KEY], f"unknown key; did you mean {near[0]}?")


def check_context_keys(context: Mapping[str, Any]) -> None:
    """Raise RequestError for an unknown key of `context`: a misspelled `user_id` would open a session to every user."""
    if unknown := next((str(key) for key in context if key not in _CONTEXT), None):
        raise RequestError.at(f"context.{unknown[:_LONGEST_KEY]}", f"unknown key; allowed are {', '.join(_CONTEXT)}")
