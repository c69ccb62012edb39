"""Containers that exited and should not have: out of memory, killed by a probe, command not found, an exit code.

Owns the meaning of exits; containers that never started are in `waiting`.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.context.model import Event
from agent.findings.engine.commands import kubectl
from agent.findings.engine.container import POD_NAME, Container, pod_command
from agent.findings.engine.durations import minutes_text
from agent.findings.engine.evidence import one_line, quote_event
from agent.findings.model import Evidence, Finding
from agent.findings.workloads.commands_not_found import UnstartableCommand, unstartable_command
from agent.findings.workloads.crash_reasons import CrashReason, first_step, reason_in
from agent.findings.workloads.probes import ProbeFailure, allowed_failures, probe_failure
from agent.objects.manifest import Manifest, integer_at, text_at
from agent.objects.times import moment


def crashed_container(container: Container) -> Finding | None:
    """The finding of a container that exited, None where it runs, succeeded, or has recovered."""
    status = container.status
    if text_at(status, "state", "waiting", "reason") == "CrashLoopBackOff":
        return _crashed(container, "lastState")
    if _failed(status, "state"):
        return _crashed(container, "state")
    has_failed = _failed(status, "lastState") or _was_killed(container)
    if not has_failed or text_at(status, "state", "terminated", "exitCode") == "0":
        return None
    if status.get("ready") is not True:
        return _crashed(container, "lastState")  # between two crashes a container is up for a while
    return _restarted(container)


_LATELY = timedelta(hours=1)
"""How long a restart matters: as long as its events are kept (kube-apiserver's --event-ttl, 1h)."""

_OFTEN = 3
"""Restarts after which a container that is ready will probably crash again."""


def _restarted(container: Container) -> Finding | None:
    """The finding of a ready container that was restarted lately: a warning if it will probably crash again."""
    ended = moment(text_at(container.status, "lastState", "terminated", "finishedAt"))
    now = container.inventory.now
    backs_off = any(_backs_off(event, container) for event in container.events)
    if (now - ended > _LATELY) if ended and now else not backs_off:
        return None
    restarts = integer_at(container.status, "restartCount") or 1
    out_of_memory = text_at(container.status, "lastState", "terminated", "reason") == "OOMKilled"
    crash = _crashed(container, "lastState")
    often = f"{restarts} times" if restarts > 1 else "once"
    ago = f", last {minutes_text(now - ended)} ago" if ended and now else ""
    lasting = out_of_memory or restarts >= _OFTEN or (backs_off and restarts > 1)
    return replace(
        crash,
        title=f"{crash.title} (ready now; restarted {often}{ago})",
        severity="warning" if lasting else "info",
    )


def _failed(status: Manifest, state: str) -> bool:
    return integer_at(status, state, "terminated", "exitCode") not in (None, 0)


def _backs_off(event: Event, container: Container) -> bool:
    """Whether the event reports the back-off of this container (clusters before 1.27 do not name it)."""
    _, found, rest = event.message.partition("Back-off restarting failed container")
    name = text_at(container.status, "name")
    return event.reason == "BackOff" and bool(found) and (rest.split()[:1] or [name]) == [name]


# Exit codes of the shell (https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html), and 128 plus the signal
# that killed the process (https://man7.org/linux/man-pages/man7/signal.7.html).
_EXIT_CODES = {
    1: "The program reports an error; its log has the details.",
    2: "The program reports wrong arguments or another fatal error of its own; its log has the details.",
    126: "The command was found and cannot be executed: it has no execute permission, or is not a program.",
    127: "The command was not found in the image: a wrong path, or a script whose interpreter is missing.",
    128: "The container runtime could not start the command.",
    130: "It was interrupted (SIGINT).",
    132: "It used an instruction that the node's CPU does not have (SIGILL): built for another architecture.",
    134: "It aborted (SIGABRT): a failed assertion, or a fatal error of its runtime.",
    135: "It was killed by a bus error (SIGBUS), often because of a full /dev/shm.",
    137: "It was killed (SIGKILL): by the kernel for want of memory, or by the kubelet after a failed liveness probe "
    "or a termination that took too long.",
    139: "It crashed with a segmentation fault (SIGSEGV).",
    143: "It was terminated (SIGTERM), by a failed liveness probe, a rollout or an eviction.",
    255: "It exited with -1 or a code out of range; its log has the details.",
}


def meaning_of_exit_code(code: int) -> str:
    """The meaning of an exit code, in a sentence."""
    if code in _EXIT_CODES:
        return _EXIT_CODES[code]
    if 128 < code < 160:
        return f"It was killed by signal {code - 128}."
    return "The code is specific to the program; its log has the details."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exit:
    """How a container exited: `quotes` are those of the exit itself, `aftermath` those of what followed."""

    code: int
    reason: str
    quotes: tuple[Evidence, ...]
    aftermath: tuple[Evidence, ...]


def _crashed(container: Container, state: str) -> Finding:
    """The finding of a container that exited and should not have, by the most specific of the known ways."""
    terminated = (state, "terminated")
    quotes = (
        *container.quote(*terminated, "reason"),
        *container.quote(*terminated, "exitCode"),
        *container.quote(*terminated, "message"),
    )
    backoffs = [event for event in container.events if _backs_off(event, container)]
    aftermath = (
        *container.quote("state", "waiting", "reason"),
        *(container.quote("restartCount") if integer_at(container.status, "restartCount") else ()),
        *(quoted for event in backoffs[:1] for quoted in quote_event(event)),
    )
    code = integer_at(container.status, *terminated, "exitCode")
    if code is None:
        return _exited_unseen(container, quotes + aftermath)
    reason = text_at(container.status, *terminated, "reason")
    end = _Exit(code=code, reason=reason, quotes=quotes, aftermath=aftermath)
    ways = (_out_of_memory, _killed_by_probe, _cannot_start)
    return next((finding for way in ways if (finding := way(container, end))), None) or _exited(container, end)


def _out_of_memory(container: Container, end: _Exit) -> Finding | None:
    if end.reason != "OOMKilled":
        return None
    limit = container.spec_text("resources", "limits", "memory")
    logs = container.quote_log()
    if limit:
        return container.finding(
            f"{container.title} is OOMKilled (exit code {end.code}) at its memory limit of {one_line(limit, 20)}",
            f"The process needed more memory than the limit of {one_line(limit, 20)}, so the kernel killed it.",
            end.quotes + container.quote_spec("resources", "limits", "memory") + end.aftermath + logs,
            _more_memory(container, limit),
            "If the usage keeps growing it is a leak: measure it by "
            + pod_command(container.pod, "top", "pod", POD_NAME, "--containers")
            + " over time, and limit the program's own heap or caches below the limit.",
        )
    return container.finding(
        f"{container.title} is OOMKilled (exit code {end.code}); it has no memory limit of its own",
        "The kernel killed the process for want of memory: of the node, or of another limit.",
        end.quotes + end.aftermath + logs,
        "Set a memory request and limit that fit the program, so that the scheduler finds a node with room for it.",
        "Look at the memory of the pod's node.",
    )


_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)([KMGT]i?|k)?")


