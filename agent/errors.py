"""Every error this package raises on purpose, by who must act. Providers and sources translate the errors of their
libraries into these.

    AssistantError                   public_message is the only text that leaves the process
    |- RequestError                  the caller: the request is wrong (names the field)
    |  `- BodyTooLarge               its body is larger than the server accepts
    |- SessionError                  the caller: the session cannot be continued
    |  |- SessionNotFound            it is lost or never existed
    |  |- SessionForbidden           it belongs to another user
    |  `- SessionBusy                a turn is running in it
    |- SettingsError                 the operator: the configuration is wrong
    |- SourceError                   becomes a Gap of the context
    `- ProviderError                 the operator of the model, or time
       |- ProviderUnreachable        no connection; the findings are answered all the same
       |- ProviderUnauthorized       the credentials were refused
       |- ModelNotFound              the configured model is missing, or there is none
       |- NoModelConfigured          only a model could answer, and none is configured
       |- RateLimited                too many requests, or a quota is used up
       |- ContextTooLong             the model's window is smaller than the prompt
       |- ResponseCut                the stream ended without an end state
       |- ResponseFailed             the server says that the turn failed
       |- ResponseIncomplete         the answer stopped at the length limit
       `- ProviderTimeout            no answer in time
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class AssistantError(Exception):
    """An error that a person can act on.

    `code` is stable and machine-readable, `http_status` the status of `/invocations`, and `public_message`
    the text for the caller: never a token, never a whole body.
    """

    code = "internal_error"
    http_status = 500

    def __init__(self, public_message: str) -> None:
        super().__init__(public_message)
        self.public_message = public_message


class RequestError(AssistantError):
    """The request is wrong. `field` is the dotted path of what is wrong, as the caller wrote it."""

    code = "invalid_request"
    http_status = 400

    def __init__(self, public_message: str, *, field: str | None = None) -> None:
        super().__init__(public_message)
        self.field = field

    @staticmethod
    def at(field: str, what: str) -> "RequestError":
        """Return the error that `field` is wrong; `what` is what would be right, as a predicate."""
        return RequestError(f"{field}: {what}", field=field)


class BodyTooLarge(RequestError):
    """The body is larger than `limit` bytes, the most the server accepts."""

    code = "body_too_large"
    http_status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"body: larger than {limit} bytes, the most this server accepts", field="body")


class SessionError(AssistantError):
    """The session named in the request cannot be continued."""

    code = "session_error"
    http_status = 409


class SessionNotFound(SessionError):
    """The session is lost or never existed."""

    code = "session_not_found"
    http_status = 404


class SessionForbidden(SessionError):
    """The session belongs to another user."""

    code = "session_forbidden"
    http_status = 403


class SessionBusy(SessionError):
    """A turn is running in the session."""

    code = "session_busy"
    http_status = 409


class SettingsError(AssistantError):
    """The configuration is wrong. The message names the setting and what would be right."""

    code = "invalid_settings"
    http_status = 500


class SourceError(AssistantError):
    """A context source could not read something. `code` is one of the reasons a Gap may have.

    `refused` means that the source denied access: the permission is missing, or the resource is not part of the
    Application. Then no other source may be asked for the same.
    """

    code = "unavailable"
    http_status = 502

    def __init__(self, public_message: str, *, code: str = "unavailable", refused: bool = False) -> None:
        super().__init__(public_message)
        self.code = code
        self.refused = refused or code == "forbidden"


class ProviderError(AssistantError):
    """The provider could not answer the turn."""

    code = "provider_error"
    http_status = 502


class ProviderUnreachable(ProviderError):
    """There is no connection to the provider; the findings are the answer."""

    code = "provider_unreachable"
    http_status = 503


class ProviderUnauthorized(ProviderError):
    """The provider refused the credentials."""

    code = "provider_unauthorized"
    http_status = 502


class ModelNotFound(ProviderError):
    """The configured model is missing, or the server has none."""

    code = "model_not_found"
    http_status = 502


class NoModelConfigured(ProviderError):
    """Only a model could answer, and none is configured."""

    code = "no_model_configured"
    http_status = 503


class RateLimited(ProviderError):
    """There were too many requests, or a quota is used up."""

    code = "rate_limited"
    http_status = 429


class ContextTooLong(ProviderError):
    """The prompt is larger than the model's window. `window` is what the server named as the window, None where it
    named none; `was_learned`: the next prompt is planned for a smaller window than this one was."""

    code = "context_too_long"
    http_status = 413
    window: int | None = None
    was_learned: bool = False


class ResponseCut(ProviderError):
    """The stream ended without an end state."""

    code = "response_cut"
    http_status = 502


class ResponseFailed(ProviderError):
    """The server reported that the turn failed."""

    code = "response_failed"
    http_status = 502


class ResponseIncomplete(ProviderError):
    """The answer stopped at the length limit."""

    code = "response_incomplete"
    http_status = 502


class ProviderTimeout(ProviderError):
    """The provider did not answer in time."""

    code = "provider_timeout"
    http_status = 504


def complaint(error: "ErrorDetails") -> str:
    """Return what would be right in place of a value that pydantic refused, as a predicate: `must be text`.

    It never contains the value, which may be a secret."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is required"
        case "value_error":
            return str(limits["error"])
        case "string_type":
            return "must be text"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {limits['max_length']} characters"
        case "dict_type" | "model_type":
            return "must be an object"
        case "list_type":
            return "must be a list"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "must be a whole number"
        case "float_type" | "float_parsing" | "finite_number":
            return "must be a number"
        case "greater_than":
            return f"must be greater than {limits['gt']:,.10g}"
        case "greater_than_equal":
            return f"must be at least {limits['ge']:,.10g}"
        case "less_than_equal":
            return f"must be at most {limits['le']:,.10g}"
        case "literal_error":
            return f"must be one of {limits['expected']}"
        case _:
            return error["msg"].replace("Input should", "must").replace("Keys should", "keys must")
