"""How an object stands as a whole: well, done, on its way, halted. What a part of its status means depends on it."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from agent.findings.custom.bounded_cache import Remembered
from agent.findings.custom.states import Standing, standing_of
from agent.findings.custom.words import (
    ENDS,
    FINE,
    HALTED,
    IDENTIFIER,
    STATE_KEYS,
    WELL,
    fails,
    is_coming,
    is_idle,
    words_of,
)
from agent.objects.manifest import Manifest, integer_at, object_at, objects_at, text_at, texts_at


class Situation(NamedTuple):
    """`well`: its own conditions call it ready; `done`: it has ended well; `coming`: under way, or the status is of an
    earlier spec (`stale`); `halted`: paused or suspended; `states`: what its own states say; `calm`: all parts that
    its conditions call by such words as ready or available are so; `sound`: it is
    well and expressly not degraded."""

    well: bool
    done: bool
    coming: bool
    halted: bool
    stale: bool
    states: frozenset[Standing]
    calm: bool
    sound: bool


def situation_of(manifest: Manifest) -> Situation:
    """Reads only what stands at the top of the status, and the switches of the spec."""
    states = frozenset(_states(object_at(manifest, "status")))
    true: set[str] = set()
    false: set[str] = set()
    parts: set[str] = set()
    under_way = is_halt = has_ended = False
    for condition in objects_at(manifest, "status", "conditions"):
        kind, status, reason = texts_at(condition, "type", "status", "reason")
        kind, status, reason = kind[:IDENTIFIER], status.lower(), reason[:IDENTIFIER]
        if _calls_a_part_well(kind):
            parts.add(status)
        if status == "true":
            true.add(kind.lower())
            has_ended = has_ended or (
                kind.lower() in ENDS and not (fails(reason) or fails(text_at(condition, "message")))
            )
            under_way = under_way or _is_under_way(kind, reason)
        elif status == "false":
            false.add(kind.lower())
        is_halt = is_halt or _is_halt(kind, status[:IDENTIFIER], reason)
    well = true & WELL
    stale = is_stale(manifest)
    deleted = object_at(manifest, "metadata").get("deletionTimestamp") is not None
    is_well = bool(well) and not false & WELL and "bad" not in states
    return Situation(
        well=is_well,
        done="bad" not in states and ("done" in states or has_ended),
        coming=stale or deleted or under_way or "coming" in states,
        halted=is_halt or "halted" in states or _is_switched_off(manifest),
        stale=stale,
        states=states,
        sound=is_well and "degraded" in false,
        calm=parts == {"true"} and "bad" not in states,
    )


def _calls_a_part_well(kind: str) -> bool:
    """Whether a type of condition ends in a word that calls something well: `StaticPodsAvailable`."""
    words = words_of(kind)
    return words[-1:] in _WELL_PARTS and "not" not in words


_WELL_PARTS = (("ready",), ("available",), ("healthy",))


def is_stale(manifest: Manifest, *path: str | int) -> bool:
    """Whether the status (or the condition at `path`) is of an earlier spec than the newest."""
    seen = integer_at(manifest, *(path or ("status",)), "observedGeneration")
    if seen is None:
        return False
    newest = integer_at(manifest, "metadata", "generation")
    return newest is not None and seen < newest


def _ends_in_state(key: str) -> bool:
    words = words_of(key)
    return bool(words) and words[-1] in STATE_KEYS


_is_state_key: Callable[[object], bool] = Remembered(_ends_in_state, length=IDENTIFIER, other=False).__getitem__


_WELL_FLAGS = frozenset({"ready", "healthy", "available"})
_DONE_FLAGS = frozenset({"success", "succeeded"})


def _states(status: Manifest) -> set[Standing]:
    found: set[Standing] = set()
    for key, value in status.items():
        if value is True and key in _WELL_FLAGS:
            found.add("fine")
        elif value is True and key in _DONE_FLAGS:
            found.add("done")
        elif isinstance(value, str) and _is_state_key(key):
            standing = standing_of(value)
            if standing:
                found.add(standing)
    return found


@lru_cache(maxsize=2_048)
def _is_under_way(kind: str, reason: str) -> bool:
    """A condition like Progressing=True or Issuing=True; Deployments keep theirs when they have arrived."""
    words = words_of(kind.rpartition("/")[2])
    return bool(words) and is_coming(words[-1]) and not _ARRIVED.intersection(words_of(reason))


_ARRIVED = FINE | {"updated"}


# A part that has stopped (`ProvisionStopped`) does not halt the whole.
_HALTS = HALTED - {"stopped", "stopping", "stop", "standby", "sleeping", "idle"}


@lru_cache(maxsize=2_048)
def _is_halt(kind: str, status: str, reason: str) -> bool:
    words = words_of(kind.rpartition("/")[2])
    if not _HALTS.isdisjoint(words):
        return status == "true"
    return status == "false" and not WELL.isdisjoint(words) and not HALTED.isdisjoint(words_of(reason))


def _is_switched_off(manifest: Manifest) -> bool:
    spec = object_at(manifest, "spec")
    if _SWITCHES.isdisjoint(spec):
        return False
    return any(spec.get(key) is True for key in ("paused", "pause", "suspend", "suspended")) or (
        spec.get("running") is False and is_idle(text_at(manifest, "status", "printableStatus") or "paused")
    )


_SWITCHES = frozenset({"paused", "pause", "suspend", "suspended", "running"})
