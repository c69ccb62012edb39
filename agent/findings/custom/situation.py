"""The situation of an object as a whole: ready, done, progressing, suspended. The meaning of its parts depends on it.

Generations and conditions like Reconciling are read as kstatus does (sigs.k8s.io/cli-utils, pkg/kstatus).
"""

from typing import NamedTuple

from agent.findings.custom.words import Tone, role_of, state_tone, tone_of, tones_of, word_tone, words_of
from agent.objects.manifest import Manifest, integer_at, object_at, objects_at, text_at, texts_at

# One of these alone is a condition of the whole object.
_SUMMARY = ("ready", "available", "healthy", "sync", "reconciled", "programmed", "valid", "accepted")


class Situation(NamedTuple):
    """What the top of a status and the switches of the spec report. `ready`: by its conditions; `done`: it ended with
    success; `progressing`: an operation is under way, or the status is of an earlier spec (`outdated`); `suspended`:
    paused or scaled to zero; `confirmed`: Ready is True for the newest spec; `states`: the tones of its states;
    `parts_ready`: all like StaticPodsAvailable True."""

    ready: bool
    confirmed: bool
    parts_ready: bool
    done: bool
    progressing: bool
    suspended: bool
    outdated: bool
    states: frozenset[Tone]


def situation_of(manifest: Manifest) -> Situation:
    """The situation of an object by the top level of its status and the switches of its spec."""
    status = object_at(manifest, "status")
    states = frozenset(_states(status))
    summaries: set[str] = set()
    others: set[str] = set()
    progressing = suspended = done = confirmed = False
    newest = integer_at(manifest, "metadata", "generation")
    for condition in objects_at(status, "conditions"):
        kind, value, reason, message = texts_at(condition, "type", "status", "reason", "message")
        words = words_of(kind.rpartition("/")[2])
        tones = tones_of(words)
        is_true = value.lower() == "true"
        if len(words) == 1 and (words[0].startswith(_SUMMARY) or tones == ["done"]):
            summaries.add(value.lower())
            done = done or (is_true and tones == ["done"] and "bad" not in (tone_of(reason), tone_of(message)))
        elif tones[-1:] == ["good"]:
            others.add(value.lower())
        if is_true and kind == "Ready" and newest and newest == integer_at(condition, "observedGeneration"):
            confirmed = True
        if is_true and tones[-1:] == ["coming"] and tone_of(reason) not in ("good", "done", "fine"):
            progressing = True
        if ("idle" in tones and is_true) or (
            value.lower() == "false" and len(words) == 1 and tone_of(reason) == "idle"
        ):
            suspended = True
    outdated = is_outdated(manifest)
    deleted = object_at(manifest, "metadata").get("deletionTimestamp") is not None
    return Situation(
        parts_ready=others == {"true"},
        ready=summaries == {"true"} and "bad" not in states,
        confirmed=confirmed,
        done="bad" not in states and (done or "done" in states),
        progressing=progressing or outdated or deleted or "coming" in states,
        suspended=suspended or "idle" in states or _is_switched_off(manifest),
        outdated=outdated,
        states=states,
    )


def is_outdated(manifest: Manifest, *path: str | int) -> bool:
    """Whether the status (or the condition at `path`) is of an earlier generation of the spec.

    Controllers name the field observedGeneration, lastAppliedGeneration, reconciledGeneration and more: the newest of
    them counts.
    """
    newest = integer_at(manifest, "metadata", "generation")
    part = object_at(manifest, *(path or ("status",)))
    seen = [int(str(part[key])) for key in part if str(key).endswith("Generation") and str(part[key]).isdecimal()]
    return newest is not None and bool(seen) and max(seen) < newest


def _states(status: Manifest) -> list[Tone]:
    found: list[Tone] = []
    for key, value in status.items():
        role = role_of(key)
        if value is True and role == "flag" and len(words_of(key)) == 1:
            found.append(word_tone(words_of(key)[0]) or "good")
        elif isinstance(value, str) and role == "state" and (tone := state_tone(value)):
            found.append(tone)
    return found


def _is_switched_off(manifest: Manifest) -> bool:
    """Whether the spec suspends the object or wants none of it; `running: false` is that of a KubeVirt VM."""
    spec = object_at(manifest, "spec")
    if any(spec.get(key) is True for key in ("paused", "pause", "suspend", "suspended")):
        return True
    if spec.get("replicas") == 0 and not integer_at(manifest, "status", "replicas"):
        return True
    return spec.get("running") is False and state_tone(text_at(manifest, "status", "printableStatus")) in (None, "idle")
