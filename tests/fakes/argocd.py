"""A fake of the Argo CD API server: the Application endpoints, with their errors, nulls and streams.

argocd = FakeArgoCD()
argocd.add_application(application)
argocd.add_resource("shop", deployment, health="Degraded")
argocd.add_resource("shop", pod, parent=deployment)
with argocd.serving() as url: ...
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ResourceRef
from tests.fakes.recording import Recording

TOKEN = "argocd-token-3f9a"

ZERO_TIME = "0001-01-01T00:00:00Z"

LISTED = {
    "metadata.name",
    "metadata.namespace",
    "metadata.annotations",
    "metadata.labels",
    "metadata.creationTimestamp",
    "metadata.deletionTimestamp",
    "spec",
    "spec.project",
    "operation.sync",
    "status.sync.status",
    "status.health",
    "status.resources",
    "status.summary",
    "status.operationState.phase",
    "status.operationState.startedAt",
    "status.operationState.finishedAt",
    "status.operationState.operation.sync",
}
"""The paths that `fields=` of the list knows; Argo CD drops all others in silence. Measured with 3.5.1; those that were
not asked for there are of `pkg/apiclient/application/forwarder_overwrite.go` in argoproj/argo-cd."""

# Where the list has another name for a field: the result of the last sync.
_SOURCES = {"status.operationState.operation.sync": ("status", "operationState")}
_NULLS = {
    "metadata.annotations",
    "metadata.labels",
    "metadata.creationTimestamp",
    "metadata.deletionTimestamp",
    "status.operationState.finishedAt",
    "status.operationState.operation.sync",
}


@dataclass
class _Application:
    manifest: Manifest
    nodes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    live: dict[str, Manifest] = field(default_factory=dict[str, Manifest])
    orphans: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    managed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    revisions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict[tuple[str, str], dict[str, Any]])
    windows: dict[str, Any] = field(default_factory=lambda: {"canSync": True})


@dataclass(frozen=True)
class _Log:
    lines: Sequence[str]
    error_as_content: str = ""
    broken_by: str = ""
    closed: bool = True


type _Answer = Callable[[Request, _Application], Response]


class FakeArgoCD(Recording):
    """Holds Applications with their trees, live manifests, events and logs. `token` None: anonymous access."""

    def __init__(self, *, token: str | None = TOKEN, root: str = "") -> None:
        super().__init__()
        self._token = token
        self._root = root
        self._applications: dict[str, _Application] = {}
        self._events: dict[str, list[Any] | None] = {}
        self._logs: dict[tuple[str, str, bool], _Log] = {}
        self._without_log_right = False
        self._without_project: set[str] = set()
        self._gone_logs: set[str] = set()
        self._projects: dict[str, Manifest] = {}

    # What it holds

    def add_application(self, manifest: Manifest) -> None:
        """An Application; its `metadata.namespace` and `spec.project` are what requests must name."""
        self._applications[manifest["metadata"]["name"]] = _Application(manifest)

    def add_project(self, manifest: Manifest) -> None:
        """An AppProject that may be read; the others may not."""
        self._projects[manifest["metadata"]["name"]] = manifest

    def set_status(self, application: str, status: Manifest) -> None:
        """The Application's status anew."""
        held = self._applications[application]
        held.manifest = held.manifest | {"status": status}

    def set_spec(self, application: str, spec: Manifest) -> None:
        """The Application's spec anew."""
        held = self._applications[application]
        held.manifest = held.manifest | {"spec": spec}

    def set_live(self, manifest: Manifest) -> None:
        """Another live manifest of a resource that is held."""
        for held in self._applications.values():
            if manifest["metadata"]["uid"] in held.live:
                held.live[manifest["metadata"]["uid"]] = manifest

    def become(self, other: "FakeArgoCD") -> None:
        """Holds what `other` holds, and has seen no request."""
        self._applications, self._events, self._logs = other._applications, other._events, other._logs
        self.requests.clear()

    def add_resource(
        self,
        application: str,
        manifest: Manifest,
        *,
        parent: Manifest | None = None,
        health: str = "Healthy",
        message: str = "",
        live: bool = True,
        restarts: int = 0,
        orphaned: bool = False,
        networking: dict[str, Any] | None = None,
    ) -> None:
        """A node of the tree, below `parent` where one is given. `live` False: it is gone from the cluster;
        `networking` are its `networkingInfo`."""
        reference = ResourceRef.of(manifest)
        assert reference is not None
        is_live = live and health != "Missing"
        node: dict[str, Any] = _names(reference) | {
            "uid": reference.uid if is_live else "",
            "health": {"status": health} | ({"message": message} if message else {}) if health else None,
            "networkingInfo": networking,
            "resourceVersion": text_at(manifest, "metadata", "resourceVersion") or ("1" if is_live else ""),
            "createdAt": text_at(manifest, "metadata", "creationTimestamp"),
            "info": _info(manifest, restarts),
            "images": [text_at(each, "image") for each in objects_at(manifest, "spec", "containers")],
        }
        if parent is not None:
            owner = ResourceRef.of(parent)
            assert owner is not None
            node["parentRefs"] = [_sparse(_names(owner) | {"uid": owner.uid})]
        held = self._applications[application]
        (held.orphans if orphaned else held.nodes).append(node)
        if live:
            held.live[reference.uid] = manifest

    def add_managed(
        self,
        application: str,
        reference: Manifest,
        *,
        target: Manifest | None = None,
        live: Manifest | None = None,
        predicted: Manifest | None = None,
    ) -> None:
        """A resource that Git describes, named by the manifest `reference`. `predicted`: what a sync would make of
        `live`, where that is not `live` itself; without a target it is to be pruned, without `live` it is missing."""
        named = ResourceRef.of(reference)
        assert named is not None
        predicted = None if target is None else predicted or live or target
        states = {
            "targetState": target,
            "liveState": live,
            "normalizedLiveState": live,
            "predictedLiveState": predicted,
        }
        names = {key: value for key, value in _names(named).items() if key != "version"}
        written = {key: json.dumps(state, sort_keys=True) for key, state in states.items()}
        held = self._applications[application]
        held.managed.append(names | written | {"resourceVersion": "1", "modified": live != predicted})

    def add_revision(self, application: str, revision: str, *, source_index: str = "", **metadata: Any) -> None:
        """What Git tells of a revision; `source_index` where the Application has several sources."""
        self._applications[application].revisions[revision, source_index] = metadata

    def set_sync_windows(self, application: str, **answer: Any) -> None:
        """The answer of `/syncwindows`."""
        self._applications[application].windows = answer

    def add_events(self, uid: str, events: list[Any] | None) -> None:
        """The events of the object with `uid` (an Application's too); None is answered as `items: null`."""
        self._events[uid] = events

    def add_log(self, pod: str, container: str, lines: Sequence[str], *, previous: bool = False) -> None:
        """A container's log, oldest line first."""
        self._logs[pod, container, previous] = _Log(lines)

    def add_refused_log(self, pod: str, container: str, message: str, *, previous: bool = False) -> None:
        """A log that Kubernetes refuses: its error arrives as content, with HTTP 200."""
        self._logs[pod, container, previous] = _Log((), error_as_content=message)

    def add_broken_log(self, pod: str, container: str, lines: Sequence[str], *, error: str = "") -> None:
        """A log whose stream ends without the closing entry: with an error object, or with nothing."""
        self._logs[pod, container, False] = _Log(lines, broken_by=error, closed=False)

    def refuse_logs(self) -> None:
        """Takes the right `logs, get` away."""
        self._without_log_right = True

    def lose_project(self, application: str) -> None:
        """The project of the Application no longer exists."""
        self._without_project.add(application)

    def lose_logs(self, pod: str) -> None:
        """The node no longer has the logs of the Pod."""
        self._gone_logs.add(pod)

    # How it answers

    def app(self) -> Starlette:
        below = f"{self._root}/api/v1/applications/{{name}}"
        endpoints = {
            "": self._get,
            "/resource": self._resource,
            "/resource-tree": self._tree,
            "/managed-resources": self._managed,
            "/syncwindows": self._sync_windows,
            "/revisions/{revision}/metadata": self._revision,
            "/events": self._events_of,
            "/logs": self._log,
        }
        routes = [Route(below + path, self._endpoint(answer)) for path, answer in endpoints.items()]
        routes.append(Route(f"{self._root}/api/v1/projects/{{name}}", self._project))
        routes.append(Route("/{path:path}", _no_path))
        return Starlette(routes=[Route(f"{self._root}/api/v1/applications", self._list), *routes])

    async def _list(self, request: Request) -> Response:
        """The Applications of the projects asked for, with the fields asked for; `items: null` where there are none."""

        async def answer(request: Request) -> Response:
            if refusal := self._unauthenticated(request):
                return refusal
            query = request.query_params
            projects = query.getlist("projects")
            found = [
                held.manifest
                for held in self._applications.values()
                if not projects or held.manifest["spec"]["project"] in projects
            ]
            return JSONResponse(listed(found, query.get("fields", "")))

        return await self.answer(request, answer)

    async def _project(self, request: Request) -> Response:
        async def answer(request: Request) -> Response:
            found = self._projects.get(request.path_params["name"])
            missing = answered_error(403, 7, "permission denied")
            return self._unauthenticated(request) or (JSONResponse(_typeless(found)) if found else missing)

        return await self.answer(request, answer)

    def _endpoint(
        self, answer: Callable[[Request, _Application], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            return self._refusal(request) or answer(request, self._applications[request.path_params["name"]])

        async def endpoint(request: Request) -> Response:
            return await self.answer(request, checked)

        return endpoint

    def _refusal(self, request: Request) -> Response | None:
        """401, 403 or 404 as Argo CD decides on them; a missing and a forbidden Application look alike."""
        query = request.query_params
        if refusal := self._unauthenticated(request):
            return refusal
        if "refresh" in query:
            return answered_error(500, 2, "refresh patches the Application")
        held = self._applications.get(request.path_params["name"])
        if held and query.get("appNamespace", "") not in {"", held.manifest["metadata"]["namespace"]}:
            held = None
        name, project = request.path_params["name"], query.get("project")
        if not held:
            missing = answered_error(404, 5, f'applications.argoproj.io "{name}" not found')
            return missing if project else answered_error(403, 7, "permission denied")
        own = held.manifest["spec"]["project"]
        if project and project != own:
            return answered_error(403, 7, "permission denied")
        if name in self._without_project:
            return answered_error(400, 3, f'app is not allowed in project "{own}", or the project does not exist')
        return None

    def _unauthenticated(self, request: Request) -> Response | None:
        given = request.headers.get("authorization")
        if not self._token or given == f"Bearer {self._token}":
            return None
        message = "invalid session: token signature is invalid" if given else "no session information"
        return answered_error(401, 16, message)

    def _get(self, request: Request, held: _Application) -> Response:
        return JSONResponse(_typeless(held.manifest))

    def _resource(self, request: Request, held: _Application) -> Response:
        query = request.query_params
        if "group" not in query or "version" not in query:
            return answered_error(400, 3, "parsing field: missing required field")
        wanted = tuple(query.get(key, "") for key in ("group", "kind", "namespace", "resourceName"))
        for node in held.nodes + held.orphans:
            if wanted == tuple(node[key] for key in ("group", "kind", "namespace", "name")):
                live = held.live.get(node["uid"])
                if live is None and text_at(node, "health", "status") == "Missing":
                    break  # in Git alone: no part of the Application, for this endpoint
                if live is None:
                    return answered_error(404, 5, f"{node['kind'].lower()}s {node['name']!r} not found")
                return JSONResponse({"manifest": json.dumps(live)})
        _, kind, _, name = wanted
        application = held.manifest["metadata"]["name"]
        return answered_error(400, 3, f"{kind} {query['group']} {name} not found as part of application {application}")

    def _tree(self, request: Request, held: _Application) -> Response:
        running: dict[str, bool] = {}
        for live in held.live.values():
            requests = [each for each in objects_at(live, "spec", "containers") if object_at(each, "resources")]
            if name := text_at(live, "spec", "nodeName"):
                running[name] = running.get(name, False) or bool(requests)
        answer = {
            "nodes": [_sparse(node) for node in held.nodes],
            "orphanedNodes": [_sparse(node) for node in held.orphans],
            "hosts": [_host(name, requests=requests) for name, requests in sorted(running.items())],
        }
        return JSONResponse(_sparse(answer))

    def _managed(self, request: Request, held: _Application) -> Response:
        for condition in objects_at(held.manifest, "status", "conditions"):
            if text_at(condition, "type") == "InvalidSpecError":
                message = f"InvalidSpecError: {text_at(condition, 'message')}"
                return answered_error(500, 2, f"error getting cached app managed resources: {message}")
        query = request.query_params
        wanted = {key: query[key] for key in ("namespace", "name", "group", "kind") if query.get(key)}
        found = [_sparse(each) for each in held.managed if wanted.items() <= each.items()]
        # `fields` keeps what it names, as `items.kind`.
        fields = {name.removeprefix("items.") for name in query.get("fields", "").split(",") if name}
        items = [{key: value for key, value in each.items() if not fields or key in fields} for each in found]
        return JSONResponse({"items": items} if items else {})

    def _sync_windows(self, request: Request, held: _Application) -> Response:
        return JSONResponse(held.windows)

    def _revision(self, request: Request, held: _Application) -> Response:
        revision, index = request.path_params["revision"], request.query_params.get("sourceIndex", "")
        if "sources" in held.manifest["spec"] and index and int(index) >= len(held.manifest["spec"]["sources"]):
            return answered_error(400, 3, f"source index {index} not found")
        version_id = request.query_params.get("versionId")
        history = objects_at(held.manifest, "status", "history")
        if version_id and not any(text_at(entry, "id") == version_id for entry in history):
            return answered_error(500, 2, f"revision not found for version ID {version_id}")
        metadata = held.revisions.get((revision, index))
        return JSONResponse(metadata) if metadata else answered_error(500, 2, f"revision {revision} must be resolved")

    def _events_of(self, request: Request, held: _Application) -> Response:
        query = request.query_params
        uid = query.get("resourceUID", "")
        if not uid and not query.get("resourceName"):
            uid = held.manifest["metadata"].get("uid", "")
        elif not any(
            (node["uid"], node["name"], node["namespace"])
            == (uid, query.get("resourceName"), query.get("resourceNamespace"))
            for node in held.nodes
        ):
            return answered_error(400, 3, f"{query.get('resourceName')} not found as part of application")
        return JSONResponse({"metadata": {"resourceVersion": "1"}, "items": self._events.get(uid)})

    def _log(self, request: Request, held: _Application) -> Response:
        if self._without_log_right:
            return answered_error(403, 7, "permission denied: logs, get")
        query = request.query_params
        pod, container = query.get("podName", ""), query.get("container", "")
        if not any(node["kind"] == "Pod" and node["name"] == pod for node in held.nodes):
            return Response(b"", media_type="application/json")
        if pod in self._gone_logs:
            layout = "2006-01-02T15:04:05.999999999Z07:00"
            message = f'parsing time "unable" as "{layout}": cannot parse "unable" as "2006"'
            error = {"grpc_code": 2, "http_code": 500, "message": message, "http_status": "Internal Server Error"}
            return JSONResponse({"error": error}, status_code=500)
        log = self._logs.get((pod, container, query.get("previous") == "true"))
        if log is None:
            log = _Log((), error_as_content=f'previous terminated container "{container}" in pod "{pod}" not found')
        tail = int(query.get("tailLines", "0"))
        return StreamingResponse(_stream(log, pod, tail), media_type="application/json")


async def _stream(log: _Log, pod: str, tail: int) -> AsyncGenerator[bytes]:
    if log.error_as_content:
        yield _line(_entry(log.error_as_content, None, ""))
    for number, line in list(enumerate(log.lines))[-tail:]:
        yield _line(_entry(line, f"2026-11-21T08:{number // 60 % 60:02}:{number % 60:02}.000000001Z", pod))
    if log.broken_by:
        yield _line({"error": {"grpc_code": 13, "http_code": 500, "message": log.broken_by, "http_status": "Internal"}})
    elif log.closed:
        yield _line(_entry("", "2026-11-21T08:59:59.000000001Z", "", last=True))


def _entry(content: str, timestamp: str | None, pod: str, *, last: bool = False) -> dict[str, Any]:
    written = timestamp or ZERO_TIME
    entry = {"content": content, "timeStamp": timestamp, "last": last, "timeStampStr": written, "podName": pod}
    return {"result": entry}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


async def _no_path(request: Request) -> Response:
    return Response("404 page not found\n", status_code=404, media_type="text/plain")


def listed(applications: Sequence[Manifest], fields: str) -> Manifest:
    """The answer of the list: the Applications with the fields asked for, all where none are."""
    asked = [path.removeprefix("items.") for path in fields.split(",") if path]
    paths = [path for path in asked if path in LISTED]
    items = [_only(manifest, paths) if asked else _typeless(manifest) for manifest in applications]
    return {"metadata": {"resourceVersion": "1"}, "items": items or None}


def _only(manifest: Manifest, paths: Sequence[str]) -> Manifest:
    """What of a manifest `fields=` keeps. A pointer that is nil is null, but nothing of an operation that is not."""
    kept: Manifest = {}
    for path in paths:
        *parents, last = path.split(".")
        value = object_at(manifest, *_SOURCES.get(path, parents)).get(last if path not in _SOURCES else "syncResult")
        is_null = path in _NULLS and (
            not path.startswith("status.operationState") or "operationState" in manifest["status"]
        )
        if value is None and not is_null:
            continue
        place = kept
        for step in parents:
            place = place.setdefault(step, {})
        place[last] = value
    return kept


def _typeless(manifest: Manifest) -> Manifest:
    """The API leaves out what kind an Application is."""
    return {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind"}}


def _sparse(answer: Manifest) -> Manifest:
    """What is written of an answer: nothing of what is empty."""
    return {key: value for key, value in answer.items() if value not in (None, "", 0, [], {})}


def _info(manifest: Manifest, restarts: int) -> list[dict[str, str]]:
    """What Argo CD tells of an object in its tree (controller/cache/info.go)."""
    told = {"Revision": text_at(manifest, "metadata", "annotations", "deployment.kubernetes.io/revision")}
    if told["Revision"]:
        told["Revision"] = f"Rev:{told['Revision']}"
    if manifest["kind"] == "Pod":
        statuses = objects_at(manifest, "status", "containerStatuses")
        ready = sum(each.get("ready") is True for each in statuses)
        waiting = [text_at(each, "state", "waiting", "reason") for each in statuses]
        told = {
            "Status Reason": next(filter(None, waiting), text_at(manifest, "status", "phase")),
            "Node": text_at(manifest, "spec", "nodeName"),
            "Containers": f"{ready}/{len(objects_at(manifest, 'spec', 'containers'))}",
            "Restart Count": str(restarts) if restarts else "",
        }
    return [_sparse({"name": name, "value": value}) for name, value in told.items() if value or name == "Node"]


def _host(name: str, *, requests: bool) -> dict[str, Any]:
    """A node of the cluster on which Pods of the Application run; `requests` says whether they request anything."""
    amounts = {"requestedByApp": 50 * requests, "requestedByNeighbors": 1600, "capacity": 8000}
    resources = [_sparse({"resourceName": each} | amounts) for each in ("cpu", "memory")]
    system = ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion")
    system += ("kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture")
    return {"name": name, "resourcesInfo": resources, "systemInfo": dict.fromkeys(system, "")}


def _names(reference: ResourceRef) -> dict[str, Any]:
    return {key: getattr(reference, key) for key in ("group", "version", "kind", "namespace", "name")}


def answered_error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"error": message, "code": code, "message": message}, status_code=status)
