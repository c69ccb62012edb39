"""The redaction of a turn: what was found in the context is hidden in all that follows."""

import pytest

from agent.context.context import Context
from agent.objects.target import Target
from agent.providers.events import (
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallRequested,
    ToolResult,
    TurnCompleted,
)
from agent.request.conversation import Message
from agent.turn.redacting import TurnRedaction

SECRET = "tr0ub4dor-and-3"
POD = {
    "kind": "Pod",
    "metadata": {"name": "api-1"},
    "spec": {"containers": [{"name": "api", "env": [{"name": "DB_PASSWORD", "value": SECRET}]}]},
}


@pytest.fixture
def redaction() -> TurnRedaction:
    """A redaction that has met the secret in a manifest."""
    redaction = TurnRedaction(b"key", enabled=True)
    context = redaction.context(Context(target=Target(), manifest=POD))
    assert SECRET not in str(context.manifest)
    return redaction


def test_a_secret_of_the_context_is_hidden_in_texts_and_messages(redaction: TurnRedaction) -> None:
    [message] = redaction.messages([Message("user", f"Is it {SECRET}?")])

    assert redaction.text(f"It is {SECRET}.").startswith("It is [REDACTED:")
    assert message.role == "user"
    assert message.text.startswith("Is it [REDACTED:")


def test_what_tools_are_given_and_answer_is_redacted(redaction: TurnRedaction) -> None:
    for event in (
        ToolCall(call_id="1", name="login", arguments=f'{{"as": "{SECRET}"}}'),
        ToolCallRequested(call_id="1", name="login", arguments=f'{{"as": "{SECRET}"}}'),
        ToolResult(call_id="1", output=f"as {SECRET}"),
    ):
        redacted = redaction.answered(event)

        assert type(redacted) is type(event)
        assert SECRET not in str(redacted)
        assert "[REDACTED:" in str(redacted)


def test_a_piece_of_text_passes_as_it_is(redaction: TurnRedaction) -> None:
    assert redaction.answered(TextDelta("It is ")) == TextDelta("It is ")


def test_a_secret_cut_into_pieces_is_hidden_in_what_is_kept(redaction: TurnRedaction) -> None:
    pieces = [TextDelta("It is tr0ub4"), TextDelta("dor-and-3.")]
    thoughts = [ReasoningDelta("Is it tr0ub4dor"), ReasoningDelta("-and-3?")]

    kept = redaction.kept([*thoughts, *pieces])

    assert [type(event) for event in kept] == [ReasoningDelta, TextDelta]
    assert "tr0ub4" not in str(kept)
    assert str(kept).count("[REDACTED:") == 2


def test_runs_of_text_are_joined_only_up_to_the_next_event_of_another_kind(redaction: TurnRedaction) -> None:
    call, end = ToolCall(call_id="1", name="get", arguments="{}"), TurnCompleted()
    events: list[ProviderEvent] = [TextDelta("a"), TextDelta("b"), call, TextDelta("c"), ReasoningDelta("d"), end]

    assert redaction.kept(events) == (TextDelta("ab"), call, TextDelta("c"), ReasoningDelta("d"), end)


def test_one_key_gives_a_secret_the_same_placeholder_in_every_turn(redaction: TurnRedaction) -> None:
    def placeholder(key: bytes) -> str:
        other = TurnRedaction(key, enabled=True)
        other.context(Context(target=Target(), manifest=POD))
        return other.text(SECRET)

    assert placeholder(b"key") == redaction.text(SECRET)
    assert placeholder(b"another") != redaction.text(SECRET)


def test_nothing_is_hidden_while_redaction_is_off() -> None:
    redaction = TurnRedaction(b"key", enabled=False)
    context = Context(target=Target(), manifest=POD)

    assert redaction.context(context) == context
    assert redaction.text(SECRET) == SECRET
    assert redaction.kept([TextDelta(SECRET)]) == (TextDelta(SECRET),)
