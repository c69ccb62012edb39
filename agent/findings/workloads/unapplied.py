"""Manifests that were never applied: what the API server would refuse, or what could never work.

Only for objects without a uid: what a cluster has stored has passed these rules. Sources:
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ (selector), and Kubernetes'
pkg/apis/core/validation/validation.go (names, mounts, ports, resources).
"""

from collections import Counter
from collections.abc import Iterator

from agent.findings.engine.build import named, object_finding
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.model import Finding
from agent.objects.manifest import Manifest, lookup, object_at, objects_at, text_at
from agent.objects.quantities import quantity

SELECTING: tuple[GroupKind, ...] = (
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
)
TEMPLATED: tuple[GroupKind, ...] = (*SELECTING, ("batch", "Job"), ("", "Pod"))


def unapplied_workloads(inventory: Inventory) -> Iterator[Finding]:
    """The findings of workloads without a uid that the API server would refuse."""
    for kind in TEMPLATED:
        for manifest in inventory.of(kind):
            if text_at(manifest, "metadata", "uid") or lookup(manifest, "status") is not None:
                continue
            if kind in SELECTING and (finding := _selector(manifest)):
                yield finding
            template = ("spec",) if kind == ("", "Pod") else ("spec", "template", "spec")
            yield from _pod_spec(manifest, template)


def _selector(manifest: Manifest) -> Finding | None:
    wanted = object_at(manifest, "spec", "selector", "matchLabels")
    labels = object_at(manifest, "spec", "template", "metadata", "labels")
    missing = {key: value for key, value in wanted.items() if labels.get(key) != value}
    if not missing:
        return None
    wrong = ", ".join(f"{key}={one_line(str(value), 60)}" for key, value in list(missing.items())[:3])
    return object_finding(
        manifest,
        f"{named(manifest)} would be refused: its selector wants {wrong}, which its pod template does not have",
        "`selector` does not match template `labels`: the API server refuses such a workload.",
        quote(manifest, "spec", "selector", "matchLabels") + quote(manifest, "spec", "template", "metadata", "labels"),
        "Make spec.selector.matchLabels and spec.template.metadata.labels agree.",
    )


def _pod_spec(manifest: Manifest, path: tuple[str, ...]) -> Iterator[Finding]:
    containers = [
        (field, index, container)
        for field in ("initContainers", "containers")
        for index, container in enumerate(objects_at(manifest, *path, field))
    ]
    names = Counter(text_at(container, "name") for _, _, container in containers)
    for name in [name for name, count in names.items() if count > 1]:
        yield _refused(
            manifest,
            f"two containers have the name {one_line(name, 80) or '(none)'}",
            "Give each container a name of its own.",
            (*path, "containers", 0, "name"),
        )
    volumes = {text_at(volume, "name") for volume in objects_at(manifest, *path, "volumes")}
    claims = {text_at(claim, "metadata", "name") for claim in objects_at(manifest, "spec", "volumeClaimTemplates")}
    for field, index, container in containers:
        where = (*path, field, index)
        for number, mount in enumerate(objects_at(container, "volumeMounts")):
            volume = text_at(mount, "name")
            if volume not in volumes | claims:
                yield _refused(
                    manifest,
                    f"container {_name(container)} mounts volume {one_line(volume, 80)}, which is not in its volumes",
                    f"Add the volume to {'.'.join(path)}.volumes, or correct the name of the mount.",
                    (*where, "volumeMounts", number, "name"),
                )
        yield from _probe_ports(manifest, container, where)
        yield from _resources(manifest, container, where)


def _probe_ports(manifest: Manifest, container: Manifest, where: tuple[str | int, ...]) -> Iterator[Finding]:
    declared = {text_at(port, "name") for port in objects_at(container, "ports")} - {""}
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        for action in ("httpGet", "tcpSocket"):
            port = lookup(container, probe, action, "port")
            if isinstance(port, str) and not port.isdigit() and port not in declared:
                yield _refused(
                    manifest,
                    f"the {probe} of container {_name(container)} asks port {one_line(port, 40)}, "
                    "which it does not declare",
                    f"Declare a port of that name in the container's ports, or correct {probe}.{action}.port.",
                    (*where, probe, action, "port"),
                    verb="could never be ready",
                )


def _resources(manifest: Manifest, container: Manifest, where: tuple[str | int, ...]) -> Iterator[Finding]:
    limits = object_at(container, "resources", "limits")
    for resource, asked in object_at(container, "resources", "requests").items():
        wanted, limit = quantity(asked), quantity(limits.get(resource))
        if wanted is not None and limit is not None and wanted > limit:
            yield _refused(
                manifest,
                f"container {_name(container)} requests {one_line(str(asked), 20)} of {one_line(resource, 40)}, "
                f"more than its limit of {one_line(str(limits[resource]), 20)}",
                "Raise the limit, or lower the request.",
                (*where, "resources", "requests", resource),
            )


def _refused(
    manifest: Manifest, fault: str, step: str, path: tuple[str | int, ...], *, verb: str = "would be refused"
) -> Finding:
    return object_finding(
        manifest,
        f"{named(manifest)} {verb}: {fault}",
        "The manifest has no status, so it was never applied; the API server checks this before it stores an object.",
        quote(manifest, *path) or quote(manifest, "metadata", "name"),
        step,
    )


def _name(container: Manifest) -> str:
    return one_line(text_at(container, "name"), 80) or "(unnamed)"
