"""Kubernetes objects as tests need them: small, but with what an API puts in them."""

from typing import Any

from agent.objects.manifest import Manifest

type State = dict[str, Any]

RUNNING: State = {"running": {"startedAt": "2026-11-21T07:59:00Z"}}
CRASH_LOOP: State = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}}
NO_IMAGE: State = {"waiting": {"reason": "ImagePullBackOff"}}
STARTING: State = {"waiting": {"reason": "PodInitializing"}}
OOM_KILLED: State = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
COMPLETED: State = {"terminated": {"reason": "Completed", "exitCode": 0}}


def container_status(
    name: str, state: State, *, ready: bool = False, last: State | None = None, restarts: int = 0
) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state, "lastState": last or {}}


def healthy(name: str) -> dict[str, Any]:
    return container_status(name, RUNNING, ready=True)


def crashing(name: str) -> dict[str, Any]:
    return container_status(name, CRASH_LOOP, last=OOM_KILLED, restarts=7)


def pod(
    name: str,
    *statuses: dict[str, Any],
    init: tuple[dict[str, Any], ...] = (),
    owner: Manifest | None = None,
    phase: str = "Running",
    created: str = "2026-11-21T07:00:00Z",
) -> Manifest:
    """A Pod with the containers whose statuses are given."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, owner=owner) | {"creationTimestamp": created},
        "spec": {
            "initContainers": [{"name": status["name"]} for status in init],
            "containers": [{"name": status["name"]} for status in statuses],
        },
        "status": {"phase": phase, "containerStatuses": list(statuses), "initContainerStatuses": list(init)},
    }


def workload(kind: str, name: str, *, api_version: str = "apps/v1", owner: Manifest | None = None) -> Manifest:
    """A Deployment, ReplicaSet, ... whose Pods have the label `app: web`."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": metadata(name, owner=owner),
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "api"}]}},
        },
    }


def metadata(name: str, *, owner: Manifest | None = None, namespace: str = "shop") -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{name}",
        "labels": {"app": "web"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "shop"},
        "managedFields": [{"manager": "kubectl", "operation": "Update"}],
    }
    if owner is not None:
        found["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"].get("uid"),
                "controller": True,
            }
        ]
    return found


def application(name: str = "shop", **spec: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata(name, namespace="argocd"),
        "spec": {"project": "web", "destination": {"server": "https://kubernetes.default.svc"}} | spec,
        "status": {"sync": {"status": "OutOfSync"}},
    }


def event(about: Manifest, reason: str, message: str, **fields: Any) -> Manifest:
    """A core/v1 event as the API gives it: most of its times are null."""
    involved = {key: about["metadata"].get(key) for key in ("namespace", "name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{involved['name']}.{reason}",
            "namespace": involved["namespace"],
            "creationTimestamp": "2026-11-21T08:00:00Z",
        },
        "involvedObject": involved | {"kind": about["kind"], "apiVersion": about["apiVersion"]},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 1,
        "eventTime": None,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "series": None,
        "source": {"component": "kubelet"},
    } | fields


DEPLOYMENT = workload("Deployment", "web")
REPLICA_SET = workload("ReplicaSet", "web-5d9", owner=DEPLOYMENT)
POD = pod("web-5d9-x1", crashing("api"), owner=REPLICA_SET)
