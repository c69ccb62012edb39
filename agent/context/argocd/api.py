"""HTTP to the Argo CD API: one kept session, bounded reads, and failures as SourceError.

Owns the address, the credentials, TLS and the meaning of status codes; knows no resource and no log format.
Only reads: every request is a GET.
"""

import json
import re
import threading
import time
from collections.abc import Generator, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from agent.context.cache import Sized, credentials_id
from agent.context.connection_errors import why_unreachable
from agent.context.source import MAX_BODY_BYTES, MAX_LOG_BYTES
from agent.errors import SettingsError, SourceError
from agent.objects.manifest import text_at
from agent.settings import Settings

if TYPE_CHECKING:
    from requests import RequestException, Response, Session

_CHUNK = 64 * 1024
# Characters of an error's body that are read.
_ERROR_LIMIT = 4_000
# Argo CD's wording (server/application/application.go); the name is one of Kubernetes.
_NO_PROJECT = re.compile(r'app is not allowed in project "([\w.-]{1,253})", or the project does not exist')
# The kubelet writes "unable to retrieve container logs for ..." into the log itself, and Argo CD takes its first word
# for a time (server/application/logs.go).
_LOG_GONE = 'parsing time "unable"'


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCDRequest:
    """A GET of `/api/v1/applications` (or another `collection`) or below: `path` are unquoted segments, `what` names in
    messages what is read, and `right` the right of Argo CD's RBAC that it needs."""

    path: tuple[str, ...]
    params: Mapping[str, str | tuple[str, ...]]
    what: str
    right: str
    collection: str = "applications"

    @property
    def key(self) -> Hashable:
        """What makes two requests the same."""
        return self.collection, self.path, tuple(sorted(self.params.items()))


