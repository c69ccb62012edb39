"""Which bytes are a request's body, and how others are told."""

import pytest

from agent.errors import RequestError
from agent.request.body import decode_body


def test_a_json_object_is_decoded() -> None:
    raw = '{"input": "Wärum? \\u2028", "n": [1, -2.5e3, true, null], "big": 123456789012345678901234567890}'.encode()

    assert decode_body(raw) == {
        "input": "Wärum? \u2028",
        "n": [1, -2500.0, True, None],
        "big": 123456789012345678901234567890,
    }


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "invalid JSON at line 1 column 1"),
        (b'{"input":\n oops}', "invalid JSON at line 2 column 2"),
        (b'{"input": 1} {}', "invalid JSON at line 1 column 14"),
        (b"\xef\xbb\xbf{}", "invalid JSON at line 1 column 1"),
        (b'{"input": "\xff"}', "invalid UTF-8 at byte 11"),
        ('{"input": "Why?"}'.encode("utf-16"), "invalid UTF-8 at byte 0"),
        (b"[]", "must be a JSON object with `input`"),
        (b'[{"input": "Why?"}]', "must be a JSON object with `input`"),
        (b'"Why?"', "must be a JSON object with `input`"),
        (b"null", "must be a JSON object with `input`"),
        (b'{"n": NaN}', "invalid JSON: NaN is no JSON number"),
        (b'{"n": -Infinity}', "invalid JSON: -Infinity is no JSON number"),
        (b'{"n": 1e999}', "holds a number that is too large: 1e999"),
        (b'{"n": ' + b"9" * 100_000 + b"}", "holds a number of too many digits"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_told(raw: bytes, what: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_body(raw)

    assert str(caught.value) == f"body: {what}"
    assert caught.value.field == "body"


def test_a_long_number_is_not_repeated_whole() -> None:
    with pytest.raises(RequestError) as caught:
        decode_body(b'{"n": 1' + b"0" * 5_000 + b".0}")

    assert len(str(caught.value)) < 200
