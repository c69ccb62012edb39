"""Counts the terms of the findings over the scenarios; a scenario counts a term once, however often it has it.

`python -m tests.turn.grounding.term_frequencies` writes the file that `agent.turn.grounding.terms` reads.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import agent.turn.grounding.terms
from agent.findings.model import Finding
from agent.turn.grounding.terms import terms
from agent.turn.grounding.vocabulary import TOOLS
from tests.turn.grounding.scenario_findings import findings_of, scenarios

FILE = Path(agent.turn.grounding.terms.__file__).with_name("term_frequencies.txt")
# Terms of fewer scenarios are rare.
_LEAST = 3


def counted(names: Iterable[str]) -> tuple[Counter[str], int]:
    """How many of the scenarios `names` have a term in their findings, and how many of them have findings."""
    broken = [name for name in names if findings_of(name)]
    counts = Counter(term for name in broken for term in _words(findings_of(name)))
    return counts, len(broken)


def written(counts: Counter[str], of: int) -> str:
    """The counts as the file has them."""
    lines = (
        f"{count} {' '.join(sorted(term for term in counts if counts[term] == count))}" for count in _steps(counts)
    )
    return "\n".join([str(of), *lines, ""])


def _steps(counts: Counter[str]) -> list[int]:
    return sorted({count for count in counts.values() if count >= _LEAST}, reverse=True)


def _words(findings: Iterable[Finding]) -> Iterator[str]:
    """The words of the findings without names, numbers and namespaces, which only the scenarios have."""
    findings = tuple(findings)
    texts = (
        text
        for finding in findings
        for text in (finding.title, finding.explanation, *finding.next_steps, *(e.text for e in finding.evidence))
    )
    namespaces = {finding.resource.namespace for finding in findings if finding.resource} - TOOLS
    return (term for term in terms("\n".join(texts)) if term.isalpha() and term not in namespaces)


if __name__ == "__main__":
    FILE.write_text(written(*counted(scenarios())), "utf-8")
