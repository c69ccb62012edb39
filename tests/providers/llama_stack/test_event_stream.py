"""Server-sent events, whole and in pieces."""

import json
from collections.abc import AsyncGenerator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.providers.llama_stack.event_stream import events

pytestmark = pytest.mark.anyio


async def read(*chunks: bytes) -> list[dict[str, Any]]:
    async def arriving() -> AsyncGenerator[bytes]:
        for chunk in chunks:
            yield chunk

    return [event async for event in events(arriving())]


async def test_each_data_field_is_an_event() -> None:
    stream = b': hello\n\nevent: message\nid: 1\ndata: {"a": 1}\n\ndata:{"b": 2}\n\n'
    assert await read(stream) == [{"a": 1}, {"b": 2}]


async def test_the_stream_ends_with_done() -> None:
    assert await read(b'data: {"a": 1}\n\ndata: [DONE]\n\ndata: {"b": 2}\n\n') == [{"a": 1}]


async def test_data_over_several_lines_is_one_event() -> None:
    assert await read(b'data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


async def test_line_separators_within_text_end_no_line() -> None:
    text = "a\u2028b\u2029c\x85d"
    assert await read(b'data: {"text": "' + text.encode() + b'"}\n\n') == [{"text": text}]


async def test_an_event_without_end_is_left_out_when_the_stream_breaks_off() -> None:
    assert await read(b'data: {"a": 1}\n\n', b'data: {"b": ') == [{"a": 1}]


@pytest.mark.parametrize("data", [b"oops", b"[1]", b"null", b"{", b"[" * 100_000])
async def test_data_that_is_no_object_is_an_error(data: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        await read(b"data: " + data + b"\n\n")


@given(
    texts=st.lists(st.text(), max_size=4),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=12),
)
async def test_pieces_of_any_size_make_the_same_events(texts: list[str], end: str, cuts: list[int]) -> None:
    stream = "".join(f"data: {json.dumps({'t': text}, ensure_ascii=False)}{end}{end}" for text in texts).encode()
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:stop] for start, stop in pairwise(places)]

    assert await read(*pieces) == [{"t": text} for text in texts]
