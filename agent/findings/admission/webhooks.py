"""Admission webhooks whose Service is not there or has no running pods: they hold up every request they are asked for.

Owns webhook configurations; what the API server reports of a failed call is in `webhook_calls`.
"""

from collections.abc import Iterator

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.objects import GroupKind
from agent.findings.model import Finding
from agent.findings.network.backends import Backends, quote_pod
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.target import ResourceRef

CONFIGURATIONS: tuple[GroupKind, ...] = (
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
)


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
