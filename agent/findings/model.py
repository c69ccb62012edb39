"""The values of a finding."""

from dataclasses import dataclass
from typing import Literal

from agent.objects.target import ResourceRef

type Severity = Literal["error", "warning", "info"]
"""error: it is broken; warning: it will break or hides a fault; info: worth knowing."""

type Level = Literal["cause", "effect", "symptom", "summary"]
"""How near the root cause. cause: it names what to change; effect: what breaks, with or without a known reason;
symptom: it follows from an object below (a workload without enough pods); summary: it only reports that something below
is wrong (an Application's health)."""

type EvidenceSource = str
"""The part of the context that is quoted, as its declaration calls it (`Part.evidence`): `application`, `manifest`,
`event`, `log`, `tree`, `diff`, `revision`, or the name of another part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A quotation and where it was read.

    `source` and `resource` identify the object, `path` the field: as `agent.objects.manifest.path_text` writes it
    (manifest, application; diff: of the predicted state, or of the live one where the path ends in ` (live)`),
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
    """One fault, with its evidence.

    `title` is one line that names the fault and the object (`Container api is OOMKilled (exit code 137)`),
    `explanation` is its meaning in a sentence or two, `next_steps` are the most useful first, commands in backticks.

    The other fields are for the ranking: `level`; `blames` are the objects whose findings explain this one and so come
    before it; findings with the same `cause` (not "") are one fault in several places, and are merged.
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
