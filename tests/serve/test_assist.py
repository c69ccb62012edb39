"""One question and its answer, for other services."""

from typing import Any

import httpx
import pytest

from agent.errors import ProviderTimeout
from tests.serve.scripted import ScriptedAssistant


def test_a_query_gets_its_answer_and_nothing_else(client: httpx.Client) -> None:
    answer = client.post("/assist", json={"query": "Why is it down?"})

    assert answer.json() == {"query": "Why is it down?", "answer": "It ran out of memory."}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": " \n"}, "query"),
        ({"query": ["Why?"]}, "query"),
        ({"query": "Why?", "stream": True}, "stream"),
    ],
)
def test_anything_else_is_refused_and_named(
    assistant: ScriptedAssistant, client: httpx.Client, body: dict[str, Any], field: str
) -> None:
    answer = client.post("/assist", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert assistant.bodies == []


def test_a_provider_that_fails_is_told_with_its_status(assistant: ScriptedAssistant, client: httpx.Client) -> None:
    assistant.play(ProviderTimeout("No answer in time"))
    answer = client.post("/assist", json={"query": "Why?"})

    assert answer.status_code == 504
    assert answer.json() == {"error_code": "provider_timeout", "message": "No answer in time", "field": None}
