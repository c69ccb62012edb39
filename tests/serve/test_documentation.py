"""The OpenAPI description: valid, complete, and true of what the server takes and gives."""

import json
import re
from typing import Any, cast

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from tests.serve.scripted import ScriptedAssistant, ask
from tests.serve.sse_client import DONE, blocks, data

type Json = dict[str, Any]

QUESTIONS = ("/invocations", "/responses", "/assist")
PROBES = ("/health", "/ping", "/ready", "/version", "/v1/models")


@pytest.fixture
def described(client: httpx.Client) -> Json:
    return client.get("/openapi.json").json()


def check(described: Json, schema: Json, value: object) -> None:
    """Fails where `value` does not fit the schema, which may refer to the description's components."""
    Draft202012Validator({**schema, "components": described["components"]}).validate(  # pyright: ignore[reportUnknownMemberType]
        value
    )


def answer_schema(described: Json, path: str, status: int, media_type: str = "application/json") -> Json:
    (operation,) = described["paths"][path].values()
    return operation["responses"][str(status)]["content"][media_type]["schema"]


def request_schema(described: Json, path: str) -> Json:
    return described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_the_description_is_openapi(described: Json) -> None:
    OpenAPI.model_validate(described)
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_path_is_described_and_every_reference_leads_somewhere(described: Json) -> None:
    assert set(described["paths"]) == {*QUESTIONS, *PROBES}
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references <= described["components"]["schemas"].keys()


@pytest.mark.parametrize("path", QUESTIONS)
def test_the_examples_fit_and_are_answered(described: Json, client: httpx.Client, path: str) -> None:
    schema = request_schema(described, path)
    name = cast("str", schema["$ref"]).rpartition("/")[2]
    (example,) = described["components"]["schemas"][name]["examples"]

    check(described, schema, example)
    assert client.post(path, json=example).status_code == 200


@pytest.mark.parametrize(
    "custom_inputs",
    [
        {"application": "argocd/guestbook"},
        {"application": {"name": "guestbook"}},
        {"resource": {"kind": "Pod", "name": "api"}, "manifest": {"kind": "Pod", "metadata": {"name": "api"}}},
        {"events": [{"reason": "BackOff"}], "logs": {"api": "out of memory"}},
        {"events": {"kind": "EventList", "items": None}, "logs": {"api": [{"content": "out of memory"}]}},
        {"log_request": {"tail_lines": 1, "previous": True}, "session_id": "conv_1"},
    ],
)
@pytest.mark.parametrize("path", ["/invocations", "/responses"])
def test_what_is_described_is_taken(described: Json, client: httpx.Client, path: str, custom_inputs: Json) -> None:
    body = ask(custom_inputs=custom_inputs)

    check(described, request_schema(described, path), body)
    assert client.post(path, json=body).status_code == 200


@pytest.mark.parametrize("path", [*QUESTIONS, *PROBES])
def test_answers_are_as_described(described: Json, client: httpx.Client, path: str) -> None:
    body = {"query": "Why?"} if path == "/assist" else ask()
    answer = client.get(path) if path in PROBES else client.post(path, json=body)

    check(described, answer_schema(described, path, 200), answer.json())


@pytest.mark.parametrize("path", ["/invocations", "/responses"])
def test_stream_events_are_as_described(described: Json, client: httpx.Client, path: str) -> None:
    with client.stream("POST", path, json=ask(stream=True)) as response:
        for block in blocks(response):
            if data(block) != DONE:
                check(described, answer_schema(described, path, 200, "text/event-stream"), data(block))


@pytest.mark.parametrize("path", QUESTIONS)
def test_errors_are_as_described(
    described: Json, assistant: ScriptedAssistant, client: httpx.Client, path: str
) -> None:
    body = {"query": "Why?"} if path == "/assist" else ask()
    wrong = client.post(path, json={})
    unknown = client.post(path, json=body, headers={"content-type": "text/plain"})
    too_large = client.post(path, content=b" " * 200_000)
    assistant.play(ValueError("unforeseen"))
    failed = client.post(path, json=body)

    for answer, status in ((wrong, 400), (unknown, 415), (too_large, 413), (failed, 500)):
        assert answer.status_code == status
        check(described, answer_schema(described, path, status), answer.json())


def test_the_documentation_is_there_to_be_read(client: httpx.Client) -> None:
    assert "Argo CD Assistant" in client.get("/docs").text


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_of_the_description_need_no_other_server(client: httpx.Client, page: str) -> None:
    html = client.get(page).text

    loaded = re.findall(r"""(?:src|href|spec-url)=["']([^"']+)""", html) + re.findall(r"url: '([^']+)'", html)
    assert "/openapi.json" in loaded
    assert [address for address in loaded if client.get(address).status_code != 200] == []
    assert "//" not in "".join(loaded)
