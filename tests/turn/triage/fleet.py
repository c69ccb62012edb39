"""A fleet of Applications for a fake Argo CD: most are well, the others are broken in a few ways, again and again."""

from typing import Any

from agent.objects.manifest import Manifest
from tests.fakes.argocd import FakeArgoCD

RESOURCES = 20
REPOSITORY = "https://git.example.com/platform/deploy.git"


def application(name: str, *, project: str = "web", **status: Any) -> Manifest:
    """An Application of `project`, Healthy and Synced but for what `status` says."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "uid": f"uid-{name}"},
        "spec": {
            "project": project,
            "source": {"repoURL": REPOSITORY, "path": name, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
        },
        "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}, **status},
    }


def unreadable_repository(name: str) -> Manifest:
    """One whose repository refuses Argo CD."""
    message = f"failed to list refs: authentication required: {REPOSITORY}"
    return application(
        name,
        sync={"status": "Unknown"},
        conditions=[{"type": "ComparisonError", "message": message}],
    )


def pod(name: str, namespace: str, **status: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}"},
        "spec": {"containers": [{"name": "api", "resources": {"limits": {"memory": "256Mi"}}}]},
        "status": {"phase": "Running", **status},
    }


def killed_pod(name: str, namespace: str) -> Manifest:
    """A Pod whose container is killed for want of memory, again and again."""
    container = {
        "name": "api",
        "ready": False,
        "restartCount": 9,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    return pod(name, namespace, containerStatuses=[container])


def add(argocd: FakeArgoCD, name: str, *, kind: str, project: str = "web", resources: int = RESOURCES) -> None:
    """Adds an Application with its resources: `healthy`, `killed`, `repository` or `drifted`."""
    match kind:
        case "healthy":
            argocd.add_application(application(name, project=project))
        case "killed":
            argocd.add_application(application(name, project=project, health={"status": "Degraded"}))
        case "repository":
            argocd.add_application(unreadable_repository(name))
        case _:
            argocd.add_application(application(name, project=project, sync={"status": "OutOfSync"}))
    for number in range(resources):
        one = killed_pod if kind == "killed" and number == 0 else pod
        ready = {} if one is killed_pod else {"conditions": [{"type": "Ready", "status": "True"}]}
        manifest = killed_pod(f"{name}-{number}", name) if one is killed_pod else pod(f"{name}-{number}", name, **ready)
        argocd.add_resource(name, manifest, health="Degraded" if one is killed_pod else "Healthy")
        argocd.add_events(manifest["metadata"]["uid"], [])
        argocd.add_log(manifest["metadata"]["name"], "api", ["allocating 64 MiB"] * 50, previous=one is killed_pod)
    argocd.add_events(f"uid-{name}", [])


def fleet(size: int, *, project: str = "web", resources: int = RESOURCES) -> FakeArgoCD:
    """`size` Applications: of ten, seven healthy, one killed, one with an unreadable repository, one drifted."""
    argocd = FakeArgoCD()
    kinds = ("healthy",) * 7 + ("killed", "repository", "drifted")
    for number in range(size):
        add(argocd, f"app-{number:04}", kind=kinds[number % 10], project=project, resources=resources)
    return argocd
