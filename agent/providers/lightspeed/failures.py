"""What can go wrong with Lightspeed, as our errors: statuses, `error` events and httpx's exceptions.

Owns the words; what is retried is the client's. Of the server's text only its short `response` is repeated, never the
`cause`, which may quote the request, and never an exception's own text, which may quote a header.
"""

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
    SessionNotFound,
)
from agent.objects.manifest import text_at

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """What an error message needs of a query: whether it continues a conversation, its model (`provider/model`, "" for
    the default) and its token, which no message may repeat."""

    continuing: bool = False
    model: str = ""
    token: str = ""


def refused(status: int, detail: object, query_context: QueryContext) -> AssistantError:
    """The error for an answer with `status`; `detail` is its parsed body or an `error` event's data."""
    reason = _reason(detail, query_context)
    if "quota" in reason.lower():
        status = 429  # older versions say 500
    match status:
        case 401:
            return ProviderUnauthorized("Lightspeed does not accept the token of LIGHTSPEED_TOKEN" + reason)
        case 403 if query_context.model:
            return ProviderUnauthorized(
                f"The token of LIGHTSPEED_TOKEN may not use Lightspeed, or may not choose the model "
                f"{query_context.model!r}{reason}"
            )
        case 403:
            return ProviderUnauthorized("The token of LIGHTSPEED_TOKEN may not use Lightspeed" + reason)
        case 404 if query_context.continuing:
            return SessionNotFound(
                "custom_inputs.session_id: Lightspeed no longer has this conversation; leave it out to start one"
            )
        case 404 | 422 if query_context.model and _is_about_model(detail):
            return ModelNotFound(
                f"Lightspeed does not offer the model {query_context.model!r}: check LIGHTSPEED_PROVIDER and "
                "LIGHTSPEED_MODEL"
            )
        case 301 | 302 | 303 | 307 | 308:
            return ProviderError("The address of LIGHTSPEED_URL redirects elsewhere: set it to where it leads.")
        case 404 | 405:
            return ProviderError("There is no Lightspeed API at the address of LIGHTSPEED_URL" + reason)
        case 413:
            return ContextTooLong(
                "Question and context are too long for Lightspeed's model: lower ASSISTANT_CONTEXT_TOKENS" + reason
            )
        case 422:
            return ResponseFailed("Lightspeed refused the request as invalid" + reason)
        case 429:
            return RateLimited("Lightspeed answers no more for now, its quota is used up: ask again later" + reason)
        case 502 | 503:
            return ProviderUnreachable(f"Lightspeed is not available (HTTP {status})" + reason)
        case 504:
            return ProviderTimeout("Lightspeed did not answer in time (HTTP 504)" + reason)
        case _:
            return ResponseFailed(f"Lightspeed failed (HTTP {status})" + reason)


def event_error(data: object, query_context: QueryContext) -> AssistantError:
    """The error for an `error` event, which arrives with HTTP 200 after the start and may name a status."""
    status = text_at(data, "status_code")
    if status.isdecimal() and 400 <= int(status) < 600:
        return refused(int(status), data, query_context)
    reason = _reason(data, query_context)
    if "quota" in reason.lower():
        return refused(429, data, query_context)
    return ResponseFailed("Lightspeed could not answer" + reason)


@contextmanager
def translated(*, connect_timeout: float, timeout: float, answering: bool) -> Generator[None]:
    """Raises httpx's exceptions as ours. `answering`: the answer has begun. Times are seconds.

    httpx.StreamError and CookieConflict pass: they would be faults of this package.
    """
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise ProviderUnreachable(f"Lightspeed took no connection within {connect_timeout:g} seconds.") from None
    except httpx.TimeoutException:
        raise ProviderTimeout(f"Lightspeed was silent for {timeout:g} seconds.") from None
    except httpx.HTTPError as error:
        if answering:
            raise ResponseCut("The connection to Lightspeed broke before the answer was complete.") from None
        raise ProviderUnreachable(f"Lightspeed cannot be reached: {_kind(error)}.") from None
    except httpx.InvalidURL:
        raise ProviderUnreachable("Lightspeed cannot be reached: LIGHTSPEED_URL is no valid URL.") from None


def _kind(error: httpx.HTTPError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not trusted (set LIGHTSPEED_CA_BUNDLE)"
    match error:
        case httpx.ConnectError():
            return "no connection (check LIGHTSPEED_URL)"
        case httpx.ProxyError():
            return "the proxy refused the connection"
        case httpx.LocalProtocolError():
            return "the request cannot be sent (check LIGHTSPEED_TOKEN)"
        case _:
            return f"the connection broke ({type(error).__name__})"


def _reason(detail: object, query_context: QueryContext) -> str:
    """`: Lightspeed's message` in one short line, else a full stop."""
    text = text_at(detail, "detail", "response") or text_at(detail, "response") or text_at(detail, "detail")
    text = " ".join(text.split())
    if query_context.token:
        text = text.replace(query_context.token, "[token]")
    if len(text) > _LONGEST_REASON:
        text = text[:_LONGEST_REASON] + " ..."
    return f": {text}" if text else "."


def _is_about_model(detail: object) -> bool:
    texts = " ".join(
        text_at(detail, *path) for path in (("detail", "response"), ("detail", "cause"), ("response",), ("cause",))
    ).lower()
    return "model" in texts or "provider" in texts
