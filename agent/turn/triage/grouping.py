"""Applications grouped by what is wrong with them: one group for each kind of fault, with what its members share.

Owns what makes two faults the same. The first finding of an Application counts, which is ranked as its cause.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.findings.engine.evidence import one_line
from agent.findings.engine.ranking import SEVERITIES
from agent.findings.model import Evidence, Finding, Severity
from agent.turn.triage.examined import Examined

_NAMED = 5
_EVIDENCE = 3
_SHARED = 4
ELLIPSIS = "…"

# The parts of a title that differ for the same fault: how many Pods it concerns, names, numbers.
_COUNTED = re.compile(r" \([^()]*(?:pods of|Deployment|StatefulSet|DaemonSet|Job) [^()]*\)$")
_NAME = re.compile(
    r"\"[^\"]*\"|'[^']*'|`[^`]*`"
    r"|(?<=[Cc]ontainer )\S+|(?<=[Ii]mage )\S+|(?<=Application )\S+"
    r"|(?<!\w)[A-Za-z0-9]+(?:[-_./:@]+[A-Za-z0-9]+)+"
)
_NUMBER = re.compile(r"\d[\d.,]*(?:[KMGTP]i?B?|m|%)?")
_PARTS = re.compile(f"({_NAME.pattern}|{_NUMBER.pattern})")
_BLANKS = re.compile(rf"{ELLIPSIS}(?:[\s,]*{ELLIPSIS})+")
# What members may share: hosts, URLs, and names with a dash or a dot.
_SHAREABLE = re.compile(r"https?://[^\s\"'`,)]+|[a-z0-9][a-z0-9.-]*[-.][a-z0-9][a-z0-9.-]*(?:/[\w.-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseGroup:
    """One kind of fault. `title` is that of the findings if it is the same for all, else with an ellipsis for each
    part that differs; `applications` are `namespace/name`; `shared` are names and hosts that every one of
    several members' evidence holds."""

    title: str
    severity: Severity
    explanation: str
    applications: tuple[str, ...]
    projects: tuple[str, ...]
    shared: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    next_steps: tuple[str, ...]
    first: Finding

    def as_json(self) -> dict[str, Any]:
        """The group as JSON values, without `first`."""
        return {
            "title": self.title,
            "severity": self.severity,
            "explanation": self.explanation,
            "applications": list(self.applications),
            "projects": list(self.projects),
            "shared": list(self.shared),
            "evidence": [
                {
                    "source": e.source,
                    "path": e.path,
                    "text": e.text,
                    "resource": str(e.resource) if e.resource else None,
                }
                for e in self.evidence
            ],
            "next_steps": list(self.next_steps),
        }


def grouped(examined: Iterable[Examined]) -> tuple[CauseGroup, ...]:
    """Return the groups: errors first, then by number of Applications. Applications without a finding are left out."""
    members: dict[tuple[str, str], list[tuple[Examined, Finding]]] = defaultdict(list)
    for each in sorted(examined, key=lambda one: one.application):
        if each.findings:
            first = each.findings[0]
            members[first.severity, kind_of_fault(first.title)].append((each, first))
    groups = [_group(found) for found in members.values()]
    groups.sort(key=lambda group: (SEVERITIES.index(group.severity), -len(group.applications), group.title))
    return tuple(groups)


def kind_of_fault(title: str) -> str:
    """Return the title of a finding without names and numbers: the same for the same fault elsewhere."""
    text = _COUNTED.sub("", title)
    text = _NUMBER.sub(ELLIPSIS, _NAME.sub(ELLIPSIS, text))
    return _BLANKS.sub(ELLIPSIS, text)


def _common(titles: Sequence[str]) -> str:
    """The titles of one kind of fault as one: with an ellipsis for each part that differs."""
    taken_apart = [_PARTS.split(_COUNTED.sub("", title)) for title in titles]
    if len({len(parts) for parts in taken_apart}) > 1:
        return kind_of_fault(titles[0])
    columns = zip(*taken_apart, strict=True)
    return _BLANKS.sub(ELLIPSIS, "".join(each[0] if len(set(each)) == 1 else ELLIPSIS for each in columns))


def as_findings(groups: Sequence[CauseGroup]) -> tuple[Finding, ...]:
    """Return the groups as findings, for an answer about all Applications."""
    return tuple(map(_finding, groups))


def _group(found: list[tuple[Examined, Finding]]) -> CauseGroup:
    findings = [finding for _, finding in found]
    first = findings[0]
    titles = {finding.title for finding in findings}
    return CauseGroup(
        title=first.title if len(titles) == 1 else _common(sorted(titles)),
        severity=first.severity,
        explanation=first.explanation,
        applications=tuple(each.application for each, _ in found),
        projects=tuple(dict.fromkeys(each.project for each, _ in found if each.project)),
        shared=_shared(findings),
        evidence=_evidence(findings),
        next_steps=_steps(found),
        first=first,
    )


def _steps(found: Sequence[tuple[Examined, Finding]]) -> tuple[str, ...]:
    """The steps of the members where they are the same; else the first one of each of a few, with its Application."""
    steps = [finding.next_steps for _, finding in found]
    if len(set(steps)) == 1:
        return steps[0]
    named = [(each.application, finding.next_steps) for each, finding in found if finding.next_steps]
    return tuple(f"{one_line(application, 120)}: {first}" for application, (first, *_) in named[:_NAMED])


def _evidence(findings: Sequence[Finding]) -> tuple[Evidence, ...]:
    """The whole evidence of a single finding; of several findings the first quotation of a few."""
    if len(findings) == 1:
        return findings[0].evidence
    return tuple(evidence for finding in findings[:_EVIDENCE] for evidence in finding.evidence[:1])


def _shared(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The names and hosts in the evidence of every member, longest first."""
    if len(findings) < 2:
        return ()
    counts: Counter[str] = Counter()
    for finding in findings:
        text = "\n".join(evidence.text for evidence in finding.evidence).lower()
        counts.update({match.rstrip(".:") for match in _SHAREABLE.findall(text)})
    everywhere = [
        name for name, count in counts.items() if count == len(findings) and not name.replace(".", "").isdigit()
    ]
    everywhere.sort(key=lambda name: (-len(name), name))
    return tuple(everywhere[:_SHARED])


def _finding(group: CauseGroup) -> Finding:
    count = len(group.applications)
    if count == 1:
        return replace(group.first, title=f"{group.applications[0]}: {group.title}")
    named = ", ".join(one_line(name, 80) for name in group.applications[:_NAMED])
    more = f" and {count - _NAMED} more" if count > _NAMED else ""
    shared = f" They have in common: {', '.join(one_line(each, 120) for each in group.shared)}." if group.shared else ""
    return replace(
        group.first,
        title=f"{count} Applications: {one_line(group.title, 200)}",
        explanation=f"{group.explanation} The Applications are {named}{more}.{shared}",
        evidence=group.evidence,
        next_steps=group.next_steps,
        resource=None,
        blames=(),
        cause="",
    )
