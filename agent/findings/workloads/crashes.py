"""Containers that ended although they should not have: out of memory, killed by a probe, no such command, an exit code.

Owns what the ends mean; containers that never started are in `waiting`.
"""

import re
from dataclasses import dataclass, replace

from agent.context.model import Event
from agent.findings.engine.commands import kubectl
from agent.findings.engine.container import POD_NAME, Container, pod_command
from agent.findings.engine.evidence import one_line, quote_event
from agent.findings.model import Evidence, Finding
from agent.findings.workloads.crash_reasons import CrashReason, first_step, reason_in
from agent.findings.workloads.probes import probe_failure
from agent.objects.manifest import Manifest, integer_at, text_at


def crashed_container(container: Container) -> Finding | None:
    """How a container ended, None where it did not, ended well, or has recovered since."""
    status = container.status
    if text_at(status, "state", "waiting", "reason") == "CrashLoopBackOff":
        return _crashed(container, "lastState")
    if _failed(status, "state"):
        return _crashed(container, "state")
    if not _failed(status, "lastState") or text_at(status, "state", "terminated", "exitCode") == "0":
        return None
    if status.get("ready") is not True:
        return _crashed(container, "lastState")  # between two crashes a container is up for a while
    # Ready again means recovered, a late database for instance, except from want of memory: that comes back. The
    # kubelet's back-off tells that it is no matter of the past (events live for an hour).
    out_of_memory = text_at(status, "lastState", "terminated", "reason") == "OOMKilled"
    if out_of_memory and any(_backs_off(event, container) for event in container.events):
        return replace(_crashed(container, "lastState"), severity="warning")
    return None


def _failed(status: Manifest, state: str) -> bool:
    return integer_at(status, state, "terminated", "exitCode") not in (None, 0)


def _backs_off(event: Event, container: Container) -> bool:
    """Whether the event tells of a container that crashes, and of this one (clusters before 1.27 do not name it)."""
    _, found, rest = event.message.partition("Back-off restarting failed container")
    name = text_at(container.status, "name")
    return event.reason == "BackOff" and bool(found) and (rest.split()[:1] or [name]) == [name]


# Exit codes by their meaning: the shell's own, and 128 plus the signal that ended the process (signal(7)).
_EXIT_CODES = {
    1: "The program itself reports an error; its log says which.",
    2: "The program reports wrong use of its arguments, or panicked (Go programs exit so); its log says which.",
    126: "The command was found and cannot be executed: it lacks the execute permission, or is no program.",
    127: "The command was not found in the image: a wrong path, or a script whose interpreter is missing.",
    128: "The container runtime could not start the command.",
    130: "It was interrupted (SIGINT).",
    132: "It used an instruction that the node's CPU does not have (SIGILL): built for another architecture.",
    134: "It aborted itself (SIGABRT): a failed assertion, or its runtime gave up.",
    135: "It was ended by a bus error (SIGBUS), often a full /dev/shm.",
    137: "It was killed (SIGKILL): by the kernel for want of memory, or by the kubelet after a failed liveness probe "
    "or a termination that took too long.",
    139: "It crashed by a memory fault (SIGSEGV).",
    143: "It was asked to end (SIGTERM), by a failed liveness probe, a rollout or an eviction, and obeyed.",
    255: "It exited with -1 or a code out of range; its log says why.",
}


