"""The instructions to the model: what they ask for, and what a team may add."""

from pathlib import Path

import pytest

from agent.context.context import Context
from agent.errors import SettingsError
from agent.objects.target import Target
from agent.prompt.instructions import BUILT_IN, Instructions
from agent.prompt.prompt import compose
from agent.prompt.tokens import count_tokens
from agent.settings import load_settings

NOTHING = Context(target=Target())


def test_evidence_with_its_source_is_asked_for_and_no_invention() -> None:
    for wanted in ("say where it was read", '"not known"', "Invent no name, number, message or command"):
        assert wanted in BUILT_IN.text


def test_the_built_in_text_leaves_room_in_the_smallest_window() -> None:
    assert count_tokens(BUILT_IN.text) < 600


def test_a_teams_own_stand_below_the_others_and_count() -> None:
    ours = Instructions(text="Be exact.", version="1", team="Name the on-call team.")

    prompt = compose("Why?", NOTHING, [], limit=4_000, instructions=ours)

    assert prompt.system_text.startswith("Be exact.\n\n# Instructions of this team")
    assert prompt.system_text.endswith("Name the on-call team.")
    assert prompt.instructions_version == "1"


@pytest.mark.parametrize("limit", [1_000, 4_000])
def test_a_teams_own_that_are_too_long_are_cut_and_that_is_reported(limit: int) -> None:
    ours = Instructions(text=BUILT_IN.text, version=BUILT_IN.version, team="Look at the runbook first. " * 4_000)

    prompt = compose("Why?", NOTHING, [], limit=limit, instructions=ours)

    assert count_tokens(prompt.system_text) <= limit
    assert prompt.instructions.startswith(BUILT_IN.text)
    [note] = prompt.left_out
    assert "team's instructions" in note


def test_a_version_longer_than_the_window_gives_way_to_the_built_in_text() -> None:
    endless = Instructions(text="Be exact. " * 50_000, version="prompts:/ours/7")

    prompt = compose("Why?", NOTHING, [], limit=4_000, instructions=endless)

    assert (prompt.instructions, prompt.instructions_version) == (BUILT_IN.text, BUILT_IN.version)
    assert prompt.left_out == ("instructions: prompts:/ours/7 does not fit into the model's window",)


def test_a_teams_own_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "team.md"
    file.write_text("Name the on-call team.\n")
    monkeypatch.setenv("ASSISTANT_TEAM_INSTRUCTIONS", f"@{file}")

    assert load_settings().team_instructions == "Name the on-call team."


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ASSISTANT_TEAM_INSTRUCTIONS", "@/nowhere/team.md", "the file '/nowhere/team.md' cannot be read"),
        ("ASSISTANT_INSTRUCTIONS", "be nice", "must be a prompt URI, like prompts:/name@alias"),
    ],
)
def test_what_cannot_be_used_is_reported_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert f"{variable}: {message}" in caught.value.public_message
