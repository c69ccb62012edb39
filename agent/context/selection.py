"""What else a question about an Application needs, chosen from its manifest and its tree.

Owns the choice and its bounds: which revisions, which resources, which Pods.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from agent.context.model import TreeNode
from agent.context.tree import ResourceTree, identity, is_pod_node, worst_first
from agent.errors import SourceError
from agent.objects.manifest import Manifest, integer_at, list_at, object_at, objects_at, text_at
from agent.objects.pods import is_workload
from agent.objects.target import ResourceRef, reference_of

MAX_UNHEALTHY = 6
"""Resources of an Application whose live manifests are read, failed hooks among them."""

MAX_CHILD_APPLICATIONS = 20
"""Applications among the resources of an Application that are read."""

MAX_REVISIONS = 3
"""Revisions whose metadata is read."""

# Owned nodes of a resource that are searched for one that creates no Pods.
_BELOW = 20

_UNHEALTHY = frozenset({"Degraded", "Unknown", "Progressing", "Suspended"})
_FAILED = frozenset({"Failed", "Error"})
_CONDITIONS = ("status", "conditions")
# Argo CD's wording (util/argo/argo.go, controller/sync.go), in the first characters of a message.
_REFUSED = re.compile(r"is not permitted (in|to use) project|do not match any of the allowed destinations in project")
_MESSAGE = 4_000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedRevision:
    """A revision and where Argo CD finds its source: `source_index` of an Application with several sources,
    `version_id` of the entry of its history (None: the sources as they are now)."""

    revision: str
    source_index: int | None = None
    version_id: int | None = None

    @property
    def is_commit(self) -> bool:
        """Whether it is the hash of a commit, whose metadata never changes."""
        return bool(_COMMIT.fullmatch(self.revision))


def is_synced(application: Manifest | None) -> bool:
    """Whether the sync status is Synced."""
    return text_at(application, "status", "sync", "status") == "Synced"


def is_out_of_sync(application: Manifest | None) -> bool:
    """Whether the sync status is OutOfSync."""
    return text_at(application, "status", "sync", "status") == "OutOfSync"


def has_invalid_spec(application: Manifest | None) -> bool:
    """Whether Argo CD does not process the Application for its spec: it has no tree and no comparison then."""
    conditions = objects_at(application, "status", "conditions")
    return any(text_at(each, "type") == "InvalidSpecError" for each in conditions)


def refusing_project(application: Manifest | None) -> str:
    """Return the project of the Application where a message says that it refuses something, else ""."""
    operation = object_at(application, "status", "operationState")
    told = (operation, *objects_at(operation, "syncResult", "resources"), *objects_at(application, *_CONDITIONS))
    refused = any(_REFUSED.search(text_at(each, "message")[:_MESSAGE]) for each in told)
    return text_at(application, "spec", "project") if refused else ""


def sync_failed(application: Manifest | None) -> bool:
    """Whether the last sync failed."""
    return text_at(application, "status", "operationState", "phase") in _FAILED


def is_at_odds(application: Manifest | None) -> bool:
    """Whether the Application is not Synced or its last sync failed, so that revisions and sync windows matter."""
    return not is_synced(application) or sync_failed(application)


def out_of_sync(application: Manifest | None) -> list[ResourceRef]:
    """Return the resources that the Application lists as OutOfSync."""
    listed = objects_at(application, "status", "resources")
    return [reference_of(each) for each in listed if text_at(each, "status") == "OutOfSync"]


def listed_workloads(application: Manifest | None) -> list[ResourceRef]:
    """Return the workloads that an Application lists, MAX_UNHEALTHY at most: unhealthy ones first, then those that
    differ. Argo CD 3 no longer keeps the health in the Application
    (https://argo-cd.readthedocs.io/en/stable/operator-manual/upgrading/2.14-3.0/)."""
    listed = objects_at(application, "status", "resources")
    workloads = [each for each in listed if is_workload(text_at(each, "kind"))]

    def order(each: Manifest) -> tuple[bool, bool]:
        return text_at(each, "health", "status") not in _UNHEALTHY, text_at(each, "status") != "OutOfSync"

    return [reference_of(each) for each in sorted(workloads, key=order)[:MAX_UNHEALTHY]]


def deployed_revisions(application: Manifest | None) -> list[DeployedRevision]:
    """Return the compared revision, that of the last sync, and those deployed before: distinct, newest first,
    MAX_REVISIONS at most. Helm charts and OCI artifacts are left out, as they have no commits."""
    spec, status = object_at(application, "spec"), object_at(application, "status")
    found: dict[tuple[str, int | None], DeployedRevision] = {}
    history = sorted(objects_at(status, "history"), key=lambda each: integer_at(each, "id") or 0, reverse=True)
    for entry, sources in (
        (object_at(status, "sync"), spec),
        (object_at(status, "operationState", "syncResult"), spec),
        *((each, each) for each in history[:MAX_REVISIONS]),
    ):
        version_id = integer_at(entry, "id")
        for revision, index in _revisions(entry, sources):
            deployed = DeployedRevision(revision=revision, source_index=index, version_id=version_id)
            found.setdefault((revision, index), deployed)
    return list(found.values())[:MAX_REVISIONS]


def failed_in_sync(application: Manifest | None) -> list[ResourceRef]:
    """Return the hooks that failed in the last sync or keep it waiting, then the resources that did."""
    return [*failed_hooks(application), *(reference_of(each) for each in _failed(application) if not _is_hook(each))]


def failed_hooks(application: Manifest | None) -> list[ResourceRef]:
    """Return the hooks that failed in the last sync or keep it waiting."""
    return [reference_of(each) for each in _failed(application) if _is_hook(each)]


def unhealthy_resources(tree: ResourceTree) -> list[TreeNode]:
    """Return the unhealthy resources that are no Pods, the worst first: each outermost one, followed by one below it
    that creates no Pods (a ReplicaSet over its quota)."""
    unhealthy = [node for node in tree.nodes if _is_unhealthy(node) and not is_pod_node(node)]
    names = {identity(node.resource) for node in unhealthy}
    roots = [node for node in unhealthy if not any(identity(o.resource) in names for o in tree.above(node))]
    found: list[TreeNode] = []
    for root in worst_first(roots):
        below = [node for node in islice(tree.below(root.resource), _BELOW) if identity(node.resource) in names]
        found += [root, *worst_first(node for node in below if not tree.pods_below(node.resource))[:1]]
    return found


def child_applications(tree: ResourceTree) -> list[TreeNode]:
    """Return the Applications among the resources (app of apps). Argo CD tells no health of them
    (https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#argocd-app), so each has to be read."""
    kind = ("argoproj.io", "Application")
    nodes = (node for node in tree.nodes if (node.resource.group, node.resource.kind) == kind)
    return [node for node in nodes if not node.orphaned and node.health in ("", *_UNHEALTHY)]


def pods_of_interest(tree: ResourceTree, first: Iterable[ResourceRef]) -> list[TreeNode]:
    """Return the Pods below `first`, then every unhealthy Pod: the worst of each outermost owner before its others."""
    chosen = [pod for resource in first for pod in tree.pods_below(resource)]
    unhealthy = worst_first(node for node in tree.nodes if is_pod_node(node) and _is_unhealthy(node))
    distinct = {identity(node.resource): node for node in (*chosen, *unhealthy)}
    return _spread(list(distinct.values()), tree)


def nodes_in(tree: ResourceTree, references: Iterable[ResourceRef]) -> tuple[list[TreeNode], list[ResourceRef]]:
    """Return the nodes that `references` name, and the references that are not in the tree."""
    found: list[TreeNode] = []
    absent: list[ResourceRef] = []
    for reference in references:
        try:
            found.append(tree.find(reference))
        except SourceError:
            absent.append(reference)
    return found, absent


def _failed(application: Manifest | None) -> list[Manifest]:
    operation = object_at(application, "status", "operationState")
    phases = _FAILED | frozenset({"Running"} if text_at(operation, "phase") == "Running" else ())
    results = objects_at(operation, "syncResult", "resources")
    return [each for each in results if text_at(each, "hookPhase") in phases]


def _is_hook(result: Manifest) -> bool:
    return bool(text_at(result, "hookType"))


def _is_unhealthy(node: TreeNode) -> bool:
    return node.health in _UNHEALTHY and not node.orphaned


def _spread(pods: Sequence[TreeNode], tree: ResourceTree) -> list[TreeNode]:
    owners: dict[object, int] = {}
    rounds: list[int] = []
    for pod in pods:
        owner = identity(tree.root(pod).resource)
        rounds.append(owners.get(owner, 0))
        owners[owner] = rounds[-1] + 1
    order = sorted(range(len(pods)), key=lambda index: rounds[index])
    return [pods[index] for index in order]


def _revisions(entry: Manifest, sources: Manifest) -> Iterator[tuple[str, int | None]]:
    """The revisions of an entry that are commits, each with its source's index where there are several."""
    several = [revision for revision in list_at(entry, "revisions") if isinstance(revision, str)]
    if not several:
        revision = text_at(entry, "revision")
        if revision and _has_commits(object_at(sources, "source")):
            yield revision, None
        return
    for index, revision in enumerate(several):
        if revision and _has_commits(object_at(sources, "sources", index)):
            yield revision, index


def _has_commits(source: Manifest) -> bool:
    return not text_at(source, "chart") and not text_at(source, "repoURL").startswith("oci://")