def meaning_of_exit_code(code: int) -> str:
    """What an exit code tells, in a sentence."""
    if code in _EXIT_CODES:
        return _EXIT_CODES[code]
    if 128 < code < 160:
        return f"It was ended by signal {code - 128}."
    return "The code is the program's own; its log says what it means."


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How a container ended, and what is quoted of it: `said` of the end itself, `around` of what followed."""

    code: int
    reason: str
    said: tuple[Evidence, ...]
    around: tuple[Evidence, ...]


def _crashed(container: Container, state: str) -> Finding:
    """A container that ended although it should not have: by the most telling of the known ways."""
    terminated = (state, "terminated")
    said = (
        *container.quote(*terminated, "reason"),
        *container.quote(*terminated, "exitCode"),
        *container.quote(*terminated, "message"),
    )
    backoffs = [event for event in container.events if _backs_off(event, container)]
    around = (
        *container.quote("state", "waiting", "reason"),
        *(container.quote("restartCount") if integer_at(container.status, "restartCount") else ()),
        *(quoted for event in backoffs[:1] for quoted in quote_event(event)),
    )
    code = integer_at(container.status, *terminated, "exitCode")
    if code is None:
        return _ended_unseen(container, said + around)
    reason = text_at(container.status, *terminated, "reason")
    end = _End(code=code, reason=reason, said=said, around=around)
    ways = (_out_of_memory, _killed_by_probe, _cannot_start)
    return next((finding for way in ways if (finding := way(container, end))), None) or _exited(container, end)


def _out_of_memory(container: Container, end: _End) -> Finding | None:
    if end.reason != "OOMKilled":
        return None
    limit = container.spec_text("resources", "limits", "memory")
    logs = container.quote_log()
    if limit:
        return container.finding(
            f"{container.title} is OOMKilled (exit code {end.code}) at its memory limit of {one_line(limit, 20)}",
            f"The process wanted more memory than the limit of {one_line(limit, 20)}, so the kernel killed it.",
            end.said + container.quote_spec("resources", "limits", "memory") + end.around + logs,
            _more_memory(container, limit),
            "If the need grows without end it is a leak: measure it by "
            + pod_command(container.pod, "top", "pod", POD_NAME, "--containers")
            + " over time, and bound the program's own heap or caches below the limit.",
        )
    return container.finding(
        f"{container.title} is OOMKilled (exit code {end.code}); it has no memory limit of its own",
        "The kernel killed the process for want of memory: on the node, or within another bound.",
        end.said + end.around + logs,
        "Set a memory request and limit that fit the program, so that the scheduler finds a node with room for it.",
        "Look at the memory of the pod's node.",
    )


_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)([KMGT]i?|k)?")


def _more_memory(container: Container, limit: str) -> str:
    """The step that doubles a memory limit: enough to tell a limit that is too low from a leak."""
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


# `kubectl set resources` takes these; the template of a Job is immutable.
_SETTABLE = ("Deployment", "StatefulSet", "DaemonSet")


def _killed_by_probe(container: Container, end: _End) -> Finding | None:
    # A probe's kill is SIGTERM, then SIGKILL after the grace period; the program may also exit by itself on SIGTERM.
    failure = probe_failure(container, "Liveness", "Startup")
    if failure is None or end.code not in (137, 143):
        return None
    if container.spec_path and not container.quote_spec(failure.field):
        return None
    told = " gets ".join(part for part in (failure.asks, failure.answer) if part)
    return container.finding(
        f"{container.title} is killed by its {failure.name} probe (exit code {end.code})"
        + (f": {told}" if told else ""),
        f"The kubelet restarts the container because its {failure.name} probe fails; the exit code is that of the "
        f"kill. {failure.hint}".strip(),
        quote_event(failure.event)
        + container.quote_spec(failure.field)
        + end.said
        + end.around
        + container.quote_log(),
        failure.step,
        "Find out why the probe fails: are its path and port right, does the program start slower than it waits, "
        f"does it hang? See {container.logs_command(previous=True)}.",
        "For a slow start add a startupProbe (or raise its failureThreshold) instead of weakening the liveness probe.",
    )


def _cannot_start(container: Container, end: _End) -> Finding | None:
    if end.reason not in ("StartError", "ContainerCannotRun") and end.code not in (126, 127):
        return None
    command = container.quote_spec("command") + container.quote_spec("args")
    return container.finding(
        f"{container.title} cannot start its command (exit code {end.code})",
        meaning_of_exit_code(end.code),
        end.said + command + container.quote_spec("image") + end.around + container.quote_log(),
        "Compare command and args of the container with what the image holds, and correct them in Git.",
        f"See {container.logs_command(previous=True)}.",
    )


def _exited(container: Container, end: _End) -> Finding:
    if end.code == 0:
        return container.finding(
            f"{container.title} ends by itself (exit code 0) and is restarted again and again",
            "The program finishes, while its Pod is meant to run for ever: each end counts as a crash.",
            end.said + end.around + container.quote_spec("command") + container.quote_spec("args"),
            "If the work is meant to end, run it as a Job; else start the program in the foreground.",
            f"See {container.logs_command(previous=True)}.",
        )
    looping = text_at(container.status, "state", "waiting", "reason") == "CrashLoopBackOff"
    restarts = integer_at(container.status, "restartCount") or 0
    verb = "keeps crashing" if looping or restarts > 1 else "failed"
    logs = container.quote_log()
    title = f"{container.title} {verb} (exit code {end.code})"
    if reason := reason_in(quoted.text for quoted in logs):
        return _told(container, end, title, logs, reason)
    previous = not integer_at(container.status, "state", "terminated", "exitCode")
    return container.finding(
        title,
        meaning_of_exit_code(end.code),
        end.said + end.around,
        f"Read why it ended: {container.logs_command(previous=previous)}.",
        level="effect",
    )


def _told(container: Container, end: _End, title: str, logs: tuple[Evidence, ...], reason: CrashReason) -> Finding:
    """A container whose own last words tell why it ended."""
    workload = container.template
    return container.finding(
        f"{title}: {reason.substance}",
        # "; its log says which" is for who has not read the log.
        f"{meaning_of_exit_code(end.code).partition('; its log')[0].removesuffix('.')}. Its last words in the log are "
        f"quoted here. {reason.meaning}".rstrip(),
        end.said + logs + end.around,
        first_step(container, reason),
        level="effect",
        # The same fault in other words (a time, an address) in each pod of a workload.
        cause=f"crash {workload[0]} {workload[1]} {end.code} {reason.kind or reason.substance}" if workload else "",
    )


def _ended_unseen(container: Container, evidence: tuple[Evidence, ...]) -> Finding:
    logs = container.quote_log()
    reason = reason_in(quoted.text for quoted in logs)
    read = f"Read why it ended: {container.logs_command(previous=True)}."
    return container.finding(
        f"{container.title} keeps crashing (CrashLoopBackOff)" + (f": {reason.substance}" if reason else ""),
        "The kubelet waits longer and longer before it starts the container again. How it ended is not in the status."
        + (f" {reason.meaning}" if reason and reason.meaning else ""),
        container.quote("state", "waiting", "reason")
        + container.quote("state", "waiting", "message")
        + evidence
        + logs,
        first_step(container, reason) if reason else read,
        level="effect",
    )
