"""Pods that do not start (scheduling, volumes, sandbox), or do not become ready.

Owns the Pod's own state; the states of its containers are in `waiting` and `crashes`. Source of the events' reasons:
Kubernetes' pkg/kubelet/events/event.go.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from agent.context.model import Event
from agent.findings.engine.build import namespace_of, object_finding
from agent.findings.engine.container import Container, containers_of
from agent.findings.engine.evidence import one_line, quote, quote_event
from agent.findings.engine.health import is_rolling_out
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import LogErrors
from agent.findings.engine.references import how_to_supply, makers_of, missing_in, quote_reference
from agent.findings.model import Evidence, Finding
from agent.findings.network.connections import Connections, with_failed_connections
from agent.findings.workloads.crash_reasons import reason_in
from agent.findings.workloads.crashes import crashed_container
from agent.findings.workloads.evictions import ended_by_cluster
from agent.findings.workloads.node_plugins import missing_plugin
from agent.findings.workloads.old_revisions import held_by_old_revision
from agent.findings.workloads.pod_finding import pod_finding
from agent.findings.workloads.probes import may_become_ready, probe_failure
from agent.findings.workloads.scheduling import unscheduled_pod
from agent.findings.workloads.waiting import waiting_container
from agent.objects.error_message import parse
from agent.objects.manifest import Manifest, integer_at, list_at, lookup, text_at

POD = ("", "Pod")


def broken_pods(inventory: Inventory) -> Iterator[Finding]:
    """The findings of each Pod that has not succeeded, is not being deleted, and is not outlived by its replacement."""
    last_words, connections = LogErrors(inventory.context), Connections(inventory)
    for pod in inventory.of(POD):
        done = text_at(pod, "status", "phase") == "Succeeded"
        deleted = lookup(pod, "metadata", "deletionTimestamp") is not None
        if not done and not deleted and not inventory.is_outlived(pod):
            yield from _broken_pod(inventory, pod, last_words, connections)


def _broken_pod(
    inventory: Inventory, pod: Manifest, last_words: LogErrors, connections: Connections
) -> Iterator[Finding]:
    events = inventory.events.of(pod)
    if finding := unscheduled_pod(inventory, pod, events):
        yield finding
        return
    if finding := ended_by_cluster(inventory, pod, events):
        yield finding
        return
    containers = list(containers_of(inventory, pod, last_words))
    found = [f for c in containers if (f := waiting_container(c) or crashed_container(c))]
    if not found:
        found = [f for f in (_volumes(inventory, pod, events, containers), _sandbox(pod, events, containers)) if f]
    if not found:
        found = list(_not_ready(pod, containers))
    if found:
        others = [f for c in containers if c.status.get("ready") is not True for f in connections.of(c)]
        found, others = with_failed_connections(found, others)
        yield from others
        if stale := held_by_old_revision(inventory, pod):
            yield stale
            # Whatever is wrong with the old template is not to be repaired any more.
            found = [replace(each, level="effect") for each in found]
    else:
        blocked = [f for c in containers for f in connections.blocked(c)]
        found = [replace(each, severity="warning") for each in blocked]
    yield from found


def _has_started(containers: list[Container]) -> bool:
    return any(lookup(c.status, "state", "running") or lookup(c.status, "state", "terminated") for c in containers)


def _volumes(
    inventory: Inventory, pod: Manifest, events: tuple[Event, ...], containers: list[Container]
) -> Finding | None:
    """The finding that a volume of a waiting Pod cannot be attached or mounted."""
    failures = [e for e in events if e.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume")]
    if not failures or _has_started(containers):
        return None
    # "Unable to attach or mount volumes: ... timed out" repeats another event without its reason.
    event = next((e for e in failures if "timed out waiting for the condition" not in e.message), failures[0])
    match = re.search(r'for volume "([^"]{1,253})"', event.message)
    volume = f"volume {one_line(match[1])}" if match else "a volume"
    missing = missing_in(event.message)
    evidence = quote_event(event)
    if missing is None:
        participle = "attached" if event.reason == "FailedAttachVolume" else "mounted"
        plugin = missing_plugin(inventory, pod, event.message)
        reason = f"CSI driver {one_line(plugin.driver, 80)} does not run there: {plugin}" if plugin else _reason(event)
        return pod_finding(
            pod,
            f"waits for {volume}, which cannot be {participle}: {reason}",
            "The containers wait for the volume; the event has the reason of the kubelet or storage driver.",
            evidence + quote(pod, "spec", "volumes"),
            plugin.step if plugin else _mount_step(event.message),
        )
    source = f"{missing.kind} {one_line(missing.name)}".rstrip()
    return pod_finding(
        pod,
        f"cannot mount {volume}: "
        + (f"{source} has no key {one_line(missing.key)}" if missing.key else f"{source} does not exist"),
        "The containers wait for the volume, and the volume for its source.",
        evidence + quote_reference(pod, missing),
        *how_to_supply(inventory, namespace_of(pod), missing),
        cause=missing.cause(namespace_of(pod)),
        blames=makers_of(inventory, namespace_of(pod), missing),
    )


def _sandbox(pod: Manifest, events: tuple[Event, ...], containers: list[Container]) -> Finding | None:
    failures = [e for e in events if e.reason == "FailedCreatePodSandBox"]
    if not failures or _has_started(containers):
        return None
    return pod_finding(
        pod,
        f"cannot start: its sandbox cannot be created: {_reason(failures[0])}",
        "The node fails to create the pod's sandbox, which comes before any container; mostly the network plugin (CNI) "
        "fails.",
        quote_event(failures[0]),
        _sandbox_step(pod, failures[0].message),
    )


def _reason(event: Event) -> str:
    return one_line(parse(event.message).statement, _REASON_LIMIT)


# Characters of an event's innermost clause in a title.
_REASON_LIMIT = 200

# What to do about a volume, by the words of its event: mount(8) and the attach-detach controller.
_MOUNT_STEPS: tuple[tuple[str, str], ...] = (
    (
        r"helper program|unknown filesystem type|executable file not found",
        "Install the file system's client on the node (for NFS nfs-common or nfs-utils): the kubelet mounts with the "
        "node's own programs.",
    ),
    (
        r"Multi-Attach|already (?:exclusively )?attached|still attached",
        "The volume is released when its old pod is gone from the other node; delete that pod, or wait until it ends.",
    ),
    (
        r"external-attacher of (?P<driver>\S{1,120}) CSI driver",
        "Look at the controller pods of CSI driver {driver} (its external-attacher, mostly in the provisioner's "
        "Deployment) and at `kubectl get csidrivers,volumeattachments`: nothing attaches the volume.",
    ),
    (
        r"access denied by server|Permission denied",
        "Let the server export the volume to this node and its address.",
    ),
    (
        r"not found in the list of registered CSI drivers",
        "Look at the pods of that CSI driver on the node: it has not registered with the kubelet.",
    ),
    (
        r"No such file or directory|does not exist",
        "Create the path on the server or the node, or correct it in the volume.",
    ),
    (
        r"timed? ?out|connection refused|no route to host|unreachable",
        "Check the connection from the node to the storage server.",
    ),
)


def _mount_step(message: str) -> str:
    matches = ((step, re.search(pattern, message, re.IGNORECASE)) for pattern, step in _MOUNT_STEPS)
    found = (step.replace("{driver}", match.groupdict().get("driver", "")) for step, match in matches if match)
    return next(found, "Repair what the event names; look at the pods of the storage driver and at the claim.")


def _sandbox_step(pod: Manifest, message: str) -> str:
    node = one_line(text_at(pod, "spec", "nodeName"), 80)
    where = f"node {node}" if node else "that node"
    if re.search(
        r"no (?:more )?(?:IP )?addresses|address range|no available IP|failed to allocate", message, re.IGNORECASE
    ):
        return f"Free addresses of the network plugin's range on {where}, or enlarge it."
    if re.search(r"net\.d|cni config|no networks found|config(?:uration)? file", message, re.IGNORECASE):
        return f"Check the network plugin's configuration on {where} (/etc/cni/net.d) and its pods, which write it."
    # libcni's wording (https://github.com/containernetworking/cni/blob/main/libcni/api.go), or the plugin's own files.
    if match := _PLUGIN.search(message):
        plugin = one_line(next(group for group in match.groups() if group), 40)
        return (
            f"Look at the DaemonSet of the network plugin {plugin}: its pod on {where} does not run, is not ready or "
            f"has not written its files; see `kubectl get pods --all-namespaces -o wide | grep {plugin}` and its log."
        )
    return f"Look at the pods of the network plugin on {where} and their log."


_PLUGIN = re.compile(
    r"plugin type=\\?\"([\w-]{2,40})\\?\"|"
    r"/(?:var/lib|var/run|run)/(?!kubelet|containerd|docker|crio|netns|cni/|secrets)([a-z][\w-]{1,30})/"
)


def _not_ready(pod: Manifest, containers: list[Container]) -> Iterator[Finding]:
    """The findings of containers that run and are not ready, and of readiness gates that are not met."""
    for container in containers:
        running = lookup(container.status, "state", "running") is not None
        unready = container.status.get("ready") is False and container.field == "containerStatuses"
        if running and unready and (finding := _unready(container)):
            yield finding
    for index, condition in enumerate(list_at(pod, "status", "conditions")):
        if text_at(condition, "type") == "Ready" and text_at(condition, "reason") == "ReadinessGatesNotReady":
            yield pod_finding(
                pod,
                "waits for its readiness gates",
                "Its containers are ready; a controller (often of a load balancer) has not confirmed the gate.",
                quote(pod, "status", "conditions", index, "message") + quote(pod, "spec", "readinessGates"),
                "Look at the controller that sets the gate's condition.",
                severity="warning",
            )


def _is_rolled_out(container: Container) -> bool:
    """Whether a container without restarts belongs to a Deployment whose rollout is in progress."""
    workload = container.inventory.workload_of(container.pod)
    manifest = container.inventory.get(workload.kind, workload.namespace, workload.name) if workload else None
    return manifest is not None and is_rolling_out(manifest) and not integer_at(container.status, "restartCount")


def _reported(logs: tuple[Evidence, ...]) -> str:
    """A sentence with the error of the container's log, "" without one."""
    reason = reason_in((each.text for each in logs), only_faults=True)
    return f"Its log reports: {reason.substance}" if reason else ""


