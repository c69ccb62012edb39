"""Keys of a request that would be ignored in silence."""

from typing import Any

import pytest

from agent.errors import RequestError
from agent.turn.parse import parse_question

POD = {"kind": "Pod", "metadata": {"name": "web"}}


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ({"custom_input": {"manifest": POD}}, "custom_input", "did you mean custom_inputs?"),
        ({"customInputs": {"manifest": POD}}, "customInputs", "did you mean custom_inputs?"),
        ({"contex": {"user_id": "ann"}}, "contex", "did you mean context?"),
        ({"inputs": []}, "inputs", "did you mean input?"),
        ({"steam": True}, "steam", "did you mean stream?"),
        ({"manifest": POD}, "manifest", "belongs into custom_inputs: custom_inputs.manifest"),
        ({"user_id": "ann"}, "user_id", "belongs into context: context.user_id"),
        ({"context": {"userid": "ann"}}, "context.userid", "allowed are conversation_id, user_id"),
    ],
)
def test_a_key_that_was_meant_for_another_is_refused_and_named(more: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_question({"input": "Why?"} | more)

    assert refused.value.field == field
    assert message in refused.value.public_message


def test_what_clients_of_mlflow_and_openai_send_is_taken() -> None:
    sent: dict[str, Any] = {
        "stream": False,
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.2,
        "max_output_tokens": 100,
        "metadata": {},
        "model": "any",
        "store": True,
        "user": "ann",
        "text": {},
        "top_p": 1.0,
        "max_tokens": 5,
        "databricks_options": {},
        "x-trace": "1",
    }

    assert parse_question({"input": "Why?", "context": {"user_id": "ann"}} | sent).caller.subject == "ann"
