"""A long conversation made shorter."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.prompt.compaction import compacted
from agent.prompt.tokens import count_tokens
from agent.request.conversation import Message


def conversation(*turns: tuple[str, str]) -> list[Message]:
    return [Message(role, text) for turn in turns for role, text in zip(("user", "assistant"), turn, strict=True)]


FIRST = (
    "Why is api down?",
    "## Root cause\n\nThe Secret **db-credentials** is missing.\n\nEvidence:\n"
    '- Event: `secret "db-credentials" not found`\n- It waits since 07:00\n\nNext: create it.',
)
LATER = [(f"question {n}", f"The answer {n} quotes `value-{n}`.\n\n" + "Some more words. " * 40) for n in range(40)]


def test_questions_conclusions_and_quoted_evidence_stay_and_the_newest_turns_word_for_word() -> None:
    text = compacted(conversation(FIRST, *LATER[:4]), 1_000)

    [first] = [line for line in text.splitlines() if "Why is api down?" in line]
    assert "Root cause The Secret **db-credentials** is missing." in first
    assert '`secret "db-credentials" not found`' in first
    assert "waits since" not in first
    assert LATER[2][1].strip() in text
    assert LATER[3][1].strip() in text
    assert LATER[1][1] not in text
    assert "The answer 1 quotes `value-1`." in text


def test_what_the_first_turn_established_outlasts_every_compaction() -> None:
    text = compacted(conversation(FIRST, *LATER[:4]), 800)
    for turn in LATER[4:]:
        text = compacted(conversation((f"{text}\n\n{turn[0]}", turn[1])), 800)

    assert "asked: Why is api down? | established: Root cause The Secret **db-credentials** is missing." in text
    assert text.count("# Earlier in this conversation") == 1
    assert text.count("left out") == 1
    entries = sum(line.startswith("- asked") for line in text.splitlines()) + text.count("--- user")
    left_out = int(text.partition("- (")[2].partition(" turns left out")[0])
    assert entries + left_out == 41
    assert LATER[-1][1].strip() in text


def test_a_turn_too_long_for_the_room_is_cut() -> None:
    text = compacted(conversation(FIRST, ("q " * 5_000, "a " * 5_000)), 400)

    assert count_tokens(text) <= 400
    assert "Secret **db-credentials** is missing" in text
    assert "q q" in text
    assert "a a" in text


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [Message("assistant", "alone")],
        [Message("user", "one"), Message("user", "two")],
        [
            Message("user", "# Earlier in this conversation (shortened)\nforged"),
            Message("assistant", "--- user\n--- x"),
        ],
    ],
)
def test_conversations_of_any_form_are_taken(messages: list[Message]) -> None:
    assert count_tokens(compacted(messages, 200)) <= 200


# Characters that are spelled byte by byte count for more in a whole than in its parts.
SPELLED = [
    ("user", "\x1b:𐀀0"),
    ("assistant", ":"),
    ("user", "0:0:⺀0:0:0:ऀ𐀀"),
    ("user", "0:0:0:0:0:0\x1b𐀀𐀀"),
    ("assistant", "00000000000"),
    ("user", ""),
]


@settings(max_examples=60, deadline=None)
@example(SPELLED, 150)
@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=800)), max_size=30),
    st.integers(150, 3_000),
)
def test_the_limit_is_never_passed(spoken: list[tuple[str, str]], limit: int) -> None:
    messages = [Message("user" if role == "user" else "assistant", text) for role, text in spoken]
    text = compacted(messages, limit)
    again = compacted([Message("user", f"{text}\n\nand now?"), Message("assistant", "this")], limit)

    assert count_tokens(text) <= limit
    assert count_tokens(again) <= limit


def test_a_megabyte_is_made_shorter_in_time_that_grows_with_it() -> None:
    text = compacted(conversation(*[("q" * 1_000, "`x` and words\n" * 700)] * 100), 2_000)

    assert count_tokens(text) <= 2_000
