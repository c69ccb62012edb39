"""What an Application's own status says."""

from dataclasses import replace
from typing import Any

import pytest

from agent.context.model import Revision
from agent.findings.argocd.immutable import immutable_field
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import context, ended, log, node, pod

REVISION = "8f3c1d92b47e6a05c1f9d3e8b7a2604f5c9e1d38"


def application(**status: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "payments", "namespace": "argocd", "uid": "3e9d1c7b", "generation": 1883},
        "spec": {"project": "payments", "syncPolicy": {"automated": {"prune": True}, "retry": {"limit": 2}}},
        "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}} | status,
    }


def operation(*resources: Manifest, phase: str = "Failed", message: str = "", **more: Any) -> Manifest:
    message = message or "one or more synchronization tasks completed unsuccessfully"
    return {
        "phase": phase,
        "message": message,
        "startedAt": "2026-11-20T09:08:31Z",
        "finishedAt": None,
        "syncResult": {"revision": REVISION, "resources": list(resources) or None},
        **more,
    }


def result(kind: str, name: str, status: str = "Synced", message: str = "", **more: Any) -> Manifest:
    group = "batch" if kind == "Job" else "apps"
    return {
        "group": group,
        "version": "v1",
        "kind": kind,
        "namespace": "payments",
        "name": name,
        "status": status,
        "message": message,
        "images": None,
        **more,
    }


FAILED_HOOK = result(
    "Job",
    "migrate",
    "",
    "Job has reached the specified backoff limit",
    hookType="PreSync",
    hookPhase="Failed",
    syncPhase="PreSync",
)


def titles(manifest: Manifest) -> list[str]:
    return [finding.title for finding in findings_of(context(application=manifest))]


def test_a_failed_hook_stands_above_the_operation_it_failed() -> None:
    failed = application(
        operationState=operation(result("Deployment", "api"), FAILED_HOOK),
        conditions=[{"type": "SyncError", "message": "Failed last sync attempt", "lastTransitionTime": None}],
    )

    findings = findings_of(context(application=failed))

    assert [f.title for f in findings] == [
        "PreSync hook Job migrate failed: Job has reached the specified backoff limit",
        "The last sync of Application argocd/payments failed",
    ]
    hook = findings[0]
    assert hook.evidence[0].text == "Job has reached the specified backoff limit"
    assert (hook.evidence[0].source, hook.evidence[0].path) == (
        "application",
        "status.operationState.syncResult.resources[1].message",
    )
    assert "`argocd app sync argocd/payments`" in hook.next_steps[-1]
    assert hook.resource is not None
    assert hook.resource.name == "migrate"


def test_the_log_of_a_hook_that_is_gone_is_read_during_the_next_sync() -> None:
    failed = application(operationState=operation(FAILED_HOOK))

    gone, *_ = findings_of(context(application=failed, tree=(node("Deployment", "api", group="apps"),)))
    kept, *_ = findings_of(context(application=failed))

    assert gone.next_steps[0].startswith("Its Job and pods are gone, and their log with them: sync again, and read it")
    assert kept.next_steps[0].startswith("Read the log of its pods")


