"""Bodies larger than the limit: refused, and never kept."""

import json
from collections.abc import Generator, Iterator

import httpx
import pytest

from tests.serve.scripted import ScriptedAssistant, ask, served
from tests.serve.sse_client import connect, read_until

LIMIT = 10_000


@pytest.fixture(scope="module")
def client() -> Generator[httpx.Client]:
    with served(ScriptedAssistant(), body_limit_bytes=LIMIT) as client:
        yield client


def test_a_declared_length_beyond_the_limit_is_refused_before_the_body_is_sent(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: test\r\nContent-Length: 60000000\r\n\r\n")
        answer = read_until(connection, b"}")

    assert answer.startswith(b"HTTP/1.1 413 ")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert error["field"] == "body"
    assert error["message"].endswith(f"larger than {LIMIT} bytes, the most this server accepts")


def test_a_client_that_asks_before_it_sends_is_told_not_to(client: httpx.Client) -> None:
    with connect(client) as connection:
        head = b"POST /invocations HTTP/1.1\r\nHost: test\r\nContent-Length: 60000000\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head)
        answer = read_until(connection, b"}")

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_is_refused_with_the_first_byte_too_many(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"x" * (LIMIT + 1)
        connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        answer = read_until(connection, b"}")

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/invocations", "/responses", "/assist"])
@pytest.mark.parametrize("chunked", [False, True])
def test_sixty_megabytes_are_refused_and_the_server_goes_on(client: httpx.Client, path: str, chunked: bool) -> None:
    megabyte = b"x" * 1_000_000

    def parts() -> Iterator[bytes]:
        yield from (megabyte for _ in range(60))

    answer = client.post(path, content=parts() if chunked else megabyte * 60)

    assert answer.status_code == 413
    assert client.post("/invocations", json=ask()).status_code == 200


def test_a_body_at_the_limit_is_taken(client: httpx.Client) -> None:
    body = json.dumps(ask()).encode()

    assert client.post("/invocations", content=body.ljust(LIMIT)).status_code == 200
    assert client.post("/invocations", content=body.ljust(LIMIT + 1)).status_code == 413
