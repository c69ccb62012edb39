"""The sections of a prompt: which there are, in which order of priority, with which share of the room, made from what.

Owns that list; `agent.prompt.rendering` writes a part, `agent.prompt.prompt` deals out the room.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from agent.context.context import Context
from agent.context.log_lines import distilled
from agent.context.model import ContainerLog
from agent.findings.drift import Drift, drifts_of
from agent.findings.model import Finding
from agent.objects.manifest import list_at, text_at
from agent.objects.target import ResourceRef
from agent.prompt.rendering.application import (
    render_application,
    render_deployments,
    render_operation,
    render_sync,
    render_tree,
)
from agent.prompt.rendering.drift import render_drift
from agent.prompt.rendering.events import render_events
from agent.prompt.rendering.findings import render_findings, render_gaps
from agent.prompt.rendering.fleet import render_fleet
from agent.prompt.rendering.logs import render_logs
from agent.prompt.rendering.manifests import referred, render_manifests, render_spec, render_status, sorted_by_need
from agent.prompt.rendering.rendered import Rendered

type SectionName = Literal[
    "findings",
    "gaps",
    "fleet",
    "operation",
    "sync",
    "diff",
    "status",
    "events",
    "logs",
    "spec",
    "application",
    "children",
    "related",
    "tree",
    "history",
]

# Children that are told in full; of a Deployment's fifty Pods the broken ones say what the others would.
_CHILDREN_IN_FULL = 3
# Tokens of a Pod: where there is room for more of them, more are told.
_CHILD_TOKENS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What sections are made from."""

    context: Context
    findings: Sequence[Finding]
    drifts: Sequence[Drift]

    @classmethod
    def of(cls, context: Context, findings: Sequence[Finding]) -> Self:
        """Logs that nobody has distilled yet are, so that megabytes of them are gone through once."""
        logs = tuple(distilled(_lines_apart(log)) for log in context.logs)
        return cls(context=replace(context, logs=logs), findings=findings, drifts=drifts_of(context))

    @property
    def named(self) -> list[ResourceRef]:
        """The resources that findings and their evidence are about, in the findings' order."""
        about = (
            ref
            for finding in self.findings
            for ref in (finding.resource, *(evidence.resource for evidence in finding.evidence))
        )
        return [ref for ref in about if ref]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section to be. `share` is the part of the room that it may take before those behind it had theirs; what they
    leave is dealt out in the same order. `present` says whether there is anything to tell."""

    name: SectionName
    title: str
    share: float
    present: Callable[[Material], bool]
    render: Callable[[Material, int], Rendered]


def _lines_apart(log: ContainerLog) -> ContainerLog:
    """The log with each of its lines on one line, whoever made it."""
    if not any("\n" in line.text for line in log.lines):
        return log
    return replace(log, lines=tuple(replace(line, text=line.text.replace("\n", " ")) for line in log.lines))


def _application_of(material: Material) -> dict[str, object]:
    return material.context.application or {}


def _manifest_of(material: Material) -> dict[str, object]:
    """The resource's manifest, {} where it is the Application's, which has sections of its own."""
    manifest, application = material.context.manifest, material.context.application
    if not manifest or (application and _same(manifest, application)):
        return {}
    return manifest


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    paths = (("kind",), ("metadata", "namespace"), ("metadata", "name"))
    return all(text_at(one, *path) == text_at(other, *path) for path in paths)


def _children(material: Material, room: int) -> Rendered:
    ordered = sorted_by_need(material.context.children, material.named)
    return render_manifests(ordered, room, full=ordered[: max(_CHILDREN_IN_FULL, room // _CHILD_TOKENS)])


def _related(material: Material, room: int) -> Rendered:
    ordered = sorted_by_need(material.context.related, material.named)
    return render_manifests(ordered, room, full=referred(ordered, material.named))


PARTS: tuple[Part, ...] = (
    Part(
        name="findings",
        title="Findings of the analyzers, most important first",
        share=0.35,
        present=lambda m: bool(m.findings),
        render=lambda m, room: render_findings(m.findings, room),
    ),
    Part(
        name="gaps",
        title="What could not be read",
        share=0.04,
        present=lambda m: bool(m.context.gaps),
        render=lambda m, room: render_gaps(m.context.gaps, room),
    ),
    Part(
        name="fleet",
        title="All Argo CD Applications",
        share=0.35,
        present=lambda m: m.context.fleet is not None,
        render=lambda m, room: render_fleet(m.context.fleet, room) if m.context.fleet else Rendered(text="", tokens=0),
    ),
    Part(
        name="operation",
        title="Argo CD Application, status and last operation",
        share=0.14,
        present=lambda m: bool(_application_of(m).get("status")),
        render=lambda m, room: render_operation(_application_of(m), room),
    ),
    Part(
        name="sync",
        title="Sync windows and deployed revisions",
        share=0.04,
        present=lambda m: bool(m.context.revisions or m.context.sync_windows),
        render=lambda m, room: render_sync(m.context, room),
    ),
    Part(
        name="diff",
        title="Cluster against Git, as Argo CD compares them",
        share=0.14,
        present=lambda m: bool(m.drifts),
        render=lambda m, room: render_drift(m.drifts, room),
    ),
    Part(
        name="status",
        title="Live manifest, status",
        share=0.14,
        present=lambda m: bool(_manifest_of(m).get("status")),
        render=lambda m, room: render_status(_manifest_of(m), room),
    ),
    Part(
        name="events",
        title="Kubernetes events, warnings before others, newest first",
        share=0.12,
        present=lambda m: bool(m.context.events),
        render=lambda m, room: render_events(m.context.events, room),
    ),
    Part(
        name="logs",
        title="Container logs",
        share=0.22,
        present=lambda m: bool(m.context.logs),
        render=lambda m, room: render_logs(m.context.logs, room),
    ),
    Part(
        name="spec",
        title="Live manifest, all but its status",
        share=0.14,
        present=lambda m: bool(_manifest_of(m)),
        render=lambda m, room: render_spec(_manifest_of(m), room),
    ),
    Part(
        name="application",
        title="Argo CD Application, spec",
        share=0.06,
        present=lambda m: bool(m.context.application),
        render=lambda m, room: render_application(_application_of(m), room),
    ),
    Part(
        name="children",
        title="Live manifests below it, those in trouble first",
        share=0.12,
        present=lambda m: bool(m.context.children),
        render=_children,
    ),
    Part(
        name="related",
        title="Related resources, those that findings name in full",
        share=0.08,
        present=lambda m: bool(m.context.related),
        render=_related,
    ),
    Part(
        name="tree",
        title="Resource tree, health",
        share=0.08,
        present=lambda m: bool(m.context.tree),
        render=lambda m, room: render_tree(m.context.tree, room),
    ),
    Part(
        name="history",
        title="Deployments, newest first",
        share=0.03,
        present=lambda m: bool(list_at(m.context.application, "status", "history")),
        render=lambda m, room: render_deployments(_application_of(m), room),
    ),
)
