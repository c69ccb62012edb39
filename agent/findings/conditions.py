"""Any resource by a general reading of its status: conditions of either polarity, phases, errors; knows no kind.

Owns what the words of a status mean. Kinds with a family of their own are left to it. A resource that is still coming
up, and says nothing of a failure, is not broken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.context.model import Context
from agent.findings.about import finding_about, named
from agent.findings.evidence import one_line, quote, walk
from agent.findings.model import Evidence, Finding, Severity
from agent.findings.objects import GroupKind, group_kind, objects_of
from agent.manifest import Manifest, integer_at, list_at, lookup, text_at

type Path = tuple[str | int, ...]

# The kinds that other modules of this package read, and those whose status is no health.
_OWN_FAMILY: frozenset[GroupKind] = frozenset(
    {
        ("", "Pod"),
        ("", "PersistentVolumeClaim"),
        ("", "PersistentVolume"),
        ("", "Node"),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("policy", "PodDisruptionBudget"),
        ("", "Event"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("argoproj.io", "Application"),
    }
)

# A finding quotes this many conditions of one resource; more say the same again.
_QUOTED = 4
# A status is read this deep and this far: statuses of controllers that list every object they touch are endless.
_DEPTH = 8
_VALUES = 20_000


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


# True is bad. Whole words of the type's camel case.
_BAD = _vocabulary(
    "failed failure failing fail error errors errored degraded stalled invalid unhealthy unavailable unreachable "
    "unready unschedulable unsupported pressure terminal orphan orphaned rejected denied conflict conflicted "
    "expired violation violations violated broken exceeded incompatible misconfigured not non aborted crashed "
    "deadlocked overlapping"
)
# False is bad where it ends the type; as the whole type even without a reason.
_GOOD = _vocabulary(
    "ready available healthy synced succeeded established accepted programmed reconciled valid validated bound "
    "connected reachable installed resolved applied"
)
_FAILING = re.compile(
    r"(?<!0 )(?<!no )\b(?:fail(?:ed|ure|ures|s|ing)?|errors?|errored|invalid|denied|forbidden|unauthori[sz]ed|refused|"
    r"timed ?out|timeout|exceeded|unable|could ?n[o']t|could not|cannot|can't|not ?found|no such|unreachable|"
    r"rejected|conflict(?:s|ed|ing)?|crash(?:ed|ing|loop)?|mismatch|violat(?:ed|es|ion|ions)|expired|missing|"
    r"unsupported|stalled|degraded|unhealthy|aborted|terminal|back ?off|not (?:permitted|allowed|supported|valid|"
    r"exist|listed))\b",
    re.IGNORECASE,
)
_COMING = re.compile(
    r"\b(?:progressing|pending|waiting|creating|created|in ?progress|provisioning|reconciling|installing|"
    r"initiali[sz]ing|deploying|issuing|updating|upgrading|scaling|starting|queued|scheduling|deleting|"
    r"terminating|paused|suspended|disabled|not ?required|requested|being)\b",
    re.IGNORECASE,
)
_FINE = _vocabulary("available succeeded success successful healthy ok resolved valid expected ready complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """A part of a status that tells of a fault. `title` completes "Kind name"; `said` is what is quoted of it."""

    severity: Severity
    title: str
    said: tuple[Evidence, ...]
    text: str


def bad_status(context: Context) -> Iterator[Finding]:
    """For each resource without a family of its own: one finding that quotes all that its status calls wrong."""
    for manifest in objects_of(context):
        if group_kind(manifest) in _OWN_FAMILY:
            continue
        signs = sorted(_signs(manifest), key=lambda sign: sign.severity != "error")
        if signs:
            yield _finding(manifest, signs)


def _finding(manifest: Manifest, signs: list[_Sign]) -> Finding:
    distinct = list({sign.text: sign for sign in reversed(signs)}.values())[::-1]
    first = distinct[0]
    stale = _is_stale(manifest)
    return finding_about(
        manifest,
        f"{named(manifest)} {first.title}",
        "So says its controller in the status."
        + (" It has not yet seen the newest spec, so this may be of an earlier one." if stale else ""),
        tuple(evidence for sign in distinct[:_QUOTED] for evidence in sign.said),
        "Repair what the message names; if it names nothing, read the log of the controller of this kind.",
        severity=first.severity,
        level="effect",
    )


def _is_stale(manifest: Manifest, *path: str | int) -> bool:
    """Whether the status (or the condition at `path`) is of an earlier spec than the newest."""
    seen = integer_at(manifest, *(path or ("status",)), "observedGeneration")
    newest = integer_at(manifest, "metadata", "generation")
    return seen is not None and newest is not None and seen < newest


def _signs(manifest: Manifest) -> Iterator[_Sign]:
    settled = _is_ready(manifest)
    for count, (path, value) in enumerate(walk(lookup(manifest, "status"), "status", depth=_DEPTH)):
        if count > _VALUES:
            return
        if any(isinstance(step, str) and _PAST.search(step) for step in path):
            continue
        if len(path) > 1 and path[-2] == "conditions" and isinstance(path[-1], int):
            sign = _condition(manifest, path)
        elif isinstance(value, str) and "conditions" not in path:
            sign = _phase(manifest, path, value) or (None if settled else _error(manifest, path, value))
        else:
            sign = None
        if sign:
            yield sign


# What was once is no fault of now.
_PAST = re.compile(r"histor|previous|^old|past", re.IGNORECASE)


def _is_ready(manifest: Manifest) -> bool:
    """Whether a condition calls the whole resource ready: then leftovers of errors mean nothing."""
    return any(
        text_at(condition, "type").lower() in _GOOD and text_at(condition, "status").lower() == "true"
        for condition in list_at(manifest, "status", "conditions")
    )


def _condition(manifest: Manifest, path: Path) -> _Sign | None:
    kind, status, reason, message = (text_at(manifest, *path, f) for f in ("type", "status", "reason", "message"))
    severity = _judge(kind.rpartition("/")[2], status.lower(), reason, message)
    if severity is None:
        return None
    if _is_stale(manifest, *path):
        severity = "warning"
    said = quote(manifest, *path, "message") + quote(manifest, *path, "reason") or quote(manifest, *path, "status")
    told = f" ({one_line(reason, 60)})" if reason else ""
    return _Sign(
        severity=severity,
        title=f"has the condition {one_line(kind, 60)}={one_line(status, 20)}{told}",
        said=said,
        text=message or reason or kind,
    )


def _judge(kind: str, status: str, reason: str, message: str) -> Severity | None:
    """How bad a condition is by its words, None where it is well or still on its way."""
    words = _words(kind)
    if not words:
        return None
    if words & _BAD:
        fine = _words(reason) & _FINE and not _FAILING.search(_spaced(reason))
        return "error" if status == "true" and not fine else None
    if status == "false":
        if _FAILING.search(_spaced(reason)):
            return "error"
        if _COMING.search(_spaced(reason)):
            return None
        if _FAILING.search(message):
            return "error"
        return "warning" if kind.lower() in _GOOD and not _COMING.search(message) else None
    if status == "unknown" and kind.lower() in _GOOD and message:
        return None if _COMING.search(_spaced(reason)) and not _FAILING.search(message) else "warning"
    return None


_PHASE_KEYS = _vocabulary("phase state currentstate status health result lastoperationstatus healthstatus compliant")
_BAD_PHASES = _vocabulary(
    "failed failure failing error errored degraded unhealthy rejected red invalid lost crashloopbackoff "
    "noncompliant stalled fatal broken aborted unreachable"
)
_TOLD_BY = ("message", "errorMessage", "error", "reason", "description", "failureMessage", "phaseReason")


def _phase(manifest: Manifest, path: Path, value: str) -> _Sign | None:
    """A phase or state by name: `status.phase: Failed`."""
    key = path[-1]
    if not isinstance(key, str) or key.lower() not in _PHASE_KEYS:
        return None
    told = next((q for sibling in _TOLD_BY if (q := quote(manifest, *path[:-1], sibling)) and sibling != key), ())
    severity = _judge_phase(value, explained=bool(told))
    if severity is None:
        return None
    return _Sign(
        severity=severity,
        title=f"has {key} {one_line(value, 60)}",
        said=told + quote(manifest, *path),
        text=told[0].text if told else value,
    )


def _judge_phase(value: str, *, explained: bool) -> Severity | None:
    if len(value) <= 60 and ({value.lower()} | _words(value)) & _BAD_PHASES:
        return "error"
    if value.lower() == "warning" and explained:
        return "warning"
    # Some controllers write a sentence where others write a word.
    is_sentence = value.count(" ") >= 2
    return "error" if is_sentence and (_FAILING.search(value) or " not " in value.lower()) else None


_ERROR_KEYS = _vocabulary("error errormessage errmsg failuremessage failurereason reconcileerror reconciliationerror")


def _error(manifest: Manifest, path: Path, value: str) -> _Sign | None:
    """A field that is only there for errors, and is not empty."""
    key = path[-1]
    if not isinstance(key, str) or key.lower() not in _ERROR_KEYS or not value.strip():
        return None
    if value.lower() in ("none", "false", "null", "no error"):
        return None
    return _Sign(severity="error", title=f"reports an error in {key}", said=quote(manifest, *path), text=value)


def _words(text: str) -> set[str]:
    return set(_spaced(text).lower().split())


def _spaced(text: str) -> str:
    """Camel case, dots and dashes as words: `ACK.ResourceSynced` as `ACK Resource Synced`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text[:200])
    return re.sub(r"[^A-Za-z0-9']+", " ", parted)
