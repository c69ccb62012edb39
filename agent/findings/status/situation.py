"""How an object stands as a whole: well, done, on its way, halted. What a part of its status means depends on it."""

from dataclasses import dataclass

from agent.findings.status.states import Standing, standing_of
from agent.findings.status.words import FINE, HALTED, STATE_KEYS, WELL, is_coming, is_idle, words_of
from agent.manifest import Manifest, integer_at, lookup, object_at, objects_at, text_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`well`: its own conditions call it ready; `done`: it has ended well; `coming`: under way, or the status is of an
    earlier spec (`stale`); `halted`: paused or suspended; `states`: what its own states say."""

    well: bool
    done: bool
    coming: bool
    halted: bool
    stale: bool
    states: frozenset[Standing]


def situation_of(manifest: Manifest) -> Situation:
    """Reads only what stands at the top of the status, and the switches of the spec."""
    states = frozenset(_states(object_at(manifest, "status")))
    conditions = objects_at(manifest, "status", "conditions")
    true = [c for c in conditions if text_at(c, "status").lower() == "true"]
    false = {text_at(c, "type").lower() for c in conditions if text_at(c, "status").lower() == "false"}
    well = {text_at(c, "type").lower() for c in true} & WELL
    stale = is_stale(manifest)
    return Situation(
        well=bool(well) and not false & WELL and "bad" not in states,
        done="bad" not in states and ("done" in states or bool(well & {"succeeded", "complete", "completed"})),
        coming=stale
        or "coming" in states
        or lookup(manifest, "metadata", "deletionTimestamp") is not None
        or any(map(_is_under_way, true)),
        halted="halted" in states or _is_switched_off(manifest) or any(map(_is_halt, conditions)),
        stale=stale,
        states=states,
    )


def is_stale(manifest: Manifest, *path: str | int) -> bool:
    """Whether the status (or the condition at `path`) is of an earlier spec than the newest."""
    seen = integer_at(manifest, *(path or ("status",)), "observedGeneration")
    newest = integer_at(manifest, "metadata", "generation")
    return seen is not None and newest is not None and seen < newest


def _states(status: Manifest) -> set[Standing]:
    found: set[Standing] = set()
    for key, value in status.items():
        if isinstance(value, str) and (words := words_of(key)) and words[-1] in STATE_KEYS:
            standing = standing_of(value)
            if standing:
                found.add(standing)
    return found


def _is_under_way(condition: Manifest) -> bool:
    """A condition like Progressing=True or Issuing=True; Deployments keep theirs when they have arrived."""
    words = words_of(text_at(condition, "type").rpartition("/")[2])
    if not words or not is_coming(words[-1]):
        return False
    reason = set(words_of(text_at(condition, "reason")))
    return not reason & (FINE | {"updated"})


def _is_halt(condition: Manifest) -> bool:
    words = set(words_of(text_at(condition, "type").rpartition("/")[2]))
    status = text_at(condition, "status").lower()
    if words & HALTED:
        return status == "true"
    return status == "false" and bool(words & WELL) and bool(set(words_of(text_at(condition, "reason"))) & HALTED)


def _is_switched_off(manifest: Manifest) -> bool:
    spec = object_at(manifest, "spec")
    return any(spec.get(key) is True for key in ("paused", "pause", "suspend", "suspended")) or (
        spec.get("running") is False and is_idle(text_at(manifest, "status", "printableStatus") or "paused")
    )
