"""What is wrong, told by rules over the context: no model, no network, the same answer each time.

`analyze` is the way in. To add a rule, write one function from a Context to findings in the module of its family and
name it in `_ANALYZERS`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from agent.context.model import Context
from agent.findings import application, conditions, jobs, logs, operation, pods, storage, workloads
from agent.findings.model import Finding
from agent.findings.ranking import ranked

type Analyzer = Callable[[Context], Iterable[Finding]]

# Where nothing else tells them apart, findings stand in this order.
_ANALYZERS: tuple[Analyzer, ...] = (
    storage.claims,
    storage.volumes,
    workloads.refused_pods,
    pods.broken_pods,
    operation.failed_resources,
    operation.failed_hooks,
    operation.skipped_prunes,
    application.conditions,
    conditions.bad_status,
    application.resource_health,
    jobs.jobs,
    jobs.cron_jobs,
    workloads.deployments,
    workloads.stateful_sets,
    workloads.daemon_sets,
    workloads.replica_sets,
    operation.failed_operations,
    application.health,
    application.sync_status,
)


def analyze(context: Context) -> tuple[Finding, ...]:
    """The findings of a context, most important first: errors before warnings, causes before their symptoms.

    Empty for what is healthy, completed or still on its way. Never raises, however odd the context's objects are.
    """
    found = [finding for analyzer in _ANALYZERS for finding in analyzer(context)]
    if not any(finding.severity == "error" and finding.level in ("cause", "effect") for finding in found):
        found += logs.unexplained_log_errors(context)
    return ranked(context, found)


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
