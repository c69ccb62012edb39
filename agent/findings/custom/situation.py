"""The situation of an object as a whole: ready, done, progressing, suspended. The meaning of its parts depends on it.

`observedGeneration` and conditions like Reconciling are read as kstatus does (sigs.k8s.io/cli-utils, pkg/kstatus).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from agent.findings.custom.bounded_cache import BoundedCache
from agent.findings.custom.states import StateMeaning, state_meaning
from agent.findings.custom.words import (
    COMPLETED,
    HEALTHY,
    IDENTIFIER_LIMIT,
    STATE_KEYS,
    SUMMARY,
    SUSPENDED,
    is_inactive,
    is_progressing,
    reports_failure,
    words_of,
)
from agent.objects.manifest import Manifest, integer_at, object_at, objects_at, text_at, texts_at


class Situation(NamedTuple):
    """What the top of a status and the switches of the spec report.

    `ready`: by its conditions; `done`: it ended with success; `progressing`: an operation is under way, or the status
    is of an earlier spec (`outdated`); `suspended`: paused or suspended; `states`: the meanings of its own states;
    `parts_ready`: all its conditions like StaticPodsAvailable are True; `not_degraded`: ready, and Degraded is False.
    """

    ready: bool
    done: bool
    progressing: bool
    suspended: bool
    outdated: bool
    states: frozenset[StateMeaning]
    parts_ready: bool
    not_degraded: bool


def situation_of(manifest: Manifest) -> Situation:
    """The situation of an object by the top level of its status and the switches of its spec."""
    states = frozenset(_states(object_at(manifest, "status")))
    true: set[str] = set()
    false: set[str] = set()
    parts: set[str] = set()
    is_operating = is_suspension = has_ended = False
    for condition in objects_at(manifest, "status", "conditions"):
        kind, status, reason = texts_at(condition, "type", "status", "reason")
        kind, status, reason = kind[:IDENTIFIER_LIMIT], status.lower(), reason[:IDENTIFIER_LIMIT]
        if _is_readiness_of_a_part(kind):
            parts.add(status)
        if status == "true":
            true.add(kind.lower())
            has_ended = has_ended or (
                kind.lower() in COMPLETED
                and not (reports_failure(reason) or reports_failure(text_at(condition, "message")))
            )
            is_operating = is_operating or _is_progress(kind, reason)
        elif status == "false":
            false.add(kind.lower())
        is_suspension = is_suspension or _is_suspension(kind, status[:IDENTIFIER_LIMIT], reason)
    outdated = is_outdated(manifest)
    deleted = object_at(manifest, "metadata").get("deletionTimestamp") is not None
    is_ready = bool(true & SUMMARY) and not false & SUMMARY and "bad" not in states
    return Situation(
        ready=is_ready,
        done="bad" not in states and ("done" in states or has_ended),
        progressing=outdated or deleted or is_operating or "progressing" in states,
        suspended=is_suspension or "suspended" in states or _is_switched_off(manifest),
        outdated=outdated,
        states=states,
        not_degraded=is_ready and "degraded" in false,
        parts_ready=parts == {"true"} and "bad" not in states,
    )


def _is_readiness_of_a_part(kind: str) -> bool:
    """Whether a type of condition reports the readiness of the object or a part: `StaticPodsAvailable`."""
    words = words_of(kind)
    return words[-1:] in _READINESS_WORDS and "not" not in words


_READINESS_WORDS = (("ready",), ("available",), ("healthy",))


def is_outdated(manifest: Manifest, *path: str | int) -> bool:
    """Whether the status (or the condition at `path`) is of an earlier generation of the spec."""
    observed = integer_at(manifest, *(path or ("status",)), "observedGeneration")
    if observed is None:
        return False
    newest = integer_at(manifest, "metadata", "generation")
    return newest is not None and observed < newest


def _ends_in_state(key: str) -> bool:
    words = words_of(key)
    return bool(words) and words[-1] in STATE_KEYS


_is_state_key: Callable[[object], bool] = BoundedCache(_ends_in_state, length=IDENTIFIER_LIMIT, other=False).__getitem__


_READY_FLAGS = frozenset({"ready", "healthy", "available"})
_DONE_FLAGS = frozenset({"success", "succeeded"})


def _states(status: Manifest) -> set[StateMeaning]:
    found: set[StateMeaning] = set()
    for key, value in status.items():
        if value is True and key in _READY_FLAGS:
            found.add("fine")
        elif value is True and key in _DONE_FLAGS:
            found.add("done")
        elif isinstance(value, str) and _is_state_key(key):
            meaning = state_meaning(value)
            if meaning:
                found.add(meaning)
    return found


@lru_cache(maxsize=2_048)
def _is_progress(kind: str, reason: str) -> bool:
    """Whether it is like Progressing or Issuing; a Deployment's Progressing stays True after the rollout."""
    words = words_of(kind.rpartition("/")[2])
    return bool(words) and is_progressing(words[-1]) and not _FINISHED.intersection(words_of(reason))


_FINISHED = HEALTHY | {"updated"}


# A part that has stopped (`ProvisionStopped`) does not suspend the whole.
_SUSPENSION = SUSPENDED - {"stopped", "stopping", "stop", "standby", "sleeping", "idle"}


@lru_cache(maxsize=2_048)
def _is_suspension(kind: str, status: str, reason: str) -> bool:
    words = words_of(kind.rpartition("/")[2])
    if not _SUSPENSION.isdisjoint(words):
        return status == "true"
    return status == "false" and not SUMMARY.isdisjoint(words) and not SUSPENDED.isdisjoint(words_of(reason))


def _is_switched_off(manifest: Manifest) -> bool:
    """Whether the spec suspends the object; `running: false` is that of a KubeVirt VirtualMachine."""
    spec = object_at(manifest, "spec")
    if _SWITCHES.isdisjoint(spec):
        return False
    return any(spec.get(key) is True for key in ("paused", "pause", "suspend", "suspended")) or (
        spec.get("running") is False and is_inactive(text_at(manifest, "status", "printableStatus") or "paused")
    )


_SWITCHES = frozenset({"paused", "pause", "suspend", "suspended", "running"})
