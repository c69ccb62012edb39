"""Findings with their evidence, and gaps, as text. Owns their form on the page, and what is kept of the first finding
where not all of it fits: its title and its evidence."""

from collections.abc import Iterator, Sequence

from agent.context.model import Gap
from agent.findings.engine.evidence import ELLIPSIS
from agent.findings.model import Evidence, Finding
from agent.prompt.rendering.rendered import Rendered, beginning, label, whole_items
from agent.prompt.tokens import count_tokens

# Of a budget that is too small for the first finding its title and resource take this share, its evidence the rest.
_TITLE_SHARE = 0.2
# Further findings that do not fit are named, within this share of the budget.
_NAMES_SHARE = 0.15
# Tokens of the beginning of a quotation that does not fit.
_BEGINNING = 40


def render_findings(findings: Sequence[Finding], limit: int) -> Rendered:
    """The findings in their order, each with its evidence; those that do not fit by their titles. Of the first one the
    evidence is always there."""
    texts: list[str] = []
    tokens = 0
    names_budget = int(limit * _NAMES_SHARE) if len(findings) > 1 else 0
    for finding in findings:
        text = _finding(finding)
        cost = count_tokens(text) + 1
        is_last = len(texts) == len(findings) - 1  # no title is to come
        if tokens + cost > limit - (0 if is_last else names_budget):
            if texts:
                break
            text = text if cost <= limit else _tight(finding, limit)
            cost = count_tokens(text) + 1
        texts.append(text)
        tokens += cost
    rest = findings[len(texts) :]
    if not rest:
        return Rendered(text="\n".join(texts), tokens=tokens)
    names = _named(rest, limit - tokens)
    note = f"evidence of {len(rest)} further findings" + (" and most of their titles" if names.left_out else "")
    return Rendered(text="\n".join([*texts, names.text]), tokens=tokens + names.tokens, left_out=note)


def least_for(findings: Sequence[Finding]) -> int:
    """The tokens of the whole first finding."""
    return count_tokens(_finding(findings[0])) + 1 if findings else 0


def render_gaps(gaps: Sequence[Gap], limit: int) -> Rendered:
    """What could not be read, a line each."""
    lines = (f"- {gap.part} from {gap.source}: {gap.message} ({gap.reason})" for gap in gaps)
    return whole_items(lines, limit, "gaps", count=len(gaps))


def _finding(finding: Finding) -> str:
    lines = [f"- [{finding.severity}] {finding.title}"]
    if finding.resource:
        lines.append(f"  resource: {finding.resource}")
    lines.append(f"  meaning: {finding.explanation}")
    lines += [f"{_place(evidence, finding)}{evidence.text}" for evidence in finding.evidence]
    lines += [f"  next step: {step}" for step in finding.next_steps]
    return "\n".join(lines)


def _place(evidence: Evidence, finding: Finding) -> str:
    """Where the evidence was read; the finding's own resource is named but once, above it."""
    elsewhere = evidence.resource if evidence.resource != finding.resource else None
    place = f"{evidence.source} {evidence.path}" + (f" of {elsewhere}" if elsewhere else "")
    return f"  evidence ({place}): "


def _tight(finding: Finding, limit: int) -> str:
    """Title and evidence of a finding within `limit`, then what else fits. Where the quotations do not fit together,
    the first ones stay whole and of the others there is the beginning."""
    lines = [beginning(f"- [{finding.severity}] {finding.title}", int(limit * _TITLE_SHARE))]
    lines += _quotations(finding, limit - count_tokens(lines[0]) - 1)
    tokens = sum(count_tokens(line) + 1 for line in lines)
    more = [f"  resource: {finding.resource}"] if finding.resource else []
    more += [f"  meaning: {finding.explanation}", *(f"  next step: {step}" for step in finding.next_steps)]
    for line in more:
        cost = count_tokens(line) + 1
        if tokens + cost > limit:
            break
        lines.append(line)
        tokens += cost
    return "\n".join(lines)


def _quotations(finding: Finding, token_budget: int) -> list[str]:
    """The evidence within `token_budget` tokens; where a place would take too much, only its source is named."""
    texts: list[str] = []
    for evidence in finding.evidence:
        place = _place(evidence, finding)
        if count_tokens(place) > 60:
            place = f"  evidence ({evidence.source} {label(evidence.path)}): "
        texts.append(place + evidence.text)
    costs = [count_tokens(text) + 2 for text in texts]
    behind = sum(min(cost, _BEGINNING) for cost in costs)
    kept: list[str] = []
    left = token_budget
    for text, cost in zip(texts, costs, strict=True):
        behind -= min(cost, _BEGINNING)
        most = max(left - behind, min(left, _BEGINNING))
        if cost > most:
            text = beginning(text, most - 5) + ELLIPSIS
            cost = count_tokens(text) + 2
        if cost > left:
            break
        kept.append(text)
        left -= cost
    return kept


def _named(findings: Sequence[Finding], limit: int) -> Rendered:
    def lines() -> Iterator[str]:
        for finding in findings:
            yield f"- [{finding.severity}] {label(finding.title)} (evidence left out)"

    head = "Also found:"
    rendered = whole_items(lines(), limit - count_tokens(head) - 1, "titles", count=len(findings))
    if limit < 30:
        return Rendered(text="", tokens=0, left_out="titles")
    return Rendered(
        text=f"{head}\n{rendered.text}", tokens=rendered.tokens + count_tokens(head) + 1, left_out=rendered.left_out
    )
