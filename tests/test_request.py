"""What a request may say, and how a wrong one is told."""

from typing import Any

import pytest

from agent.errors import RequestError
from agent.request import Message, parse_question


def ask(custom_inputs: Any = None, **body: Any) -> Any:
    return parse_question({"input": [{"role": "user", "content": "Why?"}], "custom_inputs": custom_inputs} | body)


def test_the_last_user_message_is_the_question_and_the_rest_is_history() -> None:
    question = ask(
        input=[
            {"role": "user", "content": "Why is it down?"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "OOM"}]},
            {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
        ]
    )

    assert question.text == "And now?"
    assert question.history == (Message("user", "Why is it down?"), Message("assistant", "OOM"))


def test_an_application_may_be_written_as_namespace_and_name() -> None:
    application = ask({"application": "argocd/guestbook"}).target.application

    assert (application.namespace, application.name) == ("argocd", "guestbook")


@pytest.mark.parametrize("tail_lines", [0, -5, 1.5, "0x10", 251, True, "10"])
def test_tail_lines_must_be_a_whole_number_in_range(tail_lines: object) -> None:
    with pytest.raises(RequestError, match="must be a whole number from 1 to 250") as caught:
        ask({"log_request": {"tail_lines": tail_lines}})

    assert caught.value.field == "custom_inputs.log_request.tail_lines"
