"""Workloads that were never applied: what the API server would refuse of them, apart from their containers.

Sources: `ValidateDeploymentSpec` and its like in Kubernetes' pkg/apis/apps/validation/validation.go, `ValidateJobSpec`
in pkg/apis/batch/validation/validation.go, `ValidateObjectMeta` in apimachinery, and the decoding of labels,
annotations and a ConfigMap's data, which are maps of strings:
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
"""

import re
from collections.abc import Iterator

from agent.findings.engine.evidence import one_line
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.never_applied import Fault, Path
from agent.findings.model import Finding
from agent.findings.workloads.unapplied_containers import container_faults
from agent.objects.manifest import Manifest, lookup, object_at, path_text, text_at, was_applied
from agent.objects.selectors import differences, labels_at, selects

CONFIG_MAP: GroupKind = ("", "ConfigMap")
_SELECTING: tuple[GroupKind, ...] = tuple(
    ("apps", kind) for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
)
_POD_TEMPLATES: dict[GroupKind, Path] = {
    **dict.fromkeys(_SELECTING, ("spec", "template")),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("", "Pod"): (),
}
WORKLOADS: tuple[GroupKind, ...] = (*_POD_TEMPLATES, CONFIG_MAP)

# RFC 1123: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_LENGTH = 253


def unapplied_workloads(inventory: Inventory) -> Iterator[Finding]:
    """The findings of workloads and ConfigMaps that no cluster has stored and that the API server would refuse."""
    for kind in WORKLOADS:
        for manifest in inventory.of(kind):
            if not was_applied(manifest):
                for fault in _faults(kind, manifest):
                    yield fault.finding(manifest)


def _faults(kind: GroupKind, manifest: Manifest) -> Iterator[Fault]:
    yield from _name(manifest)
    yield from _texts(manifest, ("metadata", "labels"), ("metadata", "annotations"))
    if kind == CONFIG_MAP:
        yield from _texts(manifest, ("data",))
        return
    template = _POD_TEMPLATES[kind]
    if template:
        yield from _texts(manifest, (*template, "metadata", "labels"), (*template, "metadata", "annotations"))
    if kind in _SELECTING:
        yield from _selector(manifest)
    if object_at(manifest, *template, "spec", "containers", 0):
        yield from _restart_policy(kind, manifest, (*template, "spec"))
    yield from container_faults(manifest, (*template, "spec"))


def _name(manifest: Manifest) -> Iterator[Fault]:
    name = text_at(manifest, "metadata", "name")
    if name and not (len(name) <= _NAME_LENGTH and _SUBDOMAIN.fullmatch(name)):
        yield Fault(
            what="its name is not of lower-case letters, digits, `-` and `.`",
            step="Correct metadata.name.",
            path=("metadata", "name"),
        )


def _texts(manifest: Manifest, *paths: Path) -> Iterator[Fault]:
    """What is no string in a map of strings: YAML reads `on`, `1.0` and `8080` as other types."""
    for path in paths:
        for key, value in object_at(manifest, *path).items():
            if isinstance(value, bool | int | float):
                yield Fault(
                    what=f"{one_line(path_text((*path, key)), 120)} is {one_line(text_at(value), 40)} and no string",
                    step="Put the value in quotation marks.",
                    path=(*path, key),
                )


def _selector(manifest: Manifest) -> Iterator[Fault]:
    selector = object_at(manifest, "spec", "selector")
    where: Path = ("spec", "template", "metadata", "labels")
    labels = labels_at(manifest, *where)
    if not labels:
        return
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield Fault(
            what="spec.selector is missing",
            step="Set spec.selector.matchLabels to labels of spec.template.metadata.labels.",
            path=("spec", "selector"),
            also=(where,),
        )
    elif not selects(selector, labels):
        missing = differences(labels_at(selector, "matchLabels"), labels)
        wanted = ", ".join(f"{one_line(key, 80)}={one_line(value, 80)}" for key, value, _ in missing[:3])
        yield Fault(
            what=f"its selector wants {wanted or 'what matchExpressions states'}, which its pod template does not have",
            step="Make spec.selector and spec.template.metadata.labels agree.",
            path=("spec", "selector", "matchLabels" if missing else "matchExpressions"),
            also=(where,),
        )


def _restart_policy(kind: GroupKind, manifest: Manifest, spec: Path) -> Iterator[Fault]:
    policy = text_at(manifest, *spec, "restartPolicy")
    path = (*spec, "restartPolicy")
    if kind in _SELECTING and policy not in ("", "Always"):
        yield Fault(
            what=f"restartPolicy is {one_line(policy, 40)}, and a {kind[1]} has Always only",
            step=f"Remove {path_text(path)}, or use a Job for what runs once.",
            path=path,
        )
    elif kind[0] == "batch" and policy not in ("OnFailure", "Never"):
        yield Fault(
            what=f"restartPolicy is {one_line(policy, 40) or 'missing'}, and a {kind[1]} needs OnFailure or Never",
            step=f"Set {path_text(path)} to OnFailure or Never.",
            path=path if lookup(manifest, *path) else (*spec, "containers", 0, "name"),
        )
