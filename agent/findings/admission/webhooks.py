"""Admission webhooks whose Service is missing or has no running pods: the API server refuses what they have to admit.

Owns webhook configurations; what the API server reports of a failed call is in `webhook_calls`.
"""

from collections.abc import Iterator

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Finding
from agent.findings.network.backends import Backend, Backends, quote_pod
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.target import ResourceRef

CONFIGURATIONS: tuple[GroupKind, ...] = (
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
)


def webhooks(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each Service of a webhook configuration that is known to be missing or to have no ready pods."""
    backends = Backends(inventory)
    for configuration in inventory.of(*CONFIGURATIONS):
        checked: set[object] = set()
        for index, webhook in enumerate(objects_at(configuration, "webhooks")):
            service = tuple(text_at(webhook, "clientConfig", "service", key) for key in ("namespace", "name"))
            if all(service) and service not in checked:
                checked.add(service)
                yield from _unserved(inventory, backends, configuration, index)


def _unserved(inventory: Inventory, backends: Backends, configuration: Manifest, index: int) -> Iterator[Finding]:
    path = ("webhooks", index, "clientConfig", "service")
    namespace, name = (text_at(configuration, *path, key) for key in ("namespace", "name"))
    service = backends.service(namespace, name)
    if service is None:
        if ("Service", namespace, name) not in inventory.absent:
            return
        problem, pods = "does not exist", ()
    else:
        addresses, pods = backends.addresses(service), backends.pods(service)
        none_runs = all(pod.ready is False or _is_pending(pod) for pod in pods)
        if addresses.ready if addresses else not none_runs:
            return
        if not addresses and not pods and not (inventory.is_asked_about(configuration) and service.selector):
            return  # its pods were not read
        problem = "has no running pods" + ("" if addresses or pods else " among what was read")
    ignores_failure = text_at(configuration, "webhooks", index, "failurePolicy") == "Ignore"
    yield object_finding(
        configuration,
        f"Service {one_line(namespace, 80)}/{one_line(name, 80)} of {named(configuration)} {problem}",
        "Its failurePolicy is Ignore, so requests are admitted without the check of the webhook."
        if ignores_failure
        else "The API server refuses every request that this webhook has to admit.",
        quote(configuration, *path)
        + quote(configuration, "webhooks", index, "failurePolicy")
        + (service.quote_selector() if service and not pods else ())
        + tuple(quoted for pod in pods[:2] for quoted in quote_pod(pod)),
        f"Bring its pods back: {kubectl('get', 'pods,endpointslices', namespace=namespace)}.",
        "If the software of the webhook was uninstalled, delete this configuration as well.",
        severity="warning" if ignores_failure or problem.endswith("read") else "error",
        level="effect",
        blames=(
            ResourceRef.unchecked(version="v1", kind="Service", namespace=namespace, name=name),
            *(pod.resource for pod in pods),
        ),
    )


def _is_pending(pod: Backend) -> bool:
    return text_at(pod.manifest, "status", "phase") == "Pending"
