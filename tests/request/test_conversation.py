"""What `input` may say, and how a wrong one is told."""

from typing import Any

import pytest

from agent.errors import RequestError
from agent.request.conversation import Message, parse_conversation


def refused(items: object) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_conversation(items)
    return caught.value


def user(content: object = "Why?", **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content} | more


def test_messages_keep_their_order_and_roles() -> None:
    messages = parse_conversation([user("Why?"), {"role": "assistant", "content": "OOM"}, user("And now?")])

    assert messages == (Message("user", "Why?"), Message("assistant", "OOM"), Message("user", "And now?"))


def test_the_question_alone_may_be_text() -> None:
    assert parse_conversation("Why?") == (Message("user", "Why?"),)


def test_text_parts_and_a_refusal_are_joined() -> None:
    parts = [{"type": "input_text", "text": "Why "}, {"text": "now?"}]
    refusal = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]}

    assert parse_conversation([refusal, user(parts)]) == (
        Message("assistant", "I cannot."),
        Message("user", "Why now?"),
    )


def test_items_that_are_no_messages_are_left_out() -> None:
    items: list[Any] = [
        user("Why?", type="message"),
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "pods_log", "arguments": "{}", "call_id": "1"},
        {"type": "function_call_output", "call_id": "1", "output": "Killed"},
        {"role": "assistant", "content": "OOM", "type": None},
        user("And now?"),
    ]

    assert [message.text for message in parse_conversation(items)] == ["Why?", "OOM", "And now?"]


def test_empty_messages_before_the_question_are_left_out() -> None:
    assert parse_conversation([{"role": "assistant", "content": " \n"}, user("Why?")]) == (Message("user", "Why?"),)


@pytest.mark.parametrize("items", [None, [], {}, {"role": "user", "content": "Why?"}, 7, True])
def test_anything_but_messages_is_refused(items: object) -> None:
    error = refused(items)

    assert str(error) == "input: must be a list of messages with at least the user's question"
    assert error.field == "input"


@pytest.mark.parametrize(
    "items",
    [[{"role": "assistant", "content": "Hi"}], [user(), {"role": "assistant", "content": "OOM"}], [{"type": "x"}]],
)
def test_the_last_message_must_be_the_users(items: object) -> None:
    assert str(refused(items)) == "input: the last message must be the user's question"


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ("", "input"),
        (" \n ", "input"),
        ([user("")], "input[0].content"),
        ([user("Why?"), user(" ")], "input[1].content"),
        ([user("Why?"), user([]), {"type": "reasoning"}], "input[1].content"),
        ([user([{"type": "input_text", "text": "\t"}])], "input[0].content"),
    ],
)
def test_an_empty_question_is_refused_and_no_earlier_one_is_answered(items: object, field: str) -> None:
    error = refused(items)

    assert str(error) == f"{field}: the question is empty"
    assert error.field == field


@pytest.mark.parametrize(
    ("item", "field", "what"),
    [
        ("Why?", "input[0]", "must be a message, like"),
        (None, "input[0]", "must be a message, like"),
        ([], "input[0]", "must be a message, like"),
        ({"content": "Why?"}, "input[0].role", "is required: 'user' or 'assistant'"),
        (user(role="system"), "input[0].role", "'system' is not accepted: the instructions are the assistant's own"),
        (user(role="developer"), "input[0].role", "'developer' is not accepted"),
        (user(role="tool"), "input[0].role", "must be 'user' or 'assistant', not 'tool'"),
        (user(role=["user"]), "input[0].role", "must be 'user' or 'assistant', not ['user']"),
        (user(None), "input[0].content", "must be text or a list of text parts"),
        (user(7), "input[0].content", "must be text or a list of text parts"),
        (user({"text": "Why?"}), "input[0].content", "must be text or a list of text parts"),
        (user(["Why?"]), "input[0].content[0]", "must be a text part, like"),
        (user([None]), "input[0].content[0]", "must be a text part, like"),
        (
            user([{"text": "a"}, {"type": "input_image", "image_url": "x"}]),
            "input[0].content[1]",
            "must be a text part",
        ),
        (user([{"type": "input_text", "text": 7}]), "input[0].content[0]", "must be a text part, like"),
    ],
)
def test_a_wrong_item_is_named_with_what_would_be_right(item: object, field: str, what: str) -> None:
    error = refused([item, user()])

    assert str(error).startswith(f"{field}: {what}")
    assert error.field == field


def test_a_megabyte_in_place_of_a_role_is_not_repeated() -> None:
    assert len(str(refused([user(role="x" * 1_000_000)]))) < 200