def test_a_hook_that_is_no_job_is_looked_at_by_itself() -> None:
    hook = result("Pod", "smoke", "", "pod failed", hookType="PostSync", hookPhase="Error")

    first, *_ = findings_of(context(application=application(operationState=operation(hook))))

    assert first.title == "PostSync hook Pod smoke failed"
    assert "`kubectl -n payments describe pod smoke`" in first.next_steps[0]


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            'Deployment.apps "api" is invalid: spec.selector: Invalid value: {"app":"b"}: field is immutable',
            "an immutable field was changed",
        ),
        (
            'the server could not find the requested resource: no matches for kind "Gateway" in version "v1"',
            "its kind is not installed in the cluster",
        ),
        ('namespaces "payments" not found', "its namespace payments does not exist"),
        (
            'deployments.apps is forbidden: User "system:serviceaccount:argocd:argocd" cannot create resource',
            "permission is missing",
        ),
        ("resource apps:Deployment is not permitted in project payments", "the AppProject does not permit it"),
        (
            'CustomResourceDefinition "x" is invalid: metadata.annotations: Too long: must have at most 262144 bytes',
            "it is too large for client-side apply",
        ),
        (
            'error validating data: unknown field "spec.replica"',
            "unknown field `spec.replica` (did you mean `replicas`?)",
        ),
        ("spec: Forbidden: spec is immutable after creation except resources.requests", "an immutable field"),
        ('namespaces "shop" is forbidden: because it is being terminated', "its namespace is being deleted"),
        (".spec.x: field not declared in schema", "unknown field `spec.x`"),
        ("roles is forbidden: attempting to grant RBAC permissions not currently held", "it grants rights"),
        ("nodePort: Invalid value: 30080: provided port is already allocated", "its node port is already taken"),
        ("the object has been modified; please apply your changes to the latest version", "another writer changed it"),
        ('Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas', "another manager owns some of its"),
    ],
)
def test_a_resource_that_could_not_be_synced_is_told_with_the_reason(message: str, cause: str) -> None:
    failed = application(operationState=operation(result("Deployment", "api", "SyncFailed", message)))

    finding = findings_of(context(application=failed))[0]

    assert finding.title.startswith(f"Deployment api could not be synced: {cause}")
    assert (finding.level, finding.evidence[0].text) == ("cause", message)


IMMUTABLE = 'Deployment.apps "api" is invalid: spec.selector: Invalid value: {"app":"b"}: field is immutable'


def test_an_immutable_field_is_named_with_the_commands_that_replace_the_object() -> None:
    state = operation(result("Deployment", "api", "SyncFailed", IMMUTABLE), message=f"reason: {IMMUTABLE}")

    resource, whole = findings_of(context(application=application(operationState=state)))

    assert resource.title == "Deployment api could not be synced: an immutable field was changed (spec.selector)"
    meant, annotated, undone = resource.next_steps
    assert "`argocd app sync argocd/payments --force --replace --resource apps:Deployment:payments/api`" in meant
    assert "delete and recreate it" in meant
    assert "`argocd.argoproj.io/sync-options: Force=true,Replace=true`" in annotated
    assert "change spec.selector back in Git" in undone
    assert not any("replace" in step for step in whole.next_steps)
    assert "does not allow a change of this field" not in whole.explanation


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('Service "a" is invalid: spec.clusterIP: Invalid value: "": field is immutable', "spec.clusterIP"),
        ('Job.batch "m" is invalid: spec.template: Invalid value: {"spec": {}}: field is immutable', "spec.template"),
        ("spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden", "spec"),
        ("cannot change roleRef", "roleRef"),
        ("something is immutable", ""),
        ("connection refused", ""),
    ],
)
def test_the_immutable_field_is_read_from_the_message(message: str, field: str) -> None:
    assert immutable_field(message) == field


def test_of_a_claim_the_loss_of_its_data_stands_behind_the_way_back() -> None:
    message = "spec: Forbidden: spec is immutable after creation except resources.requests"
    claim = result("PersistentVolumeClaim", "data", "SyncFailed", message) | {"group": ""}

    finding = findings_of(context(application=application(operationState=operation(claim))))[0]

    assert finding.next_steps[0].startswith("If it is not intended, change spec back in Git")
    assert "data of its volume is lost" in finding.next_steps[1]
    assert "--resource :PersistentVolumeClaim:payments/data" in finding.next_steps[1]


def test_a_missing_namespace_is_made_by_a_sync_option() -> None:
    state = operation(result("Deployment", "api", "SyncFailed", 'namespaces "payments" not found'))

    step = findings_of(context(application=application(operationState=state)))[0].next_steps[0]

    assert "`argocd app set argocd/payments --sync-option CreateNamespace=true`" in step
    assert "spec.syncPolicy.syncOptions" in step


def test_resources_that_failed_for_one_reason_are_one_finding() -> None:
    entries = [result("ConfigMap", f"c{i}", "SyncFailed", 'namespaces "payments" not found') for i in range(30)]

    findings = findings_of(context(application=application(operationState=operation(*entries))))

    assert findings[0].title == (
        "ConfigMap c0, ConfigMap c1, ConfigMap c2 and 27 more could not be synced: "
        "its namespace payments does not exist"
    )
    assert len(findings) == 2


