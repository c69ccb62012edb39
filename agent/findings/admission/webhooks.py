"""Admission webhooks whose Service is not there or has no running pods: they hold up every request they are asked for.

Owns what calls of webhooks fail of, as the API server words it, and webhook configurations; a refusal by a webhook
that answered is in `refusals`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Finding
from agent.findings.network.backends import Backends, quote_pod
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.target import ResourceRef

CONFIGURATIONS: tuple[GroupKind, ...] = (
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
)

_CALL = re.compile(r'failed (?:calling|to call) (?:admission )?webhook "([^"]{1,253})"')
_URL = re.compile(r"https?://([a-z0-9.-]{1,253}?)(?::(\d{1,5}))?[/?]")
_SERVICE = re.compile(r'service "([^"]{1,253})" not found')

# The API server's words (apiserver/pkg/util/webhook, the proxy's resolver), the most telling first.
_WHY: tuple[tuple[str, str], ...] = (
    (r'service "[^"]*" not found', "its Service does not exist"),
    (r"no endpoints available|no service port|no ready endpoints", "its Service has no running pods"),
    (r"x509|certificate|tls:", "the API server does not trust its certificate (caBundle)"),
    (r"no such host", "its host does not resolve"),
    (r"connection refused", "connections to it are refused (its pods are down, or listen on another port)"),
    (r"deadline exceeded|timeout|timed out", "it does not answer in time"),
    (r"\b40[34]\b|not find the requested", "it does not know the path it is asked at"),
    (r"\b50\d\b|EOF|reset by peer", "it fails while it answers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCall:
    """A webhook that could not be asked. `why` "" where the message does not tell; `service` where it names one."""

    webhook: str
    why: str
    service: ResourceRef | None


def failed_call(message: str) -> FailedCall | None:
    """The webhook that a message of the API server says it could not call, None where it says no such thing."""
    match = _CALL.search(message)
    if match is None:
        return None
    rest = message[match.end() :]
    why = next((why for pattern, why in _WHY if re.search(pattern, rest, re.IGNORECASE)), "")
    return FailedCall(webhook=match[1], why=why, service=_service(rest))


def _service(text: str) -> ResourceRef | None:
    """The Service behind the URL: `https://name.namespace.svc:443/path`."""
    match = _URL.search(text)
    parts = match[1].split(".") if match else []
    if len(parts) < 3 or parts[2] != "svc":
        return None
    return ResourceRef.unchecked(version="v1", kind="Service", namespace=parts[1], name=parts[0])


def webhooks(inventory: Inventory) -> Iterator[Finding]:
    """Webhook configurations whose Service is known to be missing or to have no ready pods."""
    backends = Backends(inventory)
    for configuration in inventory.of(*CONFIGURATIONS):
        told: set[object] = set()
        for index, webhook in enumerate(objects_at(configuration, "webhooks")):
            service = tuple(text_at(webhook, "clientConfig", "service", key) for key in ("namespace", "name"))
            if all(service) and service not in told:
                told.add(service)
                yield from _unserved(inventory, backends, configuration, index)


def _unserved(inventory: Inventory, backends: Backends, configuration: Manifest, index: int) -> Iterator[Finding]:
    path = ("webhooks", index, "clientConfig", "service")
    namespace, name = (text_at(configuration, *path, key) for key in ("namespace", "name"))
    service = backends.service(namespace, name)
    if service is None:
        if ("Service", namespace, name) not in inventory.missing:
            return
        why, pods = "does not exist", ()
    else:
        addresses, pods = backends.addresses(service), backends.pods(service)
        dead = bool(pods) and all(pod.ready is False for pod in pods)
        if addresses.ready if addresses else not dead:
            return
        why = "has no running pods"
    ignores = text_at(configuration, "webhooks", index, "failurePolicy") == "Ignore"
    yield object_finding(
        configuration,
        f"Service {one_line(namespace, 80)}/{one_line(name, 80)} of the webhooks of {named(configuration)} {why}",
        "Its failurePolicy is Ignore, so requests pass unchecked."
        if ignores
        else "The API server refuses every request that it should ask this webhook about.",
        quote(configuration, *path)
        + quote(configuration, "webhooks", index, "failurePolicy")
        + tuple(quoted for pod in pods[:2] for quoted in quote_pod(pod)),
        f"Bring its pods back: {kubectl('get', 'pods,endpointslices', namespace=namespace)}.",
        "If what it belongs to was uninstalled, delete the configuration too.",
        severity="warning" if ignores else "error",
        level="effect",
        blames=(
            ResourceRef.unchecked(version="v1", kind="Service", namespace=namespace, name=name),
            *(pod.resource for pod in pods),
        ),
    )
