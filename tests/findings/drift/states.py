"""Resources as Argo CD compares them: a Deployment in Git, and what the cluster made of it."""

import copy
from collections.abc import Callable
from typing import Any

from agent.context.context import Context
from agent.context.model import ManagedResource
from agent.findings.drift import Drift, drifts_of
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef, Target

DEPLOYMENT: Manifest = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {
                "containers": [
                    {
                        "name": "api",
                        "image": "registry.example.com/shop/api:2.14.0",
                        "env": [{"name": "LEVEL", "value": "info"}, {"name": "PORT", "value": "8080"}],
                        "ports": [{"containerPort": 8080}],
                        "resources": {"requests": {"cpu": "1000m"}},
                    }
                ]
            },
        },
    },
}


def managed(git: Manifest | None, live: Manifest | None) -> ManagedResource:
    """As in the answer of `/managed-resources`: a missing side is None."""
    reference = ResourceRef.of(git or live or {})
    assert reference
    return ManagedResource(resource=reference, target=git, live=live, normalized_live=live, predicted_live=git)


def context_of(*resources: ManagedResource, **parts: Any) -> Context:
    return Context(target=Target(), managed=resources, **parts)


def drift(git: Manifest | None, live: Manifest | None, **parts: Any) -> Drift:
    """The one resource's drift."""
    (found,) = drifts_of(context_of(managed(git, live), **parts))
    return found


def edited(change: Callable[[Manifest], object], manifest: Manifest = DEPLOYMENT) -> Manifest:
    """A copy of the manifest, changed."""
    copied = copy.deepcopy(manifest)
    change(copied)
    return copied


def put(*path: str | int, value: Any) -> Callable[[Manifest], None]:
    """A change that writes a value at a path; -1 as the last step appends it to a list."""

    def change(manifest: Manifest) -> None:
        *before, last = path
        place: Any = manifest
        for step in before:
            place = place[step]
        if last == -1:
            place.append(value)
        else:
            place[last] = value

    return change


CONTAINERS = ("spec", "template", "spec", "containers")


def container(manifest: Manifest) -> Manifest:
    """The first container of the pod template."""
    return manifest["spec"]["template"]["spec"]["containers"][0]


def sorted_as(found: Drift) -> dict[str, str]:
    """The category of each path."""
    return {difference.path: difference.category for difference in found.differences}


def set_by(manager: str, fields: Manifest, time: str = "2026-11-20T07:41:00Z") -> Manifest:
    """An entry of metadata.managedFields."""
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
