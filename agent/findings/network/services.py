"""Services without ready endpoints: a selector that matches no Pod, a port that no Pod has, Pods that are not ready.

A Service whose workload is scaled to zero, or whose Pods are still starting, is healthy.
"""

from collections.abc import Iterator

from agent.findings.engine.build import container_finding
from agent.findings.engine.commands import kubectl
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.remedies import change, merge_patch
from agent.findings.model import Finding, Severity
from agent.findings.network.backends import Addresses, Backend, Backends, Service, quote_addresses, quote_pod
from agent.objects.manifest import integer_at, objects_at, text_at
from agent.objects.selectors import differences, spelled

_QUOTED = 3


def services(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each Service that has no ready Pods according to the context."""
    backends = Backends(inventory)
    for service in backends.services.values():
        if service.selector and text_at(service.manifest, "spec", "type") != "ExternalName":
            yield from _unserved(inventory, backends, service)


def _unserved(inventory: Inventory, backends: Backends, service: Service) -> Iterator[Finding]:
    addresses, pods = backends.addresses(service), backends.pods(service)
    if finding := _wrong_port(inventory, service, pods):
        yield finding
    elif addresses and addresses.ready:
        return
    elif pods:
        if all(pod.ready is False for pod in pods):
            yield _unready(service, addresses, pods)
    elif addresses and addresses.not_ready:
        yield _unready(service, addresses, [])
    elif templates := backends.templates(service.namespace, service.selector):
        if addresses and all(template.wanted for template in templates):
            yield _without_pods(service, templates[0])
    else:
        yield from _selects_nothing(inventory, backends, service, is_empty=addresses is not None)


def _unready(service: Service, addresses: Addresses | None, pods: list[Backend]) -> Finding:
    blamed = tuple(pod.resource for pod in pods) or (addresses.pods if addresses else ())
    count = len(pods) or (addresses.not_ready if addresses else 0)
    evidence = quote_addresses(addresses) if addresses else ()
    evidence += tuple(quoted for pod in pods[:_QUOTED] for quoted in quote_pod(pod))
    return container_finding(
        service.resource,
        f"{_title(service)} has no ready endpoints: {_all_of(count)} not ready",
        "Its selector matches Pods, but a Service sends traffic only to ready ones, so its clients are refused.",
        evidence + service.quote_selector(),
        f"Look at its pods: {_pods_command(service)}.",
        level="symptom",
        severity="error" if pods else "warning",  # Pods that the context does not have may still be starting
        blames=blamed,
    )


def _all_of(count: int) -> str:
    return "its only pod is" if count == 1 else f"its {count} pods are"


def _without_pods(service: Service, template: Backend) -> Finding:
    workload = f"{template.resource.kind} {one_line(template.resource.name, 80)}"
    return container_finding(
        service.resource,
        f"{_title(service)} has no endpoints: {workload} has no pods for it",
        "Its selector matches the pod template, but there are no such pods, so its clients are refused.",
        service.quote_selector() + template.quote_labels(),
        f"Look at the workload and its pods: {_pods_command(service)}.",
        level="symptom",
        blames=(template.resource,),
    )


def _selects_nothing(
    inventory: Inventory, backends: Backends, service: Service, *, is_empty: bool
) -> Iterator[Finding]:
    """`is_empty`: the context shows that the Service has no endpoints; it is not only concluded from the labels."""
    likely = backends.likely(service)
    if likely is not None and likely.wanted and (is_empty or backends.is_named_alike(service, likely)):
        yield _mislabelled(inventory, service, likely)
    elif is_empty and likely is None:
        is_target = service.manifest is not None and inventory.is_asked_about(service.manifest)
        severity: Severity = "error" if is_target else "warning"
        labels = spelled(service.selector)
        yield container_finding(
            service.resource,
            f"{_title(service)} has no endpoints: no pod has the labels {one_line(labels)}",
            "Its selector matches no Pod of its namespace, so its clients are refused: its pods do not exist, or have "
            "other labels.",
            service.quote_selector(),
            f"Compare the labels of the pods there with the selector: "
            f"{kubectl('get', 'pods', '--show-labels', namespace=service.namespace)}.",
            severity=severity,
        )


def _mislabelled(inventory: Inventory, service: Service, backend: Backend) -> Finding:
    differing = differences(service.selector, backend.labels)
    wanted = ", ".join(f"{key}={value}" for key, value, _ in differing)
    actual = ", ".join(f"{key}={value}" if value is not None else f"no label {key}" for key, _, value in differing)
    workload = f"{backend.resource.kind} {one_line(backend.resource.name, 80)}"
    corrected = {key: value for key, _, value in differing}
    fix = ", ".join(f"{key}: {value}" if value is not None else f"{key} removed" for key, value in corrected.items())
    return container_finding(
        service.resource,
        f"{_title(service)} selects no pod: it wants {one_line(wanted)}, {workload} has {one_line(actual)}",
        "A Service sends traffic only to Pods with every label of its selector; "
        f"{'one differs' if len(differing) == 1 else 'some differ'} here, so it has no endpoints.",
        service.quote_selector() + backend.quote_labels(*(key for key, _, _ in differing)),
        change(
            inventory,
            f"change spec.selector of {_title(service)} ({one_line(fix)}), or the labels of the pod template",
            merge_patch(service.resource, {"spec": {"selector": corrected}}),
        ),
    )


def _wrong_port(inventory: Inventory, service: Service, pods: list[Backend]) -> Finding | None:
    """The finding that no container has a named targetPort, or that they declare none of the targetPorts."""
    declared = [(pod, _ports(pod)) for pod in pods if pod.manifest]
    if not declared or service.manifest is None:
        return None
    ports = [port for _, found in declared for port in found]
    names, numbers = {name for name, _ in ports if name}, {number for _, number in ports}
    targets = [port.get("targetPort", port.get("port")) for port in service.ports()]
    named = next((i for i, target in enumerate(targets) if isinstance(target, str) and target not in names), None)
    unknown = bool(numbers) and all(isinstance(t, int) and t not in numbers for t in targets) and bool(targets)
    if named is None and not unknown:
        return None
    index = named or 0
    target = one_line(str(targets[index]), 40)
    offers = ", ".join(sorted({name or str(number) for name, number in ports}))[:120] or "none"
    by_name = named is not None
    return container_finding(
        service.resource,
        f"{_title(service)} sends to port {target}, which its pods do not {'have' if by_name else 'declare'} "
        f"(they have {offers})",
        "A named targetPort must be the name of a container port; otherwise this port has no endpoints."
        if by_name
        else "No targetPort is among the ports that the containers declare, so connections are likely refused.",
        quote(service.manifest, "spec", "ports", index)
        + tuple(
            quoted
            for i in range(len(objects_at(declared[0][0].manifest, "spec", "containers")))
            for quoted in quote(declared[0][0].manifest or {}, "spec", "containers", i, "ports")
        ),
        change(
            inventory, f"set spec.ports[{index}].targetPort of {_title(service)} to a port of the containers ({offers})"
        ),
        severity="error" if by_name else "warning",
    )


def _ports(pod: Backend) -> list[tuple[str, int | None]]:
    containers = [
        container for key in ("containers", "initContainers") for container in objects_at(pod.manifest, "spec", key)
    ]
    return [
        (text_at(port, "name"), integer_at(port, "containerPort"))
        for container in containers
        for port in objects_at(container, "ports")
    ]


def _title(service: Service) -> str:
    return f"Service {one_line(service.name, 80)}"


def _pods_command(service: Service) -> str:
    return kubectl("get", "pods", "-l", spelled(service.selector), namespace=service.namespace)
