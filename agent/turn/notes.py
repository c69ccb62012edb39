"""The note of an answer that is not about the findings: the findings themselves, for the reader to go by.

Owns its text and its place. A stream has sent the answer before it could be checked, so there the note comes last;
wherever the answer is shown as a whole it comes first.
"""

import re
from collections.abc import Sequence

from agent.findings.model import Finding
from agent.providers.offline import findings_in_full
from agent.turn.grounding import Grounding

_OFF_TOPIC = (
    "**The model's answer names nothing of what was found.** It may be about something else, or too general to act on. "
    "This is what the built-in analyzers found:"
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_REST = "---\n\n**The model's answer:**"


def off_topic_note(grounding: Grounding, findings: Sequence[Finding]) -> str:
    """The note as the end of a Markdown answer, "" for an answer that needs none."""
    if grounding.status != "off_topic":
        return ""
    return f"\n\n> {_OFF_TOPIC}\n\n{findings_in_full(findings)}\n"


def open_fence(text: str) -> str:
    """What closes the code block that `text` ends in, "" where it ends in none. A note after it would be code."""
    fence = ""
    for match in _FENCE.finditer(text):
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    return f"\n{fence}\n" if fence else ""


def note_first(text: str, note: str) -> str:
    """`text` with the note at its end moved to its beginning; unchanged where it does not end so."""
    if not note or not text.endswith(note):
        return text
    answer = text.removesuffix(note).strip()
    return f"{note.strip()}\n\n{_REST}\n\n{answer or '(empty)'}\n"
