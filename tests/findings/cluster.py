"""Objects as a real API server returns them, as short as the tests allow: each with uid, conditions and nulls."""

from typing import Any

from agent.context.context import Context
from agent.context.model import ContainerLog, Event, Gap, LogLine, ManagedResource, TreeNode
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef, Target

NAMESPACE = "shop"


def context(
    manifest: Manifest | None = None,
    *children: Manifest,
    events: tuple[Event, ...] = (),
    logs: tuple[ContainerLog, ...] = (),
    application: Manifest | None = None,
    gaps: tuple[Gap, ...] = (),
    related: tuple[Manifest, ...] = (),
    tree: tuple[TreeNode, ...] = (),
    managed: tuple[ManagedResource, ...] = (),
) -> Context:
    """A context about `manifest`, or about nothing but what else is given."""
    resource = ResourceRef.of(manifest) if manifest else None
    return Context(
        target=Target.model_construct(resource=resource, application=None),
        manifest=manifest,
        children=children,
        events=events,
        logs=logs,
        application=application,
        gaps=gaps,
        related=related,
        tree=tree,
        managed=managed,
    )


def node(
    kind: str,
    name: str = "api",
    *,
    group: str = "",
    health: str = "",
    message: str = "",
    labels: dict[str, str] | None = None,
    selects: dict[str, str] | None = None,
    parents: tuple[ResourceRef, ...] = (),
) -> TreeNode:
    """A node of the resource tree; `selects` are a Service's target labels."""
    reference = ResourceRef(group=group, version="v1", kind=kind, namespace=NAMESPACE, name=name, uid=f"uid-of-{name}")
    return TreeNode(
        resource=reference,
        health=health,
        message=message,
        labels=labels or {},
        target_labels=selects or {},
        parents=parents,
    )


def running(**more: Any) -> Manifest:
    """The state of a container that runs."""
    return {"state": {"running": {"startedAt": "2026-11-20T07:41:00Z"}}, "lastState": {}, "ready": True} | more


def waiting(reason: str, message: str = "", **more: Any) -> Manifest:
    """The state of a container that waits."""
    return {
        "state": {"waiting": {"reason": reason, "message": message or None}},
        "lastState": {},
        "ready": False,
    } | more


def ended(exit_code: int, reason: str = "Error", message: str | None = None) -> Manifest:
    """How a container ended."""
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "message": message,
            "startedAt": "2026-11-20T07:40:48Z",
            "finishedAt": "2026-11-20T07:41:32Z",
            "containerID": "containerd://0f6d7c0a",
        }
    }


def crash_loop(exit_code: int, reason: str = "Error", message: str | None = None) -> Manifest:
    """The status of a container that crashed and waits for its next start."""
    return waiting(
        "CrashLoopBackOff", "back-off 5m0s restarting failed container=api", lastState=ended(exit_code, reason, message)
    ) | {"restartCount": 7}


def pod(
    status: Manifest | None = None,
    *,
    name: str = "api-6c9d8f7b5d-x7k2p",
    spec: Manifest | None = None,
    phase: str = "Running",
    init: Manifest | None = None,
    owner: tuple[str, str] | None = None,
    pod_spec: Manifest | None = None,
    **pod_status: Any,
) -> Manifest:
    """A Pod with one container `api` (and an init container `wait`, where `init` is its status)."""
    ready = bool(status and status.get("ready"))
    metadata: Manifest = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-of-{name}",
        "resourceVersion": "184220911",
        "creationTimestamp": "2026-11-19T14:02:29Z",
        "deletionTimestamp": None,
        "labels": {"app": "api", "pod-template-hash": "6c9d8f7b5d"},
    }
    if owner:
        kind, owner_name = owner
        api_version = "batch/v1" if kind == "Job" else "apps/v1"
        metadata["ownerReferences"] = [
            {"apiVersion": api_version, "kind": kind, "name": owner_name, "uid": "u", "controller": True}
        ]
    container: Manifest = {"name": "api", "image": "registry.example.com/shop/api:2.14.0", **(spec or {})}
    statuses: list[Manifest] | None = (
        [{"name": "api", "image": container["image"], "restartCount": 0, "started": None} | status] if status else None
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], "nodeName": "worker-1"}
        | ({"initContainers": [{"name": "wait", "image": "busybox:1"}]} if init else {})
        | (pod_spec or {}),
        "status": {
            "phase": phase,
            "conditions": [
                {"type": "PodScheduled", "status": "True", "lastProbeTime": None},
                {"type": "Ready", "status": "True" if ready else "False", "lastProbeTime": None},
            ],
            "initContainerStatuses": [{"name": "wait", "restartCount": 0} | init] if init else None,
            "containerStatuses": statuses,
        }
        | pod_status,
    }


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Manifest:
    """A condition of a status."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-11-20T07:31:20Z",
    }


def resource(api_version: str, kind: str, name: str = "api", **parts: Any) -> Manifest:
    """An object of any kind."""
    metadata = {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{kind}-{name}", "generation": 3}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata} | parts


def event(about: Manifest, reason: str, message: str, *, kind: str = "Warning", count: int = 1) -> Event:
    """An event about an object."""
    return Event(
        type=kind,
        reason=reason,
        message=message,
        involved=ResourceRef.of(about),
        count=count,
        last_seen="2026-11-20T07:44:31Z",
        reporter="kubelet",
    )


def log(*lines: str, container: str = "api", pod_name: str = "", previous: bool = False) -> ContainerLog:
    """A log, a line a second."""
    return ContainerLog(
        container=container,
        pod=pod_name,
        previous=previous,
        lines=tuple(LogLine(text=text, timestamp=f"2026-11-20T07:41:{i:02}Z") for i, text in enumerate(lines)),
    )
