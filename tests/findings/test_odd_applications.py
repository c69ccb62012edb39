"""Whatever an Application's status holds, its findings neither raise nor quote what is not there."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.model import ManagedResource, Revision, SyncWindow, SyncWindows, TreeNode
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from tests.findings.citations import findings_of
from tests.findings.drift.states import context_of

_TEXTS = st.sampled_from(
    [
        *("", "OutOfSync", "Synced", "Degraded", "Missing", "Running", "Failed", "Error", "Succeeded", "Deployment"),
        *(
            "Job",
            "api",
            "shop",
            "PreSync",
            "SyncFailed",
            "PruneSkipped",
            "ComparisonError",
            "argoproj.io",
            "Application",
        ),
        *("waiting for healthy state of apps/Deployment/api and 3 more resources", "rev-a", "rev-b", "apps", "deny"),
        *("2026-11-24T08:40:00Z", "2026-11-24T09:40:00Z", "0001-01-01T00:00:00Z", "resources-finalizer.argocd.io"),
        "resource apps:Deployment is not permitted in project x (retried 5 times)",
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | _TEXTS
_FIELDS = st.sampled_from(
    [
        *("status", "message", "phase", "kind", "name", "namespace", "group", "revision", "revisions", "hookType"),
        *("hookPhase", "type", "syncWave", "requiresPruning", "id", "startedAt", "deployedAt", "health", "resources"),
        "syncResult",
    ]
)
_ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS, inner, max_size=6), max_leaves=12
)
_ENTRIES = st.lists(st.dictionaries(_FIELDS, _ANYTHING, max_size=8), max_size=4) | _ANYTHING
_SECTIONS: dict[str, st.SearchStrategy[Any]] = {
    "resources": _ENTRIES,
    "conditions": _ENTRIES,
    "history": _ENTRIES,
    "sync": _ANYTHING,
    "health": _ANYTHING,
    "reconciledAt": _SCALARS,
    "operationState": st.fixed_dictionaries(
        {"phase": _SCALARS, "message": _SCALARS, "startedAt": _SCALARS, "syncResult": _ANYTHING, "retryCount": _SCALARS}
    ),
}
_STATUS = st.fixed_dictionaries(_SECTIONS)
_METADATA = st.fixed_dictionaries({"deletionTimestamp": _SCALARS, "finalizers": _ENTRIES})
_STATES = st.none() | st.dictionaries(_FIELDS, _ANYTHING, max_size=6)


@settings(max_examples=150, deadline=None)
@given(metadata=_METADATA, status=_STATUS, policy=_ANYTHING, live=_STATES, git=_STATES, health=_TEXTS)
def test_odd_applications_are_read_without_harm(
    metadata: Manifest, status: Manifest, policy: Any, live: Manifest | None, git: Manifest | None, health: str
) -> None:
    application: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"} | metadata,
        "spec": {"syncPolicy": policy, "destination": policy, "project": policy},
        "status": status,
    }
    reference = ResourceRef(group="apps", kind="Deployment", namespace="shop", name="api")
    managed = ManagedResource(resource=reference, target=git, live=live, normalized_live=live, predicted_live=git)
    window = SyncWindow(kind="deny", schedule="* * * * *")

    findings_of(
        context_of(
            managed,
            application=application,
            tree=(TreeNode(resource=reference, health=health),),
            revisions=(Revision(revision="rev-a", author="Ada", message="Raise", date=health),),
            sync_windows=SyncWindows(assigned=(window,), active=(window,), can_sync=False),
        )
    )
