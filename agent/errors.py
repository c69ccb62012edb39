"""Every error this package raises on purpose, by who must act. It owns no translation of foreign errors: the
provider or source that meets one translates it.

    AssistantError                   public_message is the only text that leaves the process
    |- RequestError                  the caller: the request is wrong (names the field)
    |  `- BodyTooLarge               its body is larger than the server accepts
    |- SessionError                  the caller: the session cannot be continued
    |  |- SessionNotFound            it is lost or never existed
    |  |- SessionForbidden           it belongs to somebody else
    |  `- SessionBusy                a turn is running in it
    |- SettingsError                 the operator: the configuration is wrong
    |- SourceError                   nobody: becomes a Gap of the context
    `- ProviderError                 the operator of the model, or time
       |- ProviderUnreachable        no connection; the findings are answered all the same
       |- ProviderUnauthorized       the credentials were refused
       |- ModelNotFound              the configured model is not there, or none is
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
    """Something went wrong that a person can act on.

    `code` is stable and machine-readable, `http_status` the status `/invocations` answers with, and
    `public_message` the text shown to the caller: never a token, never a whole body.
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
        """The error that `field` is wrong: `what` says what would be right."""
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
    code = "session_not_found"
    http_status = 404


class SessionForbidden(SessionError):
    code = "session_forbidden"
    http_status = 403


class SessionBusy(SessionError):
    code = "session_busy"
    http_status = 409


class SettingsError(AssistantError):
    """The configuration is wrong: names the setting and what would be right."""

    code = "invalid_settings"
    http_status = 500


class SourceError(AssistantError):
    """A context source could not read something. `code` is one of the reasons a Gap may have.

    `refused` says that the source answered, and that its answer is no: the right is missing, or what was asked for is
    no part of the Application. No other source may be asked for the same then.
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
    code = "provider_unreachable"
    http_status = 503


class ProviderUnauthorized(ProviderError):
    code = "provider_unauthorized"
    http_status = 502


class ModelNotFound(ProviderError):
    code = "model_not_found"
    http_status = 502


class NoModelConfigured(ProviderError):
    code = "no_model_configured"
    http_status = 503


class RateLimited(ProviderError):
    code = "rate_limited"
    http_status = 429


class ContextTooLong(ProviderError):
    code = "context_too_long"
    http_status = 413


class ResponseCut(ProviderError):
    code = "response_cut"
    http_status = 502


class ResponseFailed(ProviderError):
    code = "response_failed"
    http_status = 502


class ResponseIncomplete(ProviderError):
    code = "response_incomplete"
    http_status = 502


class ProviderTimeout(ProviderError):
    code = "provider_timeout"
    http_status = 504


def complaint(error: "ErrorDetails") -> str:
    """What would be right where pydantic found an error, as a predicate: `must be text`. It never contains the
    value, which may be a secret."""
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
