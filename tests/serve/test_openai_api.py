"""`/responses` as the `openai` SDK sees it."""

import json
from collections.abc import Generator
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from agent.errors import ProviderUnreachable, RateLimited, RequestError, SessionForbidden
from serve.openai_api import ResponsesRequest
from tests.fakes.server import PATIENCE
from tests.serve.scripted import OUTPUTS, ScriptedAssistant
from tests.serve.sse_client import DONE, blocks, data

MODEL = "argocd-assistant"


@pytest.fixture
def sdk(client: httpx.Client) -> Generator[openai.OpenAI]:
    with sdk_of(client, "/") as sdk:
        yield sdk


def sdk_of(client: httpx.Client, path: str) -> openai.OpenAI:
    base_url = str(client.base_url).rstrip("/") + path
    return openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=PATIENCE)


@pytest.mark.parametrize("path", ["/", "/v1"])
def test_the_sdk_gets_a_plain_answer(client: httpx.Client, path: str) -> None:
    with sdk_of(client, path) as sdk:
        response = sdk.responses.create(model=MODEL, input="Why is it down?")

    assert response.output_text == "It ran out of memory."
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 9
    assert response.model_extra is not None
    assert response.model_extra["custom_outputs"] == OUTPUTS


@pytest.mark.parametrize("path", ["/", "/v1"])
def test_the_sdk_gets_a_streamed_answer(client: httpx.Client, path: str) -> None:
    with sdk_of(client, path) as sdk:
        events = list(sdk.responses.create(model=MODEL, input="Why is it down?", stream=True))

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["It ran ", "out of memory."]
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "It ran out of memory."


def test_a_response_has_every_field_that_openais_has(client: httpx.Client) -> None:
    body = client.post("/responses", json={"input": "Why?", "metadata": {"team": "a"}, "user": "ann"}).json()

    response = Response.model_validate(body)
    required = {name for name, field in Response.model_fields.items() if field.is_required()}
    assert required <= body.keys()
    assert (response.object, response.model, response.metadata) == ("response", "scripted", {"team": "a"})
    assert (response.error, response.incomplete_details, response.instructions) == (None, None, None)
    assert response.conversation is not None
    assert response.conversation.id == OUTPUTS["session_id"]
    assert response.user == "ann"
    assert response.completed_at is not None
    assert response.completed_at >= response.created_at


def test_each_event_has_its_type_in_front_and_validates_as_openais(client: httpx.Client) -> None:
    with client.stream("POST", "/responses", json={"input": "Why?", "stream": True}) as response:
        said = list(blocks(response))

    event: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
    for block in said[:-1]:
        assert block.splitlines()[0] == f"event: {event.validate_python(data(block)).type}"
    assert data(said[-1]) == DONE


def test_the_model_is_echoed(sdk: openai.OpenAI) -> None:
    assert sdk.responses.create(model="gpt-5", input="Why?").model == "gpt-5"


def test_custom_inputs_go_beside_the_parameters_or_in_the_metadata(
    assistant: ScriptedAssistant, sdk: openai.OpenAI
) -> None:
    custom_inputs = {"application": "argocd/guestbook"}
    sdk.responses.create(model=MODEL, input="Why?", extra_body={"custom_inputs": custom_inputs})
    sdk.responses.create(model=MODEL, input="Why?", metadata={"custom_inputs": json.dumps(custom_inputs)})

    assert [body["custom_inputs"] for body in assistant.bodies] == [custom_inputs, custom_inputs]


def test_a_conversation_is_continued_by_the_one_of_the_answer(assistant: ScriptedAssistant, sdk: openai.OpenAI) -> None:
    first = sdk.responses.create(model=MODEL, input="Why?")
    assert first.conversation is not None
    sdk.responses.create(model=MODEL, input="And now?", conversation=first.conversation.id)
    sdk.responses.create(model=MODEL, input="And now?", conversation={"id": first.conversation.id})

    assert [body["custom_inputs"].get("session_id") for body in assistant.bodies] == [None, "conv_1", "conv_1"]


