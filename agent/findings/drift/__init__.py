"""Drift: where the cluster differs from Git, what each difference is, and what to do about it.

`drifts_of` is the way in. Compared is what Argo CD's UI shows: the normalized live state against the predicted one.
"""

from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import ManagedResource
from agent.findings.drift.classification import ComparedResource, classified
from agent.findings.drift.comparison import compare
from agent.findings.drift.managers import Autoscalers, Owners
from agent.findings.drift.model import ABSENT, CATEGORIES, Category, Difference, Drift
from agent.objects.manifest import Manifest, list_at
from agent.objects.target import ResourceRef

__all__ = ["ABSENT", "Category", "Difference", "Drift", "drifts_of"]


def drifts_of(context: Context) -> tuple[Drift, ...]:
    """The managed resources that differ from Git, in the context's order; those that do not are left out.

    Never raises, whatever shape the states have; the time is linear in their size.
    """
    autoscalers = Autoscalers(_manifests(context), context.tree)
    drifts = (drift_of(managed, autoscalers) for managed in context.managed)
    return tuple(drift for drift in drifts if drift.differences)


def _manifests(context: Context) -> Iterator[Manifest]:
    yield from context.manifests
    for managed in context.managed:
        state = managed.live or managed.normalized_live or managed.target
        if state is not None:
            yield state


def drift_of(managed: ManagedResource, autoscalers: Autoscalers) -> Drift:
    """The drift of one resource, without differences where it is in sync."""
    whole = tuple(_of_the_whole(managed))
    if whole:
        return Drift(managed=managed, differences=whole)
    live, git = managed.normalized_live or managed.live, managed.predicted_live or managed.target
    if live is None or git is None:
        return Drift(managed=managed, differences=())
    found, more = compare(live, git)
    resource = ComparedResource(
        target=managed.target,
        owners=Owners(manifest=_state_with_managers(managed)),
        autoscaler=autoscalers.of(managed.resource),
        resizer=autoscalers.resizer_of(managed.resource),
        secret=_is_secret(managed.resource),
    )
    differences = [classified(raw, resource) for raw in found]
    differences.sort(key=lambda difference: CATEGORIES.index(difference.category))
    return Drift(managed=managed, differences=tuple(differences), more=more)


def _of_the_whole(managed: ManagedResource) -> Iterator[Difference]:
    """The difference of a resource that is only in the cluster (to be pruned) or only in Git (missing)."""
    live = managed.live or managed.normalized_live
    git = managed.target or managed.predicted_live
    if live is not None and git is None:
        yield Difference(category="prune", steps=(), reason="it is no longer in Git", live_path=())
    elif live is None and git is not None:
        yield Difference(category="missing", steps=(), reason="it is in Git and not in the cluster", git_path=())


def _state_with_managers(managed: ManagedResource) -> Manifest | None:
    for state in (managed.live, managed.normalized_live):
        if list_at(state, "metadata", "managedFields"):
            return state
    return None


def _is_secret(resource: ResourceRef) -> bool:
    return (resource.group, resource.kind) == ("", "Secret")
