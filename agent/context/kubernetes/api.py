"""Reads of the Kubernetes API: kinds, objects, lists and logs, as plain JSON.

Owns paths, selectors and the look-up of a kind; `client` owns the connection and its failures. Answers stay plain JSON:
the typed models of the `kubernetes` package refuse ordinary events (`eventTime: null`). Paths are those of
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris.
"""

import json
from dataclasses import dataclass
from urllib.parse import quote

from agent.context.cache import Sized
from agent.context.clean import without_secret_values
from agent.context.kubernetes.client import KubernetesClient
from agent.context.log_choice import LogChoice
from agent.context.source import MAX_BODY_BYTES, MAX_LOG_BYTES
from agent.errors import SourceError
from agent.objects.manifest import Manifest, object_at, objects_at, text_at
from agent.objects.target import ResourceRef

PAGE = 500
"""Objects of one list that are read."""

# The group of a kind that was named without one (core kinds need none).
_GROUPS = {
    "deployment": "apps",
    "statefulset": "apps",
    "daemonset": "apps",
    "replicaset": "apps",
    "job": "batch",
    "cronjob": "batch",
    "ingress": "networking.k8s.io",
    "networkpolicy": "networking.k8s.io",
    "horizontalpodautoscaler": "autoscaling",
    "poddisruptionbudget": "policy",
    "application": "argoproj.io",
    "rollout": "argoproj.io",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind as the cluster serves it. `path` is its collection's, `/apis/apps/v1` for Deployments."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """`group/version` as manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", *names: str) -> str:
        """Return the path of the collection in `namespace` ("": of all namespaces), or of an object in it and its
        subresource (`names`). Raises SourceError for a name that is no path segment."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", _segment(namespace)]
        return "/" + "/".join([*parts, self.plural, *map(_segment, names)])


def _built_in(group: str, kinds: str, *, version: str = "v1", namespaced: bool = True) -> dict[str, Kind]:
    return {
        kind: Kind(group=group, version=version, kind=kind, plural=_plural(kind), namespaced=namespaced)
        for kind in kinds.split()
    }


def _plural(kind: str) -> str:
    return f"{kind.lower()}es" if kind.endswith("s") else f"{kind.lower()}s"


BUILT_IN: dict[str, Kind] = (
    _built_in("", "Pod Event Service ConfigMap Secret ServiceAccount PersistentVolumeClaim ResourceQuota LimitRange")
    | _built_in("", "Node PersistentVolume", namespaced=False)
    | _built_in("apps", "Deployment ReplicaSet StatefulSet DaemonSet")
    | _built_in("batch", "Job CronJob")
    | _built_in("discovery.k8s.io", "EndpointSlice")
    | _built_in("networking.k8s.io", "Ingress")
    | _built_in("networking.k8s.io", "IngressClass", namespaced=False)
    | _built_in("storage.k8s.io", "StorageClass", namespaced=False)
    | _built_in("autoscaling", "HorizontalPodAutoscaler", version="v2")
    | _built_in("policy", "PodDisruptionBudget")
)
"""Kinds that every supported cluster serves in this version, so that they need no discovery
(https://kubernetes.io/docs/reference/kubernetes-api/)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects of a list, of `size` bytes. `complete` is False where there are more than were read."""

    items: tuple[Manifest, ...]
    complete: bool
    size: int


class KubernetesAPI:
    """The API of one cluster. Every method blocks and raises SourceError."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    def kind(self, resource: ResourceRef) -> Kind:
        """Return the kind of `resource` as the cluster serves it, in its version or else the preferred one.

        Kinds are compared without case, and by plural, singular or short name too.
        """
        wanted = resource.kind.casefold()
        group = resource.group or _GROUPS.get(wanted, "")
        served = [each for each in self._client.served(group) if wanted in each.names]
        exact = [each for each in served if each.version == resource.version]
        preferred = [each for each in served if each.preferred]
        for each in exact or preferred or served:
            return Kind(
                group=each.group,
                version=each.version,
                kind=each.kind,
                plural=each.plural,
                namespaced=each.namespaced,
            )
        where = f"group {group!r}" if group else "the core group: name its group"
        raise SourceError(f"The cluster serves no kind {resource.kind!r} in {where}", code="not_found")

    def read(self, kind: Kind, *, namespace: str, name: str) -> Sized[Manifest]:
        """Return one object; of a Secret only the keys."""
        where = f"{namespace}/{name}" if namespace and kind.namespaced else name
        what = f"{kind.kind} {where}"
        answer = self._json(kind.path(namespace, name), {}, what=what, right=f"get {kind.plural}")
        if not object_at(answer.value, "metadata"):
            raise SourceError(f"The Kubernetes API answered no manifest for {what}", code="invalid")
        return Sized(without_secret_values(answer.value), answer.size)

    def list(self, kind: Kind, *, namespace: str, what: str, labels: str = "", fields: str = "") -> Listing:
        """Return the objects of `namespace` ("": of all) that match the label and field selectors, PAGE at most."""
        params = {"labelSelector": labels, "fieldSelector": fields, "limit": str(PAGE)}
        params = {key: value for key, value in params.items() if value}
        answer = self._json(kind.path(namespace), params, what=what, right=f"list {kind.plural}")
        # The items of a built-in kind's list have no apiVersion and kind of their own.
        header = {"apiVersion": kind.api_version, "kind": kind.kind}
        items = tuple(without_secret_values(header | item) for item in objects_at(answer.value, "items"))
        complete = not text_at(answer.value, "metadata", "continue")
        return Listing(items=items, complete=complete, size=answer.size)

    def log(self, choice: LogChoice) -> bytes:
        """Return the log, each line with its time; cut after MAX_LOG_BYTES."""
        params = {
            "container": choice.container,
            "tailLines": str(choice.tail_lines),
            "previous": "true" if choice.previous else "false",
            "timestamps": "true",
            "limitBytes": str(MAX_LOG_BYTES),
        }
        if choice.since_seconds is not None:
            params["sinceSeconds"] = str(choice.since_seconds)
        path = f"/api/v1/namespaces/{_segment(choice.namespace)}/pods/{_segment(choice.pod)}/log"
        return self._client.read(path, params, what=str(choice), right="get pods/log", limit=2 * MAX_LOG_BYTES)

    def _json(self, path: str, params: dict[str, str], *, what: str, right: str) -> Sized[Manifest]:
        body = self._client.read(path, params, what=what, right=right, limit=MAX_BODY_BYTES)
        try:
            return Sized(object_at(json.loads(body)), len(body))
        except (ValueError, RecursionError):
            raise SourceError(f"The Kubernetes API answered no JSON for {what}", code="invalid") from None


def _segment(name: str) -> str:
    """A quoted path segment. Raises SourceError for "", `.` and `..`, which a URL would resolve."""
    if name in {"", ".", ".."}:
        raise SourceError(f"{name!r} is no name of a Kubernetes object", code="invalid")
    return quote(name, safe="")
