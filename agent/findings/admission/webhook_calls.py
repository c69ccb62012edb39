"""Calls of admission webhooks that failed, as the API server reports them: which webhook, which Service, and why.

Owns the wording of failed calls; a refusal by a webhook that answered is in `refusals`.
"""

import re
from dataclasses import dataclass

from agent.objects.target import ResourceRef

_CALL = re.compile(r'failed (?:calling|to call) (?:admission )?webhook "([^"]{1,253})"')
_URL = re.compile(r"https?://([a-z0-9.-]{1,253}?)(?::(\d{1,5}))?[/?]")
_SERVICE = re.compile(r'service "([^"]{1,253})" not found')

# The API server's wording (Kubernetes' staging/src/k8s.io/apiserver/pkg/util/webhook and pkg/util/proxy), the most
# specific first.
_WHY: tuple[tuple[str, str], ...] = (
    (r'service "[^"]*" not found', "its Service does not exist"),
    (r"no endpoints available|no service port|no ready endpoints", "its Service has no running pods"),
    (
        r"certificate has expired",
        "its certificate has expired",
    ),
    (r"x509|certificate|tls:", "the API server does not trust its certificate (caBundle)"),
    (r"no such host", "its host does not resolve"),
    (r"connection refused", "connections to it are refused (its pods are down, or listen on another port)"),
    (r"deadline exceeded|timeout|timed out", "it does not answer in time"),
    (r"\b40[34]\b|not find the requested", "it does not serve the path of the call"),
    (r"\b50\d\b|EOF|reset by peer", "it fails while it handles the call"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCall:
    """A webhook that could not be called. `why` is "" where the message has no known reason, `service` None where it
    names no Service."""

    webhook: str
    why: str
    service: ResourceRef | None


def failed_call(message: str) -> FailedCall | None:
    """The webhook that the API server could not call according to its message, None where the message reports none."""
    match = _CALL.search(message)
    if match is None:
        return None
    rest = message[match.end() :]
    why = next((why for pattern, why in _WHY if re.search(pattern, rest, re.IGNORECASE)), "")
    return FailedCall(webhook=match[1], why=why, service=_service(rest))


def _service(text: str) -> ResourceRef | None:
    """The Service in the URL of the call: `https://name.namespace.svc:443/path`."""
    match = _URL.search(text)
    parts = match[1].split(".") if match else []
    if len(parts) < 3 or parts[2] != "svc":
        return None
    return ResourceRef.unchecked(version="v1", kind="Service", namespace=parts[1], name=parts[0])
