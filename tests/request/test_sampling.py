"""How a caller wants the answer sampled."""

from typing import Any

import pytest

from agent.errors import RequestError
from agent.request.sampling import AS_SERVED, Sampling, parse_sampling


def test_what_is_not_asked_for_is_left_to_the_server() -> None:
    assert parse_sampling({"input": "Why?"}) == AS_SERVED
    assert parse_sampling({"temperature": None, "top_p": None, "max_output_tokens": None}) == AS_SERVED
    assert AS_SERVED.named() == {}


def test_the_three_fields_are_read_and_named_as_a_protocol_calls_them() -> None:
    sampling = parse_sampling({"max_output_tokens": 300, "temperature": 0, "top_p": 0.9})

    assert sampling == Sampling(max_output_tokens=300, temperature=0.0, top_p=0.9)
    assert sampling.named(max_output_tokens="max_tokens") == {"max_tokens": 300, "temperature": 0.0, "top_p": 0.9}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"max_output_tokens": 0}, "max_output_tokens: must be a whole number from 1"),
        ({"max_output_tokens": 1.5}, "max_output_tokens: must be a whole number from 1"),
        ({"max_output_tokens": True}, "max_output_tokens: must be a whole number from 1"),
        ({"temperature": 2.1}, "temperature: must be a number from 0 to 2"),
        ({"temperature": "hot"}, "temperature: must be a number from 0 to 2"),
        ({"top_p": -0.1}, "top_p: must be a number from 0 to 1"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(body: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_sampling(body)

    assert caught.value.public_message == words
