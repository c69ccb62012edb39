"""The order of findings: errors first, a cause above what it causes in whichever resource. Finds nothing itself."""

from collections import defaultdict
from collections.abc import Sequence

from agent.findings.engine.inventory import Inventory, Key, key_of
from agent.findings.engine.merging import LEVELS, Merged, grade, merged
from agent.findings.model import Finding


def ranked(inventory: Inventory, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, those of one fault merged, most important first.

    By severity, among equals by level; but whatever explains a finding stands above it, if it is but a warning: what
    the finding blames, and what is wrong with the objects that its resource owns. Mere information explains nothing.
    """
    if len(findings) < 2:
        return tuple(findings)
    found = sorted(merged(inventory, findings), key=lambda each: grade(each.finding))
    if len(found) < 2:
        return tuple(each.finding for each in found)
    return tuple(found[place].finding for place in _causes_first(_explanations(inventory, found)))


def _explanations(inventory: Inventory, found: list[Merged]) -> list[list[int]]:
    """For each finding the places of those that explain it, the best first."""
    about: dict[Key, list[int]] = defaultdict(list)
    for place, each in enumerate(found):
        for key in dict.fromkeys(map(key_of, each.about)):
            about[key].append(place)
    explained: list[set[int]] = [set() for _ in found]
    for place, each in enumerate(found):
        for blamed in each.finding.blames:
            explained[place].update(other for other in about.get(key_of(blamed), ()) if _may_explain(found[other]))
        if _may_explain(each):
            owners = {key_of(owner) for resource in each.about for owner in (resource, *inventory.owners(resource))}
            for other in (other for owner in sorted(owners) for other in about.get(owner, ())):
                if _is_above(each, found[other]):
                    explained[other].add(place)
    return [sorted(others - {place}) for place, others in enumerate(explained)]


def _may_explain(each: Merged) -> bool:
    return each.finding.severity != "info" and each.finding.level != "summary"


def _is_above(below: Merged, owner: Merged) -> bool:
    """Whether the finding about an owner follows from one about what it owns (or about itself)."""
    level = LEVELS.index(owner.finding.level)
    if below.about[:1] == owner.about[:1]:
        return level > LEVELS.index(below.finding.level)
    return owner.finding.level != "cause" and level >= LEVELS.index(below.finding.level)


def _causes_first(explained_by: list[list[int]]) -> list[int]:
    """The places in order, each after what explains it. A circle is opened at its best finding."""
    order: list[int] = []
    seen: set[int] = set()
    for start in range(len(explained_by)):
        stack = [(start, False)]
        while stack:
            place, is_done = stack.pop()
            if is_done:
                order.append(place)
            elif place not in seen:
                seen.add(place)
                stack.append((place, True))
                stack.extend((other, False) for other in reversed(explained_by[place]) if other not in seen)
    return order
