"""Streams that wait, stall, or lose their client."""

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from agent.errors import ProviderTimeout
from agent.mlflow.event_stream import encode_event
from serve.failures import error_response
from serve.sse import EventStream
from tests.fakes.server import PATIENCE, running
from tests.serve.scripted import Gate, ScriptedAssistant, ask, served
from tests.serve.sse_client import blocks, connect, events, post, read_until, text

KEEP_ALIVE = ": keep-alive"
SOON = 0.02  # seconds of silence before a comment


def leave(connection: socket.socket) -> None:
    """Closes as a browser does that is closed: at once, whatever is on its way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_silence_before_the_first_event_is_broken_by_comments() -> None:
    gate = Gate()
    with (
        served(ScriptedAssistant(gate, "at last"), heartbeat_seconds=SOON) as client,
        client.stream("POST", "/invocations", json=ask(stream=True)) as response,
    ):
        stream = blocks(response)
        assert [next(stream), next(stream)] == [KEEP_ALIVE, KEEP_ALIVE]
        gate.open()
        assert text(events(stream)) == "at last"


def test_silence_within_an_answer_is_broken_by_comments() -> None:
    gate = Gate()
    with (
        served(ScriptedAssistant("first ", gate, "last"), heartbeat_seconds=SOON) as client,
        client.stream("POST", "/invocations", json=ask(stream=True)) as response,
    ):
        stream = blocks(response)
        while "response.output_text.delta" not in next(stream):  # comments too, on a slow machine
            pass
        assert [next(stream), next(stream)] == [KEEP_ALIVE, KEEP_ALIVE]
        gate.open()
        assert text(events(stream)) == "last"


def test_an_answer_without_silence_has_no_comments() -> None:
    with (
        served(ScriptedAssistant(*"abc"), heartbeat_seconds=60) as client,
        client.stream("POST", "/invocations", json=ask(stream=True)) as response,
    ):
        assert [block for block in blocks(response) if block.startswith(":")] == []


def test_an_error_after_a_long_silence_is_an_event_because_the_headers_are_out() -> None:
    gate = Gate()
    with (
        served(ScriptedAssistant(gate, ProviderTimeout("No answer in time")), heartbeat_seconds=SOON) as client,
        client.stream("POST", "/invocations", json=ask(stream=True)) as response,
    ):
        stream = blocks(response)
        assert next(stream) == KEEP_ALIVE
        gate.open()
        (error,) = events(stream)

    assert (error["type"], error["code"], error["sequence_number"]) == ("error", "provider_timeout", 0)


def test_two_hundred_clients_that_leave_within_their_answer_leave_nothing_behind() -> None:
    assistant = ScriptedAssistant("first", Gate(), "never")
    with served(assistant) as client:
        connections = [connect(client) for _ in range(200)]
        for connection in connections:
            post(connection, ask(stream=True))
        for connection in connections:
            read_until(connection, b'"delta":"first"')
        assert assistant.running == 200
        for connection in connections:
            leave(connection)
        assistant.wait_until(lambda turns: turns.running == 0)
        assert client.get("/health").status_code == 200

    assert assistant.cancelled == 200


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("path", ["/invocations", "/responses"])
def test_a_client_that_leaves_before_the_first_word_ends_its_turn(path: str, streamed: bool) -> None:
    assistant = ScriptedAssistant(Gate(), "never")
    with served(assistant) as client:
        connection = connect(client)
        post(connection, ask(stream=streamed), path=path)
        assistant.wait_until(lambda turns: turns.running == 1)
        leave(connection)
        assistant.wait_until(lambda turns: turns.running == 0)

    assert assistant.cancelled == 1


def test_a_client_that_leaves_while_it_still_sends_asks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assistant = ScriptedAssistant()
    with served(assistant) as client:
        connection = connect(client)
        connection.sendall(b'POST /invocations HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{"input": ')
        leave(connection)
        assert client.post("/invocations", json=ask()).status_code == 200

    assert len(assistant.bodies) == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_slow_reader_gets_the_whole_answer_and_holds_the_turn_back() -> None:
    megabyte = "x" * 1_000_000
    assistant = ScriptedAssistant(*[megabyte] * 40)
    with served(assistant, heartbeat_seconds=SOON) as client, connect(client) as connection:
        post(connection, ask(stream=True))
        start = read_until(connection, b'"delta":"xxx')
        # These turns never wait of their own accord: that another request is answered shows that this one is held.
        assert client.get("/health").status_code == 200
        assert assistant.said < 40
        rest = read_until(connection, b"data: [DONE]\n\n")

    assert (start + rest).count(b"x" * 1000) >= 40 * 900
    assert assistant.cancelled == 0


@pytest.mark.parametrize("deltas", [1, 1000], ids=["then the turn is silent", "and the turn goes on"])
def test_a_client_that_takes_nothing_any_more_loses_its_turn(deltas: int) -> None:
    closed, answered = threading.Event(), threading.Event()

    async def endless() -> AsyncGenerator[list[dict[str, Any]]]:
        try:
            for _ in range(deltas):
                yield [{"type": "response.output_text.delta", "delta": "x" * 20_000_000}]
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        stream = EventStream(endless(), encode=encode_event, error_response=error_response, heartbeat=SOON, stall=SOON)
        await stream(scope, receive, send)
        answered.set()

    with running(app) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port))) as connection:
            post(connection, {})
            assert closed.wait(PATIENCE)
            assert answered.wait(PATIENCE)