def test_a_wave_that_did_not_become_healthy_is_no_refusal() -> None:
    entry = result(
        "Deployment", "api", "Synced", "deployment.apps/api configured", hookPhase="Failed", syncPhase="Sync"
    )

    assert (
        titles(application(operationState=operation(entry)))[0]
        == "Deployment api was applied and did not become healthy"
    )


def test_an_operation_that_is_retried_is_a_warning_beside_what_fails() -> None:
    running = operation(
        result("Service", "api", "SyncFailed", "connection reset by peer"),
        phase="Running",
        message="one or more objects failed to apply, reason: ... Retrying attempt #2 at 9:10AM.",
        retryCount=1,
    )

    findings = findings_of(context(application=application(operationState=running)))

    assert [(f.title, f.severity) for f in findings] == [
        ("Service api could not be synced: connection reset by peer", "error"),
        ("Application argocd/payments: sync is being retried (retry 1)", "warning"),
    ]


def test_a_skipped_prune_is_told_while_the_application_is_out_of_sync_for_it() -> None:
    state = operation(
        result("Service", "old", "PruneSkipped", "ignored (requires pruning)"), phase="Succeeded", message="ok"
    )
    resources = [{"kind": "Service", "name": "old", "status": "OutOfSync", "requiresPruning": True, "version": "v1"}]

    assert titles(application(operationState=state, sync={"status": "OutOfSync"}, resources=resources)) == [
        "One resource was not pruned: Service old",
        "Application argocd/payments is OutOfSync",
    ]
    assert titles(application(operationState=state)) == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown "
            "desc = authentication required: Repository not found.",
            "the repository refuses Argo CD",
        ),
        (
            "rpc error: code = Unknown desc = overlays/prd: app path does not exist",
            "a path is not in the repository at this revision",
        ),
        (
            "rpc error: code = Unknown desc = unable to resolve 'v9' to a commit SHA",
            "the revision does not exist",
        ),
        (
            "rpc error: code = Unknown desc = `helm template . --name-template x` failed exit status 1: Error: values",
            "Helm cannot render the chart",
        ),
        ("`kustomize build /tmp/x` failed exit status 1: Error: accumulating resources", "Kustomize cannot build"),
        (
            "rpc error: code = Unavailable desc = connection error: dial tcp: lookup argocd-repo-server: no such host",
            "Argo CD's repo-server does not answer",
        ),
        (
            'failed to get cluster info for "https://10.1.2.3": error synchronizing cache state',
            "the destination cluster cannot be read",
        ),
    ],
)
def test_a_comparison_error_is_told_with_its_cause(message: str, cause: str) -> None:
    broken = application(
        sync={"status": "Unknown"},
        conditions=[{"type": "ComparisonError", "message": message, "lastTransitionTime": "2026-11-20T09:16:02Z"}],
    )

    (finding,) = findings_of(context(application=broken))

    assert finding.title.startswith(f"Application argocd/payments has the condition ComparisonError: {cause}")
    assert (finding.level, finding.evidence[0].text) == ("cause", message)


def test_a_comparison_error_of_no_known_cause_claims_none() -> None:
    broken = application(
        sync={"status": "Unknown"}, conditions=[{"type": "ComparisonError", "message": "a new message"}]
    )

    assert titles(broken) == ["Application argocd/payments has the condition ComparisonError: a new message"]


