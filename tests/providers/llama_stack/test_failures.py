"""What goes wrong with llama-stack, as our errors."""

import json
import ssl
from collections.abc import Iterator

import httpx
import llama_stack_client
import pytest

from agent.errors import (
    AssistantError,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnreachable,
    RateLimited,
    ResponseCut,
    ResponseFailed,
    SessionNotFound,
)
from agent.providers.llama_stack.failures import (
    Upstream,
    error_of_exception,
    error_of_status,
    error_of_turn,
    kind_of_text,
    retry_after,
    translated,
)

UPSTREAM = Upstream(server="http://models.example", model="be/m1")
REQUEST = httpx.Request("POST", "http://user:secret@models.example/v1/responses", headers={"Authorization": "secret"})


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from every(subclass)


def made(kind: type[Exception], status: int = 500) -> Exception:
    """An exception of `kind` as its library makes it, with a secret in every place that takes text."""
    response = httpx.Response(status, json={"error": {"message": "the secret"}}, request=REQUEST)
    if issubclass(kind, llama_stack_client.APIStatusError):
        status = getattr(kind, "status_code", status)
        response = httpx.Response(status, json={"error": {"message": "the secret"}}, request=REQUEST)
        return kind("the secret", response=response, body={"error": "the secret"})
    if issubclass(kind, llama_stack_client.APIResponseValidationError):
        return kind(response, "the secret")
    if issubclass(kind, llama_stack_client.APITimeoutError):
        return kind(REQUEST)
    if issubclass(kind, llama_stack_client.APIConnectionError):
        return kind(message="the secret", request=REQUEST)
    if issubclass(kind, llama_stack_client.APIError):
        return kind("the secret", REQUEST, body="the secret")
    if issubclass(kind, httpx.HTTPStatusError):
        return kind("the secret", request=REQUEST, response=response)
    if issubclass(kind, httpx.RequestError):
        return kind("the secret", request=REQUEST)
    try:
        return kind("the secret")
    except TypeError:  # it has words of its own
        return kind()


FOREIGN = sorted(
    {
        *every(llama_stack_client.LlamaStackClientError),
        llama_stack_client.LlamaStackClientError,
        *every(httpx.HTTPError),
        *every(httpx.StreamError),
        httpx.InvalidURL,
    },
    key=lambda kind: kind.__qualname__,
)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__qualname__)
def test_every_exception_of_the_libraries_becomes_one_of_ours(kind: type[Exception], streaming: bool) -> None:
    with pytest.raises(ProviderError) as raised, translated(UPSTREAM, streaming=streaming):
        raise made(kind)

    assert "secret" not in raised.value.public_message
    assert raised.value.public_message.endswith(".")
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("error", "streaming", "expected"),
    [
        (httpx.ConnectError("refused"), False, ProviderUnreachable),
        (httpx.ConnectTimeout("slow"), False, ProviderUnreachable),
        (httpx.ReadTimeout("slow"), False, ProviderTimeout),
        (httpx.ReadTimeout("slow"), True, ProviderTimeout),
        (httpx.ReadError("reset"), False, ProviderUnreachable),
        (httpx.ReadError("reset"), True, ResponseCut),
        (httpx.RemoteProtocolError("incomplete chunked read"), True, ResponseCut),
        (json.JSONDecodeError("no", "<html>", 0), False, ProviderError),
    ],
)
def test_the_transports_exceptions_are_distinguished(
    error: Exception, streaming: bool, expected: type[Exception]
) -> None:
    assert type(error_of_exception(error, UPSTREAM, streaming=streaming)) is expected


@pytest.mark.parametrize(
    ("cause", "expected"),
    [(httpx.ConnectError("no"), ProviderUnreachable), (httpx.ReadTimeout("slow"), ProviderTimeout)],
)
def test_what_the_client_wraps_is_looked_at(cause: Exception, expected: type[Exception]) -> None:
    for kind in (llama_stack_client.APIConnectionError, llama_stack_client.APITimeoutError):
        error = made(kind)
        error.__cause__ = cause
        assert type(error_of_exception(error, UPSTREAM)) is expected


