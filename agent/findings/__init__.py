"""What is wrong, told by rules over the context: no model, no network, the same answer each time.

`analyze` is the way in. To add a rule for a kind of Kubernetes object, write one function from an Inventory to findings
in the module of its family and name it with its kinds in `_FAMILIES`; a rule over the rest of the context goes into
`_ANALYZERS`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from agent.context.model import Context
from agent.findings import (
    app_of_apps,
    application,
    application_health,
    application_sets,
    autoscalers,
    backends,
    configuration,
    deletion,
    disruption_budgets,
    drift,
    ingresses,
    jobs,
    logs,
    namespaces,
    network_policies,
    nodes,
    operation,
    pods,
    projects,
    services,
    status,
    storage,
    sync_progress,
    sync_windows,
    tree,
    webhooks,
    workloads,
)
from agent.findings.applications import APPLICATION
from agent.findings.inventory import Inventory
from agent.findings.model import Finding
from agent.findings.objects import GroupKind
from agent.findings.ranking import ranked

type Analyzer = Callable[[Context], Iterable[Finding]]
type Family = Callable[[Inventory], Iterable[Finding]]

# Where nothing else tells them apart, findings stand in this order, those of the families first. A family is only
# asked where the context has an object of its kinds.
_FAMILIES: tuple[tuple[Family, tuple[GroupKind, ...]], ...] = (
    (nodes.nodes, (nodes.NODE,)),
    (namespaces.namespaces, (namespaces.NAMESPACE,)),
    (storage.claims, (storage.CLAIM,)),
    (storage.volumes, (storage.VOLUME,)),
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
    (workloads.deployments, (workloads.DEPLOYMENT,)),
    (workloads.stateful_sets, (workloads.STATEFUL_SET,)),
    (workloads.daemon_sets, (workloads.DAEMON_SET,)),
    (workloads.replica_sets, (workloads.REPLICA_SET,)),
    (application_sets.application_sets, (application_sets.APPLICATION_SET,)),
    (projects.projects, (projects.APP_PROJECT,)),
)


def _has_application(known: Inventory) -> bool:
    return known.context.application is not None or APPLICATION in known.kinds


def _has_objects(known: Inventory) -> bool:
    return known.context.application is not None or bool(known.kinds)


def _has_tree(known: Inventory) -> bool:
    return bool(known.context.tree)


def _has_managed(known: Inventory) -> bool:
    return bool(known.context.managed)


def _has_other_kinds(known: Inventory) -> bool:
    return not known.kinds <= status.OWN_FAMILY


# ... and an analyzer where there is anything for it to read.
_ANALYZERS: tuple[tuple[Analyzer, Callable[[Inventory], bool]], ...] = (
    (deletion.stuck_deletions, _has_objects),
    (operation.failed_resources, _has_application),
    (operation.failed_hooks, _has_application),
    (sync_progress.stuck_syncs, _has_application),
    (sync_windows.blocking_windows, _has_application),
    (operation.skipped_prunes, _has_application),
    (application.conditions, _has_application),
    (drift.drifted_resources, _has_managed),
    (status.bad_status, _has_other_kinds),
    (app_of_apps.broken_children, _has_tree),
    (operation.failed_operations, _has_application),
    (application.sync_status, _has_application),
)


def analyze(context: Context) -> tuple[Finding, ...]:
    """The findings of a context, most important first: errors before warnings, causes before their symptoms.

    Empty for what is healthy, completed or still on its way. Never raises, however odd the context's objects are.
    """
    known = Inventory(context)
    found = [finding for family, kinds in _FAMILIES if not known.kinds.isdisjoint(kinds) for finding in family(known)]
    found += [finding for analyzer, is_due in _ANALYZERS if is_due(known) for finding in analyzer(context)]
    if _has_application(known):
        found = application_health.with_resource_health(known, found)
    found = tree.with_health_messages(known, found)
    if _has_application(known):
        found = application_health.with_health(known, found)
    if not any(finding.severity == "error" and finding.level in ("cause", "effect") for finding in found):
        found += logs.unexplained_log_errors(known)
    return ranked(known, found)


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values, the form in which `custom_outputs` and `--json` carry it."""
    return {
        "title": finding.title,
        "severity": finding.severity,
        "explanation": finding.explanation,
        "evidence": [
            {
                "source": evidence.source,
                "path": evidence.path,
                "text": evidence.text,
                "resource": evidence.resource.model_dump() if evidence.resource else None,
            }
            for evidence in finding.evidence
        ],
        "resource": finding.resource.model_dump() if finding.resource else None,
        "next_steps": list(finding.next_steps),
    }
