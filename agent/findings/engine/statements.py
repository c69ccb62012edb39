"""The innermost clause of the quoted message in each finding's own words: a reader must not have to open the evidence.

Runs over all findings at the end, so that no analyzer can repeat the outer words of a message alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.findings.engine.evidence import one_line
from agent.findings.model import Evidence, Finding
from agent.objects.error_message import parse

# Characters of a clause in a title, and of one in an explanation.
_TITLE_LIMIT = 200
_EXPLANATION_LIMIT = 400
# A text of fewer words is a value (a reason, a number) and no message.
_LEAST_WORDS = 3
# Of a longer title the clause goes into the explanation.
_LONGEST_TITLE = 160


def with_statements(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings; one that is a cause or an effect names the innermost clause of its first message."""
    return [finding if finding.severity == "info" else _stated(finding) for finding in found]


def _stated(finding: Finding) -> Finding:
    message = next(_messages(finding.evidence), "")
    if not message or finding.level in ("symptom", "summary"):
        return finding
    error = parse(message)
    finding_text = _plain(f"{finding.title} {finding.explanation}")
    if _plain(error.cause[:_TITLE_LIMIT]) in finding_text:
        return finding
    is_full = ": " in finding.title or len(finding.title) > _LONGEST_TITLE
    if is_full or not _says_more(error.cause, finding_text):
        clause = one_line(error.statement, _EXPLANATION_LIMIT)
        return replace(finding, explanation=f"{finding.explanation.rstrip()} The message: {clause}")
    return replace(finding, title=f"{finding.title}: {one_line(error.statement, _TITLE_LIMIT)}")


def _messages(evidence: Iterable[Evidence]) -> Iterator[str]:
    """The texts of events and of fields that are messages."""
    for each in evidence:
        is_message = each.source == "event" or each.path.rpartition(".")[2].lower().endswith("message")
        if is_message and not _BACK_OFF.match(each.text) and len(each.text.split()) >= _LEAST_WORDS:
            yield each.text


# The kubelet waits before it tries again: what it waits for is elsewhere.
_BACK_OFF = re.compile(r"back-?off \d|Back-off (?:restarting|pulling)")


def _says_more(cause: str, finding: str) -> bool:
    """Whether the clause names something, or has some words, that the finding does not have."""
    words = {word.strip(".,;:()[]{}\"'`") for word in _plain(cause).split()}
    new = {word for word in words if len(word) > _SHORT_WORD and word.rpartition("/")[2] not in finding}
    return len(new) >= _NEW_WORDS or any(_NAME.search(word) for word in new)


_SHORT_WORD = 3
# So many new words are more than a synonym ("does not exist", "not found").
_NEW_WORDS = 3
_NAME = re.compile(r"[\d/_=]|\w[.-]\w")


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
