"""Asking over `/invocations`, plain and streamed."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from agent.errors import ProviderUnreachable, RateLimited, SessionBusy, SessionForbidden
from tests.fakes.server import PATIENCE
from tests.serve.scripted import OUTPUTS, Gate, ScriptedAssistant, ask
from tests.serve.sse_client import blocks, data, events, text


def stream(client: httpx.Client, body: dict[str, Any]) -> list[dict[str, Any]]:
    with client.stream("POST", "/invocations", json=body | {"stream": True}) as response:
        assert response.status_code == 200
        return events(blocks(response))


def test_a_question_gets_a_whole_response_object(client: httpx.Client) -> None:
    answer = client.post("/invocations", json=ask()).json()

    assert answer["output"][0]["content"][0]["text"] == "It ran out of memory."
    assert answer["custom_outputs"] == OUTPUTS


def test_a_streamed_answer_comes_as_events_closed_by_done(client: httpx.Client) -> None:
    said = stream(client, ask())

    assert text(said) == "It ran out of memory."
    assert [event["type"] for event in said] == [
        "response.created",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in said] == list(range(5))


def test_a_stream_is_neither_cached_nor_held_back_by_proxies(client: httpx.Client) -> None:
    with client.stream("POST", "/invocations", json=ask(stream=True)) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-length" not in response.headers


def test_the_first_delta_arrives_before_the_last_is_made(assistant: ScriptedAssistant, client: httpx.Client) -> None:
    gate = Gate()
    assistant.play("first", gate, "last")
    with client.stream("POST", "/invocations", json=ask(stream=True)) as response:
        stream = blocks(response)
        assert data(next(stream))["type"] == "response.created"
        assert data(next(stream))["delta"] == "first"
        gate.open()
        assert text(events(stream)) == "last"


def test_a_body_of_an_unknown_client_without_content_type_is_read_as_json(client: httpx.Client) -> None:
    assert client.post("/invocations", content=json.dumps(ask())).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (ask(input=[]), "input"),
        ({}, "input"),
        (ask(input=[{"role": "user", "content": "  "}]), "input[0].content"),
        (ask(custom_inputs={"aplication": "a/b"}), "custom_inputs.aplication"),
        (ask(custom_inputs=["application"]), "custom_inputs"),
        (ask(custom_inputs={"log_request": {"tail_lines": "0x10"}}), "custom_inputs.log_request.tail_lines"),
        (ask(custom_inputs={"resource": {"name": "api"}}), "custom_inputs.resource.kind"),
        (ask(context={"user_id": 7}), "context.user_id"),
        (ask(stream="yes"), "stream"),
        (ask(stream=1), "stream"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_wrong_request_is_told_which_field_is_wrong(
    client: httpx.Client, body: dict[str, Any], field: str, streamed: bool
) -> None:
    answer = client.post("/invocations", json={"stream": streamed} | body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()
    assert (error["error_code"], error["field"]) == ("invalid_request", field)
    assert field in error["message"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"input": ', "body: invalid JSON at line 1 column 11"),
        (b"", "body: invalid JSON at line 1 column 1"),
        (b'{"input": "\xff"}', "body: invalid UTF-8 at byte 11"),
        (b'[{"input": "Why?"}]', "body: must be a JSON object with `input`"),
        (b'"Why?"', "body: must be a JSON object with `input`"),
        (b"[" * 50_000, "body: nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, content: bytes, message: str) -> None:
    answer = client.post("/invocations", content=content)

    assert answer.status_code == 400
    assert answer.json() == {"error_code": "invalid_request", "message": message, "field": "body"}


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_a_body_said_to_be_no_json_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/invocations", content=json.dumps(ask()), headers=headers)

    assert answer.status_code == 415
    assert answer.json()["field"] in ("Content-Type", "Content-Encoding")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/ld+json"])
def test_every_spelling_of_json_is_taken(client: httpx.Client, media_type: str) -> None:
    answer = client.post("/invocations", content=json.dumps(ask()), headers={"content-type": media_type})

    assert answer.status_code == 200


def test_a_wrong_method_is_told_the_right_one(client: httpx.Client) -> None:
    answer = client.get("/invocations")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error_code"] == "method_not_allowed"


def test_an_unknown_path_is_not_found(client: httpx.Client) -> None:
    assert client.post("/nowhere", json={}).json()["error_code"] == "not_found"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SessionForbidden("The session belongs to somebody else"), 403),
        (SessionBusy("A turn is running in the session"), 409),
        (RateLimited("Too many requests"), 429),
        (ProviderUnreachable("No connection"), 503),
    ],
)
def test_an_error_before_the_first_event_has_a_status_of_its_own(
    assistant: ScriptedAssistant, client: httpx.Client, error: Exception, status: int, streamed: bool
) -> None:
    assistant.play(error)
    answer = client.post("/invocations", json=ask(stream=streamed))

    assert answer.status_code == status
    assert answer.json()["message"] == str(error)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_nobody_foresaw_is_told_as_an_id_that_the_log_has(
    assistant: ScriptedAssistant, client: httpx.Client, streamed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assistant.play(ZeroDivisionError("secret-of-the-server"))
    answer = client.post("/invocations", json=ask(stream=streamed))

    assert answer.status_code == 500
    error = answer.json()
    assert error["error_code"] == "internal_error"
    assert "secret-of-the-server" not in answer.text
    reference = error["message"].removesuffix(".").rpartition(" ")[2]
    assert f"Unexpected error {reference}" in caplog.text
    assert "secret-of-the-server" in caplog.text
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [(ProviderUnreachable("Connection lost"), "provider_unreachable"), (KeyError("secret"), "internal_error")],
)
def test_an_error_after_the_first_event_is_the_last_event(
    assistant: ScriptedAssistant, client: httpx.Client, error: Exception, code: str
) -> None:
    assistant.play("It ran ", error)
    said = stream(client, ask())

    assert text(said) == "It ran "
    assert said[-1]["type"] == "error"
    assert (said[-1]["code"], said[-1]["sequence_number"]) == (code, 2)
    assert "secret" not in said[-1]["message"]


def test_half_a_surrogate_pair_does_not_break_the_stream(assistant: ScriptedAssistant, client: httpx.Client) -> None:
    assistant.play("half: \ud83d", "\ude00")
    assert text(stream(client, ask())) == "half: \ud83d\ude00"
    plain = client.post("/invocations", json=ask()).json()

    assert plain["output"][0]["content"][0]["text"] == "half: \U0001f600"


def test_streams_at_the_same_time_are_whole_and_do_not_mix(assistant: ScriptedAssistant, client: httpx.Client) -> None:
    words = [f"word {number} " for number in range(50)]

    async def ask_all(url: str) -> list[str]:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=httpx.Limits(max_connections=64)) as client:

            async def one() -> str:
                async with client.stream("POST", "/invocations", json=ask(stream=True)) as response:
                    lines = [line async for line in response.aiter_lines() if line]
                return text(events(lines))

            return await asyncio.gather(*(one() for _ in range(64)))

    assistant.play(*words)

    assert set(asyncio.run(ask_all(str(client.base_url)))) == {"".join(words)}
