"""Everything abnormal in a context is in some finding: each generated fault has a word of its own, looked for there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.context.context import Context
from agent.context.model import ContainerLog, Event
from agent.findings.model import Finding
from agent.objects.manifest import Manifest
from tests.findings.citations import findings_of
from tests.findings.cluster import condition, context, crash_loop, ended, event, log, pod, resource, running, waiting

AT = "2026-11-20T07:50:00Z"


@dataclass(kw_only=True)
class Fault:
    """Something abnormal. `word` is in its message, or is the number or name that only it has."""

    word: str
    manifest: Manifest | None = None
    event: Event | None = None
    log: ContainerLog | None = None
    application: dict[str, Any] = field(default_factory=dict[str, Any])


MESSAGES = (
    "{word} is not there",
    "failed to reconcile: could not get {word}",
    "rpc error: code = Unavailable desc = dial tcp: lookup {word}.example.com: no such host",
    'admission webhook "check.acme.io" denied the request: {word} is not allowed',
    'error when creating "STDIN": {word}: the server could not find the requested resource',
    "something {word} happened that nobody has seen before (retried 4 times).",
    '{{"code": 403, "message": "no right to read {word}"}}',
    "first line\nsecond line about {word}",
)


def words(number: int) -> str:
    """A word that no message, kind or reason contains: `zuq` and letters for the digits of `number`."""
    return "zuq" + "".join("bcdfghjklm"[int(digit)] for digit in str(number))


def _condition(kind: str, api_version: str, type_: str, status: str, spec: Any = None, **more: Any) -> Any:
    def fault(word: str, message: str) -> Fault:
        bad = condition(type_, status, "SomeReason", message)
        return Fault(
            word=word,
            manifest=resource(api_version, kind, f"w-{word}", spec=spec or {}, status=more | {"conditions": [bad]}),
        )

    return fault


def _deleted_namespace(word: str, message: str) -> Fault:
    fault: Fault = _condition("Namespace", "v1", "NamespaceDeletionContentFailure", "True", phase="Terminating")(
        word, message
    )
    assert fault.manifest
    fault.manifest["metadata"]["deletionTimestamp"] = "2026-11-20T07:02:00Z"
    return fault


def _warning_event(about: Callable[[str], Manifest], reason: str, *, with_manifest: bool) -> Any:
    def fault(word: str, message: str) -> Fault:
        manifest = about(f"e-{word}")
        return Fault(word=word, manifest=manifest if with_manifest else None, event=event(manifest, reason, message))

    return fault


def _waiting_container(reason: str) -> Any:
    def fault(word: str, message: str) -> Fault:
        return Fault(word=word, manifest=pod(waiting(reason, message), name=f"p-{word}", phase="Pending"))

    return fault


def _ended_container(word: str, message: str) -> Fault:
    return Fault(word=word, manifest=pod(crash_loop(1, "Error", message), name=f"p-{word}"))


def _restarted_container(word: str, message: str) -> Fault:
    lately = running(restartCount=3, lastState=ended(1, "Error", message))
    lately["lastState"]["terminated"]["finishedAt"] = "2026-11-20T07:41:00Z"
    return Fault(word=word, manifest=pod(lately, name=f"p-{word}"))


def _log_error(word: str, message: str) -> Fault:
    line = f"2026-11-20T07:41:05Z ERROR {message.replace(chr(10), ' ')}"
    return Fault(
        word=word,
        manifest=pod(running(), name=f"p-{word}"),
        log=log("2026-11-20T07:41:01Z INFO started", line, pod_name=f"p-{word}"),
    )


def _unscheduled(word: str, message: str) -> Fault:
    unscheduled = condition("PodScheduled", "False", "Unschedulable", message)
    return Fault(word=word, manifest=pod(name=f"p-{word}", phase="Pending", conditions=[unscheduled]))


def _evicted(word: str, message: str) -> Fault:
    return Fault(word=word, manifest=pod(name=f"p-{word}", phase="Failed", reason="Evicted", message=message))


def _failed_job(word: str, message: str) -> Fault:
    failed = condition("Failed", "True", "SomeReason", message)
    return Fault(
        word=word,
        manifest=resource("batch/v1", "Job", f"j-{word}", spec={}, status={"failed": 1, "conditions": [failed]}),
    )


def _application_condition(word: str, message: str) -> Fault:
    told = {"type": "ComparisonError", "message": message, "lastTransitionTime": AT}
    return Fault(word=word, application={"status": {"conditions": [told]}})


def _failed_operation(word: str, message: str) -> Fault:
    return Fault(
        word=word,
        application={
            "status": {"operationState": {"phase": "Failed", "message": message, "finishedAt": "2026-11-20T07:45:00Z"}}
        },
    )


def _failed_sync_result(word: str, message: str) -> Fault:
    result = {"kind": "ConfigMap", "name": f"c-{word}", "namespace": "shop", "status": "SyncFailed", "message": message}
    return Fault(
        word=word,
        application={
            "status": {
                "operationState": {
                    "phase": "Failed",
                    "message": "one or more objects failed to apply",
                    "finishedAt": "2026-11-20T07:45:00Z",
                    "syncResult": {"resources": [result]},
                }
            }
        },
    )


def _degraded_resource(word: str, message: str) -> Fault:
    part = {"kind": "Widget", "group": "acme.io", "version": "v1", "name": f"x-{word}", "namespace": "shop"}
    return Fault(
        word=word,
        application={"status": {"resources": [part | {"health": {"status": "Degraded", "message": message}}]}},
    )


def _short(kind: str, **counts: Any) -> Any:
    def fault(word: str, _: str) -> Fault:
        spec = {"replicas": 3, "selector": {"matchLabels": {"app": word}}}
        return Fault(word=f"r-{word}", manifest=resource("apps/v1", kind, f"r-{word}", spec=spec, status=counts))

    return fault


FAULTS: dict[str, Callable[[str, str], Fault]] = {
    "container that waits for its configuration": _waiting_container("CreateContainerConfigError"),
    "container without its image": _waiting_container("ImagePullBackOff"),
    "container that waits for an unknown reason": _waiting_container("SomeNewReason"),
    "container that crashes": _ended_container,
    "container that was restarted lately": _restarted_container,
    "error in a log": _log_error,
    "pod without a node": _unscheduled,
    "evicted pod": _evicted,
    "failed job": _failed_job,
    "failed condition of a deployment": _condition("Deployment", "apps/v1", "ReplicaFailure", "True", {"replicas": 1}),
    "node under pressure": _condition("Node", "v1", "DiskPressure", "True"),
    "node that is not ready": _condition("Node", "v1", "Ready", "False"),
    "namespace that is not deleted": _deleted_namespace,
    "autoscaler that is not active": _condition("HorizontalPodAutoscaler", "autoscaling/v2", "ScalingActive", "False"),
    "disruption budget without pods": _condition("PodDisruptionBudget", "policy/v1", "DisruptionAllowed", "False"),
    "service with a bad condition": _condition("Service", "v1", "LoadBalancerReady", "False"),
    "claim that is not resized": _condition(
        "PersistentVolumeClaim", "v1", "FileSystemResizeFailed", "True", phase="Bound"
    ),
    "api service that is away": _condition("APIService", "apiregistration.k8s.io/v1", "Available", "False"),
    "custom resource that is not ready": _condition("Widget", "acme.io/v1", "Ready", "False"),
    "custom resource that is not synced": _condition("Widget", "acme.io/v1", "Synced", "False"),
    "custom resource that is degraded": _condition("Widget", "acme.io/v1", "Degraded", "True"),
    "definition that is not established": _condition(
        "CustomResourceDefinition", "apiextensions.k8s.io/v1", "Established", "False"
    ),
    "event about a service": _warning_event(
        lambda name: resource("v1", "Service", name, spec={}), "SomeFailed", with_manifest=True
    ),
    "event about a pod": _warning_event(lambda name: pod(running(), name=name), "FailedMount", with_manifest=True),
    "event about a custom resource": _warning_event(
        lambda name: resource("acme.io/v1", "Widget", name), "ReconcileError", with_manifest=True
    ),
    "event about an absent replica set": _warning_event(
        lambda name: resource("apps/v1", "ReplicaSet", name), "FailedCreate", with_manifest=False
    ),
    "event about an absent pod": _warning_event(lambda name: pod(name=name), "FailedScheduling", with_manifest=False),
    "event about an absent claim": _warning_event(
        lambda name: resource("v1", "PersistentVolumeClaim", name), "ProvisioningFailed", with_manifest=False
    ),
    "condition of the application": _application_condition,
    "failed operation": _failed_operation,
    "failed result of a sync": _failed_sync_result,
    "degraded resource of the application": _degraded_resource,
    "deployment that is short": _short(
        "Deployment", replicas=3, availableReplicas=1, conditions=[condition("Available", "True")]
    ),
    "stateful set that is short": _short("StatefulSet", replicas=3, readyReplicas=1),
    "daemon set that is short": _short("DaemonSet", desiredNumberScheduled=3, numberReady=1, numberUnavailable=2),
}


def _application(faults: list[Fault]) -> Manifest | None:
    """The Application with the first of its faults of each field."""
    status: dict[str, Any] = {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}}
    for fault in reversed([each for each in faults if each.application]):
        status |= fault.application["status"]
    if len(status) == 2:
        return None
    spec = {
        "project": "default",
        "destination": {"namespace": "shop"},
        "source": {"repoURL": "https://git.example.com/x", "path": "."},
    }
    return resource("argoproj.io/v1alpha1", "Application", "shop", spec=spec, status=status)


def context_of(faults: list[Fault]) -> Context:
    manifests = [fault.manifest for fault in faults if fault.manifest]
    with_faults = context(
        *manifests,
        application=_application(faults),
        events=tuple(fault.event for fault in faults if fault.event),
        logs=tuple(fault.log for fault in faults if fault.log),
    )
    return Context(target=with_faults.target, parts=with_faults.parts, read_at=AT)


def text_of(findings: tuple[Finding, ...]) -> str:
    return "\n".join(
        part
        for finding in findings
        for part in (finding.title, finding.explanation, *(evidence.text for evidence in finding.evidence))
    )


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_is_alone_is_reported(kind: str, message: str) -> None:
    word = words(7)
    fault = FAULTS[kind](word, message.format(word=word))

    assert fault.word in text_of(findings_of(context_of([fault])))


@pytest.mark.hypothesis
@given(st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.sampled_from(MESSAGES)), min_size=2, max_size=7))
def test_no_fault_hides_another(drawn: list[tuple[str, str]]) -> None:
    faults = [FAULTS[kind](words(i), message.format(word=words(i))) for i, (kind, message) in enumerate(drawn)]
    shown = _shown(faults)

    text = text_of(findings_of(context_of(faults)))

    assert [fault.word for fault in shown if fault.word not in text] == []


def _shown(faults: list[Fault]) -> list[Fault]:
    """Without the faults of the Application whose field another one has taken."""
    fields = set[str]()
    shown = list[Fault]()
    for fault in faults:
        own = set(fault.application.get("status", ()))
        if not own & fields:
            shown.append(fault)
        fields |= own
    return shown


@pytest.mark.hypothesis
@given(st.lists(st.sampled_from(MESSAGES), min_size=2, max_size=5, unique=True))
def test_every_message_about_one_object_is_reported(messages: list[str]) -> None:
    about = resource("acme.io/v1", "Widget", "w")
    events = tuple(event(about, "ReconcileError", each.format(word=words(i))) for i, each in enumerate(messages))
    conditions = [
        condition(f"Part{i}Ready", "False", "SomeReason", each.format(word=words(90 + i)))
        for i, each in enumerate(messages)
    ]
    claim = resource("v1", "PersistentVolumeClaim", "data", status={"phase": "Bound", "conditions": conditions})
    for each in conditions:
        each["status"] = "True"

    text = text_of(findings_of(context(about, claim, events=events)))

    assert [i for i in range(len(messages)) if words(i) not in text or words(90 + i) not in text] == []