def _more_memory(container: Container, limit: str) -> str:
    """The step that doubles a memory limit: enough to distinguish a low limit from a leak."""
    match = _QUANTITY.fullmatch(limit)
    if match is None or len(match[1]) > 5:
        return container.change("resources.limits.memory", "what it really needs")
    doubled = f"{float(match[1]) * 2:g}{match[2] or ''}"
    command, template = "", container.template
    if template and template[0].kind in _SETTABLE:
        workload = template[0]
        words = ("set", "resources", f"{workload.kind.lower()}/{workload.name}", "-c", container.name)
        command = kubectl(*words, f"--limits=memory={doubled}", namespace=workload.namespace)
    return container.change("resources.limits.memory", doubled, command)


# Kinds that `kubectl set resources` can change; the template of a Job is immutable.
_SETTABLE = ("Deployment", "StatefulSet", "DaemonSet")


def _killed_by_probe(container: Container, end: _Exit) -> Finding | None:
    # A probe's kill is SIGTERM, then SIGKILL after the grace period:
    # https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
    failure = probe_failure(container, "Liveness", "Startup")
    # A program that handles SIGTERM exits with 0.
    if failure is None or (end.code not in (0, 137, 143) and not _was_killed(container)):
        return None
    if not _was_killed(container) and not _explains_kill(container, end, failure):
        return None
    request = " gets ".join(part for part in (failure.request, failure.answer) if part)
    return container.finding(
        f"{container.title} is killed by its {failure.name} probe (exit code {end.code})"
        + (f": {request}" if request else ""),
        f"The kubelet restarts the container because its {failure.name} probe fails; the exit code is that of the "
        f"kill. {failure.hint}".strip(),
        quote_event(failure.event)
        + container.quote_spec(failure.field)
        + end.quotes
        + end.aftermath
        + container.quote_log(),
        failure.step,
        "Find out why the probe fails: are its path and port right, does the program start more slowly than the probe "
        f"allows, does it hang? See {container.logs_command(previous=True)}.",
        "For a slow start add a startupProbe (or raise its failureThreshold) and keep the liveness probe strict.",
    )


