"""Where a path of a container is: on a mounted volume, or in its image; and what lets the program write there."""

from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Protocol

from agent.findings.engine.evidence import one_line
from agent.objects.manifest import Manifest, lookup, object_at, objects_at, text_at
from agent.objects.target import ResourceRef


class RunningContainer(Protocol):
    """What is read of the container that wrote a line (see `engine.container.Container`)."""

    @property
    def name(self) -> str: ...
    @property
    def pod(self) -> Manifest: ...
    @property
    def spec(self) -> Manifest: ...
    @property
    def spec_path(self) -> tuple[str | int, ...] | None: ...
    @property
    def template(self) -> tuple[ResourceRef, str] | None: ...
    def spec_text(self, *path: str | int) -> str: ...
    def change(self, field: str, value: str, command: str = "") -> str: ...
    def change_template(self, what: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """The volume that a path is on. `source` names the ConfigMap, Secret or claim, "" for another volume."""

    volume: str
    mounted: str
    source: str
    kind: str
    read_only: bool


# Kinds of volumes, the field with the name of their source, and what it is called.
_SOURCES: tuple[tuple[str, str, str], ...] = (
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
)


def place_of(container: RunningContainer, path: str) -> FilePlace | None:
    """The mounted volume that the path is on, the deepest mount first; None where it is on none."""
    full = _absolute(container, path)
    mounts = [
        mount
        for mount in objects_at(container.spec, "volumeMounts")
        if _is_below(full, normpath(text_at(mount, "mountPath") or "/"))
    ]
    if not mounts:
        return None
    mount = max(mounts, key=lambda each: len(text_at(each, "mountPath")))
    name = text_at(mount, "name")
    volumes = objects_at(container.pod, "spec", "volumes")
    found = [each for each in volumes if text_at(each, "name") == name]
    volume: Manifest = found[0] if found else {}
    kind = next((key for key in volume if key != "name"), "")
    source = next(
        (f"{what} {one_line(text_at(volume, key, field), 80)}" for key, field, what in _SOURCES if key == kind), ""
    )
    return FilePlace(
        volume=one_line(name, 80),
        mounted=one_line(text_at(mount, "mountPath"), 120),
        source=source,
        kind=kind,
        read_only=lookup(mount, "readOnly") is True or kind in _READ_ONLY,
    )


# https://kubernetes.io/docs/concepts/storage/volumes/: they are always mounted read-only
_READ_ONLY = ("configMap", "secret", "projected", "downwardAPI")


def _absolute(container: RunningContainer, path: str) -> str:
    return normpath(join(container.spec_text("workingDir") or "/", path))


def _is_below(path: str, mounted: str) -> bool:
    return path == mounted or path.startswith(mounted.rstrip("/") + "/")


def grant_step(container: RunningContainer | None, path: str) -> str:
    """What lets the program write at `path`: rights on the volume that it is on, or a volume where there is none."""
    if container is None or container.spec_path is None:
        return (
            f"Make {path} writable for the user that the program runs as: fsGroup in the pod's securityContext where "
            "it is on a volume, otherwise an emptyDir mounted there."
        )
    place = place_of(container, path)
    if place is None:
        return _volume_for(container, path)
    if place.read_only:
        return (
            f"Let the program write elsewhere than {path}: volume {place.volume}"
            + (f" ({place.source})" if place.source else "")
            + f" is mounted read-only at {place.mounted}. Copy it to an emptyDir in an init container where it must be "
            "changed."
        )
    if place.kind == "hostPath":
        return (
            f"Give the user of the container the directory on the node ({place.mounted} is a hostPath, to which "
            "fsGroup does not apply): by an init container with chown, or by another kind of volume."
        )
    template = container.template
    where = f"{template[1].rpartition('.')[0]}.securityContext" if template else "spec.securityContext"
    group = _group(container) or "the group that it runs as"
    what = (
        f"set `{where}.fsGroup` to {group}, so that volume {place.volume}"
        + (f" ({place.source})" if place.source else "")
        + f" at {place.mounted} is writable for it (with NFS, which has no fsGroup, grant the rights on the server)"
    )
    return container.change_template(what)


def _volume_for(container: RunningContainer, path: str) -> str:
    """The step for a path that is in the image."""
    is_absolute = path.startswith("/")
    unmounted = _unmounted_claim(container)
    directory = one_line((dirname(path.rstrip("/")) or "/") if is_absolute else path, 120)
    where = directory if is_absolute else f"{directory} in the working directory"
    if unmounted:
        what = f"mount volume {unmounted}, which no container mounts, at {where} and set fsGroup in the pod's "
        return container.change_template(what + "securityContext, so that it is writable")
    user = _user(container)
    as_user = f" (it runs as {user})" if user else ""
    writable = (
        f"mount an emptyDir at {where} (volumes and volumeMounts of container {container.name})"
        if directory != "/"
        else "let it write to a directory with an emptyDir volume"
    )
    step = container.change_template(f"{writable}, or use an image made for any user id{as_user}")
    if lookup(container.spec, "securityContext", "readOnlyRootFilesystem") is True:
        return f"{step} The path is on no volume, and readOnlyRootFilesystem is set."
    return f"{step} The path is on no volume: it is in the image, whose files belong to another user."


def _unmounted_claim(container: RunningContainer) -> str:
    """The volume with a claim that no container of the Pod mounts, "" without one."""
    containers = (each for key in _CONTAINERS for each in objects_at(container.pod, "spec", key))
    mounted = {text_at(mount, "name") for each in containers for mount in objects_at(each, "volumeMounts")}
    for volume in objects_at(container.pod, "spec", "volumes"):
        name, claim = text_at(volume, "name"), text_at(volume, "persistentVolumeClaim", "claimName")
        if claim and name not in mounted:
            return f"{one_line(name, 80)} (PersistentVolumeClaim {one_line(claim, 80)})"
    return ""


_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def _user(container: RunningContainer) -> str:
    contexts = (object_at(container.spec, "securityContext"), object_at(container.pod, "spec", "securityContext"))
    return next((user for each in contexts if (user := text_at(each, "runAsUser"))), "")


def _group(container: RunningContainer) -> str:
    contexts = (object_at(container.spec, "securityContext"), object_at(container.pod, "spec", "securityContext"))
    return next(
        (found for key in ("runAsGroup", "runAsUser") for each in contexts if (found := text_at(each, key))), ""
    )
