"""Any resource by a general reading of its status."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context.model import TreeNode
from agent.findings.custom.conditions import condition_verdict, is_positive
from agent.findings.custom.situation import situation_of
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from agent.objects.target import ResourceRef
from agent.objects.times import moment
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, resource


def custom(*conditions: Manifest, **status: Any) -> Manifest:
    return resource("example.com/v1", "Widget", "w", status={"conditions": list(conditions), **status})


def only(manifest: Manifest) -> Finding:
    (finding,) = findings_of(context(manifest))
    return finding


@pytest.mark.parametrize(
    ("kind", "status", "reason", "message"),
    [
        ("Ready", "False", "ReconciliationError", "connection timeout"),
        ("Synced", "False", "ReconcileError", "create failed: InvalidParameterValue"),
        ("Available", "False", "", "could not reach the backend"),
        ("ResourcesApplied", "False", "RemoteClusterClientFailed", "Failed to apply resources"),
        ("Failed", "True", "", "product not found"),
        ("Degraded", "True", "OperatorDegraded", "two of three members are gone"),
        ("Stalled", "True", "UpdateFailed", "up failed 5 times"),
        ("ACK.Terminal", "True", "", "Resource already exists"),
        ("CatalogSourcesUnhealthy", "True", "UnhealthyCatalogSourceFound", "catalog source missing"),
        ("platform.example.com/SubmissionError", "True", "", "there is a submission error"),
    ],
)
def test_conditions_of_either_polarity_are_read(kind: str, status: str, reason: str, message: str) -> None:
    finding = only(custom(condition(kind, status, reason, message)))

    assert finding.severity == "error"
    assert finding.title.endswith(f": {message}")
    assert f"{kind}={status}" in finding.explanation
    assert finding.evidence[0].text == message


@pytest.mark.parametrize(
    ("kind", "status", "reason", "message"),
    [
        ("Ready", "True", "Available", ""),
        ("Failed", "False", "", ""),
        ("Degraded", "False", "AsExpected", "All is well"),
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("FailedScale", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        ("Ready", "Unknown", "Progressing", "Reconciliation in progress"),
        ("Progressing", "False", "NewReplicaSetAvailable", "has successfully progressed"),
        ("CronJobAvailable", "False", "CronJobNotUsed", "different controller strategy used"),
        ("ValidateFailed", "False", "OrderValidated", "Order validated"),
        ("ScalingLimited", "True", "TooFewReplicas", "the desired replica count is less than the minimum"),
        ("InstallPlanPending", "True", "RequiresApproval", ""),
    ],
)
def test_what_is_well_or_on_its_way_yields_nothing(kind: str, status: str, reason: str, message: str) -> None:
    assert findings_of(context(custom(condition(kind, status, reason, message)))) == ()


def test_ready_false_without_any_reason_is_a_warning() -> None:
    assert only(custom(condition("Ready", "False", "", ""))).severity == "warning"


def test_an_unknown_state_that_is_explained_is_a_warning() -> None:
    lost = custom(condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))

    assert only(lost).severity == "warning"


def test_a_condition_of_an_earlier_spec_is_only_a_warning() -> None:
    old = condition("Ready", "False", "InvalidSpec", "spec.size is invalid") | {"observedGeneration": 2}

    assert only(custom(old)).severity == "warning"
    assert only(custom(old | {"observedGeneration": 3})).severity == "error"


def test_several_conditions_with_one_message_are_quoted_once() -> None:
    finding = only(
        custom(
            condition("Ready", "False", "Failed", "quota exceeded"),
            condition("InfrastructureReady", "False", "Failed", "quota exceeded"),
            condition("ControlPlaneReady", "False", "Failed", "no infrastructure"),
        )
    )

    assert [e.text for e in finding.evidence if e.path.endswith("message")] == ["quota exceeded", "no infrastructure"]


def test_nested_conditions_are_read() -> None:
    gateway = resource(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        status={
            "parents": [{"conditions": [condition("ResolvedRefs", "False", "BackendNotFound", "Service x not found")]}]
        },
    )

    assert only(gateway).evidence[0].path == "status.parents[0].conditions[0].message"


@pytest.mark.parametrize(
    ("status", "quoted"),
    [
        ({"phase": "Failed"}, "Failed"),
        ({"state": "ConfigError"}, "ConfigError"),
        ({"health": "red"}, "red"),
        ({"applicationState": {"state": "FAILED", "errorMessage": "driver lost"}}, "driver lost"),
        ({"phase": "Error", "message": "bound to another"}, "bound to another"),
        ({"errorMessage": "cannot connect"}, "cannot connect"),
        ({"currentState": "Tenant credentials are not set properly"}, "Tenant credentials are not set properly"),
        ({"statuses": {"ns": {"state": "Warning", "reason": "no such upstream"}}}, "no such upstream"),
    ],
)
def test_phases_and_error_fields_are_read(status: Manifest, quoted: str) -> None:
    assert only(resource("example.com/v1", "Widget", status=status)).evidence[0].text == quoted


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Running"},
        {"phase": "Bound", "message": "volume bound after 2 failed attempts"},
        {"state": "Warning"},
        {"history": [{"phase": "Failed"}], "phase": "Succeeded"},
        {"previousRun": {"state": "failed"}},
        {"conditions": [condition("Ready", "True")], "error": "an error of yesterday"},
        {"error": ""},
        None,
        ["Failed"],
    ],
)
def test_other_words_in_a_status_yield_nothing(status: object) -> None:
    assert findings_of(context(resource("example.com/v1", "Widget", status=status))) == ()


def test_kinds_with_a_family_of_their_own_are_left_to_it() -> None:
    deployment = resource(
        "apps/v1", "Deployment", status={"conditions": [condition("Available", "False", "Failed", "failed")]}
    )
    namesake = resource("example.com/v1", "Deployment", status={"phase": "Failed"})

    assert not any("has the condition" in f.title for f in findings_of(context(deployment)))
    assert only(namesake).title == "Deployment api has phase Failed"


def test_keys_that_are_no_text_are_passed_over() -> None:
    odd: Any = {
        5: {"phase": "Failed"},
        None: "Failed",
        True: ["Failed"],
        "phase": "Failed",
        "nested": {7: "x", "y": {}},
        "message": {None: "it is gone", 4: "it is lost"},
    }

    assert only(resource("example.com/v1", "Widget", status=odd)).evidence[0].path == "status.phase"


_TEXTS = "conditions code exitCode failed failStep message reason type status state scale action errors level ready"
_KEYS = st.sampled_from([*_TEXTS.split(), "replicas", "lastError", 3, None, True, 2.5])
_VALUES = st.sampled_from(
    [None, True, False, 0, 1, 500, 2.5, "False", "0/3", "Failed", "error", "cannot be reached", ""]
)


def test_an_object_that_is_a_condition_itself_is_read_as_one() -> None:
    unmet = {"type": "", "status": "False", "message": "it failed"}

    assert only(resource("example.com/v1", "Widget", **unmet)).evidence[0].path == "message"
    assert only(resource("example.com/v1", "Widget", status=unmet)).evidence[0].path == "status.message"


@given(
    status=st.recursive(
        _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
    )
)
@settings(max_examples=100, deadline=None)
def test_a_status_of_any_shape_is_read_without_harm_and_its_quotations_resolve(status: Any) -> None:
    findings = findings_of(context(resource("example.com/v1", "Widget", status={"phase": "Failed", "inner": status})))

    assert findings[0].severity == "error"


def test_a_fault_at_the_start_of_an_endless_list_is_found() -> None:
    endless = [condition(f"C{number}Ready", "False", "CreateFailed", f"failure {number}") for number in range(30_000)]

    finding = only(custom(*endless))

    assert finding.evidence[0].text == "failure 0"
    assert len(finding.evidence) < 50


@pytest.mark.parametrize(
    "status",
    [
        {"actions": [{"name": "a", "status": "Failed"}] * 20_000 + [{"name": "a", "status": "Finished"}]},
        {"executors": {f"e-{n}": "FAILED" for n in range(20_000)} | {"e-x": "RUNNING"}},
        {"records": [{"events": [{"type": "Failed"}, {"type": "Succeeded"}]}] * 20_000},
        {"phase": "Failed", "parts": [{"phase": "Failed", "inner": {"a": {"b": ["c"] * 20}}}] * 2_000},
    ],
)
def test_endless_parts_are_read_in_one_pass(status: Manifest) -> None:
    started = time.process_time()

    findings_of(context(custom(**status)))

    assert time.process_time() - started < 5


def test_a_part_names_itself() -> None:
    finding = only(
        custom(environments=[{"branch": "env/dev", "phase": "success"}, {"branch": "env/prod", "phase": "failure"}])
    )

    assert [(e.path, e.text) for e in finding.evidence] == [
        ("status.environments[1].phase", "failure"),
    ]


def test_a_paused_object_yields_only_a_warning_for_a_failure() -> None:
    halted = custom(condition("Ready", "False", "CreateFailed", "no such image")) | {"spec": {"paused": True}}

    assert only(halted).severity == "warning"
    assert findings_of(context(custom(condition("Ready", "False")) | {"spec": {"suspend": True}})) == ()


def test_a_failure_while_something_is_under_way_is_a_warning() -> None:
    retrying = custom(condition("Ready", "False", "Failed", "it failed"), condition("Reconciling", "True", "Retrying"))

    assert only(retrying).severity == "warning"


def test_a_status_of_an_earlier_spec_is_only_a_warning() -> None:
    stale = only(custom(phase="Failed", observedGeneration=2))

    assert stale.severity == "warning"
    assert "not yet observed the newest spec" in stale.explanation


def test_too_few_replicas_are_a_warning_where_no_other_field_reports_a_state() -> None:
    short = only(custom(replicas=3, readyReplicas=1, observedGeneration=3))

    assert (short.severity, short.title) == ("warning", "Widget w has 1 of 3 replicas ready")
    assert findings_of(context(custom(replicas=3, readyReplicas=1, observedGeneration=2))) == ()
    assert findings_of(context(custom(replicas=3, readyReplicas=1, observedGeneration=3, phase="Scaling"))) == ()


def test_too_few_that_are_healthy_are_a_warning() -> None:
    short = only(custom(expectedMachines=3, currentHealthy=1, observedGeneration=3))

    assert (short.severity, short.title) == ("warning", "Widget w has 1 of 3 parts ready")


def test_the_part_of_a_list_that_is_bad_is_named() -> None:
    refused = [condition("Accepted", "False", "Invalid", "the certificate is invalid")]
    by_reference = only(custom(ancestors=[{"ancestorRef": {"name": "edge"}, "conditions": refused}]))
    by_field = only(custom(clusters=[{"clusterName": "member1", "health": "Unhealthy", "applied": False}]))

    assert "Accepted=False (Invalid) for ancestor edge." in by_reference.explanation
    assert "health is Unhealthy for cluster name member1." in by_field.explanation


@pytest.mark.parametrize(
    ("unmet", "title"),
    [
        (condition("Ready", "False", "Failed", "it failed"), "Widget w is not ready: it failed"),
        (condition("Stalled", "True", "Failed", "it failed"), "Widget w is stalled: it failed"),
        (condition("DaemonHealthy", "False", "Failed", "it failed"), "Widget w has DaemonHealthy=False: it failed"),
        (
            condition("Ready", "False", "FailedCreateOrUpdate", ""),
            "Widget w is not ready: failed to be created or updated",
        ),
    ],
)
def test_a_title_has_the_message_or_the_reason_and_is_never_a_bare_condition(unmet: Manifest, title: str) -> None:
    assert only(custom(unmet)).title == title


def test_a_condition_that_waits_is_information_at_first_and_a_warning_when_it_lasts() -> None:
    waits = custom(condition("Ready", "False", "Pending", "Waiting for the volume"))
    since = moment(waits["status"]["conditions"][0]["lastTransitionTime"])
    assert since is not None

    def after(time: timedelta) -> Finding:
        (finding,) = findings_of(replace(context(waits), read_at=(since + time).isoformat()))
        return finding

    assert (after(timedelta(minutes=5)).severity, after(timedelta(minutes=90)).severity) == ("info", "warning")
    assert "waited for 90 minutes" in after(timedelta(minutes=90)).explanation


@pytest.mark.parametrize("field", ["observedGeneration", "lastAppliedGeneration", "schedulerObservedGeneration"])
def test_staleness_is_read_from_any_generation(field: str) -> None:
    assert only(custom(phase="Failed", **{field: 2})).severity == "warning"
    assert only(custom(phase="Failed", **{field: 3})).severity == "error"


def test_a_status_of_a_condition_that_is_no_known_word_is_reported() -> None:
    assert only(custom(condition("Ready", "halfway"))).title.startswith("Widget w has Ready=halfway")


def test_a_part_without_the_condition_of_its_siblings_is_named() -> None:
    accepted = {"ancestorRef": {"name": "a"}, "conditions": [condition("Accepted", "True")]}
    silent = {"ancestorRef": {"name": "b"}, "conditions": [condition("Seen", "True")]}

    assert only(custom(ancestors=[accepted, silent])).title == "Widget w has no condition Accepted for ancestor b"


def test_failed_results_of_a_report_are_a_warning() -> None:
    results = [{"policy": "labels", "rule": "team", "result": "fail", "message": "the label team is needed"}]

    finding = only(resource("example.com/v1", "Report", results=results))

    assert finding.severity == "warning"
    assert "policy labels, rule team: the label team is needed" in finding.title


def test_what_a_resource_refers_to_comes_before_it() -> None:
    store = resource("example.com/v1", "Store", "vault", status={"phase": "Failed", "message": "access denied"})
    secret = custom(condition("Ready", "False", "SyncError", 'Store "vault" is not ready'))

    first, second = findings_of(context(secret, store))

    assert (first.title, second.resource and second.resource.kind) == (
        "Store vault has phase Failed: access denied",
        "Widget",
    )


def test_the_health_that_argo_cd_reports_comes_before_the_reading_of_the_status() -> None:
    widget = custom(condition("Ready", "False", "Failed", "it failed"))
    reference = ResourceRef.of(widget)
    assert reference is not None

    def severity(health: str) -> str:
        tree = (TreeNode(resource=reference, health=health),)
        return findings_of(replace(context(widget), tree=tree))[0].severity

    assert (severity("Healthy"), severity("Progressing"), severity("Degraded")) == ("warning", "warning", "error")


def test_other_conditions_are_named_once_and_cut() -> None:
    well = [condition(f"C{number}Ready", "True") for number in range(30)]

    finding = only(custom(condition("Ready", "False", "Failed", "it failed"), *well, phase="Failed", mode="x"))

    assert "phase is Failed; condition Ready=False (Failed)" in finding.explanation
    assert finding.explanation.endswith(
        "It also reports C0Ready=True, C1Ready=True, C2Ready=True, C3Ready=True, C4Ready=True."
    )


def test_a_status_of_only_faults_reports_no_overall_state() -> None:
    only_faults = only(custom(condition("SourcesUnhealthy", "True", "Missing", "source x is missing")))

    assert only_faults.explanation.endswith("its state is not yet known.")


def test_the_controller_is_named_by_its_group() -> None:
    failed = only(custom(phase="Failed"))

    assert failed.explanation == (
        "The widget is degraded: it is unhealthy according to its current status, written by the controller of "
        "example.com. Failed or in doubt: phase is Failed."
    )


def test_messages_of_the_parts_explain_a_bad_state_without_a_message() -> None:
    parts = {"shop": {"message": "1 certificate is invalid: it expires in 2h"}, "web": {"message": "0 are invalid"}}

    assert [e.text for e in only(custom(compliant="NonCompliant", details=parts)).evidence] == [
        "1 certificate is invalid: it expires in 2h",
        "NonCompliant",
    ]
    assert len(only(custom(phase="Failed", message="it is lost", details=parts)).evidence) == 2


def test_names_of_several_words_are_explained_in_words() -> None:
    explanation = only(custom(condition("DaemonHealthy", "False", "SecretMissing", "it failed"))).explanation

    assert "condition daemon healthy, DaemonHealthy=False (secret missing, SecretMissing)." in explanation


def test_an_object_that_ended_without_success_is_an_error() -> None:
    assert only(custom(state="Completed", **{"pass": False})).severity == "error"
    assert findings_of(context(custom(state="Completed", **{"pass": True}, ready=False))) == ()


def test_parts_that_failed_are_named() -> None:
    failed = {"task-0": {"retryCount": 10}}

    assert only(custom(state="RUNNING", failedTasks=failed)).title == "Widget w has failed tasks"
    assert findings_of(context(custom(state="RUNNING", failedTasks={}))) == ()
    assert findings_of(context(custom(state="Succeeded", failedTasks=failed))) == ()


def test_what_is_exhausted_counts_even_where_the_object_is_ready() -> None:
    exhausted = custom(condition("Ready", "True"), exhaustions={"cpu": "10", "memory": "2Gi"})

    assert "has exhaustions: cpu, memory" in only(exhausted).explanation
    assert findings_of(context(custom(condition("Ready", "True"), failedTasks={"a": 1}))) == ()


def test_a_flag_that_something_is_lacking_is_an_error() -> None:
    assert only(custom(NoMatchingInstances=True)).title == "Widget w has no matching instances"
    assert findings_of(context(custom(NoMatchingInstances=False))) == ()


def test_a_reason_that_repeats_the_type_does_not_hide_what_is_waited_for() -> None:
    assert only(custom(condition("Bound", "False", "Unbound", "Waiting for a pool"))).severity == "info"
    assert only(custom(condition("Bound", "False", "Unbound", "the pool is gone"))).severity == "error"


def test_waiting_for_what_is_not_ready_is_a_warning() -> None:
    waits = condition("Available", "False", "WaitingForDependencies", "not yet available: etcd is not ready")

    assert only(custom(waits)).severity == "warning"


def test_a_failure_among_listed_messages_is_quoted() -> None:
    assert [e.text for e in only(custom(details=["it is big", "its host is unreachable"])).evidence] == [
        "its host is unreachable"
    ]


def test_a_part_with_a_condition_of_an_earlier_spec_is_passed_over() -> None:
    left = condition("Accepted", "False", "Invalid", "the port is invalid") | {"observedGeneration": 2}

    assert findings_of(context(custom(listeners=[{"name": "http", "conditions": [left]}]))) == ()


def test_a_part_is_named_by_its_list() -> None:
    refused = condition("Accepted", "False", "Invalid", "the port is invalid")

    assert "for listener http" in only(custom(listeners=[{"name": "http", "conditions": [refused]}])).title
    assert "for policy p" in only(custom(policies=[{"name": "p", "conditions": [refused]}])).title
    assert "for listener" in only(custom(listeners=[{"conditions": [refused]}])).title


def test_pods_that_are_not_ready_are_named_so_where_the_spec_has_a_template() -> None:
    counts = {"numberReady": 0, "desiredNumberScheduled": 2, "observedGeneration": 3}

    assert only(custom(**counts) | {"spec": {"template": {"spec": {}}}}).title == "Widget w has 0 of 2 pods ready"
    assert only(custom(**counts)).title == "Widget w has 0 of 2 parts ready"


def test_an_empty_selection_is_a_warning() -> None:
    finding = only(custom(nodesSelected=[]) | {"spec": {"nodeSelector": {"matchLabels": {"a": "b"}}}})

    assert (finding.severity, finding.title) == ("warning", "Widget w has selected no nodes")
    assert finding.evidence[0].path == "spec.nodeSelector"
    assert findings_of(context(custom(nodesSelected=["n1"]))) == ()


def test_a_definition_that_is_not_established_is_explained() -> None:
    conditions = [condition("Established", "False", "NotAccepted", "the names have not been accepted")]
    crd = resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets", status={"conditions": conditions})

    assert "only while it is established" in only(crd).explanation


@pytest.mark.parametrize(
    "kind", ["Ready", "ACK.ResourceSynced", "example.org/Available", "Ready--search-api", "Healthy"]
)
@pytest.mark.parametrize("reason", ["", "Failed", "InstallError", "Progressing"])
@pytest.mark.parametrize("message", ["", "the connection was refused", "all is well"])
def test_a_positive_condition_that_is_true_has_no_severity_whatever_its_reason(
    kind: str, reason: str, message: str
) -> None:
    assert is_positive(kind)
    for progressing in (True, False):
        manifest: Manifest = {"status": {"phase": "Pending" if progressing else "Failed"}}
        situation = situation_of(manifest)
        assert condition_verdict(kind, "True", reason, message, "Error", situation) is None


@pytest.mark.parametrize("kind", ["", None, 7, "Complete", "Failed", "NotReady", "Progressing", "x" * 300 + "/Ready"])
def test_a_type_that_may_report_a_fault_when_true_is_not_positive(kind: object) -> None:
    assert not is_positive(kind)
