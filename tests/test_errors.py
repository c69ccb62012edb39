"""The errors are what their docstring draws, and each has a code and a status of its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import errors
from agent.errors import (
    AssistantError,
    BodyTooLarge,
    ContextTooLong,
    ProviderError,
    RateLimited,
    RequestError,
    SessionError,
    SettingsError,
    SourceError,
)


def drawn() -> dict[str, str]:
    """Each class of the tree in the module's docstring with the one above it."""
    above: list[tuple[int, str]] = []
    parents: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"(?P<indent>[ |`-]*)(?P<name>[A-Z]\w+)\s{2,}\S", line)
        if match is None:
            continue
        indent = len(match["indent"])
        while above and above[-1][0] >= indent:
            above.pop()
        parents[match["name"]] = above[-1][1] if above else "Exception"
        above.append((indent, match["name"]))
    return parents


def below(kind: type[AssistantError]) -> Iterator[type[AssistantError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from below(each)


CLASSES = [each for each in below(AssistantError) if each.__module__ == errors.__name__]


def test_the_hierarchy_is_the_one_that_the_docstring_draws() -> None:
    assert drawn() == {each.__name__: each.__bases__[0].__name__ for each in CLASSES}


def test_no_other_module_of_the_library_adds_an_error() -> None:
    names = {each.__name__ for each in CLASSES}
    sources = [path for path in Path(errors.__file__).parent.rglob("*.py") if path != Path(errors.__file__)]

    assert len(sources) > 10
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                assert not bases & names, f"{path.name}: {node.name}"


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in CLASSES]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_status_says_who_must_act(kind: type[AssistantError]) -> None:
    if issubclass(kind, RequestError | SessionError):
        assert 400 <= kind.http_status < 500
    elif kind in {RateLimited, ContextTooLong}:
        assert kind.http_status in {429, 413}  # the caller may ask later, or ask for less
    elif issubclass(kind, ProviderError | SourceError):
        assert kind.http_status in {502, 503, 504}
    else:
        assert kind in {AssistantError, SettingsError}
        assert kind.http_status == 500


@pytest.mark.parametrize("kind", [each for each in CLASSES if each is not BodyTooLarge])
def test_the_public_message_is_all_that_an_error_says(kind: type[AssistantError]) -> None:
    error = kind("The model is not there.")

    assert error.public_message == str(error) == "The model is not there."


def test_a_request_error_names_its_field() -> None:
    error = RequestError.at("custom_inputs.session_id", "must be text")

    assert (error.field, str(error)) == ("custom_inputs.session_id", "custom_inputs.session_id: must be text")
    assert RequestError("no field").field is None


def test_a_body_too_large_names_the_limit() -> None:
    error = BodyTooLarge(20_000_000)

    assert (error.field, error.http_status) == ("body", 413)
    assert "20000000 bytes" in str(error)


def test_a_source_error_may_say_why_by_a_code() -> None:
    assert SourceError("gone").code == "unavailable"
    assert SourceError("gone", code="not_found").code == "not_found"
    assert SourceError.code == "unavailable"
