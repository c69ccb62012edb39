"""The findings that go with an answer that is not about them, and their place."""

import pytest

from agent.findings.model import Finding
from agent.turn.grounding import Grounding
from agent.turn.notes import note_first, off_topic_note, open_fence

FINDING = Finding(
    title="Container api is OOMKilled", severity="error", explanation="No memory.", evidence=(), resource=None
)


def test_an_answer_about_the_findings_needs_no_note() -> None:
    assert off_topic_note(Grounding(addresses_findings=True), [FINDING]) == ""
    assert off_topic_note(Grounding(), [FINDING]) == ""


def test_the_note_has_the_findings() -> None:
    note = off_topic_note(Grounding(addresses_findings=False), [FINDING])

    assert "names nothing of what was found" in note
    assert "## Most likely cause: Container api is OOMKilled" in note


def test_the_note_is_moved_above_the_answer() -> None:
    note = off_topic_note(Grounding(addresses_findings=False), [FINDING])

    moved = note_first(f"Buy a new one.{note}", note)

    assert moved.startswith("> **The model's answer names nothing")
    assert moved.endswith("**The model's answer:**\n\nBuy a new one.\n")
    assert note_first(note, note).endswith("(empty)\n")
    assert note_first("Buy a new one.", note) == note_first("Buy a new one.", "") == "Buy a new one."


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("no code", ""),
        ("```sh\nls\n```\n", ""),
        ("```sh\nls", "\n```\n"),
        ("````\n```\n", "\n````\n"),
        ("~~~\n```\n~~~\nend", ""),
    ],
)
def test_a_code_block_that_was_not_closed_is_closed(text: str, closing: str) -> None:
    assert open_fence(text) == closing