def test_the_safety_identifier_or_the_user_is_who_asks(assistant: ScriptedAssistant, sdk: openai.OpenAI) -> None:
    sdk.responses.create(model=MODEL, input="Why?", user="ann")
    sdk.responses.create(model=MODEL, input="Why?", safety_identifier="bob", user="somebody")

    assert [body["context"] for body in assistant.bodies] == [{"user_id": "ann"}, {"user_id": "bob"}]


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"instructions": "You are a pirate"}, "instructions"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"background": True}, "background"),
        ({"text": {"format": {"type": "json_object"}}}, "text"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"extra_body": {"prompts": "x"}}, "prompts"),
        ({"extra_body": {"custom_inputs": {"aplication": "a/b"}}}, "custom_inputs.aplication"),
        ({"metadata": {"custom_inputs": "application"}}, "metadata.custom_inputs"),
        ({"input": []}, "input"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_would_be_ignored_is_refused_and_named(
    sdk: openai.OpenAI, parameters: dict[str, Any], param: str, streamed: bool
) -> None:
    arguments: dict[str, Any] = {"model": MODEL, "input": "Why?", "stream": streamed} | parameters
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(**arguments)

    assert (caught.value.param, caught.value.code) == (param, "invalid_request")
    assert caught.value.type == "invalid_request_error"
    assert param in caught.value.message


def test_parameters_that_only_tune_a_model_are_taken_without_effect(sdk: openai.OpenAI) -> None:
    response = sdk.responses.create(
        model=MODEL,
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}],
        temperature=0.2,
        max_output_tokens=100,
        store=False,
        tools=[],
        tool_choice="auto",
        text={"format": {"type": "text"}},
    )

    assert (response.temperature, response.max_output_tokens) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"conversation": "conv_1", "custom_inputs": {"session_id": "conv_2"}}, "conversation"),
        ({"conversation": 7}, "conversation"),
        ({"user": "ann", "context": {"user_id": "bob"}}, "user"),
        ({"safety_identifier": "ann", "context": {"user_id": "bob"}}, "safety_identifier"),
        ({"custom_inputs": {}, "metadata": {"custom_inputs": "{}"}}, "metadata.custom_inputs"),
        ({"metadata": {"custom_inputs": "[]"}}, "metadata.custom_inputs"),
        ({"metadata": {"team": 1}}, "metadata.team"),
        ({"metadata": "team"}, "metadata"),
        ({"model": 1}, "model"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        ResponsesRequest({"input": "Why?"} | body).turn_body()

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (SessionForbidden("The session belongs to somebody else"), openai.PermissionDeniedError, "session_forbidden"),
        (RateLimited("Too many requests"), openai.RateLimitError, "rate_limited"),
        (ProviderUnreachable("No connection"), openai.InternalServerError, "provider_unreachable"),
        (ValueError("secret"), openai.InternalServerError, "internal_error"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_is_the_sdks_own_exception(
    assistant: ScriptedAssistant,
    sdk: openai.OpenAI,
    error: Exception,
    kind: type[openai.APIStatusError],
    code: str,
    streamed: bool,
) -> None:
    assistant.play(error)
    with pytest.raises(kind) as caught:
        sdk.responses.create(model=MODEL, input="Why?", stream=streamed)

    assert caught.value.code == code
    assert "secret" not in str(caught.value.body)


def test_an_error_within_a_stream_is_the_sdks_error_event(assistant: ScriptedAssistant, sdk: openai.OpenAI) -> None:
    assistant.play("It ran ", ProviderUnreachable("Connection lost"))
    last = list(sdk.responses.create(model=MODEL, input="Why?", stream=True))[-1]

    assert last.type == "error"
    assert (last.code, last.message) == ("provider_unreachable", "Connection lost")


def test_the_sdk_lists_the_one_model(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["argocd-assistant"]


@pytest.mark.parametrize("path", ["/responses", "/v1/responses", "/v1/embeddings"])
def test_what_the_router_refuses_is_told_as_openai_does(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["type"] == "invalid_request_error"