class ArgoCDAPI:
    """The API at `settings.argocd_server`. Safe to use from several threads; opens no connection before the first read.

    Raises SettingsError when the address is no http(s) address.
    """

    def __init__(self, settings: Settings, *, connections: int) -> None:
        self._settings = settings
        self._connections = connections
        self._root = _root_url(settings.argocd_server or "")
        self._who = f"Argo CD at {urlsplit(self._root).netloc}"
        self._lock = threading.Lock()
        self._kept: Session | None = None

    def read_json(self, request: ArgoCDRequest) -> Sized[object]:
        """Return the parsed body with its size. Raises SourceError."""
        body = bytearray()
        for chunk in self.read_chunks(request, limit=MAX_BODY_BYTES):
            body += chunk
        try:
            return Sized(json.loads(body), len(body))
        except (ValueError, RecursionError):
            raise self.no_json(request) from None

    def read_chunks(self, request: ArgoCDRequest, *, limit: int) -> Generator[bytes]:
        """Yield the body in pieces as they arrive. Raises SourceError, also for more than `limit` bytes."""
        with self._response(request) as response:
            total = 0
            for chunk in self._chunks(response, request):
                total += len(chunk)
                if total > limit:
                    raise SourceError(
                        f"{self._who} answered more than {limit // 1_000_000} MB for {request.what}",
                        code="unavailable",
                    )
                yield chunk

    def no_json(self, request: ArgoCDRequest) -> SourceError:
        """Return the error for an answer that is no JSON."""
        return SourceError(
            f"{self._who} answered no JSON for {request.what}: check that ARGOCD_SERVER is the API's address",
            code="invalid",
        )

    def read_lines(self, request: ArgoCDRequest) -> Generator[bytes]:
        """Yield the lines of a streamed body as they arrive. Ends after MAX_LOG_BYTES, even in the middle of a line.
        Raises SourceError."""
        with self._response(request) as response:
            line, total = bytearray(), 0
            for chunk in self._chunks(response, request):
                total += len(chunk)
                first, *others = chunk.split(b"\n")
                line += first
                for following in others:
                    yield bytes(line)
                    line = bytearray(following)
                if total > MAX_LOG_BYTES:
                    return
            if line:
                yield bytes(line)

    @property
    def identity(self) -> str:
        """A hash of the server and the credentials."""
        token = self._settings.argocd_auth_token
        return credentials_id(self._root, token.get_secret_value() if token else "")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()

    @property
    def _session(self) -> "Session":
        with self._lock:
            if self._kept is None:
                self._kept = _new_session(self._settings, self._connections)
            return self._kept

    @contextmanager
    def _response(self, request: ArgoCDRequest) -> "Generator[Response]":
        import requests

        path = "/".join((request.collection, *(_segment(segment) for segment in request.path)))
        timeouts = (self._settings.connect_timeout, self._settings.source_timeout)
        try:
            with self._session.get(
                f"{self._root}/api/v1/{path}",
                params=request.params,
                timeout=timeouts,
                stream=True,
                allow_redirects=False,
            ) as response:
                self._refuse_failure(response, request)
                yield response
        except requests.RequestException as error:
            raise self._unreachable(error, request) from None
        except OSError as error:
            # requests looks for the CA bundle only when it connects.
            raise SourceError(
                f"The TLS files for {self._who} could not be read ({error.strerror or 'no such file'}): "
                "check ARGOCD_CA_BUNDLE",
                code="unavailable",
            ) from None

    def _chunks(self, response: "Response", request: ArgoCDRequest) -> Iterator[bytes]:
        """The body in pieces, for as long as one read may take: the timeout of requests is for each piece alone."""
        deadline = time.monotonic() + self._settings.source_timeout
        for chunk in response.iter_content(_CHUNK):
            if time.monotonic() > deadline:
                raise self._too_slow(request)
            yield chunk

    def _refuse_failure(self, response: "Response", request: ArgoCDRequest) -> None:
        status, what = response.status_code, request.what
        if status == 200:
            return
        code = "unavailable"
        refused = status in {400, 403, 404}  # not for this token, no such Application, or no part of it
        match status:
            case 401:
                code = "unauthorized"
                hint = "replace the API token" if self._settings.argocd_auth_token else "set an API token"
                message = f"{self._who} accepted no credentials for {what}: {hint} in ARGOCD_AUTH_TOKEN"
            case 403:
                code = "forbidden"
                # Argo CD answers 403 for a missing Application too: https://github.com/argoproj/argo-cd/issues/13000
                message = (
                    f"{self._who} refused {what}: the right `{request.right}` is missing, or there is no such thing"
                )
            case 404 if "json" not in response.headers.get("content-type", ""):
                # The router's own 404, not the API's.
                message = (
                    f"{self._who} has no API at this path: if Argo CD has a root path, add it to ARGOCD_SERVER "
                    "(argocd.example.com/root)"
                )
                code, refused = "not_found", False
            case 404:
                code, message = "not_found", f"{self._who} found nothing for {what}"
            case 400 if project := _NO_PROJECT.search(_error_message(response)):
                code = "invalid"
                message = (
                    f"{self._who} gives nothing for {what}: project {project[1]} does not exist, or does not admit the "
                    "Application"
                )
            case 400:
                code = "invalid"
                message = f"{self._who} did not accept the request for {what}: is it part of this Application?"
            case 500 if request.path[1:] == ("logs",) and _LOG_GONE in _error_message(response):
                code, refused = "not_found", True
                message = f"The log is gone: the node no longer has {what}"
            case 429:
                message = f"{self._who} had too many requests when asked for {what}"
            case _ if 300 <= status < 400:
                target = urlsplit(response.headers.get("location", ""))
                to = f" to {target.scheme}://{target.hostname}" if target.hostname else ""
                message = f"{self._who} redirects{to} when asked for {what}: set ARGOCD_SERVER to the API's address"
            case _:
                message = f"{self._who} answered HTTP {status} when asked for {what}"
        raise SourceError(message, code=code, refused=refused)

    def _unreachable(self, error: "RequestException", request: ArgoCDRequest) -> SourceError:
        from requests import exceptions

        match error:
            case exceptions.SSLError() if "X509" in str(error):  # a bundle that holds no certificate
                return SourceError("ARGOCD_CA_BUNDLE holds no certificate that can be read", code="unavailable")
            case exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                return SourceError(
                    f"The TLS handshake with {self._who} failed: check ARGOCD_SERVER (http:// or https://)",
                    code="unreachable",
                )
            case exceptions.SSLError() if "mismatch" in str(error):  # of OpenSSL: Hostname or IP address mismatch
                return SourceError(
                    f"The certificate of {self._who} is for another name: set ARGOCD_SERVER to a name in it, or give "
                    "the server a certificate for this one",
                    code="unreachable",
                )
            case exceptions.SSLError() if self._settings.argocd_ca_bundle:
                return SourceError(
                    f"The certificate of {self._who} is not trusted by the CA of ARGOCD_CA_BUNDLE: is it the CA that "
                    "signed it?",
                    code="unreachable",
                )
            case exceptions.SSLError():
                return SourceError(
                    f"The certificate of {self._who} is not trusted: set ARGOCD_CA_BUNDLE to the CA that signed it",
                    code="unreachable",
                )
            case exceptions.ConnectTimeout():
                return SourceError(
                    f"{self._who} could not be reached (timed out): check ARGOCD_SERVER", code="unreachable"
                )
            # requests raises ConnectionError for a read timeout in the middle of a body.
            case exceptions.Timeout():
                return self._too_slow(request)
            case exceptions.ConnectionError() if "timed out" in str(error).lower():
                return self._too_slow(request)
            case exceptions.ConnectionError():
                why = why_unreachable(error)
                message = f"{self._who} could not be reached{f' ({why})' if why else ''}: check ARGOCD_SERVER"
                return SourceError(message, code="unreachable")
            case exceptions.ChunkedEncodingError() | exceptions.ContentDecodingError():
                return SourceError(f"The answer of {self._who} broke off at {request.what}", code="unavailable")
            case _:
                return SourceError(
                    f"{self._who} could not be asked for {request.what} ({type(error).__name__})", code="unavailable"
                )

    def _too_slow(self, request: ArgoCDRequest) -> SourceError:
        return SourceError(
            f"{self._who} did not give {request.what} within {self._settings.source_timeout:g} s", code="timeout"
        )


