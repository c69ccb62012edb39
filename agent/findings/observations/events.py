"""Warning events: what each reports, whether it is over, and whether it only follows from another fault."""

import re
from collections.abc import Iterator
from datetime import timedelta

from agent.context.model import Event
from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.event_outcome import later_success
from agent.findings.engine.evidence import cut, one_line, quote_event
from agent.findings.engine.health import pod_is_healthy, workload_is_healthy
from agent.findings.engine.inventory import Inventory, Key, group_kind, key_of
from agent.findings.engine.message_steps import fix_for
from agent.findings.observations.observation import RECENT, STATEMENT_LIMIT, Observation, ago, clock, names
from agent.findings.workloads.probes import allowed_failures
from agent.objects.error_message import ErrorMessage, parse, shorten
from agent.objects.manifest import Manifest, integer_at, list_at, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

# Reasons of events that follow from a fault of the same object, as the kubelet and the controllers report it again.
_CONSEQUENCES = names("""
    NodeNotReady BackOff Unhealthy Killing FailedSync ProbeWarning FailedKillPod Failed FailedPodSandBoxStatus
    InspectFailed ErrImageNeverPull ReplicaSetCreateError DeploymentRollbackFailed BackoffLimitExceeded
    DeadlineExceeded OperationCompleted ResourceUpdated RecreatingFailedPod RecreatingTerminatedPod
    """)
# Of the reasons that keep coming while the object is well now.
_FLAPPING = frozenset(("Unhealthy", "BackOff", "Killing"))
_FLAPS = timedelta(minutes=15)


def warning_events(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each Warning event, one for those of the same object and reason with alike messages."""
    seen: set[tuple[Key | None, str, str]] = set()
    for event in inventory.context.events:
        about = event.involved or inventory.context.target.resource
        key = (key_of(about) if about else None, event.reason, _shape(event.message))
        if event.type != "Warning" or key in seen or not event.message.strip() or _is_old(inventory, event):
            continue
        seen.add(key)
        yield _event(inventory, event, about)


def _shape(message: str) -> str:
    """The message without what differs between its repetitions: words with a digit and quoted ones."""
    return " ".join("#" if word.startswith('"') or _DIGIT.search(word) else word for word in message.split())


_DIGIT = re.compile(r"[0-9]")


def _is_old(inventory: Inventory, event: Event) -> bool:
    last, now = moment(event.last_seen), inventory.now
    return last is not None and now is not None and now - last > RECENT


def _event(inventory: Inventory, event: Event, about: ResourceRef | None) -> Observation:
    over = _how_it_ended(inventory, event, about)
    message = parse(event.message)
    refusal = refusal_in(event.message, about.namespace if about else "")
    statement = refusal.name if refusal else one_line(message.statement, STATEMENT_LIMIT)
    named = f"{about.kind} {one_line(about.name, 80)}" if about else one_line(event.reporter, 80) or "An object"
    times = f"{event.count} times" if event.count > 1 else "once"
    until = clock(event.last_seen)
    since = f" since {clock(event.first_seen)}" if event.first_seen and event.count > 1 else ""
    reporter = f" by {one_line(event.reporter, 60)}" if event.reporter else ""
    if over:
        title = f"{named}: {one_line(event.reason, 60)} until {until or 'a while ago'}, {over}"
    elif event.reason == "Unhealthy" and (probe := _PROBE.match(event.message)):
        last = f", last at {until}{ago(inventory, event.last_seen)}" if until else ""
        title = f"{named}: {probe[1]} probe failed {times}{since}{last}: {statement}"
    else:
        title = f"{named}: {one_line(event.reason, 60)}: {statement}"
    return Observation(
        resource=about,
        title=title,
        explanation=f"The event was reported {times}{reporter}{since}"
        + (f", last at {until}{ago(inventory, event.last_seen)}. " if until else ". ")
        + (refusal.meaning if refusal and not over else "")
        + (f" The message: {one_line(shorten(message.text, _MESSAGE), _MESSAGE)}" if message.frames else ""),
        evidence=quote_event(event),
        severity="info" if over or _is_a_start(inventory, event, about) else "warning",
        step=refusal.step if refusal and not over else "" if over else fix_for(event.message, {}) or _step(message),
        level="effect" if over or event.reason in _CONSEQUENCES else "cause",
        follows=event.reason in _CONSEQUENCES,
        fault=f"{event.reason} {cut(event.message)}",
        kind=event.reason,
    )


# Characters of a message in an explanation.
_MESSAGE = 400

# Kubernetes' pkg/kubelet/prober/prober.go
_PROBE = re.compile(r"(Readiness|Liveness|Startup) probe (?:failed|errored)")


def _is_a_start(inventory: Inventory, event: Event, about: ResourceRef | None) -> bool:
    """Whether probes fail as they may while a container starts: not often enough for the kubelet to act."""
    pod = inventory.get(*key_of(about)) if about and event.reason == "Unhealthy" else None
    if pod is None or any(integer_at(each, "restartCount") for each in objects_at(pod, "status", "containerStatuses")):
        return False
    return event.count < allowed_failures(objects_at(pod, "spec", "containers"))


def _step(message: ErrorMessage) -> str:
    if url := message.detail("url"):
        return f"Check {one_line(url, 160)}, which the message names, and what serves it."
    return f"Mend what it reports (“{one_line(message.statement, STATEMENT_LIMIT)}”)."


def _how_it_ended(inventory: Inventory, event: Event, about: ResourceRef | None) -> str:
    """Why the event is over, "" where it is current."""
    last, now = moment(event.last_seen), inventory.now
    if success := later_success(inventory.context, event, about):
        return f"then {success}"
    manifest = inventory.get(*key_of(about)) if about else None
    if manifest is not None and about and about.uid not in ("", text_at(manifest, "metadata", "uid")):
        return "an earlier object of this name had it"
    if manifest is not None and text_at(manifest, "metadata", "deletionTimestamp"):
        return "it is being deleted"
    if manifest is None or (event.reason in _FLAPPING and last and now and now - last < _FLAPS):
        return ""
    return "it is well now" if _is_well(manifest) else ""


def _is_well(manifest: Manifest) -> bool:
    match group_kind(manifest):
        case ("", "Pod"):
            return pod_is_healthy(manifest)
        case ("", "PersistentVolumeClaim"):
            return text_at(manifest, "status", "phase") == "Bound"
        case ("autoscaling", "HorizontalPodAutoscaler"):
            conditions = {text_at(each, "type"): text_at(each, "status") for each in _conditions(manifest)}
            return conditions.get("ScalingActive") == "True" == conditions.get("AbleToScale")
        case ("", "Service") | ("networking.k8s.io", "Ingress"):
            return bool(list_at(manifest, "status", "loadBalancer", "ingress"))
        case _:
            return workload_is_healthy(manifest)


def _conditions(manifest: Manifest) -> list[Manifest]:
    return objects_at(manifest, "status", "conditions")
