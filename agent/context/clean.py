"""Manifests without what no reader needs: the managed fields and kubectl's copy of the last applied manifest.

Owns what is dropped, a Secret's values among it, and the kind that Argo CD's API leaves out of an Application.
"""

from agent.objects.manifest import Manifest, lookup, object_at, text_at

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def cleaned(manifest: Manifest) -> Manifest:
    """`manifest` without `metadata.managedFields` and the last-applied annotation; what was given stays as it is."""
    metadata = object_at(manifest, "metadata")
    if "managedFields" not in metadata and lookup(metadata, "annotations", _LAST_APPLIED) is None:
        return manifest
    metadata = {key: value for key, value in metadata.items() if key != "managedFields"}
    annotations = object_at(metadata, "annotations")
    if _LAST_APPLIED in annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        if not metadata["annotations"]:
            del metadata["annotations"]
    return manifest | {"metadata": metadata}


def cleaned_application(manifest: Manifest) -> Manifest:
    """An Application like `cleaned`, with its kind and apiVersion: Argo CD's API leaves them out."""
    return cleaned({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"} | manifest)


MASK = "++++++++"
"""Replaces a Secret's value, as Argo CD writes it."""


def without_secret_values(manifest: Manifest) -> Manifest:
    """A core Secret with its keys alone; any other manifest as it is. What Argo CD masked already stays as it is."""
    if (text_at(manifest, "kind"), text_at(manifest, "apiVersion")) != ("Secret", "v1"):
        return manifest
    masked = {field: _masked(object_at(manifest, field)) for field in ("data", "stringData") if field in manifest}
    return cleaned(manifest | masked)


def _masked(data: Manifest) -> Manifest:
    return {key: value if isinstance(value, str) and not value.strip("+") else MASK for key, value in data.items()}
