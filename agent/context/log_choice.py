"""Whose log to read: of the container asked for, else of those that fail. Owns the choice; reads no log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.errors import SourceError
from agent.objects.manifest import Manifest, text_at
from agent.objects.pods import (
    FINE,
    STARTS,
    container_names,
    container_severity,
    has_failed_before,
    has_run,
    unhealthiest_first,
)
from agent.request.question import LogRequest

MAX_LOGS = 4
"""Containers' logs that are read where the request names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChoice:
    """Whose log to read. `chosen`: the request does not name a run, so the current one does as well where
    there is no previous one any more."""

    namespace: str
    pod: str
    container: str
    tail_lines: int
    previous: bool = False
    since_seconds: int | None = None
    chosen: bool = True

    def __str__(self) -> str:
        run = "previous log" if self.previous else "log"
        return f"the {run} of container {self.container} in Pod {self.namespace}/{self.pod}"


def choose_log(pods: Sequence[Manifest], request: LogRequest, *, tail_lines: int) -> LogChoice:
    """Whose log to read: of the container asked for, else of the one that fails most in the unhealthiest Pod.

    For a container that failed and was restarted it is the log of the previous run, unless the request names a run.
    Raises SourceError where no Pod has the container, naming those there are.
    """
    ranked = unhealthiest_first(pods)
    if request.container is None:
        pod = ranked[0]
        names = container_names(pod)
        container = max(names, key=lambda name: container_severity(pod, name), default="")
    else:
        container = request.container
        pod = next((pod for pod in ranked if container in container_names(pod)), None)
    if pod is None or not container:
        names = dict.fromkeys(name for pod in ranked for name in container_names(pod))
        there = f"there are: {', '.join(names)}" if names else "its manifest names none"
        asked = f"No container {container!r} in" if container else "No container to read the log of in"
        raise SourceError(f"{asked} {_names(ranked)}; {there}", code="not_found")
    asked_for_run = "previous" in request.model_fields_set
    return LogChoice(
        namespace=text_at(pod, "metadata", "namespace"),
        pod=text_at(pod, "metadata", "name"),
        container=container,
        previous=request.previous if asked_for_run else has_failed_before(pod, container),
        tail_lines=tail_lines,
        since_seconds=request.since_seconds,
        chosen=not asked_for_run,
    )


def choose_logs(pods: Sequence[Manifest], request: LogRequest, *, tail_lines: int) -> list[LogChoice]:
    """Whose logs to read, the most informative first: every container that fails, is not ready or has failed before,
    MAX_LOGS at most, of many alike (the same container below the same owner) the worst before the others. Where none
    is so, and where the request names a container or a run, it is the one log of `choose_log`.
    Raises SourceError as `choose_log` does.
    """
    one = choose_log(pods, request, tail_lines=tail_lines)
    if request.container is not None or "previous" in request.model_fields_set:
        return [one]
    needed = [
        (severity, pod, name)
        for pod in unhealthiest_first(pods)
        for name in container_names(pod)
        if (severity := container_severity(pod, name)) not in {FINE, STARTS} and has_run(pod, name)
    ]
    needed.sort(key=lambda each: each[0], reverse=True)
    alike: dict[tuple[object, str], int] = {}
    ranked: list[tuple[int, LogChoice]] = []
    for _, pod, name in needed:
        kind = (_owner(pod), name)
        alike[kind] = alike.get(kind, 0) + 1
        choice = replace(
            one,
            namespace=text_at(pod, "metadata", "namespace"),
            pod=text_at(pod, "metadata", "name"),
            container=name,
            previous=has_failed_before(pod, name),
        )
        ranked.append((alike[kind], choice))
    ranked.sort(key=lambda each: each[0])
    return [choice for _, choice in ranked[:MAX_LOGS]] or [one]


def _owner(pod: Manifest) -> object:
    return text_at(pod, "metadata", "ownerReferences", 0, "uid") or text_at(pod, "metadata", "name")


def _names(pods: Sequence[Manifest]) -> str:
    names = [f"{text_at(pod, 'metadata', 'namespace')}/{text_at(pod, 'metadata', 'name')}" for pod in pods]
    return f"Pod {names[0]}" if len(names) == 1 else f"Pods {', '.join(names)}"
