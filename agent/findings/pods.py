"""Pods: what holds the whole Pod back (scheduling, volumes, sandbox), evicts it, or keeps it from being ready.

Owns the Pod's own state; its containers' states are in `waiting` and `crashes`.
"""

import re
from collections.abc import Iterator

from agent.context.model import Context, Event
from agent.findings.about import finding_about
from agent.findings.commands import kubectl
from agent.findings.container import Container, containers_of, pod_command
from agent.findings.crashes import crashed_container
from agent.findings.evidence import one_line, quote, quote_event
from agent.findings.inventory import Inventory
from agent.findings.logs import LastWords
from agent.findings.model import Finding
from agent.findings.objects import is_controlled_by
from agent.findings.references import missing_in, quote_reference
from agent.findings.scheduling import unscheduled_pod
from agent.findings.waiting import waiting_container
from agent.findings.wellness import workload_is_well
from agent.manifest import Manifest, list_at, lookup, text_at

POD = ("", "Pod")


def broken_pods(known: Inventory) -> Iterator[Finding]:
    """What is wrong with each Pod that is neither done, nor going, nor outlived by its replacement."""
    last_words = LastWords(known.context)
    for pod in known.of(POD):
        done = text_at(pod, "status", "phase") == "Succeeded"
        going = lookup(pod, "metadata", "deletionTimestamp") is not None
        if not done and not going and not _outlived(known.context, pod):
            yield from _broken_pod(pod, known.events.of(pod), last_words)


def _outlived(context: Context, pod: Manifest) -> bool:
    """Whether a failed Pod no longer matters: its Job completed, or its workload has all the pods it wants."""
    owner = context.manifest
    failed = text_at(pod, "status", "phase") == "Failed"
    return failed and owner is not None and is_controlled_by(pod, owner) and workload_is_well(owner)


def _broken_pod(pod: Manifest, events: tuple[Event, ...], last_words: LastWords) -> Iterator[Finding]:
    if finding := unscheduled_pod(pod, events):
        yield finding
        return
    if finding := _ended_by_cluster(pod, events):
        yield finding
        return
    containers = list(containers_of(pod, events, last_words))
    found = [f for c in containers if (f := waiting_container(c) or crashed_container(c))]
    if not found:
        found = [f for f in (_volumes(pod, events, containers), _sandbox(pod, events, containers)) if f]
    if not found:
        found = list(_not_ready(pod, containers))
    yield from found


_ENDED = {
    "Evicted": (
        "Pod was evicted from its node",
        "The kubelet ended it to save the node, which ran short of what the message names.",
        "Set requests (memory, ephemeral-storage) near the real use, so that the pod goes to nodes with room; bound "
        "what it writes to emptyDir and logs.",
    ),
    "DeadlineExceeded": (
        "Pod ran longer than its activeDeadlineSeconds",
        "It was ended because its deadline passed.",
        "Find out what it waited for, or raise the deadline.",
    ),
    "NodeLost": (
        "Pod was lost with its node",
        "The node stopped answering.",
        "Look at the node: `kubectl get nodes`.",
    ),
    "UnexpectedAdmissionError": (
        "Pod was refused by its node",
        "The kubelet could not give it what it was scheduled for, a device for instance.",
        "Look at the node and its device plugins.",
    ),
    "NodeAffinity": (
        "Pod was refused by its node: the node no longer matches its affinity",
        "The labels of the node changed between scheduling and start.",
        "Delete the pod, so that it is scheduled anew.",
    ),
}


def _ended_by_cluster(pod: Manifest, events: tuple[Event, ...]) -> Finding | None:
    """A Pod that failed as a whole, not by one of its containers."""
    reason = text_at(pod, "status", "reason")
    if text_at(pod, "status", "phase") != "Failed" or not reason:
        return None
    title, meaning, step = _ENDED.get(
        reason, (f"Pod failed: {one_line(reason, 60)}", "The cluster ended the pod, not one of its containers.", "")
    )
    evidence = quote(pod, "status", "message") + quote(pod, "status", "reason")
    evidence += tuple(q for e in events if e.reason == reason for q in quote_event(e))[:1]
    node = text_at(pod, "spec", "nodeName")
    look = f"See the node's conditions: {kubectl('describe', 'node', node)}." if node and reason == "Evicted" else ""
    return finding_about(pod, title, meaning, evidence, step, look)


def _has_started(containers: list[Container]) -> bool:
    return any(lookup(c.status, "state", "running") or lookup(c.status, "state", "terminated") for c in containers)


