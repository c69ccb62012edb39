"""What holds for any text, any value and any secret."""

import string
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.redaction import Redactor

WORDS = st.sampled_from(
    ["password", "token", "secret", "key", "is", "the", "=", ":", " ", "\n", '"', "'", "\\", "{", "}", ",", "://", "@",
     "-", "--", "|", "Bearer ", "Authorization: ", "Cookie: ", "kind: Secret", "data:", "  a: ", "mysql -p", "curl -u ",
     "value", "name", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "[REDACTED:password:abcdef]",
     "[REDACTED:", "x1Y2z3", "eyJhbGciOiJIUzI1NiJ9.", "hunter2Xq9", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "\t", "%3D", "\\n",
     "İ"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map("".join))
SECRETS = st.text(alphabet=string.ascii_letters + string.digits, min_size=10, max_size=40).filter(
    lambda text: any(map(str.isdigit, text)) and any(map(str.isupper, text)) and any(map(str.islower, text))
)
KEYS = st.sampled_from(["kind", "data", "name", "value", "password", "args", "auth", "a"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


@given(TEXTS)
@settings(max_examples=250)
@example("password=[REDACTED:password:abcdef]x")
@example("[REDACTED:password:abc")
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = Redactor(b"session").text(text)
    assert Redactor(b"session").text(once) == once


@given(VALUES)
@settings(max_examples=150)
def test_keys_numbers_and_shape_stay(value: Any) -> None:
    assert _shape(Redactor(b"session").value(value)) == _shape(value)


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_shape(item) for item in cast("list[object]", value)]
    return str if isinstance(value, str) else (type(value), value)


@given(VALUES)
@settings(max_examples=100)
def test_a_value_redacted_twice_changes_nothing_more(value: Any) -> None:
    once = Redactor(b"session").value(value)
    assert Redactor(b"session").value(once) == once


@given(SECRETS, TEXTS, TEXTS)
@settings(max_examples=150)
def test_a_learned_secret_is_in_no_later_text(secret: str, before: str, after: str) -> None:
    redactor = Redactor(b"session")
    redactor.value({"kind": "Secret", "stringData": {"password": secret}})
    assert secret not in redactor.text(f"{before} {secret} {after}")


@given(SECRETS, TEXTS, TEXTS)
@settings(max_examples=100)
def test_an_assigned_password_is_hidden_whatever_stands_on_other_lines(secret: str, before: str, after: str) -> None:
    assert f"={secret}" not in Redactor(b"session").text(f"{before}\nDB_PASSWORD={secret}\n{after}")


@given(st.lists(TEXTS, max_size=8))
@settings(max_examples=100)
def test_a_key_makes_placeholders_the_same_anywhere(texts: list[str]) -> None:
    first, second = Redactor(b"session"), Redactor(b"session")
    assert [first.text(text) for text in texts] == [second.text(text) for text in texts]
