"""The values a finding is made of. Owns no rule."""

from dataclasses import dataclass
from typing import Literal

from agent.objects.target import ResourceRef

type Severity = Literal["error", "warning", "info"]
"""error: it is broken; warning: it will break or hides a fault; info: worth knowing."""

type Level = Literal["cause", "effect", "symptom", "summary"]
"""How near the root cause. cause: says by itself what to change; effect: the thing that breaks, for a reason that its
evidence may or may not tell; symptom: follows from something below it (a workload short of pods); summary: says only
that something below is wrong (an Application's health)."""

type EvidenceSource = Literal["application", "manifest", "event", "log", "tree", "diff", "revision", "sync_windows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A quotation and where it was read.

    `source` and `resource` say in which object; `path` where in it: a path as `agent.objects.manifest.path_text` writes
    it (manifest, application; diff: of the predicted state, or of the live one where the path ends in ` (live)`),
    `reason` of an event, `container` with the line's time (log), a field of the node (tree: `health.message`, or
    `info`, `labels`, `target_labels` with a name: `labels[app]`), of the revision, or of the
    windows (`active[0].schedule`).
    `text` is verbatim.
    """

    source: EvidenceSource
    path: str
    text: str
    resource: ResourceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, on evidence.

    `title` is one line naming the fault and where (`Container api is OOMKilled (exit code 137)`), `explanation` says
    what it means in a sentence or two, `next_steps` are what to do, most useful first, commands in backticks.

    The rest only serves the ranking: `level`; `blames` are the objects whose own findings explain this one and so stand
    above it; findings with the same `cause` (not "") are one fault met in several places, and become one finding.
    """

    title: str
    severity: Severity
    explanation: str
    evidence: tuple[Evidence, ...]
    resource: ResourceRef | None
    next_steps: tuple[str, ...] = ()
    level: Level = "effect"
    blames: tuple[ResourceRef, ...] = ()
    cause: str = ""
