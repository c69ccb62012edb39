"""Findings: faults that rules find in a context, without a model or the network, the same each time.

`analyze` is the way in. To add a rule, write one function from an Inventory to findings in the module of its family:
one for a kind of Kubernetes object is named with its kinds in `_FAMILIES`, one over the rest of the context in
`_ANALYZERS`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Literal

from agent.context.context import Context
from agent.findings import custom_resources as status
from agent.findings.admission import webhooks
from agent.findings.argocd import (
    app_of_apps,
    application,
    application_health,
    application_sets,
    closed_windows,
    deletion,
    drift,
    git_places,
    operation,
    projects,
    sync_progress,
    tree,
)
from agent.findings.engine.applications import applications_of
from agent.findings.engine.inventory import GroupKind, Inventory
from agent.findings.engine.own_family import OWN_FAMILY
from agent.findings.engine.ranking import ranked
from agent.findings.engine.statements import with_statements
from agent.findings.model import Finding
from agent.findings.network import backends, ingresses, network_policies, services
from agent.findings.nodes import namespaces, nodes
from agent.findings.observations import observed
from agent.findings.observations.question_messages import messages_of_question
from agent.findings.storage import volumes as storage
from agent.findings.workloads import autoscalers, configuration, disruption_budgets, jobs, pods, unapplied, workloads

type Analyzer = Callable[[Inventory], Iterable[Finding]]

# Findings of equal rank are in this order, those of the families first. A family only runs where the context has an
# object of its kinds.
_FAMILIES: tuple[tuple[Analyzer, tuple[GroupKind, ...]], ...] = (
    (nodes.nodes, (nodes.NODE,)),
    (namespaces.namespaces, (namespaces.NAMESPACE,)),
    (storage.claims, (storage.CLAIM,)),
    (storage.volumes, (storage.VOLUME,)),
    (storage.storage_classes, (storage.STORAGE_CLASS,)),
    (workloads.refused_pods, workloads.MAKERS_OF_PODS),
    (pods.broken_pods, (pods.POD,)),
    (services.services, (backends.SERVICE,)),
    (webhooks.webhooks, webhooks.CONFIGURATIONS),
    (ingresses.ingresses, (ingresses.INGRESS,)),
    (autoscalers.autoscalers, (autoscalers.AUTOSCALER,)),
    (disruption_budgets.disruption_budgets, (disruption_budgets.BUDGET,)),
    (network_policies.network_policies, (network_policies.POLICY,)),
    (configuration.lacking_configuration, configuration.TEMPLATED),
    (jobs.jobs, (jobs.JOB,)),
    (jobs.cron_jobs, (jobs.CRON_JOB,)),
    (jobs.kept_running, (pods.POD,)),
    (unapplied.unapplied_workloads, unapplied.WORKLOADS),
    (workloads.deployments, (workloads.DEPLOYMENT,)),
    (workloads.stateful_sets, (workloads.STATEFUL_SET,)),
    (workloads.daemon_sets, (workloads.DAEMON_SET,)),
    (workloads.replica_sets, (workloads.REPLICA_SET,)),
    (application_sets.application_sets, (application_sets.APPLICATION_SET,)),
    (projects.projects, (projects.APP_PROJECT,)),
)


_KINDS = frozenset(kind for _, kinds in _FAMILIES for kind in kinds)

type ContextPart = Literal["application", "deletion", "difference", "other kinds", "question", "tree"]

# ... and an analyzer where the context has the part that it reads.
_ANALYZERS: tuple[tuple[Analyzer, ContextPart], ...] = (
    (deletion.stuck_deletions, "deletion"),
    (operation.failed_resources, "application"),
    (operation.failed_hooks, "application"),
    (sync_progress.stuck_syncs, "application"),
    (closed_windows.blocking_windows, "application"),
    (operation.skipped_prunes, "application"),
    (application.conditions, "application"),
    (drift.drifted_resources, "difference"),
    (status.bad_status, "other kinds"),
    (app_of_apps.broken_children, "tree"),
    (operation.failed_operations, "application"),
    (application.sync_status, "application"),
    (messages_of_question, "question"),
)


@lru_cache(maxsize=1_024)
def _due(kinds: frozenset[GroupKind], parts: frozenset[ContextPart]) -> tuple[Analyzer, ...]:
    """The analyzers for such kinds and parts, in their order."""
    families = [family for family, its_kinds in _FAMILIES if not kinds.isdisjoint(its_kinds)]
    return (*families, *(analyzer for analyzer, part in _ANALYZERS if part in parts))


def _parts(inventory: Inventory) -> Iterator[ContextPart]:
    if applications_of(inventory):
        yield "application"
    if inventory.being_deleted or applications_of(inventory):
        yield "deletion"
    if inventory.context.managed:
        yield "difference"
    if not inventory.kinds <= OWN_FAMILY:
        yield "other kinds"
    if inventory.context.messages:
        yield "question"
    if inventory.context.tree:
        yield "tree"


def analyze(context: Context) -> tuple[Finding, ...]:
    """The findings of a context, most important first: errors before warnings, causes before their symptoms.

    Empty for what is healthy, completed or progressing. Never raises, whatever shape the context's objects have.
    """
    inventory = Inventory(context)
    due = _due(inventory.kinds & _KINDS, frozenset(_parts(inventory)))
    found = [finding for analyzer in due for finding in analyzer(inventory)]
    if applications_of(inventory):
        found = application_health.with_resource_health(inventory, found)
    found = tree.with_health_messages(inventory, found)
    if applications_of(inventory):
        found = application_health.with_health(inventory, found)
    found = ranked(inventory, with_statements(observed(inventory, found)))
    return git_places.with_git_places(inventory, found)