def _explains_kill(container: Container, end: _Exit, failure: ProbeFailure) -> bool:
    """Whether the probe's failures alone explain the exit: any with the exit code of a signal, else as many as
    failureThreshold allows. A probe that the container no longer has does not."""
    if container.spec_path and not container.quote_spec(failure.field):
        return False
    return end.code != 0 or failure.event.count >= allowed_failures([container.spec])


def _was_killed(container: Container) -> bool:
    """Whether the kubelet reports that it killed the container for its probe, whatever it exited with."""
    return any(
        event.reason == "Killing" and "probe" in event.message and container.name in event.message
        for event in container.events
    )


def _cannot_start(container: Container, end: _Exit) -> Finding | None:
    if end.reason not in ("StartError", "ContainerCannotRun") and end.code not in (126, 127):
        return None
    command = container.quote_spec("command") + container.quote_spec("args")
    unstartable = _unstartable(container, end)
    return container.finding(
        f"{container.title} cannot start its command (exit code {end.code})"
        + (f": {unstartable}" if unstartable else ""),
        meaning_of_exit_code(end.code),
        end.quotes + command + container.quote_spec("image") + end.aftermath + container.quote_log(),
        unstartable.step(container)
        if unstartable
        else "Compare command and args of the container with the files of the image, and correct them in Git.",
        f"See {container.logs_command(previous=True)}.",
    )


def _unstartable(container: Container, end: _Exit) -> UnstartableCommand | None:
    """The command that could not be started, by the runtime's message or the log of a shell."""
    texts = (
        *(each.text for each in end.quotes),
        *(event.message for event in container.events if event.reason == "Failed"),
        *(each.text for each in container.quote_last_words()),
    )
    return next((found for text in texts if (found := unstartable_command(text))), None)


def _exited(container: Container, end: _Exit) -> Finding:
    if end.code == 0:
        return container.finding(
            f"{container.title} keeps exiting by itself (exit code 0) and being restarted",
            "The program ends, and its Pod has to run forever: each exit counts as a crash.",
            end.quotes + end.aftermath + container.quote_spec("command") + container.quote_spec("args"),
            "If the work has an end, run it as a Job; otherwise start the program in the foreground.",
            f"See {container.logs_command(previous=True)}.",
        )
    looping = text_at(container.status, "state", "waiting", "reason") == "CrashLoopBackOff"
    restarts = integer_at(container.status, "restartCount") or 0
    verb = "keeps crashing" if looping or restarts > 1 else "failed"
    logs = container.quote_last_words()
    title = f"{container.title} {verb} (exit code {end.code})"
    if reason := reason_in(quoted.text for quoted in logs):
        return _with_reason(container, end, title, logs, reason)
    previous = not integer_at(container.status, "state", "terminated", "exitCode")
    return container.finding(
        title,
        meaning_of_exit_code(end.code),
        end.quotes + end.aftermath,
        f"Read its log: {container.logs_command(previous=previous)}.",
        level="effect",
    )


def _with_reason(
    container: Container, end: _Exit, title: str, logs: tuple[Evidence, ...], reason: CrashReason
) -> Finding:
    """The finding of a container whose log has the reason of its exit."""
    workload = container.template
    return container.finding(
        f"{title}: {reason.substance}",
        # Without "; its log has the details", as these are quoted.
        f"{meaning_of_exit_code(end.code).partition('; its log')[0].removesuffix('.')}. The last lines of its log are "
        f"quoted here. {reason.meaning}".rstrip(),
        end.quotes + logs + end.aftermath,
        first_step(container, reason),
        level="effect",
        # Pods of a workload log the same fault with other times and addresses.
        cause=f"crash {workload[0]} {workload[1]} {end.code} {reason.kind or reason.substance}" if workload else "",
    )


def _exited_unseen(container: Container, evidence: tuple[Evidence, ...]) -> Finding:
    logs = container.quote_last_words()
    reason = reason_in(quoted.text for quoted in logs)
    read = f"Read its log: {container.logs_command(previous=True)}."
    return container.finding(
        f"{container.title} keeps crashing (CrashLoopBackOff)" + (f": {reason.substance}" if reason else ""),
        "The kubelet waits longer after each crash before the next restart. The status does not show how it exited."
        + (f" {reason.meaning}" if reason and reason.meaning else ""),
        container.quote("state", "waiting", "reason")
        + container.quote("state", "waiting", "message")
        + evidence
        + logs,
        first_step(container, reason) if reason else read,
        level="effect",
    )
