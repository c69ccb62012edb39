"""Errors in logs, whether or not their Pod is ready: the first line of each kind, with counts and times."""

import re
from collections.abc import Iterator

from agent.context.distillation.levels import LogSeverity, level_of, states_level
from agent.context.model import ContainerLog, LogLine
from agent.findings.engine.evidence import one_line, quote_lines
from agent.findings.engine.health import pod_is_healthy
from agent.findings.engine.inventory import Inventory
from agent.findings.engine.logs import fatal_lines, fault_kind, fault_meaning, raised_lines
from agent.findings.engine.message_steps import fix_for
from agent.findings.observations.observation import RECENT, STATEMENT_LIMIT, Observation, ago, clock
from agent.findings.workloads.crash_reasons import general_step, step_for, substance
from agent.objects.manifest import Manifest, objects_at, text_at
from agent.objects.times import moment

# Distinct errors of a log that are quoted.
_QUOTED = 6
# Characters of a line in the explanation.
_LINE = 500
# Distinct fatal lines without a level that are read.
_UNSTATED = 6
# A line that announces its own retry or its end is no fault by itself; nor is a client's request for a file that a
# server does not have (nginx, src/http/modules/ngx_http_static_module.c), or a watch that the client starts again
# (https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses).
_TRANSIENT = re.compile(
    r"\(2: No such file or directory\), client: |\btoo old resource version\b|"
    r"\bretry|\bretries\b|\btry(?:ing)? again|\breconnect|\bsucceeded\b|\brecovered\b|\bbacking off\b",
    re.IGNORECASE,
)


def log_errors(inventory: Inventory) -> Iterator[Observation]:
    """An observation for each log with errors: a warning while they are recent and the container has not ended well."""
    for log in inventory.context.logs:
        if kinds := _kinds(inventory, log):
            yield _observation(inventory, log, kinds)


def _kinds(inventory: Inventory, log: ContainerLog) -> dict[str, list[LogLine]]:
    """The error lines of a log by what they report, without those that announce a retry. Lines without a level count
    where the container is not ready."""
    ready = [_is_ready(pod, log.container) for pod in _writers(inventory, log)]
    unstated = (
        set[int]()
        if ready and all(ready)
        else {id(line) for line in fatal_lines(log, _UNSTATED) if not states_level(line.text)}
    )
    raised = {id(first): exception for first, exception in raised_lines(log)}
    kinds: dict[str, list[LogLine]] = {}
    for line in (raised.get(id(each), each) for each in log.lines):
        severity = level_of(line.text).severity
        is_error = severity >= LogSeverity.ERROR or id(line) in unstated or line in raised.values()
        is_error |= severity == LogSeverity.WARNING and _AT_A_LIMIT.search(line.text, 0, _READ) is not None
        if is_error and not _is_harmless(line.text) and (text := substance(line.text)):
            kinds.setdefault(_shape(text), []).append(line)
    return kinds


# A warning that a limit is reached: what comes now has to wait or is refused.
_AT_A_LIMIT = re.compile(
    r"\breached\b.{1,80}\b(?:max\w*|limit)|\b(?:pool|queue) (?:is )?(?:exhausted|full)\b", re.IGNORECASE
)
_READ = 2_000


def _is_harmless(text: str) -> bool:
    return _TRANSIENT.search(text) is not None or _ABSENT_PAGE.search(text) is not None


# nginx logs a client's request for a page that does not exist as an error
# (https://nginx.org/en/docs/http/ngx_http_core_module.html#log_not_found).
_ABSENT_PAGE = re.compile(r"failed \(2: No such file or directory\), client: .{1,400}request: \"")


def _observation(inventory: Inventory, log: ContainerLog, kinds: dict[str, list[LogLine]]) -> Observation:
    firsts = [lines[0] for lines in kinds.values()]
    evidence = quote_lines(inventory.context, log, firsts[:_QUOTED])
    count = sum(line.repeats for lines in kinds.values() for line in lines)
    last = max((lines[-1].last_timestamp or lines[-1].timestamp for lines in kinds.values()), default="")
    often = f"{count} errors of {len(kinds)} kinds" if len(kinds) > 1 else f"{count} times" if count > 1 else "once"
    at = f", last at {clock(last)}{ago(inventory, last)}" if clock(last) else ""
    run = " (previous run)" if log.previous else ""
    return Observation(
        resource=evidence[0].resource if evidence else inventory.context.target.resource,
        title=f"Container {one_line(log.container, 80)}{run} logs an error: "
        f"{one_line(substance(firsts[0].text), STATEMENT_LIMIT)} ({often}{at})",
        explanation=_explanation(firsts),
        evidence=evidence,
        severity="warning" if _is_recent(inventory, last) and not _has_ended_well(inventory, log) else "info",
        step=_step(firsts[0].text),
        fault=f"log {log.container} {' '.join(sorted(kinds))}",
    )


def _explanation(firsts: list[LogLine]) -> str:
    meaning = fault_meaning(*(line.text for line in firsts)) or "Its log reports the errors that are quoted here."
    first = one_line(firsts[0].text, _LINE)
    return f"{meaning} The first of them: {first}" if len(first) > STATEMENT_LIMIT else meaning


def _step(line: str) -> str:
    """What to do about the first error: by what its line names, else by the form of its message."""
    general = general_step(line)
    known = step_for(line, fault_kind(line)[0]).removesuffix(general).strip() or fix_for(substance(line), {}) or general
    return f"{known} Begin with the first of these errors: the later ones may follow from it."


def _is_recent(inventory: Inventory, time: str) -> bool:
    at = moment(time)
    return at is None or inventory.now is None or inventory.now - at <= RECENT


def _has_ended_well(inventory: Inventory, log: ContainerLog) -> bool:
    """Whether the Pod that wrote the log has succeeded or was replaced; of a previous run whether the Pod is ready."""
    pods = _writers(inventory, log)
    ended = (text_at(pod, "status", "phase") == "Succeeded" or inventory.is_outlived(pod) for pod in pods)
    return bool(pods) and (all(ended) or (log.previous and all(map(pod_is_healthy, pods))))


def _writers(inventory: Inventory, log: ContainerLog) -> list[Manifest]:
    return [pod for pod in inventory.of(("", "Pod")) if log.pod in ("", text_at(pod, "metadata", "name"))]


def _is_ready(pod: Manifest, container: str) -> bool:
    statuses = [*objects_at(pod, "status", "initContainerStatuses"), *objects_at(pod, "status", "containerStatuses")]
    return any(text_at(status, "name") == container and status.get("ready") is True for status in statuses)


def _shape(text: str) -> str:
    """The text with digits and hexadecimal replaced, which differ between repetitions."""
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", text[:200], flags=re.IGNORECASE)
