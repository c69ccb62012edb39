"""What is abnormal in a context and in no finding: it becomes an observation, a finding that quotes it.

`observed` runs after the families. A recent Warning event, a condition of a built-in kind that is not well, or a
workload that is short of pods ends in one of three places: a finding quotes it, a finding about the same object
explains it, or it is an observation. A later success ends an event; an event that is over is history (`info`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from agent.context.model import Event
from agent.findings.admission.refusals import refusal_in
from agent.findings.engine.commands import describe
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import cut, one_line, quote, quote_event
from agent.findings.engine.health import pod_is_well, workload_is_well
from agent.findings.engine.inventory import Inventory, Key, group_kind, key_of
from agent.findings.model import Evidence, Finding, Level, Severity
from agent.findings.workloads.probes import allowed_failures
from agent.objects.error_message import parse
from agent.objects.manifest import Manifest, integer_at, list_at, objects_at, text_at
from agent.objects.target import ResourceRef
from agent.objects.times import moment

RECENT = timedelta(hours=1)
"""How long an event counts as current: as long as the API server keeps it (kube-apiserver's --event-ttl, 1h)."""

PATIENCE = timedelta(minutes=10)
"""How long a start may take before it is a warning: a Deployment's progressDeadlineSeconds defaults to 600
(https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds)."""

_STATEMENT_LIMIT = 220
# A shorter clause may be in another text by chance.
_SIGNIFICANT = 20


# A word of some length says what a text is about.
_WORD = re.compile(r"[a-z]{7,}")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def observed(inventory: Inventory, found: list[Finding]) -> list[Finding]:
    """Return the findings, and an observation for everything abnormal that none of them quotes or explains."""
    items = [*_events(inventory), *_conditions(inventory)]
    if not items:
        return found
    account = _Account(inventory, found)
    items = [item for item in items if not account.has(item)]
    # What nobody explains may be the cause of what is only a symptom.
    unexplained = {each.severity for each in found if each.level in ("symptom", "summary")}
    explained = any(each.severity == "error" and each.level in ("cause", "effect") for each in found)
    worst: Severity = "error" if "error" in unexplained and not explained else "warning"
    result, further = list(found), list[Observation]()
    for item in _one_for_each_fault(items):
        if (place := account.place_of(item)) is not None:
            result[place] = replace(result[place], evidence=(*result[place].evidence, *item.evidence))
        else:
            further.append(replace(item, level="effect") if account.has_own_finding(item) else item)
    return [*result, *(item.finding(worst) for item in further)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something abnormal. `fault` is the same for what is one fault in several places; `follows`: any finding about the
    same object explains it; `severity` is its own, `warning` at most."""

    resource: ResourceRef | None
    title: str
    explanation: str
    evidence: tuple[Evidence, ...]
    severity: Severity
    step: str = ""
    level: Level = "effect"
    follows: bool = False
    fault: str = ""

    def finding(self, worst: Severity) -> Finding:
        """The observation as a finding. `worst` is the severity of a warning that may explain a symptom."""
        steps = (self.step, f"{describe(self.resource)} shows it with its events." if self.resource else "")
        return Finding(
            title=self.title,
            severity=worst if self.severity == "warning" and self.level == "cause" else self.severity,
            explanation=self.explanation,
            evidence=self.evidence,
            resource=self.resource,
            next_steps=tuple(step for step in steps if step),
            level=self.level,
        )


def _one_for_each_fault(items: Iterable[Observation]) -> Iterator[Observation]:
    seen: set[str] = set()
    for item in items:
        if not item.fault or item.fault not in seen:
            seen.add(item.fault)
            yield item


class _Account:
    """What the findings quote and explain."""

    def __init__(self, inventory: Inventory, found: list[Finding]) -> None:
        self._inventory = inventory
        self._quoted = {(e.source, e.path, e.resource) for each in found for e in each.evidence}
        self._texts = {" ".join(e.text.split()) for each in found for e in each.evidence}
        self._own: dict[Key, list[int]] = {}
        for place, each in enumerate(found):
            if each.resource and each.severity != "info":
                self._own.setdefault(key_of(each.resource), []).append(place)
        self._found = found
        self._titles = [each.title for each in found]
        self._about: set[Key] = set()
        for each in found:
            if each.severity != "info" and each.resource:
                self._about |= {key_of(each.resource), *map(key_of, inventory.owners(each.resource))}

    def has(self, item: Observation) -> bool:
        """Whether a finding quotes the item or its innermost clause, or explains it."""
        if any((e.source, e.path, e.resource) in self._quoted for e in item.evidence):
            return True
        if any(_REPEATS.get(e.path, "\n") in title for e in item.evidence for title in self._titles):
            return True
        clauses = {parse(e.text).cause for e in item.evidence[:1]}
        if any(len(clause) > _SIGNIFICANT and clause in text for clause in clauses for text in self._texts):
            return True
        return item.follows and item.resource is not None and self._is_explained(item.resource)

    def has_own_finding(self, item: Observation) -> bool:
        """Whether there is a finding about the very object."""
        return item.resource is not None and key_of(item.resource) in self._own

    def place_of(self, item: Observation) -> int | None:
        """The place of the finding about the same object that the item is evidence of: they share a word."""
        words = set(_WORD.findall(item.evidence[0].text.lower())) if item.evidence and item.resource else set[str]()
        words -= set(_WORD.findall(item.resource.name.lower())) if item.resource else set()
        for place in self._own.get(key_of(item.resource), ()) if item.resource else ():
            finding = self._found[place]
            if words & set(_WORD.findall(f"{finding.title} {finding.explanation}".lower())):
                return place
        return None

    def _is_explained(self, resource: ResourceRef) -> bool:
        above = (key_of(resource), *map(key_of, self._inventory.owners(resource)))
        return any(key in self._about for key in above)


# Reasons of events that follow from a fault of the same object, as the kubelet and the controllers report it again.
_CONSEQUENCES = _names("""
    NodeNotReady BackOff Unhealthy Killing FailedSync ProbeWarning FailedKillPod Failed FailedPodSandBoxStatus
    InspectFailed ErrImageNeverPull ReplicaSetCreateError DeploymentRollbackFailed BackoffLimitExceeded
    DeadlineExceeded OperationCompleted ResourceUpdated RecreatingFailedPod RecreatingTerminatedPod
    """)
# Events about a node that repeat what a container's status reports, by the word in a finding about the container
# (https://github.com/kubernetes/node-problem-detector/blob/master/config/kernel-monitor.json).
_REPEATS = {"OOMKilling": "OOMKilled", "SystemOOM": "OOMKilled"}
# Of the reasons that keep coming while the object is well now.
_FLAPPING = frozenset(("Unhealthy", "BackOff", "Killing"))
_FLAPS = timedelta(minutes=15)


def _events(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each Warning event, one for those of the same object and reason."""
    seen: set[tuple[Key | None, str]] = set()
    for event in inventory.context.events:
        about = event.involved or inventory.context.target.resource
        key = (key_of(about) if about else None, event.reason)
        if event.type != "Warning" or key in seen or not event.message.strip() or _is_old(inventory, event):
            continue
        seen.add(key)
        yield _event(inventory, event, about)


def _is_old(inventory: Inventory, event: Event) -> bool:
    last, now = moment(event.last_seen), inventory.now
    return last is not None and now is not None and now - last > RECENT


def _event(inventory: Inventory, event: Event, about: ResourceRef | None) -> Observation:
    over = _how_it_ended(inventory, event, about)
    message = parse(event.message)
    refusal = refusal_in(event.message, about.namespace if about else "")
    statement = refusal.name if refusal else one_line(message.statement, _STATEMENT_LIMIT)
    named = f"{about.kind} {one_line(about.name, 80)}" if about else one_line(event.reporter, 80) or "An object"
    times = f"{event.count} times" if event.count > 1 else "once"
    until = _clock(event.last_seen)
    since = f" since {_clock(event.first_seen)}" if event.first_seen and event.count > 1 else ""
    reporter = f" by {one_line(event.reporter, 60)}" if event.reporter else ""
    if over:
        title = f"{named}: {one_line(event.reason, 60)} until {until or 'a while ago'}, {over}"
    else:
        title = f"{named}: {one_line(event.reason, 60)}: {statement}"
    return Observation(
        resource=about,
        title=title,
        explanation=f"The event was reported {times}{reporter}{since}"
        + (f", last at {until}{_ago(inventory, event.last_seen)}. " if until else ". ")
        + (refusal.meaning if refusal and not over else ""),
        evidence=quote_event(event),
        severity="info" if over or _is_a_start(inventory, event, about) else "warning",
        step=refusal.step if refusal and not over else "" if over else _step(message.detail("url")),
        level="effect" if over or event.reason in _CONSEQUENCES else "cause",
        follows=event.reason in _CONSEQUENCES,
        fault=f"{event.reason} {cut(event.message)}",
    )


def _is_a_start(inventory: Inventory, event: Event, about: ResourceRef | None) -> bool:
    """Whether probes fail as they may while a container starts: not often enough for the kubelet to act."""
    pod = inventory.get(*key_of(about)) if about and event.reason == "Unhealthy" else None
    if pod is None or any(integer_at(each, "restartCount") for each in objects_at(pod, "status", "containerStatuses")):
        return False
    return event.count < allowed_failures(objects_at(pod, "spec", "containers"))


def _step(url: str) -> str:
    if url:
        return f"Check {one_line(url, 160)}, which the message names, and what serves it."
    return "Repair what the message names."


def _how_it_ended(inventory: Inventory, event: Event, about: ResourceRef | None) -> str:
    """Why the event is over, "" where it is current."""
    last, now = moment(event.last_seen), inventory.now
    if success := _later_success(inventory, event, about):
        return f"then {success}"
    manifest = inventory.get(*key_of(about)) if about else None
    if manifest is not None and about and about.uid not in ("", text_at(manifest, "metadata", "uid")):
        return "an earlier object of this name had it"
    if manifest is not None and text_at(manifest, "metadata", "deletionTimestamp"):
        return "it is being deleted"
    if manifest is None or (event.reason in _FLAPPING and last and now and now - last < _FLAPS):
        return ""
    return "it is well now" if _is_well(manifest) else ""


def _later_success(inventory: Inventory, event: Event, about: ResourceRef | None) -> str:
    """The reason of a later event that reports the success of the same thing, "" without one."""
    failed, core = moment(event.last_seen), _core(event.reason)
    for other in inventory.context.events:
        if other.type == "Warning" or (other.involved or about) != about or other.reason == event.reason:
            continue
        then = moment(other.last_seen)
        if (
            failed
            and then
            and then >= failed
            and (_core(other.reason) & core or _ENDS.get(event.reason) == other.reason)
        ):
            return one_line(other.reason, 60)
    return ""


# Reasons whose success has another word (Kubernetes' pkg/kubelet/events/event.go and the controllers').
_ENDS = {
    "FailedScheduling": "Scheduled",
    "FailedMount": "Started",
    "FailedAttachVolume": "Started",
    "FailedCreatePodSandBox": "Started",
    "NodeNotReady": "NodeReady",
    "ProvisioningFailed": "ProvisioningSucceeded",
}
_OUTCOMES = _names("""
    failed failure fail error errors success successful succeeded successfully ensured ensuring completed
    created
    """)


@lru_cache(maxsize=1_024)
def _core(reason: str) -> frozenset[str]:
    """The words of a reason but for its outcome: of `SyncLoadBalancerFailed` and `EnsuredLoadBalancer` the balancer."""
    words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", reason)}
    return frozenset(word.removesuffix("d") for word in words - _OUTCOMES)


def _is_well(manifest: Manifest) -> bool:
    match group_kind(manifest):
        case ("", "Pod"):
            return pod_is_well(manifest)
        case ("", "PersistentVolumeClaim"):
            return text_at(manifest, "status", "phase") == "Bound"
        case ("", "Service") | ("networking.k8s.io", "Ingress"):
            return bool(list_at(manifest, "status", "loadBalancer", "ingress"))
        case _:
            return workload_is_well(manifest)


# Conditions of built-in kinds (https://kubernetes.io/docs/reference/kubernetes-api/): True is bad for these, for any
# other False is.
_BAD_IF_TRUE = _names("""
    ReplicaFailure FailureTarget Failed MemoryPressure DiskPressure PIDPressure NetworkUnavailable
    NamespaceDeletionDiscoveryFailure NamespaceDeletionContentFailure
    NamespaceDeletionGroupVersionParsingFailure
    """)
_READ_KINDS = frozenset({("", "Pod"), ("apps", "Deployment"), ("apps", "ReplicaSet"), ("", "Node"), ("batch", "Job")})
# They are False or True in the normal life of an object.
_NORMAL_REASONS = frozenset(("PodCompleted", "ReplicaSetUpdated", "NewReplicaSetCreated", "FoundNewReplicaSet"))


def _conditions(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each object whose condition is not well: a warning if it lasts, else what is under way."""
    for kind, manifest in inventory.objects:
        if kind in _READ_KINDS and not text_at(manifest, "metadata", "deletionTimestamp"):
            found = next(_bad_conditions(manifest), None)
            resource = ResourceRef.of(manifest)
            if found is not None and resource is not None:
                yield _condition(inventory, manifest, resource, found)


def _bad_conditions(manifest: Manifest) -> Iterator[int]:
    if integer_at(manifest, "spec", "replicas") == 0 or text_at(manifest, "status", "phase") in ("Succeeded", "Failed"):
        return
    for index, condition in enumerate(list_at(manifest, "status", "conditions")):
        kind, status, reason = (text_at(condition, key) for key in ("type", "status", "reason"))
        bad = "True" if kind in _BAD_IF_TRUE else "False"
        if status in (bad, "Unknown") and reason not in _NORMAL_REASONS and kind not in _OPTIONAL:
            yield index


# A Deployment that was never complete, a Pod that may be resized: no fault.
_OPTIONAL = frozenset(("Complete", "SuccessCriteriaMet", "Suspended", "DisruptionTarget", "PodResizePending"))


def _condition(inventory: Inventory, manifest: Manifest, resource: ResourceRef, index: int) -> Observation:
    path = ("status", "conditions", index)
    kind, reason, message = (text_at(manifest, *path, key) for key in ("type", "reason", "message"))
    since = moment(text_at(manifest, *path, "lastTransitionTime"))
    lasted = inventory.now - since if since and inventory.now else None
    lasting = lasted is not None and lasted > PATIENCE
    how_long = f" for {minutes_text(lasted)}" if lasted and lasted > timedelta() else ""
    state = f"{one_line(kind, 60)} is {text_at(manifest, *path, 'status')}{how_long}"
    what = _waits_for(manifest) or one_line(message, _STATEMENT_LIMIT).rstrip(".") or one_line(reason, 60)
    counts = _pods_text(manifest)
    return Observation(
        resource=resource,
        title=f"{resource.kind} {one_line(resource.name, 80)}{counts}: {what or state}{how_long if what else ''}",
        explanation=f"Its condition {state}{f' ({one_line(reason, 60)})' if reason else ''}. "
        + ("It should have ended by now." if lasting else "This is normal while it starts."),
        evidence=quote(manifest, *path, "message") + quote(manifest, *path, "reason") + quote(manifest, *path, "type"),
        severity="warning" if lasting else "info",
        follows=True,
    )


def _pods_text(manifest: Manifest) -> str:
    if group_kind(manifest) not in (("apps", "Deployment"), ("apps", "ReplicaSet")):
        return ""
    wanted = integer_at(manifest, "spec", "replicas")
    available = integer_at(manifest, "status", "availableReplicas") or 0
    return f" has {available} of {1 if wanted is None else wanted} pods available"


def _waits_for(pod: Manifest) -> str:
    """What a Pod whose containers do not start waits for, "" for any other object."""
    if group_kind(pod) != ("", "Pod"):
        return ""
    waiting = [
        status
        for field in ("initContainerStatuses", "containerStatuses")
        for status in list_at(pod, "status", field)
        if text_at(status, "state", "waiting", "reason") in ("ContainerCreating", "PodInitializing")
    ]
    if not waiting:
        return ""
    volumes = [
        f"{kind} {one_line(text_at(volume, *path), 80)} (volume {one_line(text_at(volume, 'name'), 60)})"
        for volume in list_at(pod, "spec", "volumes")
        for kind, path in _VOLUMES
        if text_at(volume, *path)
    ]
    name = one_line(text_at(waiting[0], "name"), 80)
    return f"container {name} is not created" + (f"; it needs {', '.join(volumes[:4])}" if volumes else "")


_VOLUMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ConfigMap", ("configMap", "name")),
    ("Secret", ("secret", "secretName")),
    ("PersistentVolumeClaim", ("persistentVolumeClaim", "claimName")),
    ("CSI driver", ("csi", "driver")),
    ("NFS server", ("nfs", "server")),
    ("host path", ("hostPath", "path")),
)


def _clock(time: str) -> str:
    at = moment(time)
    return at.strftime("%H:%M:%S") if at else ""


def _ago(inventory: Inventory, time: str) -> str:
    at: datetime | None = moment(time)
    if at is None or inventory.now is None or inventory.now - at < timedelta(minutes=1):
        return ""
    return f", {minutes_text(inventory.now - at)} ago"
