"""One question and its answer, for other services."""

from typing import Any

import httpx
import pytest

from agent.errors import ProviderTimeout
from tests.serve.scripted import OUTPUTS, ScriptedAssistant


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


NOTHING_SAID: dict[str, Any] = OUTPUTS | {"findings": []}
OUTAGE = {"code": "provider_unreachable", "message": "No connection to http://model:8321"}


def test_without_a_model_a_general_question_is_an_error_that_says_what_to_set(
    assistant: ScriptedAssistant, client: httpx.Client
) -> None:
    assistant.play("This is a general question.")
    assistant.outputs = NOTHING_SAID
    answer = client.post("/assist", json={"query": "What is a PodDisruptionBudget?"})

    assert (answer.status_code, answer.json()["error_code"]) == (503, "no_model_configured")
    assert "LLAMASTACK_BASE_URL" in answer.json()["message"]


def test_a_model_out_of_reach_is_no_answer_to_a_general_question(
    assistant: ScriptedAssistant, client: httpx.Client
) -> None:
    assistant.play("No connection.")
    assistant.outputs = NOTHING_SAID | {"provider": OUTPUTS["provider"] | {"outage": OUTAGE}}
    answer = client.post("/assist", json={"query": "What is a PodDisruptionBudget?"})

    assert answer.status_code == 503
    assert answer.json() == {"error_code": "provider_unreachable", "message": OUTAGE["message"], "field": None}


def test_without_a_model_what_is_known_of_all_applications_is_an_answer(
    assistant: ScriptedAssistant, client: httpx.Client
) -> None:
    assistant.play("Nothing wrong was found with any Application.")
    fleet = {"name": "fleet", "title": "Applications", "tokens": 20, "left_out": ""}
    assistant.outputs = NOTHING_SAID | {"context": {"sections": [fleet], "gaps": []}}

    assert client.post("/assist", json={"query": "What is broken?"}).status_code == 200
