"""ConfigMaps and Secrets of a pod template that do not exist, or do not have the key, whether or not a Pod fails yet.

What the kubelet reports about a Pod is in `waiting` and `pods`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.findings.engine.build import namespace_of, object_finding
from agent.findings.engine.evidence import one_line, quote
from agent.findings.engine.health import workload_is_healthy
from agent.findings.engine.inventory import GroupKind, Inventory, controller_of
from agent.findings.engine.references import Missing, how_to_supply, makers_of
from agent.findings.model import Evidence, Finding
from agent.objects.manifest import Manifest, list_at, lookup, object_at, objects_at, text_at

TEMPLATED: tuple[GroupKind, ...] = (
    ("", "Pod"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
)

type _Path = tuple[str | int, ...]

# At most so many references of a template are read.
_REFERENCES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReference:
    """A reference to a ConfigMap or Secret, or to a key of it. `path` is its place in the manifest, `user` what
    needs it (`container api`, `volume tls`)."""

    kind: str
    name: str
    key: str
    path: _Path
    user: str


def lacking_configuration(inventory: Inventory) -> Iterator[Finding]:
    """A finding for each object or key that a template needs and that is missing according to the context."""
    for holder in inventory.of(*TEMPLATED):
        if _is_past(holder) or (
            (controller := controller_of(holder))
            and inventory.get(controller.kind, controller.namespace, controller.name)
        ):
            continue  # its controller is read
        reported: set[object] = set()
        for count, reference in enumerate(_references(holder)):
            if count > _REFERENCES:
                break
            missing = _missing(inventory, namespace_of(holder), reference)
            if missing is not None and missing not in reported:
                reported.add(missing)
                yield _finding(inventory, holder, reference, missing)


def _is_past(holder: Manifest) -> bool:
    """Whether it has ended or is being deleted, so that it needs nothing."""
    done = text_at(holder, "status", "phase") in ("Succeeded", "Failed")
    if text_at(holder, "kind") == "Job":
        done = bool(objects_at(holder, "status", "conditions")) and not lookup(holder, "status", "active")
    return done or lookup(holder, "metadata", "deletionTimestamp") is not None


def _missing(inventory: Inventory, namespace: str, reference: ConfigurationReference) -> Missing | None:
    found = inventory.get(reference.kind, namespace, reference.name)
    if found is None:
        gone = (reference.kind, namespace, reference.name) in inventory.absent
        return Missing(kind=reference.kind, name=reference.name) if gone else None
    data = [object_at(found, part) for part in ("data", "binaryData", "stringData")]
    # An object without data may have been read without it; then its keys are unknown.
    if not reference.key or not any(data) or any(reference.key in part for part in data):
        return None
    return Missing(kind=reference.kind, name=reference.name, key=reference.key)


def _finding(inventory: Inventory, holder: Manifest, reference: ConfigurationReference, missing: Missing) -> Finding:
    namespace = namespace_of(holder)
    found = inventory.get(missing.kind, namespace, missing.name)
    keys = sorted({key for part in ("data", "binaryData") for key in object_at(found, part)})
    existing = f" It has {', '.join(one_line(key, 60) for key in keys[:8])}." if keys and missing.key else ""
    problem = f"has no key {one_line(missing.key)}" if missing.key else "does not exist"
    is_healthy = workload_is_healthy(holder)
    return object_finding(
        holder,
        f"{missing.kind} {one_line(missing.name)} that {reference.user} needs {problem}",
        (
            "Its running containers started earlier; the next start fails."
            if is_healthy
            else "Its containers do not start."
        )
        + existing,
        quote(holder, *reference.path) + _quote_object(found),
        *how_to_supply(inventory, namespace, missing),
        severity="warning" if is_healthy else "error",
        cause=missing.cause(namespace),
        blames=makers_of(inventory, namespace, missing),
    )


def _quote_object(found: Manifest | None) -> tuple[Evidence, ...]:
    return quote(found, "metadata", "name") if found else ()


def _references(holder: Manifest) -> Iterator[ConfigurationReference]:
    """The references of a Pod or of a template that are not optional."""
    spec: _Path = ("spec",)
    if text_at(holder, "kind") != "Pod":
        spec = (*(("spec", "jobTemplate") if text_at(holder, "kind") == "CronJob" else ()), "spec", "template", "spec")
    for field in ("initContainers", "containers"):
        for index, container in enumerate(list_at(holder, *spec, field)):
            yield from _of_container(container, (*spec, field, index))
    for index, volume in enumerate(list_at(holder, *spec, "volumes")):
        yield from _of_source(volume, (*spec, "volumes", index), volume)
        for place, source in enumerate(list_at(volume, "projected", "sources")):
            yield from _of_source(source, (*spec, "volumes", index, "projected", "sources", place), volume)


def _of_container(container: object, path: _Path) -> Iterator[ConfigurationReference]:
    user = f"container {one_line(text_at(container, 'name'), 80)}"
    for index, entry in enumerate(list_at(container, "env")):
        origin = object_at(entry, "valueFrom")
        for field, kind in _KEYS if origin else ():
            found = object_at(origin, field)
            name, key = text_at(found, "name"), text_at(found, "key")
            if name and key and found.get("optional") is not True:
                place = (*path, "env", index, "valueFrom", field, "key")
                yield ConfigurationReference(kind=kind, name=name, key=key, path=place, user=user)
    for index, entry in enumerate(list_at(container, "envFrom")):
        for field, kind in _WHOLE:
            found = object_at(entry, field)
            if text_at(found, "name") and found.get("optional") is not True:
                place = (*path, "envFrom", index, field, "name")
                yield ConfigurationReference(kind=kind, name=text_at(found, "name"), key="", path=place, user=user)


def _of_source(source: object, path: _Path, volume: object) -> Iterator[ConfigurationReference]:
    """A volume, or a source of a projected one (which names a Secret by `name`)."""
    for field, kind in _SOURCES:
        found = object_at(source, field)
        if not found:
            continue
        named = "secretName" if text_at(found, "secretName") else "name"
        name = text_at(found, named)
        if not name or found.get("optional") is True:
            continue
        user = f"volume {one_line(text_at(volume, 'name'), 80)}"
        yield ConfigurationReference(kind=kind, name=name, key="", path=(*path, field, named), user=user)
        for index, item in enumerate(objects_at(found, "items")):
            if key := text_at(item, "key"):
                yield ConfigurationReference(
                    kind=kind, name=name, key=key, path=(*path, field, "items", index, "key"), user=user
                )


# Fields of a reference and their kinds: to a key, to all keys, of a volume.
_KEYS = (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap"))
_WHOLE = (("secretRef", "Secret"), ("configMapRef", "ConfigMap"))
_SOURCES = (("secret", "Secret"), ("configMap", "ConfigMap"))
