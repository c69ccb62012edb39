"""The drift of the resources of a context: each compared, and each difference sorted."""

from collections.abc import Iterator

from agent.context.context import Context
from agent.context.model import ManagedResource
from agent.findings.drift.autoscaling import Autoscalers
from agent.findings.drift.classification import Subject, classified
from agent.findings.drift.comparison import compare
from agent.findings.drift.model import CATEGORIES, Difference, Drift
from agent.findings.drift.owners import Owners
from agent.objects.manifest import Manifest, list_at
from agent.objects.target import ResourceRef


def drifts_of(context: Context) -> tuple[Drift, ...]:
    """The managed resources that differ from Git, in the context's order; those that do not are left out.

    Never raises, however odd the states are; a resource costs time linear in its size.
    """
    autoscalers = Autoscalers(context)
    drifts = (drift_of(managed, autoscalers) for managed in context.managed)
    return tuple(drift for drift in drifts if drift.differences)


def drift_of(managed: ManagedResource, autoscalers: Autoscalers) -> Drift:
    """The drift of one resource; without differences where it is as Git wants it."""
    whole = tuple(_whole(managed))
    if whole:
        return Drift(managed=managed, differences=whole)
    live, git = managed.normalized_live or managed.live, managed.predicted_live or managed.target
    if live is None or git is None:
        return Drift(managed=managed, differences=())
    found, more = compare(live, git)
    subject = Subject(
        target=managed.target,
        owners=Owners(manifest=_with_managers(managed)),
        autoscaler=autoscalers.of(managed.resource),
        resizer=autoscalers.resizer_of(managed.resource),
        secret=_is_secret(managed.resource),
    )
    differences = [classified(raw, subject) for raw in found]
    differences.sort(key=lambda difference: CATEGORIES.index(difference.category))
    return Drift(managed=managed, differences=tuple(differences), more=more)


def _whole(managed: ManagedResource) -> Iterator[Difference]:
    """The resource as a whole: to be pruned, or missing."""
    live = managed.live or managed.normalized_live
    git = managed.target or managed.predicted_live
    if live is not None and git is None:
        yield Difference(category="prune", steps=(), reason="it is no longer in Git", live_place=())
    elif live is None and git is not None:
        yield Difference(category="missing", steps=(), reason="it is in Git and not in the cluster", git_place=())


def _with_managers(managed: ManagedResource) -> Manifest | None:
    for state in (managed.live, managed.normalized_live):
        if list_at(state, "metadata", "managedFields"):
            return state
    return None


def _is_secret(resource: ResourceRef) -> bool:
    return (resource.group, resource.kind) == ("", "Secret")
