"""The containers and volumes of a pod template that was never applied: what the API server would refuse of them.

Sources: `ValidateContainers`, `validateContainerPorts`, `ValidateEnv`, `ValidateVolumeMounts` and
`ValidateContainerResourceRequirements` in Kubernetes' pkg/apis/core/validation/validation.go; a probe's port of a name
that is not declared is stored, and the kubelet fails the probe.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from agent.findings.engine.evidence import one_line
from agent.findings.engine.never_applied import Fault, Path
from agent.objects.manifest import Manifest, list_at, lookup, object_at, objects_at, path_text, text_at
from agent.objects.quantities import quantity

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")  # RFC 6335
_HIGHEST_PORT = 65_535
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def container_faults(manifest: Manifest, spec: Path) -> Iterator[Fault]:
    """The faults of the containers and volumes below the pod spec at `spec`."""
    places: list[Path] = [
        (*spec, field, index)
        for field in ("initContainers", "containers")
        for index, _ in enumerate(list_at(manifest, *spec, field))
    ]
    yield from _twice(manifest, [(*place, "name") for place in places], "containers")
    volumes: list[Path] = [
        (*spec, "volumes", index, "name") for index, _ in enumerate(list_at(manifest, *spec, "volumes"))
    ]
    yield from _twice(manifest, volumes, "volumes")
    claims = {text_at(claim, "metadata", "name") for claim in objects_at(manifest, "spec", "volumeClaimTemplates")}
    mountable = {text_at(manifest, *path) for path in volumes} | claims
    for place in places:
        container = object_at(manifest, *place)
        name = one_line(text_at(container, "name"), 80)
        if name and not _LABEL.fullmatch(name):
            yield Fault(
                what=f"the name of container {name} is not of at most 63 lower-case letters, digits and `-`",
                step="Correct the name of the container.",
                path=(*place, "name"),
            )
        named = f"container {name or '(unnamed)'}"
        yield from _mounts(container, place, named, mountable, spec)
        yield from _ports(manifest, container, place, named)
        yield from _probe_ports(container, place, named)
        yield from _environment(container, place, named)
        yield from _resources(container, place, named)


def _twice(manifest: Manifest, paths: Iterable[Path], of: str) -> Iterator[Fault]:
    """Two of the same, which have to differ: the texts at `paths`."""
    at = {path: text for path in paths if (text := text_at(manifest, *path))}
    for text, count in Counter(at.values()).items():
        if count > 1:
            first, second, *_ = (path for path, each in at.items() if each == text)
            yield Fault(
                what=f"two {of} have the name {one_line(text, 80)}",
                step=f"Give each of the {of} a name of its own.",
                path=second,
                also=(first,),
            )


def _mounts(container: Manifest, place: Path, named: str, mountable: set[str], spec: Path) -> Iterator[Fault]:
    paths: set[str] = set()
    for index, mount in enumerate(list_at(container, "volumeMounts")):
        volume, path = text_at(mount, "name"), text_at(mount, "mountPath")
        if volume and volume not in mountable:
            yield Fault(
                what=f"{named} mounts volume {one_line(volume, 80)}, which is not in its volumes",
                step=f"Add the volume to {path_text((*spec, 'volumes'))}, or correct the name of the mount.",
                path=(*place, "volumeMounts", index, "name"),
            )
        if path and path in paths:
            yield Fault(
                what=f"{named} mounts two volumes at {one_line(path, 80)}",
                step="Mount each volume at a path of its own.",
                path=(*place, "volumeMounts", index, "mountPath"),
            )
        paths.add(path)


def _ports(manifest: Manifest, container: Manifest, place: Path, named: str) -> Iterator[Fault]:
    names: list[Path] = []
    for index, port in enumerate(list_at(container, "ports")):
        where = (*place, "ports", index)
        names.append((*where, "name"))
        name, number = text_at(port, "name"), lookup(port, "containerPort")
        if name and not _PORT_NAME.fullmatch(name):
            yield Fault(
                what=f"the port name {one_line(name, 80)} of {named} is not of at most 15 lower-case letters, digits "
                "and `-`",
                step="Shorten or correct the name of the port.",
                path=(*where, "name"),
            )
        if number is not None and not (type(number) is int and 0 < number <= _HIGHEST_PORT):
            yield Fault(
                what=f"containerPort {one_line(text_at(number), 40)} of {named} is no number from 1 to 65535",
                step="Correct containerPort.",
                path=(*where, "containerPort"),
            )
    yield from _twice(manifest, names, "ports")


def _probe_ports(container: Manifest, place: Path, named: str) -> Iterator[Fault]:
    declared = {text_at(port, "name") for port in objects_at(container, "ports")}
    for probe in _PROBES:
        for action in ("httpGet", "tcpSocket"):
            port = lookup(container, probe, action, "port")
            if isinstance(port, str) and not port.isdigit() and port not in declared:
                yield Fault(
                    what=f"the {probe} of {named} asks port {one_line(port, 40)}, which it does not declare",
                    step=f"Declare a port of that name in the container's ports, or correct {probe}.{action}.port.",
                    path=(*place, probe, action, "port"),
                    refused=False,
                )


def _environment(container: Manifest, place: Path, named: str) -> Iterator[Fault]:
    for index, variable in enumerate(list_at(container, "env")):
        name, value = one_line(text_at(variable, "name"), 80), lookup(variable, "value")
        where = (*place, "env", index)
        sources = [key for key, source in object_at(variable, "valueFrom").items() if source is not None]
        if isinstance(value, bool | int | float):
            yield Fault(
                what=f"the value of {name} in {named} is {one_line(text_at(value), 40)} and no string",
                step="Put the value in quotation marks.",
                path=(*where, "value"),
            )
        if sources and value not in (None, ""):
            yield Fault(
                what=f"{name} in {named} has both value and valueFrom",
                step="Keep one of the two.",
                path=(*where, "valueFrom"),
            )
        if len(sources) > 1:
            yield Fault(
                what=f"{name} in {named} is read from more than one source",
                step=f"Keep one of {', '.join(one_line(source, 40) for source in sources[:4])}.",
                path=(*where, "valueFrom"),
            )


def _resources(container: Manifest, place: Path, named: str) -> Iterator[Fault]:
    limits = object_at(container, "resources", "limits")
    for part in ("requests", "limits"):
        for resource, asked in object_at(container, "resources", part).items():
            wanted = quantity(asked)
            path = (*place, "resources", part, resource)
            amount = f"{one_line(text_at(asked), 40)} of {one_line(resource, 40)}"
            if wanted is None or wanted < 0:
                yield Fault(
                    what=f"{named} has a {part.removesuffix('s')} of {amount}, which is no quantity",
                    step="Write a quantity, like 500m, 2, 512Mi or 1Gi.",
                    path=path,
                )
            elif part == "requests" and (limit := quantity(limits.get(resource))) is not None and wanted > limit:
                yield Fault(
                    what=f"{named} requests {amount}, more than its limit of {one_line(text_at(limits[resource]), 40)}",
                    step="Raise the limit, or lower the request.",
                    path=path,
                )
