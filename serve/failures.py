"""Errors as the caller receives them, in the shape of each API. Code, status and message come from `agent.errors`."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from agent.errors import AssistantError, RequestError
from agent.mlflow.event_stream import error_body

_logger = logging.getLogger(__name__)


class UnsupportedMediaType(RequestError):
    """The body is declared as something other than JSON, or as compressed, by `header`."""

    code = "unsupported_media_type"
    http_status = 415

    def __init__(self, header: str, what: str) -> None:
        super().__init__(f"{header}: {what}", field=header)


class ServerStopping(AssistantError):
    """The process stops before the turn has ended."""

    code = "server_stopping"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The server is stopping and could not finish the answer. Ask again.")


class _HTTPError(AssistantError):
    """A refusal of the framework: no such path, a wrong method."""

    def __init__(self, error: HTTPException) -> None:
        super().__init__(str(error.detail))
        self.code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        self.http_status = error.status_code


def public_error(error: BaseException) -> AssistantError:
    """Return the error as a caller may read it. An unexpected one becomes an id, under which the log has it whole."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, HTTPException):
        return _HTTPError(error)
    reference = uuid.uuid4().hex[:12]
    _logger.error("Unexpected error %s", reference, exc_info=error)
    return AssistantError(f"Something unexpected failed. The server's log has it under the id {reference}.")


type ErrorResponse = Callable[[BaseException], Response]


def error_response(error: BaseException) -> Response:
    """The error as `/invocations` and `/assist` return it: `{"error_code", "message", "field"}`."""
    public = public_error(error)
    return JSONResponse(error_body(public), status_code=public.http_status, headers=_headers(error))


def openai_error_response(error: BaseException) -> Response:
    """The error as OpenAI's API returns it: `{"error": {"message", "type", "param", "code"}}`."""
    public = public_error(error)
    body: dict[str, Any] = {
        "message": public.public_message,
        "type": _openai_type(public.http_status),
        "param": public.field if isinstance(public, RequestError) else None,
        "code": public.code,
    }
    return JSONResponse({"error": body}, status_code=public.http_status, headers=_headers(error))


def error_event(error: BaseException, *, sequence_number: int) -> dict[str, Any]:
    """The error as the last event of a stream."""
    public = public_error(error)
    return {
        "type": "error",
        "sequence_number": sequence_number,
        "code": public.code,
        "message": public.public_message,
        "param": None,
    }


def _openai_type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def _headers(error: BaseException) -> dict[str, str] | None:
    """The headers that a status requires: a 405 names the methods that are allowed."""
    return dict(error.headers or {}) if isinstance(error, HTTPException) else None


def error_response_for(request: Request) -> ErrorResponse:
    """Return what renders errors on the path of `request`."""
    path = request.url.path
    return openai_error_response if path == "/responses" or path.startswith("/v1/") else error_response