def _error_message(response: "Response") -> str:
    """The message of an error's body, as far as it was read; "" where there is none."""
    body = next(response.iter_content(_ERROR_LIMIT), b"")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return text_at(answer, "message") or text_at(answer, "error", "message")


def _root_url(server: str) -> str:
    """`argocd.example.com[:port][/root]`, with or without a scheme, as a URL without a trailing slash."""
    url = server.rstrip("/") if "://" in server else f"https://{server.strip('/')}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        usable = usable and not parts.netloc.endswith(":")
    except ValueError:  # an odd port or IPv6 address
        usable, parts = False, urlsplit("")
    if not usable or parts.query or parts.fragment:
        raise SettingsError("ARGOCD_SERVER must be a host name or an http(s) URL of the Argo CD API server")
    if parts.username or parts.password:
        raise SettingsError("ARGOCD_SERVER must not hold credentials: set ARGOCD_AUTH_TOKEN")
    return url


def _segment(name: str) -> str:
    """A quoted path segment. Raises SourceError for `.` and `..`, which a URL would resolve."""
    if name in {".", ".."}:
        raise SourceError(f"{name!r} is no name of an Application", code="invalid")
    return quote(name, safe="")


def _new_session(settings: Settings, connections: int) -> "Session":
    from http.cookiejar import DefaultCookiePolicy

    import requests
    import urllib3
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    # Otherwise REQUESTS_CA_BUNDLE would override `verify`, and a .netrc the token.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept": "application/json", "User-Agent": "argocd-assistant"})
    if settings.argocd_auth_token:
        session.headers["Authorization"] = f"Bearer {settings.argocd_auth_token.get_secret_value().strip()}"
    if settings.argocd_insecure:
        session.verify = False
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    elif settings.argocd_ca_bundle:
        session.verify = settings.argocd_ca_bundle
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