def test_a_project_that_does_not_permit_the_destination_is_the_cause() -> None:
    message = "application destination server 'https://x' do not match any of the allowed destinations in project 'p'"
    broken = application(conditions=[{"type": "InvalidSpecError", "message": message}])

    assert titles(broken) == [
        "Application argocd/payments has the condition InvalidSpecError: the AppProject does not permit it: " + message
    ]


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("InvalidSpecError", "error"),
        ("SyncError", "error"),
        ("DeletionError", "error"),
        ("SharedResourceWarning", "warning"),
        ("RepeatedResourceWarning", "warning"),
        ("ExcludedResourceWarning", "warning"),
        ("OrphanedResourceWarning", "info"),
        ("SomethingNewError", "error"),
        ("SomethingNewWarning", "warning"),
    ],
)
def test_each_condition_has_its_severity(kind: str, severity: str) -> None:
    (finding,) = findings_of(context(application=application(conditions=[{"type": kind, "message": "it is so"}])))

    assert finding.severity == severity
    assert kind in finding.title


def test_out_of_sync_names_the_resources_that_differ() -> None:
    resources = [
        {"kind": "Service", "name": "api", "status": "Synced"},
        {"group": "apps", "kind": "Deployment", "name": "api", "status": "OutOfSync"},
        {"kind": "ConfigMap", "name": "old", "status": "OutOfSync", "requiresPruning": True},
    ]

    (finding,) = findings_of(context(application=application(sync={"status": "OutOfSync"}, resources=resources)))

    assert finding.severity == "warning"
    assert "Deployment api, ConfigMap old. 1 of them is no longer in Git." in finding.explanation
    assert "status.resources[1].status" in [e.path for e in finding.evidence]


def test_a_degraded_application_names_its_degraded_resources_with_their_message() -> None:
    resources = [
        {"kind": "Service", "name": "api", "status": "Synced", "health": {"status": "Healthy"}},
        {
            "group": "apps",
            "kind": "Deployment",
            "name": "api",
            "namespace": "payments",
            "status": "Synced",
            "health": {"status": "Degraded", "message": 'Deployment "api" exceeded its progress deadline'},
        },
    ]

    findings = findings_of(context(application=application(health={"status": "Degraded"}, resources=resources)))

    assert [f.title for f in findings] == ["Deployment api is Degraded"]
    assert findings[0].evidence[0].text == 'Deployment "api" exceeded its progress deadline'
    assert "`kubectl -n payments describe deployment.apps api`" in findings[0].next_steps[0]


def test_a_degraded_resource_that_could_not_be_synced_is_one_finding_with_both_messages() -> None:
    degraded = result("Deployment", "api", "Synced") | {"health": {"status": "Degraded", "message": "it hangs"}}
    state = operation(result("Deployment", "api", "SyncFailed", IMMUTABLE))
    broken = application(health={"status": "Degraded"}, resources=[degraded], operationState=state)

    findings = findings_of(context(application=broken))

    assert [f.title for f in findings] == [
        "Deployment api could not be synced: an immutable field was changed (spec.selector)",
        "The last sync of Application argocd/payments failed",
    ]
    assert "it hangs" in [e.text for e in findings[0].evidence]


def test_a_degraded_resource_that_no_finding_tells_of_keeps_the_summary() -> None:
    entries = [result("Deployment", name, "Synced") | {"health": {"status": "Degraded"}} for name in ("api", "web")]
    broken = application(
        health={"status": "Degraded"},
        resources=entries,
        operationState=operation(result("Deployment", "api", "SyncFailed", IMMUTABLE)),
    )

    assert "Application argocd/payments is Degraded" in titles(broken)


def test_missing_and_unknown_health_and_sync_are_told() -> None:
    assert titles(application(health={"status": "Missing"})) == ["Application argocd/payments is Missing"]
    assert titles(application(health={"status": "Unknown"})) == ["Application argocd/payments: health Unknown"]
    assert titles(application(sync={"status": "Unknown"})) == ["Application argocd/payments: sync status Unknown"]


@pytest.mark.parametrize(
    "well",
    [
        application(),
        application(
            operationState=operation(result("Job", "m", hookType="PostSync", hookPhase="Succeeded"), phase="Succeeded")
        ),
        application(health={"status": "Progressing"}, operationState=operation(phase="Running", message="waiting")),
        application(health={"status": "Suspended"}),
        {"kind": "Application", "metadata": None, "status": None},
    ],
    ids=["healthy", "synced with a hook", "progressing", "suspended", "new"],
)
def test_an_application_that_is_well_or_on_its_way_yields_nothing(well: Manifest) -> None:
    assert titles(well) == []


