"""The sections of a prompt, in order of priority, each with its share of the token budget and its content.

Owns that list. A part of the context may declare a section of its own; the others are shown by the sections here.
`agent.prompt.rendering` writes a section, `agent.prompt.prompt` divides the budget.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from agent.context.context import Context, Part, PartSection
from agent.context.log_lines import distilled
from agent.context.model import ContainerLog
from agent.findings.drift import Drift, drifts_of
from agent.findings.model import Finding
from agent.objects.manifest import list_at, text_at
from agent.objects.target import ResourceRef
from agent.prompt.rendering.application import (
    has_sync_state,
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
from agent.prompt.rendering.logs import LogRenderer
from agent.prompt.rendering.manifests import referred, render_manifests, render_spec, render_status, sorted_by_need
from agent.prompt.rendering.rendered import Rendered, whole_items

type SectionName = str
"""The name of a section; that of a part for a section that the part declares."""

# Children that are shown in full: fifty Pods of a Deployment would show the same fault.
_CHILDREN_IN_FULL = 3
# Tokens of a Pod: a larger budget shows more of them in full.
_CHILD_TOKENS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionInput:
    """The input of all sections."""

    context: Context
    findings: Sequence[Finding]
    drifts: Sequence[Drift]
    logs: LogRenderer

    @classmethod
    def of(cls, context: Context, findings: Sequence[Finding]) -> Self:
        """Return the input for a context, its logs distilled once for all sections."""
        logs = tuple(distilled(_lines_apart(log)) for log in context.logs)
        return cls(
            context=replace(context, logs=logs), findings=findings, drifts=drifts_of(context), logs=LogRenderer(logs)
        )

    @property
    def named(self) -> list[ResourceRef]:
        """The resources that the findings and their evidence are about, in the order of the findings."""
        about = (
            ref
            for finding in self.findings
            for ref in (finding.resource, *(evidence.resource for evidence in finding.evidence))
        )
        return [ref for ref in about if ref]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionSpec:
    """A section before it is rendered. `share` is its part of the budget; what other sections leave is divided in the
    same order. `present` returns whether there is anything to show, `render` the text within a token budget."""

    name: SectionName
    title: str
    share: float
    present: Callable[[SectionInput], bool]
    render: Callable[[SectionInput, int], Rendered]


def _lines_apart(log: ContainerLog) -> ContainerLog:
    """The log without line breaks inside its lines."""
    if not any("\n" in line.text for line in log.lines):
        return log
    return replace(log, lines=tuple(replace(line, text=line.text.replace("\n", " ")) for line in log.lines))


def _application_of(given: SectionInput) -> dict[str, object]:
    return given.context.application or {}


def _manifest_of(given: SectionInput) -> dict[str, object]:
    """The manifest of the resource, {} if that is the Application, which has its own sections."""
    manifest, application = given.context.manifest, given.context.application
    if not manifest or (application and _same(manifest, application)):
        return {}
    return manifest


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    paths = (("kind",), ("metadata", "namespace"), ("metadata", "name"))
    return all(text_at(one, *path) == text_at(other, *path) for path in paths)


def _children(given: SectionInput, token_budget: int) -> Rendered:
    ordered = sorted_by_need(given.context.children, given.named)
    return render_manifests(
        ordered, token_budget, full=ordered[: max(_CHILDREN_IN_FULL, token_budget // _CHILD_TOKENS)]
    )


def _related(given: SectionInput, token_budget: int) -> Rendered:
    ordered = sorted_by_need(given.context.related, given.named)
    return render_manifests(ordered, token_budget, full=referred(ordered, given.named))


SECTIONS: tuple[SectionSpec, ...] = (
    SectionSpec(
        name="findings",
        title="Findings of the analyzers, most important first",
        share=0.35,
        present=lambda m: bool(m.findings),
        render=lambda m, token_budget: render_findings(m.findings, token_budget),
    ),
    SectionSpec(
        name="gaps",
        title="What could not be read",
        share=0.04,
        present=lambda m: bool(m.context.gaps),
        render=lambda m, token_budget: render_gaps(m.context.gaps, token_budget),
    ),
    SectionSpec(
        name="fleet",
        title="All Argo CD Applications",
        share=0.35,
        present=lambda m: m.context.fleet is not None,
        render=lambda m, token_budget: (
            render_fleet(m.context.fleet, token_budget) if m.context.fleet else Rendered(text="", tokens=0)
        ),
    ),
    SectionSpec(
        name="operation",
        title="Argo CD Application, status and last operation",
        share=0.14,
        present=lambda m: bool(_application_of(m).get("status")),
        render=lambda m, token_budget: render_operation(_application_of(m), token_budget),
    ),
    SectionSpec(
        name="sync",
        title="Sync windows and deployed revisions",
        share=0.04,
        present=lambda m: has_sync_state(m.context),
        render=lambda m, token_budget: render_sync(m.context, token_budget),
    ),
    SectionSpec(
        name="diff",
        title="Cluster against Git, as Argo CD compares them",
        share=0.14,
        present=lambda m: bool(m.drifts),
        render=lambda m, token_budget: render_drift(m.drifts, token_budget),
    ),
    SectionSpec(
        name="status",
        title="Live manifest, status",
        share=0.14,
        present=lambda m: bool(_manifest_of(m).get("status")),
        render=lambda m, token_budget: render_status(_manifest_of(m), token_budget),
    ),
    SectionSpec(
        name="events",
        title="Kubernetes events, warnings before others, newest first",
        share=0.12,
        present=lambda m: bool(m.context.events),
        render=lambda m, token_budget: render_events(m.context.events, token_budget),
    ),
    SectionSpec(
        name="logs",
        title="Container logs",
        share=0.22,
        present=lambda m: bool(m.context.logs),
        render=lambda m, token_budget: m.logs.render(token_budget),
    ),
    SectionSpec(
        name="spec",
        title="Live manifest, all but its status",
        share=0.14,
        present=lambda m: bool(_manifest_of(m)),
        render=lambda m, token_budget: render_spec(_manifest_of(m), token_budget),
    ),
    SectionSpec(
        name="application",
        title="Argo CD Application, spec",
        share=0.06,
        present=lambda m: bool(m.context.application),
        render=lambda m, token_budget: render_application(_application_of(m), token_budget),
    ),
    SectionSpec(
        name="children",
        title="Live manifests below it, those in trouble first",
        share=0.12,
        present=lambda m: bool(m.context.children),
        render=_children,
    ),
    SectionSpec(
        name="related",
        title="Related resources, those that findings name in full",
        share=0.08,
        present=lambda m: bool(m.context.related),
        render=_related,
    ),
    SectionSpec(
        name="tree",
        title="Resource tree, health",
        share=0.08,
        present=lambda m: bool(m.context.tree),
        render=lambda m, token_budget: render_tree(m.context.tree, token_budget),
    ),
    SectionSpec(
        name="history",
        title="Deployments, newest first",
        share=0.03,
        present=lambda m: bool(list_at(m.context.application, "status", "history")),
        render=lambda m, token_budget: render_deployments(_application_of(m), token_budget),
    ),
)


def sections_for(given: SectionInput) -> list[SectionSpec]:
    """Return the sections that have anything to show, by priority: those listed here, then those that parts declare."""
    declared = (_declared(part, part.section, value) for part, value in given.context.parts.items() if part.section)
    return [spec for spec in (*SECTIONS, *declared) if spec.present(given)]


def _declared(part: Part[Any], section: PartSection, value: Any) -> SectionSpec:
    lines = list(section.lines(value))
    return SectionSpec(
        name=part.name,
        title=section.title,
        share=section.share,
        present=lambda _: bool(lines),
        render=lambda _, token_budget: whole_items(lines, token_budget, "lines", count=len(lines)),
    )