def _volumes(pod: Manifest, events: tuple[Event, ...], containers: list[Container]) -> Finding | None:
    """A volume that cannot be attached or mounted, where the Pod waits for it."""
    failures = [e for e in events if e.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume")]
    if not failures or _has_started(containers):
        return None
    # "Unable to attach or mount volumes: ... timed out" repeats what another event says with its reason.
    telling = next((e for e in failures if "timed out waiting for the condition" not in e.message), failures[0])
    match = re.search(r'for volume "([^"]{1,253})"', telling.message)
    volume = f"Volume {one_line(match[1])}" if match else "A volume"
    missing = missing_in(telling.message)
    evidence = quote_event(telling)
    if missing is None:
        verb = "attached" if telling.reason == "FailedAttachVolume" else "mounted"
        return finding_about(
            pod,
            f"{volume} of the pod cannot be {verb}",
            "The containers wait for the volume; the event has the kubelet's or the storage driver's reason.",
            evidence + quote(pod, "spec", "volumes"),
            "A volume that is still attached elsewhere comes free when its old pod is gone; else look at the storage "
            "driver's pods and at the claim.",
        )
    kind = missing.kind.lower()
    lacks = f"{missing.kind} {one_line(missing.name)}".rstrip()
    return finding_about(
        pod,
        f"{volume} of the pod cannot be mounted: "
        + (f"{lacks} has no key {one_line(missing.key)}" if missing.key else f"{lacks} does not exist"),
        "The containers wait for the volume, and the volume for what it is made of.",
        evidence + quote_reference(pod, missing),
        f"See what there is: {pod_command(pod, 'get', kind)}.",
        f"Add {missing} (is it in Git, or made by an operator that failed?), or correct the reference.",
    )


def _sandbox(pod: Manifest, events: tuple[Event, ...], containers: list[Container]) -> Finding | None:
    failures = [e for e in events if e.reason == "FailedCreatePodSandBox"]
    if not failures or _has_started(containers):
        return None
    return finding_about(
        pod,
        "The pod's sandbox cannot be created",
        "The node fails to set up the pod's sandbox before any container, mostly in the network plugin (CNI).",
        quote_event(failures[0]),
        "Look at the network plugin's pods on that node, and at free addresses of its range.",
    )


_PROBES = {"Readiness": "readinessProbe", "Liveness": "livenessProbe", "Startup": "startupProbe"}


def _not_ready(pod: Manifest, containers: list[Container]) -> Iterator[Finding]:
    """Containers that run and are not ready, and a Pod whose readiness gates are not met."""
    for container in containers:
        running = lookup(container.status, "state", "running") is not None
        if running and container.status.get("ready") is False and container.field == "containerStatuses":
            yield _unready(container)
    for index, condition in enumerate(list_at(pod, "status", "conditions")):
        if text_at(condition, "type") == "Ready" and text_at(condition, "reason") == "ReadinessGatesNotReady":
            yield finding_about(
                pod,
                "Pod waits for its readiness gates",
                "Its containers are ready; a controller outside (a load balancer's, often) has not confirmed the gate.",
                quote(pod, "status", "conditions", index, "message") + quote(pod, "spec", "readinessGates"),
                "Look at the controller that sets the gate's condition.",
                severity="warning",
            )


def _unready(container: Container) -> Finding:
    failures = [e for e in container.events if e.reason == "Unhealthy"]
    logs = container.quote_log()
    if not failures:
        return finding_about(
            container.pod,
            f"{container.title} is running but not ready",
            "It gets no traffic until it is. No failed probe is in the events: it may still be starting."
            + (" Its log tells of a fault." if logs else ""),
            container.quote("ready") + container.quote_spec("readinessProbe") + logs,
            f"Read its log: {container.logs_command(previous=False)}.",
            severity="warning",
            level="effect",
        )
    kind = failures[0].message.partition(" ")[0]
    probe = _PROBES.get(kind, "readinessProbe")
    name = probe.removesuffix("Probe")
    return finding_about(
        container.pod,
        f"{container.title} is running but not ready: its {name} probe fails",
        "The kubelet asks by the probe below and gets no good answer, so the pod gets no traffic.",
        quote_event(failures[0]) + container.quote_spec(probe) + container.quote("ready") + logs,
        "Check that path, port and scheme of the probe are those the program serves, and that it answers within "
        "timeoutSeconds; if it waits for something else, that is what to repair.",
        f"Read its log: {container.logs_command(previous=False)}.",
        level="effect",
    )