def test_a_certificate_that_is_not_trusted_is_reported() -> None:
    error = httpx.ConnectError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")

    assert "set LLAMASTACK_CA_BUNDLE" in error_of_exception(error, UPSTREAM).public_message


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (302, "", ProviderError),
        (400, "", ResponseFailed),
        (400, "maximum context length is 8192 tokens", ContextTooLong),
        (400, "Invalid value: Could not find agent info for x", SessionNotFound),
        (400, "Session 'x' not found or access denied.", SessionNotFound),
        (401, "", ProviderUnauthorized),
        (403, "", ProviderUnauthorized),
        (404, "", ProviderError),
        (404, "Not Found", ProviderError),
        (404, "Model 'zz' not found. Use 'client.models.list()'", ModelNotFound),
        (404, "Conversation 'conv_1' not found.", SessionNotFound),
        (405, "", ProviderError),
        (408, "", ProviderTimeout),
        (413, "", ContextTooLong),
        (422, "", ResponseFailed),
        (426, "", ResponseFailed),
        (429, "", RateLimited),
        (500, "", ResponseFailed),
        (500, "quota exceeded", RateLimited),
        (502, "", ProviderUnreachable),
        (503, "", ProviderUnreachable),
        (504, "", ProviderTimeout),
    ],
)
def test_a_status_has_its_error(status: int, text: str, expected: type[Exception]) -> None:
    assert type(error_of_status(status, text, UPSTREAM)) is expected


# As the servers and backends word them.
TEXTS = {
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001": ContextTooLong,
    "prompt is too long: 210000 tokens > 200000 maximum": ContextTooLong,
    "the request exceeds the available context size, try increasing it": ContextTooLong,
    "context_length_exceeded The conversation exceeds the model's context window": ContextTooLong,
    "Input length 9000 exceeds the maximum allowed tokens 8192": ContextTooLong,
    "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM)": RateLimited,
    "You exceeded your current quota, please check your plan": RateLimited,
    "Too Many Requests": RateLimited,
    "Incorrect API key provided: sk-abc": ProviderUnauthorized,
    "Error code: 401 - Unauthorized": ProviderUnauthorized,
    "invalid_api_key": ProviderUnauthorized,
    "The model `zz` does not exist or you do not have access to it.": ModelNotFound,
    "model 'llama3' not found, try pulling it first": ModelNotFound,
    "Model 'zz' not found. Use 'client.models.list()' to list available Models.": ModelNotFound,
    "model_not_found": ModelNotFound,
    "Conversation 'conv_7084' not found.": SessionNotFound,
    "Response with ID 'resp_1' not found": SessionNotFound,
    "Invalid value for 'conversation_id': conv_1. Conversation ID must match format 'conv_'": SessionNotFound,
    "Request timed out.": ProviderTimeout,
    "Connection error.": ProviderUnreachable,
    "overloaded": None,
    "An unexpected error occurred while generating the response.": None,
    "": None,
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_backends_words_tell_the_kind_of_error(text: str) -> None:
    assert kind_of_text(text) is TEXTS[text]


@pytest.mark.parametrize(
    ("code", "text", "text_sent", "expected"),
    [
        ("server_error", "boom", False, ResponseFailed),
        ("server_error", "boom", True, ResponseFailed),
        ("rate_limit_exceeded", "slow down", False, RateLimited),
        ("context_length_exceeded", "could not be reduced further", False, ContextTooLong),
        ("404", "Model 'zz' not found.", False, ModelNotFound),
        ("404", "Conversation 'conv_1' not found.", False, SessionNotFound),
        ("500", "500: Internal server error: An unexpected error occurred.", False, ProviderUnreachable),
        ("500", "500: Internal server error: An unexpected error occurred.", True, ResponseCut),
        ("server_error", "An unexpected error occurred while generating the response.", False, ProviderUnreachable),
        ("server_error", "An unexpected error occurred while generating the response.", True, ResponseCut),
        ("server_error", "Connection error.", False, ProviderUnreachable),
        ("server_error", "Connection error.", True, ResponseCut),
        ("server_error", "Request timed out.", False, ProviderTimeout),
        ("server_error", "Request timed out.", True, ResponseCut),
    ],
)
def test_a_failed_turn_has_its_error(code: str, text: str, text_sent: bool, expected: type[AssistantError]) -> None:
    assert type(error_of_turn(text, UPSTREAM, code=code, text_sent=text_sent)) is expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("", None), ("soon", None), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_a_pause_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(httpx.Response(429, headers={"Retry-After": value})) == seconds