def test_an_application_among_the_resources_is_quoted_from_its_manifest_and_once() -> None:
    broken = application(health={"status": "Missing"})
    parent = application() | {"metadata": {"name": "apps", "namespace": "argocd", "uid": "other"}}

    (child,) = findings_of(context(broken, application=parent))
    (itself,) = findings_of(context(broken, application=broken))

    assert child.evidence[0].source == "manifest"
    assert itself.evidence[0].source == "application"


REVISIONS = (Revision(revision=REVISION, author="Ada <ada@example.com>", message="Raise the limit"),)
HISTORY = [
    {"id": 7, "revision": "1b7d0c55aa3e4f6f9d2c8e7b6a5f4e3d2c1b0a99", "deployedAt": "2026-11-19T09:00:00Z"},
    {"id": 8, "revision": REVISION, "deployedAt": "2026-11-20T09:00:00Z"},
]


def test_a_failed_sync_names_the_revision_its_author_and_the_way_back() -> None:
    failed = application(operationState=operation(operation={"initiatedBy": {"username": "ada"}}), history=HISTORY)

    (finding,) = findings_of(replace(context(application=failed), revisions=REVISIONS))

    assert finding.explanation.endswith(
        'ada started it. It synced revision 8f3c1d92b47e "Raise the limit" by Ada <ada@example.com>.'
    )
    assert ("revision", "Raise the limit") in [(e.source, e.text) for e in finding.evidence]
    assert finding.next_steps[-1] == (
        "To go back to revision 1b7d0c55aa3e: turn automated sync off (`argocd app set --sync-policy none "
        "argocd/payments`), then `argocd app rollback argocd/payments 7`; or revert in Git."
    )


def test_an_application_that_turned_degraded_after_a_deployment_names_it() -> None:
    degraded = application(health={"status": "Degraded", "lastTransitionTime": "2026-11-20T09:12:00Z"}, history=HISTORY)

    (finding,) = findings_of(replace(context(application=degraded), revisions=REVISIONS))

    assert 'This began 12 minutes after revision 8f3c1d92b47e "Raise the limit" by Ada' in finding.explanation
    assert "argocd app rollback argocd/payments 7" in finding.next_steps[-1]


@pytest.mark.parametrize("turned", ["2026-11-21T09:00:00Z", "2026-11-20T08:00:00Z", "", "odd"])
def test_a_deployment_long_before_is_no_suspect(turned: str) -> None:
    degraded = application(health={"status": "Degraded", "lastTransitionTime": turned}, history=HISTORY)

    (finding,) = findings_of(context(application=degraded))

    assert "revision" not in finding.explanation


def test_retries_are_counted_from_the_message_too() -> None:
    failed = application(operationState=operation(message="one or more objects failed to apply (retried 5 times)."))

    assert titles(failed) == ["The last sync of Application argocd/payments failed after 5 retries"]


def test_only_prunes_that_are_off_are_information() -> None:
    resources = [{"kind": "Service", "name": "old", "status": "OutOfSync", "requiresPruning": True}]

    (finding,) = findings_of(context(application=application(sync={"status": "OutOfSync"}, resources=resources)))

    assert finding.severity == "info"


def test_a_failed_hook_is_told_with_its_last_words() -> None:
    job = pod(ended_status(22), name="migrate-x7k2p", owner=("Job", "migrate"), phase="Failed")
    job["metadata"]["namespace"] = "payments"
    words = log("connecting", "curl: (22) The requested URL returned error: 503", "", pod_name="migrate-x7k2p")
    failed = application(operationState=operation(FAILED_HOOK))

    findings = findings_of(replace(context(application=failed, logs=(words,)), related=(job,)))

    hook = next(finding for finding in findings if finding.title.startswith("PreSync hook Job migrate"))
    assert "curl: (22) The requested URL returned error: 503" in [e.text for e in hook.evidence if e.source == "log"]


def ended_status(code: int) -> Manifest:
    return {"state": ended(code), "lastState": {}, "ready": False}