def _unready(container: Container) -> Finding | None:
    """The finding of a container that runs and is not ready, None where it may still be starting."""
    failure, logs = probe_failure(container), container.quote_log()
    if not logs and (may_become_ready(container) or (failure is None and _is_rolled_out(container))):
        return None
    if failure is None:
        return object_finding(
            container.pod,
            f"{container.title} is running but not ready",
            "It gets no traffic until it is ready. The events have no failed probe: it may still be starting."
            + (" Its log reports a fault." if logs else ""),
            container.quote("ready") + container.quote_spec("readinessProbe") + logs,
            f"Read its log: {container.logs_command(previous=False)}.",
            severity="warning",
            level="effect",
        )
    return object_finding(
        container.pod,
        f"{container.title} is running but not ready: its {failure}",
        "The kubelet gets no successful answer from the container, so the pod gets no traffic. "
        + " ".join(filter(None, (failure.hint, _reported(logs)))),
        quote_event(failure.event)
        + container.quote_spec(failure.field)
        + container.quote("ready")
        + (container.quote_spec("ports") if failure.hint else ())
        + logs,
        failure.step,
        "Check that the program serves path, port and scheme of the probe, and answers within timeoutSeconds; if it "
        "waits for a dependency, repair that.",
        f"Read its log: {container.logs_command(previous=False)}.",
        level="effect",
    )
