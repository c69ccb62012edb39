"""What can go wrong with llama-stack, as our errors: exceptions, HTTP statuses and errors within a stream.

Owns the mapping and the messages. The server's own text is classified, never repeated: it quotes the model's backend,
which quotes keys and prompts. Which call is retried is decided in `connection`.
"""

import json
import re
import ssl
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

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
    ResponseIncomplete,
    SessionNotFound,
)
from agent.objects.manifest import text_at
from agent.providers.llama_stack.windows import refused_window

LOST_SESSION = (
    "custom_inputs.session_id: the server no longer has this session; leave it out to start a new one, "
    "with the earlier messages in `input`"
)

# What llama-stack and OGX report for an exception that they do not name: their model backend is away, or broke off
# (`translate_exception` of llama-stack's server).
_NO_REASON = re.compile(r"an unexpected error occurred", re.IGNORECASE)

# Error messages of OpenAI, vLLM, Ollama, llama.cpp and llama-stack, as their servers send them; the first match counts.
_TELLING: tuple[tuple[re.Pattern[str], type[AssistantError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error)
    for pattern, error in (
        (
            r"context[ _](length|window|size)|maximum (context|model) length|too many (input )?tokens|max_model_len"
            r"|(prompt|input|request) (is )?too (long|large)|reduce the length"
            r"|exceeds? the (maximum|available|model)[^.]{0,40}(context|tokens)"
            # TGI; vLLM, where the prompt alone is longer than the window.
            r"|max_new_tokens\W{1,3}must be <=|max_tokens must be at least 1, got -",
            ContextTooLong,
        ),
        (
            r"\b(conversation|response|session)\b[^.]{0,120}\bnot found\b|could not find agent"
            r"|invalid value for 'conversation",
            SessionNotFound,
        ),
        (
            r"\bmodel\b[^.]{0,200}\b(not found|does(n't| not) exist|not available|not supported|unknown)"
            r"|\bmodel_not_found\b|\b(no such|unknown|invalid) model\b",
            ModelNotFound,
        ),
        (r"rate[ _-]?limit|too many requests|quota|\b429\b|tokens per (min|day)|resource[ _]exhausted", RateLimited),
        (
            r"(invalid|incorrect|missing|expired|no)[ _](api|access)?[ _]?(key|token|credentials)|api[ _]key"
            r"|authenticat|unauthori[sz]ed|not authori[sz]ed|permission denied|access denied|\b40[13]\b",
            ProviderUnauthorized,
        ),
        (r"timed? ?out|deadline exceeded", ProviderTimeout),
        (r"connection (error|refused|reset)|connect(ion)? (call )?failed|bad gateway", ProviderUnreachable),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Who was asked: `server` is its address without credentials, `model` "" while none is chosen; times in seconds."""

    server: str
    model: str = ""
    connect_timeout: float = 5.0
    timeout: float = 120.0


def error_of(
    kind: type[AssistantError], upstream: Upstream, *, reason: str = "", wait: float | None = None
) -> AssistantError:
    """An error of `kind` in words for people: what failed on what, and the next step. `wait` is seconds."""
    server = f"model server {upstream.server}"
    model = f"model {upstream.model!r}" if upstream.model else "model"
    because = f" ({reason})" if reason else ""
    later = "later" if wait is None else f"in {max(1, round(wait))} s"
    texts: dict[type[AssistantError], str] = {
        ProviderUnreachable: f"The {server} cannot be reached{because}. Ask again in a moment; if it stays away, "
        "check that it runs and that LLAMASTACK_BASE_URL is right.",
        ProviderUnauthorized: f"The {server}, or the model's backend behind it, refused the credentials{because}. "
        "Check LLAMASTACK_API_KEY, then the backend's own key on that server.",
        ModelNotFound: f"The {model} is not on the {server}{because}. Set LLAMASTACK_MODEL to one that it lists.",
        RateLimited: f"The {model} takes no more requests for now, its rate limit or quota is used up{because}. "
        f"Ask again {later}.",
        ContextTooLong: f"Question, history and context are longer than the {model} can read{because}. Start a new "
        "session, ask with fewer log lines, lower ASSISTANT_CONTEXT_TOKENS, or use a model with a larger window.",
        ResponseCut: f"The answer was cut off: the {server} or the model's backend behind it broke the connection"
        f"{because}. Ask again.",
        ResponseIncomplete: f"The answer stopped at the length limit of the {model}{because}. Ask something narrower, "
        "or raise the output limit on that server.",
        ProviderTimeout: f"The {server} gave no sign of life for {upstream.timeout:g} s{because}. Ask again; if it "
        "happens often, raise ASSISTANT_PROVIDER_TIMEOUT or use a faster model.",
        SessionNotFound: LOST_SESSION,
        ResponseFailed: f"The {server} could not answer{because}. Ask again; if it fails again, its log says why.",
    }
    return kind(texts[kind])


def kind_of_text(text: str) -> type[AssistantError] | None:
    """The kind of error that a server's own text describes, None when it matches none."""
    return next((kind for pattern, kind in _TELLING if pattern.search(text)), None)


def error_of_status(status: int, text: str, upstream: Upstream, *, wait: float | None = None) -> AssistantError:
    """The error for an HTTP status of 300 or more; `text` is the body's message, `wait` its Retry-After in seconds."""
    kind = kind_of_text(text)
    reason = f"HTTP {status}"
    match status:
        case 401 | 403:
            return error_of(ProviderUnauthorized, upstream, reason=reason)
        case 404 | 405 | 501 if kind not in (ModelNotFound, SessionNotFound):
            return ProviderError(
                f"The model server {upstream.server} does not offer what is needed (HTTP {status}). "
                "Check LLAMASTACK_BASE_URL: it must lead to llama-stack, OGX or an OpenAI-compatible server."
            )
        case 408 | 504:
            return error_of(ProviderTimeout, upstream, reason=reason)
        case 413:
            return _with_window(error_of(ContextTooLong, upstream, reason=reason), text)
        case 429:
            return error_of(RateLimited, upstream, wait=wait)
        case 502 | 503:
            return error_of(ProviderUnreachable, upstream, reason=reason)
        case _ if 300 <= status < 400:
            return ProviderError(
                f"The model server {upstream.server} redirects elsewhere (HTTP {status}). "
                "Set LLAMASTACK_BASE_URL to the address it leads to."
            )
        case _:
            return _with_window(error_of(kind or ResponseFailed, upstream, reason=reason), text)


def error_of_turn(text: str, upstream: Upstream, *, code: str = "", text_sent: bool, where: str = "") -> AssistantError:
    """The error for a turn that the server reports as failed within its stream.

    `code` is the server's (an HTTP status, `server_error`, ...), `text` its message, `where` an id to look up there.
    """
    if code.isdecimal() and 400 <= int(code) < 600 and code != "500":
        return error_of_status(int(code), text, upstream)
    kind = kind_of_text(f"{code} {text}")
    if kind is None and _NO_REASON.search(text):
        kind = ProviderUnreachable
    if kind is None:
        return error_of(ResponseFailed, upstream, reason=where)
    if text_sent and kind in (ProviderUnreachable, ProviderTimeout):
        return error_of(ResponseCut, upstream, reason=where)
    if kind is ProviderUnreachable:
        return ProviderUnreachable(
            f"The model server {upstream.server} got no answer from the backend of its model. Ask again in a moment; "
            "if it stays so, check that backend: its address, its key and that it runs."
        )
    return _with_window(error_of(kind, upstream), text)


def _with_window(error: AssistantError, text: str) -> AssistantError:
    """The error with the window that the refusal names."""
    if isinstance(error, ContextTooLong):
        error.window = refused_window(text)
    return error


def error_of_exception(error: Exception, upstream: Upstream, *, streaming: bool = False) -> AssistantError:
    """The error for an exception of httpx or of llama_stack_client; `streaming`: the answer has begun."""
    match error:
        case httpx.HTTPStatusError():
            return _error_of_response(error.response, upstream)
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            reason = f"no connection within {upstream.connect_timeout:g} s"
            return error_of(ProviderUnreachable, upstream, reason=reason)
        case httpx.TimeoutException():
            return error_of(ProviderTimeout, upstream)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return error_of(ProviderUnreachable, upstream, reason="the address is no valid URL")
        case httpx.HTTPError() | httpx.StreamError():
            if streaming:
                return error_of(ResponseCut, upstream)
            return error_of(ProviderUnreachable, upstream, reason=_connection_trouble(error))
        case ValueError():
            return _unreadable(upstream)
        case _:
            return _error_of_client_exception(error, upstream, streaming=streaming)


def _error_of_client_exception(error: Exception, upstream: Upstream, *, streaming: bool) -> AssistantError:
    from llama_stack_client import APIConnectionError, APIResponseValidationError, APIStatusError, APITimeoutError

    match error:
        case APIStatusError():
            return _error_of_response(error.response, upstream)
        case APIConnectionError() if isinstance(error.__cause__, httpx.HTTPError):
            # The client wraps what the transport raised; only that distinguishes refused from slow.
            return error_of_exception(error.__cause__, upstream, streaming=streaming)
        case APITimeoutError():
            return error_of(ProviderTimeout, upstream)
        case APIConnectionError():
            return error_of(ProviderUnreachable, upstream)
        case APIResponseValidationError():
            return _unreadable(upstream)
        case _:
            return error_of(ResponseFailed, upstream)


def foreign_errors() -> tuple[type[Exception], ...]:
    """What httpx, json and, once it is loaded, llama_stack_client raise."""
    known = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, json.JSONDecodeError, UnicodeDecodeError)
    client = sys.modules.get("llama_stack_client")
    return known if client is None else (*known, client.LlamaStackClientError)


@contextmanager
def translated(upstream: Upstream, *, streaming: bool = False) -> Generator[None]:
    """Raises foreign errors of the block as ours, without their text: it may quote a body or a header."""
    try:
        yield
    except foreign_errors() as error:
        raise error_of_exception(error, upstream, streaming=streaming) from None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait; None where it names none (a date counts as none)."""
    value = response.headers.get("retry-after", "")
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value) else None


def _error_of_response(response: httpx.Response, upstream: Upstream) -> AssistantError:
    return error_of_status(response.status_code, _message_of(response), upstream, wait=retry_after(response))


def _unreadable(upstream: Upstream) -> AssistantError:
    return ProviderError(
        f"The model server {upstream.server} answers in a form that is not llama-stack's. "
        "Check that LLAMASTACK_BASE_URL leads to its API, not to a login page or another service."
    )


def _connection_trouble(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return "its certificate is not trusted: set LLAMASTACK_CA_BUNDLE"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectError():
            return "no connection"
        case httpx.ProxyError():
            return "the proxy refused the connection"
        case httpx.LocalProtocolError():
            return "the request cannot be sent: LLAMASTACK_API_KEY may hold stray characters"
        case _:
            return "the connection broke"


def _message_of(response: httpx.Response) -> str:
    """The message of an error's body, to be classified only."""
    try:
        body: object = json.loads(response.content)
    except (ValueError, RecursionError):
        return response.text[:2_000]
    except httpx.ResponseNotRead:
        return ""
    paths = (("error", "message"), ("error", "code"), ("error", "detail"), ("detail",), ("message",), ("error",))
    texts = [text for path in paths if (text := text_at(body, *path))]
    window = text_at(body, "error", "n_ctx")  # llama.cpp names its window in a field of its own
    return " ".join([*texts, f"n_ctx: {window}"] if window else texts)
