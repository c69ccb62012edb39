"""A fake of the Kubernetes API server: discovery, any object, selectors, events, logs and Status errors.

kubernetes = FakeKubernetes()
kubernetes.add(deployment, replica_set, pod, event)
kubernetes.add_log("web-1", "api", ["listening"])
with kubernetes.serving() as url: write_kubeconfig(path, url)
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from agent.objects.manifest import Manifest, text_at
from tests.fakes.recording import Recording

TOKEN = "kubernetes-token-71c0"

# api version -> kind, plural, namespaced
_BUILT_IN: dict[str, list[tuple[str, str, bool]]] = {
    "v1": [
        ("Pod", "pods", True),
        ("Service", "services", True),
        ("ConfigMap", "configmaps", True),
        ("Secret", "secrets", True),
        ("Event", "events", True),
        ("PersistentVolumeClaim", "persistentvolumeclaims", True),
        ("ServiceAccount", "serviceaccounts", True),
        ("ResourceQuota", "resourcequotas", True),
        ("LimitRange", "limitranges", True),
        ("PersistentVolume", "persistentvolumes", False),
        ("ReplicationController", "replicationcontrollers", True),
        ("Namespace", "namespaces", False),
        ("Node", "nodes", False),
    ],
    "apps/v1": [
        ("Deployment", "deployments", True),
        ("ReplicaSet", "replicasets", True),
        ("StatefulSet", "statefulsets", True),
        ("DaemonSet", "daemonsets", True),
    ],
    "batch/v1": [("Job", "jobs", True), ("CronJob", "cronjobs", True)],
    "argoproj.io/v1alpha1": [("Application", "applications", True), ("Rollout", "rollouts", True)],
    "discovery.k8s.io/v1": [("EndpointSlice", "endpointslices", True)],
    "networking.k8s.io/v1": [("Ingress", "ingresses", True), ("IngressClass", "ingressclasses", False)],
    "storage.k8s.io/v1": [("StorageClass", "storageclasses", False)],
    "policy/v1": [("PodDisruptionBudget", "poddisruptionbudgets", True)],
    # Two versions, the preferred one first.
    "autoscaling/v2": [("HorizontalPodAutoscaler", "horizontalpodautoscalers", True)],
    "autoscaling/v1": [("HorizontalPodAutoscaler", "horizontalpodautoscalers", True)],
}


class FakeKubernetes(Recording):
    """Holds objects and logs. `token` None: anonymous access."""

    def __init__(self, *, token: str | None = TOKEN) -> None:
        super().__init__()
        self._token = token
        self._kinds = {api_version: list(kinds) for api_version, kinds in _BUILT_IN.items()}
        self._objects: list[Manifest] = []
        self._logs: dict[tuple[str, str, bool], str] = {}
        self._refused: dict[tuple[str, str, bool], str] = {}

    # What it holds

    def add_kind(self, api_version: str, kind: str, plural: str, *, namespaced: bool = True) -> None:
        """A kind more, as a CustomResourceDefinition brings it."""
        self._kinds.setdefault(api_version, []).append((kind, plural, namespaced))

    def add(self, *objects: Manifest) -> None:
        """Objects of any kind, events among them."""
        self._objects += objects

    def replace(self, changed: Manifest) -> None:
        """Another state of an object that is held."""
        uid = changed["metadata"]["uid"]
        self._objects = [changed if text_at(each, "metadata", "uid") == uid else each for each in self._objects]

    def add_log(self, pod: str, container: str, lines: Sequence[str], *, previous: bool = False) -> None:
        """A container's log, oldest line first."""
        self._logs[pod, container, previous] = "".join(f"{line}\n" for line in lines)

    def add_refused_log(self, pod: str, container: str, message: str, *, previous: bool = False) -> None:
        """A log that is answered with 400 and this message."""
        self._refused[pod, container, previous] = message

    # How it answers

    def app(self) -> Starlette:
        async def endpoint(request: Request) -> Response:
            return await self.answer(request, self._handle)

        return Starlette(routes=[Route("/{path:path}", endpoint)])

    async def _handle(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._token and (scheme.lower(), token) != ("bearer", self._token):
            return status(401, "Unauthorized", "Unauthorized")
        parts = request.url.path.strip("/").split("/")
        match parts:
            case ["version"]:
                return JSONResponse({"major": "1", "minor": "34", "gitVersion": "v1.34.2"})
            case ["apis"]:
                return JSONResponse({"kind": "APIGroupList", "groups": self._groups()})
            case ["api", version]:
                return self._resources(version)
            case ["apis", group, version]:
                return self._resources(f"{group}/{version}")
            case ["api", version, *rest]:
                return self._objects_at(request, version, rest)
            case ["apis", group, version, *rest]:
                return self._objects_at(request, f"{group}/{version}", rest)
            case _:
                return status(404, "NotFound", "the server could not find the requested resource")

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[str, list[dict[str, str]]] = {}
        for api_version in self._kinds:
            group, _, version = api_version.rpartition("/")
            if group:
                groups.setdefault(group, []).append({"groupVersion": api_version, "version": version})
        return [
            {"name": name, "versions": versions, "preferredVersion": versions[0]} for name, versions in groups.items()
        ]

    def _resources(self, api_version: str) -> Response:
        if api_version not in self._kinds:
            return status(404, "NotFound", "the server could not find the requested resource")
        resources: list[dict[str, Any]] = []
        for kind, plural, namespaced in self._kinds[api_version]:
            entry = {"kind": kind, "namespaced": namespaced, "singularName": kind.lower(), "verbs": ["get", "list"]}
            resources.append(entry | {"name": plural})
            resources.append(entry | {"name": f"{plural}/status"})
        return JSONResponse({"kind": "APIResourceList", "groupVersion": api_version, "resources": resources})

    def _objects_at(self, request: Request, api_version: str, rest: list[str]) -> Response:
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            _, namespace, *rest = rest
        plural, *names = rest
        kind = next((kind for kind, name, _ in self._kinds.get(api_version, []) if name == plural), None)
        if kind is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        held = [
            each
            for each in self._objects
            if (each.get("apiVersion"), each.get("kind")) == (api_version, kind)
            and namespace in {"", text_at(each, "metadata", "namespace")}
        ]
        match names:
            case []:
                return self._list(request, held, api_version, kind)
            case [name]:
                found = next((each for each in held if text_at(each, "metadata", "name") == name), None)
                return JSONResponse(found) if found else status(404, "NotFound", f'{plural} "{name}" not found')
            case [name, "log"]:
                return self._log(request, name)
            case _:
                return status(404, "NotFound", "the server could not find the requested resource")

    def _list(self, request: Request, held: list[Manifest], api_version: str, kind: str) -> Response:
        labels, fields = request.query_params.get("labelSelector", ""), request.query_params.get("fieldSelector", "")
        found = [
            {key: value for key, value in each.items() if key not in {"kind", "apiVersion"}}
            for each in held
            if _labels_match(each, labels) and _fields_match(each, fields)
        ]
        limit = int(request.query_params.get("limit", "0")) or len(found)
        metadata = {"continue": "more"} if len(found) > limit else {}
        # As Go writes an empty list that was never made.
        items = found[:limit] or None
        return JSONResponse({"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": items})

    def _log(self, request: Request, pod: str) -> Response:
        query = request.query_params
        key = (pod, query.get("container", ""), query.get("previous") == "true")
        if key in self._refused:
            return status(400, "BadRequest", self._refused[key])
        if key not in self._logs:
            message = f'previous terminated container "{key[1]}" in pod "{pod}" not found'
            return status(400, "BadRequest", message)
        lines = self._logs[key].splitlines(keepends=True)
        if query.get("timestamps") == "true":
            lines = [f"2026-11-21T08:{i // 60 % 60:02}:{i % 60:02}.000000001Z {line}" for i, line in enumerate(lines)]
        return PlainTextResponse("".join(lines[-int(query["tailLines"]) :]))


def status(code: int, reason: str, message: str) -> Response:
    """A Status object as the API answers errors."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return JSONResponse(body | {"code": code}, status_code=code)


def write_kubeconfig(
    path: Path, url: str, *, token: str = TOKEN, namespace: str | None = None, ca: Path | None = None
) -> Path:
    """A kubeconfig for the cluster at `url`, as a file for KUBECONFIG."""
    cluster = {"server": url} | ({"certificate-authority": str(ca)} if ca else {})
    context = {"cluster": "fake", "user": "me"} | ({"namespace": namespace} if namespace else {})
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "fake", "context": context}],
        "current-context": "fake",
    }
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _fields_match(each: Manifest, selector: str) -> bool:
    wanted = [term.split("=", 1) for term in selector.split(",") if term]
    return all(text_at(each, *path.split(".")) == value for path, value in wanted)


def _labels_match(each: Manifest, selector: str) -> bool:
    labels: Mapping[str, str] = each.get("metadata", {}).get("labels") or {}
    return all(_label_matches(labels, term) for term in re.findall(r"[^,(]+(?:\([^)]*\))?", selector))


def _label_matches(labels: Mapping[str, str], term: str) -> bool:
    if match := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
        key, operator, values = match.groups()
        return (labels.get(key) in values.split(",")) == (operator == "in")
    if term.startswith("!"):
        return term[1:] not in labels
    key, equals, value = term.partition("=")
    return labels.get(key) == value if equals else key in labels
