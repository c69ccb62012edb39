"""The connection to a Kubernetes API through the `kubernetes` package: configuration, discovery, bounded reads.

Owns where the configuration comes from, the kept client and the meaning of failures. It alone imports `kubernetes`, at
the first read. Every request is a GET.
"""

import json
import os
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from agent.context.cache import credentials_id
from agent.context.connection_errors import why_unreachable
from agent.context.log_text import refusal
from agent.errors import SourceError
from agent.objects.manifest import text_at
from agent.settings import KubernetesChoice, Settings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

_CHUNK = 64 * 1024
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

type ConfigurationKind = Literal["kubeconfig", "in-cluster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A kind that the API serves in one version. `names` are its kind, plural, singular and short names in lower
    case; `preferred` says that the group prefers this version."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    preferred: bool
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connected:
    api: "ApiClient"
    dynamic: Any  # the dynamic client carries no types
    discovery_cache: "tempfile.TemporaryDirectory[str]"


def configuration_kind(choice: KubernetesChoice) -> ConfigurationKind | None:
    """Return which configuration `choice` selects here, None for none. KUBECONFIG comes before the Pod's service
    account, and that before the kubeconfig of the home directory."""
    if choice == "off":
        return None
    if choice != "auto":
        return choice
    if os.environ.get("KUBECONFIG"):
        return "kubeconfig"
    if os.environ.get("KUBERNETES_SERVICE_HOST") and (SERVICE_ACCOUNT / "token").is_file():
        return "in-cluster"
    return "kubeconfig" if (Path.home() / ".kube" / "config").is_file() else None


class KubernetesClient:
    """One cluster's API. Safe to use from several threads; reads no file and opens no connection before the first use.
    Every method blocks and raises SourceError."""

    def __init__(self, settings: Settings, *, connections: int) -> None:
        self._settings = settings
        self._connections = connections
        self._lock = threading.RLock()
        self._kept: _Connected | None = None
        self._who = "The Kubernetes API"

    @property
    def identity(self) -> str:
        """A hash of where the configuration is; it does not change while the process runs."""
        kind = configuration_kind(self._settings.kubernetes) or ""
        return credentials_id(kind, kubeconfig() if kind == "kubeconfig" else str(SERVICE_ACCOUNT))

    def served(self, group: str) -> list[Served]:
        """Return every kind of `group` ("": the core group) in every version; read once and then kept."""
        prefix = "apis" if group else "api"
        with self._translated(f"the kinds of group {group or 'core'!r}", "API discovery"), self._lock:
            # Discovery is not safe to use from several threads.
            found: list[Any] = self._connected().dynamic.resources.search(prefix=prefix, group=group or None)
        return [_served(each) for each in found if not hasattr(each, "base_kind")]  # no lists of kinds

    def read(self, path: str, params: dict[str, str], *, what: str, right: str, limit: int) -> bytes:
        """Return the body at `path`, at most `limit` bytes. `what` and `right` are for messages: what is read, and the
        right (verb and resource) that it needs."""
        with self._translated(what, right):
            with self._lock:
                dynamic = self._connected().dynamic
            response = dynamic.request("GET", path, query_params=list(params.items()), serialize=False)
            return self._body(response, what=what, limit=limit)

    def context_namespace(self) -> str:
        """Return the namespace of the kubeconfig's current context (`default` if it names none), "" without a
        kubeconfig."""
        if configuration_kind(self._settings.kubernetes) != "kubeconfig":
            return ""
        from kubernetes import config as untyped

        config: Any = untyped
        with self._translated("the current context", "none"):
            _, current = config.list_kube_config_contexts(kubeconfig())
        return text_at(current, "context", "namespace") or "default"

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._disconnect()

    def _connected(self) -> _Connected:
        if self._kept is None:
            from kubernetes.client import ApiClient

            configuration = self._configuration()
            api = ApiClient(configuration)
            self._who = f"The Kubernetes API at {urlsplit(configuration.host).netloc.rpartition('@')[2]}"
            cache = tempfile.TemporaryDirectory(prefix="argocd-assistant-", ignore_cleanup_errors=True)
            try:
                dynamic = _dynamic_client(api, timeouts=self._timeouts, cache_file=str(Path(cache.name, "kinds.json")))
            except BaseException:
                _close(api)
                cache.cleanup()
                raise
            self._kept = _Connected(api=api, dynamic=dynamic, discovery_cache=cache)
        return self._kept

    def _disconnect(self) -> None:
        if self._kept:
            _close(self._kept.api)
            self._kept.discovery_cache.cleanup()
            self._kept = None

    def _configuration(self) -> "Configuration":
        from kubernetes import config as untyped
        from kubernetes.client import Configuration

        config: Any = untyped
        configuration = Configuration()
        if configuration_kind(self._settings.kubernetes) == "in-cluster":
            token, certificate = (str(SERVICE_ACCOUNT / name) for name in ("token", "ca.crt"))
            config.incluster_config.InClusterConfigLoader(token, certificate).load_and_set(configuration)
        else:
            config.load_kube_config(kubeconfig(), client_configuration=configuration, persist_config=False)
        configuration.connection_pool_maxsize = self._connections
        # Otherwise an API that is away is tried four times, each with the full timeout.
        configuration.retries = False
        return configuration

    @property
    def _timeouts(self) -> tuple[float, float]:
        return self._settings.connect_timeout, self._settings.source_timeout

    def _body(self, response: Any, *, what: str, limit: int) -> bytes:
        deadline = time.monotonic() + self._settings.source_timeout
        body = bytearray()
        try:
            for chunk in response.stream(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > limit:
                    raise SourceError(f"{self._who} answered more than {limit // 1_000_000} MB for {what}")
                if time.monotonic() > deadline:
                    raise self._too_slow(what)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(body)

    @contextmanager
    def _translated(self, what: str, right: str) -> Generator[None]:
        """Failures of the `kubernetes` package as SourceError."""
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException
        from kubernetes.dynamic.exceptions import ResourceNotFoundError
        from urllib3.exceptions import HTTPError
        from yaml import YAMLError

        try:
            yield
        except ApiException as error:
            raise self._refused(error, what, right) from None
        except ResourceNotFoundError:
            raise SourceError(f"{self._who} does not serve {what}", code="not_found") from None
        except HTTPError as error:
            raise self._unreachable(error, what) from None
        except (ConfigException, YAMLError, OSError) as error:
            raise SourceError(_unusable(error), code="unavailable") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Discovery and the reader of the kubeconfig do not validate their input.
            message = f"{self._who} gave {what} in a form that is not understood ({type(error).__name__})"
            raise SourceError(message, code="invalid") from None

    def _refused(self, error: Any, what: str, right: str) -> SourceError:
        status: int | None = error.status
        match status:
            case 401:
                with self._lock:
                    self._disconnect()  # the next turn reads the credentials anew
                return SourceError(f"{self._who} accepted no credentials for {what}", code="unauthorized")
            case 403:
                return SourceError(f"{self._who} refused {what}: the right to {right} is missing", code="forbidden")
            case 404:
                return SourceError(f"{self._who} has no {what}", code="not_found")
            case 400 if log_refusal := refusal(_message(error.body)):
                return log_refusal
            case 400:
                return SourceError(f"{self._who} did not accept the request for {what}", code="invalid")
            case 408 | 504:
                return self._too_slow(what)
            case _:
                return SourceError(f"{self._who} answered HTTP {status} when asked for {what}", code="unavailable")

    def _unreachable(self, error: "Exception", what: str) -> SourceError:
        from urllib3 import exceptions

        match error:
            case exceptions.SSLError():
                message = f"The certificate of {self._who.removeprefix('The ')} is not trusted: check the kubeconfig"
                return SourceError(message, code="unreachable")
            case exceptions.ReadTimeoutError():
                return self._too_slow(what)
            case exceptions.ProtocolError() | exceptions.DecodeError():
                return SourceError(f"The answer of {self._who} broke off at {what}", code="unavailable")
            case _:
                why = why_unreachable(error)
                return SourceError(f"{self._who} could not be reached{f' ({why})' if why else ''}", code="unreachable")

    def _too_slow(self, what: str) -> SourceError:
        seconds = self._settings.source_timeout
        return SourceError(f"{self._who} did not give {what} within {seconds:g} s", code="timeout")


def _unusable(error: Exception) -> str:
    """What is wrong with the configuration: its file is missing, or cannot be used."""
    named = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if named and not any(Path(path).is_file() for path in named):
        return f"KUBECONFIG names {', '.join(named)[:300]}, and there is no such file: correct it, or unset it"
    message = "The Kubernetes configuration cannot be used: check KUBECONFIG and ASSISTANT_KUBERNETES"
    return f"{message} ({type(error).__name__})"


def kubeconfig() -> str:
    """Return the path or paths in KUBECONFIG, else that of the home directory."""
    return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")


def _dynamic_client(api: "ApiClient", *, timeouts: tuple[float, float], cache_file: str) -> Any:
    """The dynamic client with its own discovery cache, and with timeouts for discovery too."""
    from kubernetes.dynamic import DynamicClient

    class TimedDynamicClient(DynamicClient):
        def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
            parent: Any = super()
            return parent.request(method, path, body, **{"_request_timeout": timeouts} | params)

    return TimedDynamicClient(api, cache_file=cache_file)


def _close(api: "ApiClient") -> None:
    """Closes the connections now; urllib3 alone would do so once nothing refers to their pool any more."""
    pools: Any = api.rest_client.pool_manager.pools
    for key in pools.keys():  # noqa: SIM118 - urllib3's container iterates by its keys only
        if pool := pools.get(key):
            pool.close()
    api.close()


def _served(resource: Any) -> Served:
    names = (resource.kind, resource.name, resource.singular_name, *(resource.short_names or ()))
    return Served(
        group=resource.group or "",
        version=resource.api_version,
        kind=resource.kind,
        plural=resource.name,
        namespaced=bool(resource.namespaced),
        preferred=bool(resource.preferred),
        names=frozenset(name.casefold() for name in names if name),
    )


def _message(body: str | None) -> str:
    """The `message` of the Status object that is an error's body."""
    try:
        return text_at(json.loads(body or ""), "message")
    except ValueError:
        return ""
